"""The names of types and classes (RFC 1035 section 3.2, RFC 3597 section 5)."""

from __future__ import annotations

import re

_TYPES = {
    1: "A",
    2: "NS",
    5: "CNAME",
    6: "SOA",
    12: "PTR",
    13: "HINFO",
    15: "MX",
    16: "TXT",
    17: "RP",
    18: "AFSDB",
    24: "SIG",
    25: "KEY",
    28: "AAAA",
    29: "LOC",
    33: "SRV",
    35: "NAPTR",
    37: "CERT",
    39: "DNAME",
    41: "OPT",
    43: "DS",
    44: "SSHFP",
    46: "RRSIG",
    47: "NSEC",
    48: "DNSKEY",
    50: "NSEC3",
    51: "NSEC3PARAM",
    52: "TLSA",
    59: "CDS",
    60: "CDNSKEY",
    61: "OPENPGPKEY",
    64: "SVCB",
    65: "HTTPS",
    99: "SPF",
    249: "TKEY",
    250: "TSIG",
    251: "IXFR",
    252: "AXFR",
    253: "MAILB",
    254: "MAILA",
    255: "ANY",
    256: "URI",
    257: "CAA",
}
_CLASSES = {1: "IN", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY"}
_TYPE_NUMBERS = {name: number for number, name in _TYPES.items()}
_CLASS_NUMBERS = {name: number for number, name in _CLASSES.items()} | {"CHAOS": 3, "HESIOD": 4}
_GENERIC = re.compile(r"(TYPE|CLASS)([0-9]{1,5})", re.ASCII)


def type_text(number: int) -> str:
    """``A``, or ``TYPE999`` for one without a name."""
    return _TYPES.get(number, f"TYPE{number}")


def class_text(number: int) -> str:
    """``IN``, or ``CLASS7`` for one without a name."""
    return _CLASSES.get(number, f"CLASS{number}")


def type_number(text: str) -> int | None:
    """The number of a type; None for what is none."""
    return _number(text.upper(), "TYPE", _TYPE_NUMBERS)


def class_number(text: str) -> int | None:
    """The number of a class; None for what is none."""
    return _number(text.upper(), "CLASS", _CLASS_NUMBERS)


def _number(text: str, word: str, known: dict[str, int]) -> int | None:
    match = _GENERIC.fullmatch(text)
    if match is not None and match[1] == word and int(match[2]) < 1 << 16:
        return int(match[2])
    return known.get(text)
