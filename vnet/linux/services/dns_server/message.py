"""A query as a server reads it, and the answer it builds (RFC 1035 section 4.1, RFC 6891).

The question is echoed byte by byte, and the names of records point back to it: an answer has
the same letters, large and small, as the question had. Names inside records are written out.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

HEADER_BYTES = 12
LEAST_UDP_BYTES = 512
MOST_UDP_BYTES = 1232
"""What is sent in one datagram at most, and what is said to be taken (edns-packet-max)."""

QR, AA, TC, RD, RA = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080
AD, OPCODE = 0x0020, 0x7800
DNSSEC_OK = 0x8000

NO_ERROR, FORMAT_ERROR, SERVER_FAILURE, NO_NAME, NOT_IMPLEMENTED, REFUSED = range(6)
A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, OPT, MAILB, ANY = (
    *(1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 253, 255),
)
IN, CHAOS = 1, 3

_HEADER = struct.Struct("!6H")
_FIXED = struct.Struct("!HHIH")
_TYPE_CLASS = struct.Struct("!HH")
_EXTENDED_ERROR = 15
_EDNS_ROOM = 15
_POINTER = 0xC0
_MOST_LABELS_READ = 255


class Edns(NamedTuple):
    """The pseudo-record of a message: what fits into an answer, its flags, and where it says
    so."""

    size_bytes: int
    flags: int
    at: int


class Query(NamedTuple):
    """A query. ``name`` is in small letters, empty for the root, None where it cannot be read.

    ``simple`` queries have one question, are about nothing but names, and bring no records.
    """

    ident: int
    flags: int
    counts: tuple[int, int, int, int]
    question: bytes
    name: str | None
    type: int
    klass: int
    edns: Edns | None

    @property
    def simple(self) -> bool:
        return not self.flags & OPCODE and self.counts[:3] == (1, 0, 0)


def parse_query(data: bytes) -> Query | None:
    """Read a message; None if it is an answer, or its questions are not whole."""
    if len(data) < HEADER_BYTES:
        return None
    ident, flags, *counts = _HEADER.unpack_from(data)
    at = HEADER_BYTES
    for _ in range(counts[0]):
        end = _skip_name(data, at)
        if end is None or end + _TYPE_CLASS.size > len(data):
            return None
        at = end + _TYPE_CLASS.size
    if flags & QR:
        return None
    name: str | None = None
    kind = klass = 0
    if counts[0] == 1:
        name = read_name(data, HEADER_BYTES)
        kind, klass = _TYPE_CLASS.unpack_from(data, at - _TYPE_CLASS.size)
    edns = _find_edns(data, at, counts[1] + counts[2], counts[3])
    numbers = (counts[0], counts[1], counts[2], counts[3])
    return Query(ident, flags, numbers, data[HEADER_BYTES:at], name, kind, klass, edns)


def _skip_name(data: bytes, at: int) -> int | None:
    """Where the bytes of a name end; None if they do not."""
    while at < len(data):
        length = data[at]
        if length & _POINTER == _POINTER:
            return at + 2 if at + 2 <= len(data) else None
        if length & _POINTER:
            return None
        at += 1 + length
        if not length:
            return at
    return None


def read_name(data: bytes, at: int) -> str | None:
    """The name at ``at``, in small letters; None for one that is cut off or bites its tail.

    A dot that is part of a label, and what is no printable character, stand as ``\\DDD``.
    """
    labels: list[bytes] = []
    hops = 0
    while at < len(data) and len(labels) + hops < _MOST_LABELS_READ:
        length = data[at]
        if length & _POINTER == _POINTER:
            if at + 2 > len(data):
                return None
            at = (length & ~_POINTER) << 8 | data[at + 1]
            hops += 1
            continue
        if length & _POINTER or at + 1 + length > len(data):
            return None
        if not length:
            return name_text(labels)
        labels.append(data[at + 1 : at + 1 + length])
        at += 1 + length
    return None


def name_text(labels: Sequence[bytes]) -> str:
    """Labels as :func:`read_name` has them."""
    return ".".join("".join(map(_character, label)) for label in labels)


def _character(byte: int) -> str:
    if 0x21 <= byte <= 0x7E and byte not in b".\\":
        return chr(byte).lower()
    return f"\\{byte:03d}"


def emit_name(name: str) -> bytes:
    """A name of plain labels, written out."""
    return emit_labels([label.encode() for label in name.split(".")] if name else [])


def emit_labels(labels: Sequence[bytes]) -> bytes:
    """A name, written out."""
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def _find_edns(data: bytes, at: int, before: int, additional: int) -> Edns | None:
    """The pseudo-record among the additional ones, if all before it can be read."""
    for number in range(before + additional):
        end = _skip_name(data, at)
        if end is None or end + _FIXED.size > len(data):
            return None
        kind, klass, ttl, length = _FIXED.unpack_from(data, end)
        at = end + _FIXED.size + length
        if at > len(data):
            return None
        if kind == OPT and number >= before:
            return Edns(klass, ttl & 0xFFFF, end + _TYPE_CLASS.size // 2)
    return None


def passed_on(query: Query, data: bytes, ident: int) -> bytes:
    """A query as it goes to another server: nobody is promised more room than there is."""
    data = ident.to_bytes(2, "big") + data[2:]
    return data if query.edns is None else _with_room(data, query.edns)


def _with_room(data: bytes, edns: Edns) -> bytes:
    if edns.size_bytes <= MOST_UDP_BYTES:
        return data
    return data[: edns.at] + MOST_UDP_BYTES.to_bytes(2, "big") + data[edns.at + 2 :]


def passed_back(query: Query, data: bytes) -> bytes:
    """Another server's answer as the asker gets it: with EDNS only where the query had it."""
    _ident, flags, *counts = _HEADER.unpack_from(data)
    flags = flags & ~AD | RA
    at = HEADER_BYTES + len(query.question)
    edns = _find_edns(data, at, counts[1] + counts[2], counts[3])
    if edns is not None and query.edns is None:
        # It stands last: with what names it, five bytes before and its data behind.
        data = data[: edns.at - 3]
        counts[3] -= 1
    elif edns is not None:
        data = data[: edns.at] + MOST_UDP_BYTES.to_bytes(2, "big") + data[edns.at + 2 :]
    return _HEADER.pack(query.ident, flags, *counts) + data[HEADER_BYTES:]


