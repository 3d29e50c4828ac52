"""The values that columns are made of (RFC 7047 section 3.1, <atom> and <value>)."""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias

from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.json_text import real_text, string_text

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BARE_STRING = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class Uuid(str):
    """A UUID as its canonical text, in lower case. The order of texts is ovsdb's order."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Uuid:
        """The UUID that a text is. Raises :class:`OvsdbError` where it is none."""
        if not is_uuid(text):
            raise OvsdbError("syntax error", f'"{text}" is not a valid UUID')
        return cls(text.lower())

    @classmethod
    def from_bytes(cls, octets: bytes) -> Uuid:
        """A UUID of 16 octets of chance, marked as such: version 4 of RFC 4122 section 4.4."""
        number = int.from_bytes(octets, "big") & ~(0xF << 76 | 0x3 << 62) | 4 << 76 | 2 << 62
        digits = f"{number:032x}"
        groups = digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]
        return cls("-".join(groups))


ZERO_UUID = Uuid("00000000-0000-0000-0000-000000000000")


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID as ovsdb writes them, in either case."""
    return _UUID.fullmatch(text) is not None


Atom: TypeAlias = int | float | bool | str | Uuid
Datum: TypeAlias = tuple[Any, ...]
"""What a column holds. Scalars, optional values and sets: their atoms in order, without doubles.
Maps: pairs of key and value, in the order of their keys."""

Kind: TypeAlias = Literal["integer", "real", "boolean", "string", "uuid"]


DEFAULT_ATOMS: dict[Kind, Atom] = {
    "integer": 0,
    "real": 0.0,
    "boolean": False,
    "string": "",
    "uuid": ZERO_UUID,
}


def atom_text(atom: Atom, kind: Kind) -> str:
    """An atom as ovs-vsctl writes it: strings are quoted only where they must be."""
    if kind == "string":
        return string_text(str(atom)) if needs_quotes(str(atom)) else str(atom)
    if kind == "boolean":
        return "true" if atom else "false"
    return real_text(float(atom)) if kind == "real" else str(atom)


def needs_quotes(text: str) -> bool:
    """Whether a string would be taken for something else, were it not quoted."""
    if not _BARE_STRING.fullmatch(text) or text in ("true", "false"):
        return True
    return is_uuid(text)
