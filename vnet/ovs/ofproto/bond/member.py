"""One link of a bond, and the entries of the bond's hash table that lead to it."""

from __future__ import annotations

from vnet.base.ids import Mac
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.openflow.messages import PortState

N_BUCKETS = 256
"""How many ways a hash can go; a power of two."""

BUCKET_MASK = N_BUCKETS - 1

LOAD_MASK = 0xFFFF_FFFF_FFFF_FFFF
"""Loads have 64 bits and no sign. They go below zero, and are enormous until they have faded, where
the flows that count them have been made anew; what follows from that is Open vSwitch's, too.
"""


class Member:
    """A link. ``enabled`` is whether frames may be sent by it; it follows link and LACP
    (``may_enable``) after a delay, which ends at ``due_ns``.
    """

    __slots__ = ("due_ns", "enabled", "is_primary", "may_enable", "port")

    def __init__(self, port: OfPort) -> None:
        self.port = port
        self.enabled = False
        self.may_enable = False
        self.is_primary = False
        self.due_ns: int | None = None

    @property
    def name(self) -> str:
        return self.port.name

    @property
    def mac(self) -> Mac:
        return self.port.mac

    @property
    def has_carrier(self) -> bool:
        return PortState.LINK_DOWN not in self.port.state

    @property
    def is_up(self) -> bool:
        """Whether nothing but a delay stands against enabling it."""
        return self.has_carrier and self.may_enable


class Bucket:
    """An entry of the hash table: who it leads to, and how much has gone there lately.

    Where the datapath looks frames up again, a rule sends them to the member, and
    ``counted_bytes`` is how much of what it has counted is in ``tx_bytes`` already.
    """

    __slots__ = ("counted_bytes", "member", "tx_bytes")

    def __init__(self) -> None:
        self.member: Member | None = None
        self.tx_bytes = 0
        self.counted_bytes = 0

    @property
    def enabled_member(self) -> Member | None:
        """The member, if frames may be sent by it."""
        member = self.member
        return member if member is not None and member.enabled else None