def emit_edns(query: Query, error: int | None = None) -> bytes:
    """Our own pseudo-record; ``error`` is an extended one (RFC 8914)."""
    assert query.edns is not None
    options = b"" if error is None else struct.pack("!HHH", _EXTENDED_ERROR, 2, error)
    flags = query.edns.flags & DNSSEC_OK
    return b"\0" + _FIXED.pack(OPT, MOST_UDP_BYTES, flags, len(options)) + options


def room_for(query: Query) -> int:
    """How many bytes an answer by UDP may have."""
    if query.edns is None:
        return LEAST_UDP_BYTES
    return min(max(query.edns.size_bytes, LEAST_UDP_BYTES), MOST_UDP_BYTES)


class Reply:
    """An answer under construction, of ``room`` bytes at most."""

    def __init__(self, query: Query, room: int) -> None:
        self._query = query
        self._room = room
        self._body = bytearray(query.question)
        self._answers = self._authorities = 0
        self.truncated = False

    def add(
        self, owner: int | bytes, kind: int, ttl_s: int, data: bytes, klass: int = IN
    ) -> int | None:
        """Append a record to the answers; ``owner`` is where a name stands, or a name.

        Returns where its data begins; None where it found no room, and after that none does.
        """
        place = self._append(owner, kind, ttl_s, data, klass)
        self._answers += place is not None
        return place

    def add_authority(self, owner: bytes, kind: int, ttl_s: int, data: bytes) -> None:
        """Append a record to those that tell who knows."""
        self._authorities += self._append(owner, kind, ttl_s, data, IN) is not None

    def _append(
        self, owner: int | bytes, kind: int, ttl_s: int, data: bytes, klass: int
    ) -> int | None:
        name = owner if isinstance(owner, bytes) else struct.pack("!H", _POINTER << 8 | owner)
        record = name + _FIXED.pack(kind, klass, ttl_s, len(data)) + data
        self.truncated |= HEADER_BYTES + len(self._body) + len(record) > self._room
        if self.truncated:
            return None
        self._body += record
        return HEADER_BYTES + len(self._body) - len(data)

    def finish(self, rcode: int, *, authoritative: bool, error: int | None = None) -> bytes:
        """The message. EDNS is not spoken of where only a few bytes are left."""
        query = self._query
        flags = query.flags & ~(AA | TC | AD | 0xF) | QR | RA | rcode
        flags |= AA * authoritative | TC * self.truncated
        tail = b""
        if query.edns is not None and self._room - HEADER_BYTES - len(self._body) >= _EDNS_ROOM:
            tail = emit_edns(query, error)
        header = _HEADER.pack(
            query.ident,
            flags,
            query.counts[0],
            self._answers,
            self._authorities,
            int(bool(tail)),
        )
        return header + bytes(self._body) + tail


AT_QUESTION = HEADER_BYTES
"""Where the name of the question stands."""
