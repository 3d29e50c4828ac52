"""Messages put together, multipart ones in as many parts as they take (section 7.3.5)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.message import HEADER_BYTES, Message, encode

_MORE = 1
_MOST_BYTES = 0xFFFF
_FLAGS = struct.Struct("!H")
_FLAGS_OFFSET = HEADER_BYTES + 2


def pack(kind: Kind, version: int, xid: int, body: bytes = b"") -> bytes:
    """A message. ``kind`` must exist in the version."""
    numbering = kind.numberings[version]
    return encode(version, numbering.type, xid, numbering.prefix + body)


def pack_multipart(kind: Kind, version: int, xid: int, entries: Iterable[bytes]) -> list[bytes]:
    """A multipart message in as many parts as it takes; all but the last say that more follow.

    No entry is divided.
    """
    return list(multiparts(kind, version, xid, entries))


def multiparts(kind: Kind, version: int, xid: int, entries: Iterable[bytes]) -> Iterator[bytes]:
    """The parts one by one: of ``entries`` no more are taken than a part has room for, and one."""
    numbering = kind.numberings[version]
    room_bytes = room_for_entries(kind, version)
    more = _with_more(numbering.prefix)
    body: list[bytes] = []
    n_bytes = 0
    for entry in entries:
        if n_bytes + len(entry) > room_bytes:
            yield encode(version, numbering.type, xid, more + b"".join(body))
            body, n_bytes = [], 0
        body.append(entry)
        n_bytes += len(entry)
    yield encode(version, numbering.type, xid, numbering.prefix + b"".join(body))


def room_for_entries(kind: Kind, version: int) -> int:
    """How many bytes of entries fit into one part of a multipart message."""
    return _MOST_BYTES - kind.numberings[version].offset


def has_more(message: Message) -> bool:
    """Whether further parts of a multipart message follow."""
    return is_followed(message.raw)


def is_followed(part: bytes) -> bool:
    """The same of a part's bytes."""
    flags: int = _FLAGS.unpack_from(part, _FLAGS_OFFSET)[0]
    return bool(flags & _MORE)


def _with_more(prefix: bytes) -> bytes:
    return prefix[:2] + _FLAGS.pack(_MORE) + prefix[4:]
