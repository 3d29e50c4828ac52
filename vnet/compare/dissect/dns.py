"""DNS (RFC 1035): the header and the questions; the records stay bytes."""

from __future__ import annotations

from vnet.compare.cursor import Cursor
from vnet.compare.field import exact, hexadecimal

_POINTER = 0xC0


def dns(cursor: Cursor) -> None:
    cursor.label("dns.id", 2, "dns.id", None, hexadecimal)
    cursor.number("dns.flags", 2, hexadecimal)
    n_questions = cursor.number("dns.questions", 2)
    for name in ("dns.answers", "dns.authorities", "dns.additionals"):
        cursor.number(name, 2)
    for _ in range(n_questions):
        name_bytes = _name_bytes(cursor)
        if not name_bytes:
            break
        cursor.add(exact("dns.name", _name(cursor.take(name_bytes))))
        cursor.number("dns.type", 2)
        cursor.number("dns.class", 2)
    cursor.rest("dns.records")


def _name_bytes(cursor: Cursor) -> int:
    """The size of a name with no pointer in it; 0 where there is none."""
    at = cursor.at
    while at < cursor.end:
        size = cursor.data[at]
        if size == 0:
            return at + 1 - cursor.at
        if size & _POINTER:
            break
        at += 1 + size
    return 0


def _name(labels: bytes) -> str:
    """As it is asked for: capitals are kept, and whatever is no letter is escaped."""
    parts = []
    at = 0
    while labels[at]:
        part = labels[at + 1 : at + 1 + labels[at]]
        parts.append(part.decode("latin-1").replace("\\", "\\\\").replace(".", "\\."))
        at += 1 + labels[at]
    return ".".join(parts) + "."
