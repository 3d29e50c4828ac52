"""Writing queries (RFC 1035 section 4.1, RFC 6891, RFC 7873)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

RECURSION_DESIRED, AUTHENTIC_DATA = 0x0100, 0x0020
IN, A, PTR, AAAA, OPT = 1, 1, 12, 28, 41
PORT = 53

_DNSSEC_OK = 0x8000
_COOKIE = 10
_HEADER = struct.Struct("!6H")
_QUESTION = struct.Struct("!HH")
_OPT = struct.Struct("!HHIH")
_MOST_LABEL_BYTES = 63
_MOST_NAME_BYTES = 255


def labels_of(name: str) -> list[bytes]:
    """The labels of a name as it is typed: ``\\DDD`` and ``\\X`` stand for what has a meaning.

    Raises ``ValueError`` in dig's words.
    """
    labels, label, at = list[bytes](), bytearray(), 0
    while at < len(name):
        character = name[at]
        at += 1
        if character == "\\":
            digits = name[at : at + 3]
            if digits.isascii() and digits.isdecimal() and len(digits) == 3:
                if int(digits) > 255:
                    raise ValueError("bad escape")
                label.append(int(digits))
                at += 3
            elif at < len(name):
                label += name[at].encode()
                at += 1
            else:
                raise ValueError("unexpected end of input")
        elif character == ".":
            if not label and (at < len(name) or labels):
                raise ValueError("empty label")
            labels.append(bytes(label))
            label.clear()
        else:
            label += character.encode()
    if label:
        labels.append(bytes(label))
    if labels == [b""]:
        labels = []
    if any(len(each) > _MOST_LABEL_BYTES for each in labels):
        raise ValueError("label too long")
    if sum(len(each) + 1 for each in labels) + 1 > _MOST_NAME_BYTES:
        raise ValueError("ran out of space")
    return labels


def emit_edns(size_bytes: int, *, dnssec: bool = False, cookie: bytes = b"") -> bytes:
    """The pseudo-record that says how much we take."""
    options = struct.pack("!HH", _COOKIE, len(cookie)) + cookie if cookie else b""
    flags = _DNSSEC_OK if dnssec else 0
    return b"\0" + _OPT.pack(OPT, size_bytes, flags, len(options)) + options


def emit_query(
    ident: int,
    labels: Sequence[bytes],
    kind: int,
    *,
    klass: int = IN,
    flags: int = RECURSION_DESIRED,
    edns: bytes = b"",
) -> bytes:
    """A query with one question."""
    name = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    header = _HEADER.pack(ident, flags, 1, 0, 0, 1 if edns else 0)
    return header + name + _QUESTION.pack(kind, klass) + edns
