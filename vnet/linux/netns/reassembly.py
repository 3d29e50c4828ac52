"""Reassembly in a namespace: the table, its clock, and what each verdict costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.base.ids import MAC_ZERO
from vnet.linux.netns import drops
from vnet.sim.frame import Frame
from vnet.tables.reasm import Key, Reassembly, Verdict
from vnet.wire.ether import TYPE_IPV4, TYPE_IPV6
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

_REASON = {
    Verdict.DUPLICATE: drops.FRAGMENT_DUPLICATE,
    Verdict.OVERLAP: drops.FRAGMENT_OVERLAP,
    Verdict.MALFORMED: drops.FRAGMENT_MALFORMED,
    Verdict.FULL: drops.FRAGMENT_LIMIT,
}
_NS_PER_S = 1_000_000_000


class Reassembler:
    """One address family's incomplete packets.

    ``timed_out`` is told the interface and the first piece of a packet that stayed
    incomplete; without its first piece nobody is told (RFC 792).
    """

    __slots__ = ("_namespace", "_sysctl", "_table", "_timed_out")

    def __init__(
        self,
        namespace: Namespace,
        sysctl: str,
        timed_out: Callable[[Interface, bytes], None],
    ) -> None:
        self._namespace = namespace
        self._sysctl = sysctl
        self._timed_out = timed_out
        self._table: Reassembly[Interface] = Reassembly(0)

    def add(
        self,
        interface: Interface,
        frame: Frame,
        key: Key,
        offset: int,
        more: bool,
        piece: bytes,
        packet: bytes,
    ) -> tuple[bytes, bytes] | None:
        """Add a piece; (first piece's packet, payload) when whole. Bad pieces are dropped."""
        scheduler = self._namespace.scheduler
        self._table.timeout_ns = self._namespace.sysctls[self._sysctl] * _NS_PER_S
        waiting = len(self._table)
        result = self._table.add(key, interface, offset, more, piece, packet, scheduler.now_ns)
        if isinstance(result, tuple):
            return result
        if result is not Verdict.WAITING:
            interface.device.drop(frame, _REASON[result])
        elif len(self._table) > waiting:
            scheduler.after(self._table.timeout_ns, self._expire)
        return None

    def _expire(self) -> None:
        for buffer in self._table.expire(self._namespace.scheduler.now_ns):
            device = buffer.owner.device
            kind = TYPE_IPV4 if len(buffer.key[0]) == 4 else TYPE_IPV6
            for piece in buffer.pieces.values():
                data = ether_frame(device.mac, MAC_ZERO, kind, piece)
                device.drop(Frame(data), drops.FRAGMENT_TIMEOUT)
            if buffer.first is not None:
                self._timed_out(buffer.owner, buffer.first)
