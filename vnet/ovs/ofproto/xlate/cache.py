"""The side effects of a translation, kept so that they can be had again without translating.

A datapath flow stands for one translation and many packets. When the datapath reports what
such a flow has seen, every rule, table, port, group and mirror on the way gets its share, a
learned address is refreshed, and so on. Each such effect is one small object with ``push``;
a translation that is carried out for a packet at once pushes the same objects at once.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from vnet.base.record import record
from vnet.ovs.dpif.actions import DropCause
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.openflow.errors import OpenFlowError

if TYPE_CHECKING:
    from vnet.ovs.ofproto.groups.group import GroupEntry
    from vnet.ovs.ofproto.ofproto import Ofproto
    from vnet.ovs.ofproto.ports.ofport import OfPort
    from vnet.ovs.ofproto.rules.rule import Rule
    from vnet.ovs.openflow.messages import FlowMod

TCP_FIN = 0x01
TCP_RST = 0x04


class SideEffect(Protocol):
    """Something outside the packet that a translation does or counts."""

    def push(self, stats: FlowStats) -> None:
        """Do it, or count it, for packets of which ``stats`` tells. ``used_ns`` is set."""


Station = tuple[str, int, int]
"""A bridge by name, a MAC address and a VLAN: what NORMAL looks a destination up by."""


class XlateCache:
    """The side effects of one translation, in their order, and the stations it asked for.

    Where a station has been learned, has moved or been forgotten, the translation may come out
    otherwise.
    """

    __slots__ = ("effects", "stations")

    def __init__(self) -> None:
        self.effects: list[SideEffect] = []
        self.stations: dict[Station, None] = {}

    def add(self, effect: SideEffect) -> None:
        """One more."""
        self.effects.append(effect)

    def push(self, stats: FlowStats) -> None:
        """All of them once more, unless there is nothing to tell."""
        if stats.n_packets:
            for effect in self.effects:
                effect.push(stats)


@record(frozen=True, slots=True)
class TableCredit:
    """A table was looked at, with or without success."""

    bridge: Ofproto
    table_id: int
    matched: bool

    def push(self, stats: FlowStats) -> None:
        self.bridge.credit_table(self.table_id, self.matched, stats.n_packets)


@record(frozen=True, slots=True)
class RuleCredit:
    """A rule was met."""

    bridge: Ofproto
    rule: Rule

    def push(self, stats: FlowStats) -> None:
        self.bridge.credit(self.rule, stats)


@record(frozen=True, slots=True)
class PatchCredit:
    """A packet went out of one virtual port and into its peer; either may be None."""

    tx: OfPort | None
    rx: OfPort | None

    def push(self, stats: FlowStats) -> None:
        if self.tx is not None:
            self.tx.stats.tx_packets += stats.n_packets
            self.tx.stats.tx_bytes += stats.n_bytes
        if self.rx is not None:
            self.rx.stats.rx_packets += stats.n_packets
            self.rx.stats.rx_bytes += stats.n_bytes


@record(frozen=True, slots=True)
class LostCopy:
    """A copy was to leave by a port that led nowhere."""

    port: OfPort
    cause: DropCause

    def push(self, stats: FlowStats) -> None:
        self.port.lost[self.cause] = self.port.lost.get(self.cause, 0) + stats.n_packets


@record(frozen=True, slots=True)
class GroupCredit:
    """A group was used: one bucket of it, or all (None)."""

    group: GroupEntry
    bucket_id: int | None

    def push(self, stats: FlowStats) -> None:
        self.group.credit(self.bucket_id, stats)


@record(frozen=True, slots=True)
class LearnRefresh:
    """A flow was learned; as long as packets come, its age starts anew."""

    bridge: Ofproto
    flow_mod: FlowMod
    limit: int

    def push(self, _stats: FlowStats) -> None:
        # A table that is full by now refuses the flow; what was seen of it counts all the same.
        with suppress(OpenFlowError):
            self.bridge.learn(self.flow_mod, self.limit)


@record(frozen=True, slots=True)
class FinTimeoutEffect:
    """A rule's timeouts shrink once a TCP connection ends."""

    bridge: Ofproto
    rule: Rule
    idle_timeout_s: int
    hard_timeout_s: int

    def push(self, stats: FlowStats) -> None:
        self.end(stats.tcp_flags)

    def end(self, tcp_flags: int) -> None:
        """Shrink them, if the flags say that the connection ends."""
        if tcp_flags & (TCP_FIN | TCP_RST):
            self.bridge.reduce_timeouts(self.rule, self.idle_timeout_s, self.hard_timeout_s)
