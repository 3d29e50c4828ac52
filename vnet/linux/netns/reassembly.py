"""Reassembly in a namespace: the table, its clock, and what each verdict costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.linux.netns import drops
from vnet.sim.frame import Frame
from vnet.tables.reasm import Key, Reassembly, Refusal, Verdict, Whole

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

    ``timeout_s`` says how long one may stay so; ``timed_out`` is told the interface and the first
    piece of a packet that stayed incomplete. Without its first piece nobody is told (RFC 792).
    """

    __slots__ = ("_clock_set", "_namespace", "_table", "_timed_out", "_timeout_s")

    def __init__(
        self,
        namespace: Namespace,
        timeout_s: Callable[[], int],
        timed_out: Callable[[Interface, bytes], None],
    ) -> None:
        self._namespace = namespace
        self._timeout_s = timeout_s
        self._timed_out = timed_out
        self._table: Reassembly[tuple[Interface, Frame]] = Reassembly(0)
        self._clock_set = False

    @property
    def held_bytes(self) -> int:
        """The memory that incomplete packets take."""
        return self._table.held_bytes

    def add(
        self,
        interface: Interface,
        frame: Frame,
        key: Key,
        offset: int,
        more: bool,
        piece: bytes,
        packet: bytes,
        head_bytes: int,
    ) -> Whole[tuple[Interface, Frame]] | None:
        """Add a piece; the packet when it is whole.

        Bad pieces are dropped, each by the device it came in by, with those they spoil.
        """
        scheduler = self._namespace.scheduler
        self._table.timeout_ns = self._timeout_s() * _NS_PER_S
        result = self._table.add(
            key,
            (interface, frame),
            offset,
            more,
            piece,
            packet,
            scheduler.now_ns,
            head_bytes,
            len(frame.data),
        )
        if isinstance(result, Refusal):
            for bringer, lost in result.lost:
                bringer.device.drop(lost, _REASON[result.verdict])
            return None
        if result is None:
            self._set_clock()
        return result

    def _set_clock(self) -> None:
        # One event for all of them: most packets are whole long before their time is up.
        deadline_ns = None if self._clock_set else self._table.next_deadline_ns
        if deadline_ns is not None:
            self._clock_set = True
            self._namespace.scheduler.at(deadline_ns, self._expire)

    def _expire(self) -> None:
        self._clock_set = False
        for buffer in self._table.expire(self._namespace.scheduler.now_ns):
            for interface, frame in buffer.bearers:
                interface.device.drop(frame, drops.FRAGMENT_TIMEOUT)
            if buffer.first is not None:
                self._timed_out(buffer.bearers[-1][0], buffer.first)
        self._set_clock()
