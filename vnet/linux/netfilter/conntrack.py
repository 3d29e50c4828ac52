"""Connection tracking at the hooks: who a packet belongs to, and when its connection begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.netfilter import drops
from vnet.linux.netfilter.following import note_connection
from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.settings import settings_of
from vnet.linux.netfilter.verdict import ACCEPT, Verdict, drop
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.tracker import Tracker
from vnet.tables.conntrack.linux.tracking import NO_TEMPLATE

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace

_FULL_WARNING = "nf_conntrack: nf_conntrack: table full, dropping packet"


class Conntrack(Tracker):
    """A namespace's connections. What hangs on the hooks are :meth:`enter` and :meth:`leave`."""

    __slots__ = ("_namespace",)

    def __init__(self, namespace: Namespace) -> None:
        super().__init__()
        self._namespace = namespace
        namespace.sysctls.n_connections = self._count_now
        self.configure(settings_of(namespace.sysctls.conntrack))

    def _count_now(self) -> int:
        return self.count(self._namespace.scheduler.now_ns)

    def enter(self, packet: NfPacket) -> Verdict:
        """A packet came in, or is our own: which connection is it of?

        What was seen before (by the loopback, a bridge) or shall not be tracked stays as it is.
        """
        if packet.track is not None:
            return ACCEPT
        packet.track = self.look(
            packet.data,
            packet.family,
            self._namespace.scheduler.now_ns,
            checks=packet.hook is Hook.PREROUTING,
            template=packet.template or NO_TEMPLATE,
        )
        if packet.meta is not None:
            note_connection(packet)
        if packet.track is not None:
            return ACCEPT
        self._namespace.log.write_limited(_FULL_WARNING)
        return drop(drops.CONNTRACK_FULL)

    def leave(self, packet: NfPacket) -> Verdict:
        """A packet is through: what it began is a connection now."""
        track = packet.track
        if track is None or self.confirm(track, self._namespace.scheduler.now_ns):
            return ACCEPT
        assert track.conn is not None
        is_translated = track.conn.status & status.NAT
        return drop(drops.NAT_EXHAUSTED if is_translated else drops.CONNTRACK_CLASH)
