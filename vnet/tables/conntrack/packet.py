"""A packet in the tracker's hands, and what it is known by afterwards."""

from __future__ import annotations

from typing import Any, NamedTuple

from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.key import PROTOCOL_AT, parts_of

NEW = 0x01
ESTABLISHED = 0x02
RELATED = 0x04
REPLY = 0x08
INVALID = 0x10
TRACKED = 0x20
SRC_NAT = 0x40
DST_NAT = 0x80
"""Bits of ``state``, placed as in Open vSwitch's ``ct_state`` field."""

NATTED = SRC_NAT | DST_NAT

_ICMP = 1
_ICMPV6 = 58

IPV4 = 0x0800
IPV6 = 0x86DD


class OriginalTuple(NamedTuple):
    """Addresses (packed, both 4 or both 16 bytes) and ports before any translation.

    For echo and its like the ports are the ICMP type and code.
    """

    source: bytes
    target: bytes
    source_port: int
    target_port: int
    protocol: int


def original_of(key: bytes) -> OriginalTuple:
    """What rules see of a connection's key."""
    parts = parts_of(key)
    source_port, target_port = parts.source_part, parts.target_part
    if parts.protocol == (_ICMP if len(parts.source) == 4 else _ICMPV6):
        source_port, target_port = source_port >> 8, 0
    return OriginalTuple(parts.source, parts.target, source_port, target_port, parts.protocol)


class CtMeta:
    """What rides with a packet after it was tracked. With ``state`` 0 the rest means nothing.

    ``conn`` spares the packet's next pass through the same zone a lookup; whoever writes the
    packet's addresses or ports must call :meth:`forget_conn`.
    """

    __slots__ = (
        "conn",
        "is_related",
        "is_reply",
        "label",
        "mark",
        "original_key",
        "state",
        "zone",
    )

    def __init__(self) -> None:
        self.state = 0
        self.zone = 0
        self.mark = 0
        self.label = 0
        self.original_key: bytes | None = None
        self.conn: Conn | None = None
        self.is_reply = False
        self.is_related = False

    def copy(self) -> CtMeta:
        """The same for a copy of the packet."""
        twin = CtMeta.__new__(CtMeta)
        twin.state = self.state
        twin.zone = self.zone
        twin.mark = self.mark
        twin.label = self.label
        twin.original_key = self.original_key
        twin.conn = self.conn
        twin.is_reply = self.is_reply
        twin.is_related = self.is_related
        return twin

    @property
    def original(self) -> OriginalTuple | None:
        """Of the connection, or the packet's own where it belongs to none.

        None where the packet is invalid, and for protocol 0, which rules take for none at all.
        """
        key = self.original_key
        return None if key is None or key[PROTOCOL_AT] == 0 else original_of(key)

    def clear(self) -> None:
        """The packet is untracked again (``ct_clear``)."""
        self.state = 0
        self.conn = None

    def forget_conn(self) -> None:
        """The packet's headers were written: which connection it is of must be looked up."""
        self.conn = None


class CtPacket:
    """A frame on its way through the tracker, which changes it in place.

    ``ethertype`` and ``l3`` say what the network header is and where in ``data`` it starts.
    ``source_port`` and ``target_port`` are those a rule that names a helper matched on (0: none
    or unknown). ``recirc_id`` keeps fragments of different passes apart. ``bearer`` is the
    owner's, handed back untouched: a fragment may come out long after it went in.
    """

    __slots__ = (
        "bearer",
        "data",
        "ethertype",
        "l3",
        "meta",
        "recirc_id",
        "source_port",
        "target_port",
    )

    def __init__(
        self,
        data: bytes,
        l3: int,
        ethertype: int,
        meta: CtMeta,
        bearer: Any = None,
        recirc_id: int = 0,
        source_port: int = 0,
        target_port: int = 0,
    ) -> None:
        self.data = data
        self.l3 = l3
        self.ethertype = ethertype
        self.meta = meta
        self.bearer = bearer
        self.recirc_id = recirc_id
        self.source_port = source_port
        self.target_port = target_port
