"""Fair queueing with controlled delay (tc-fq_codel(8), RFC 8290).

Each flow has a queue of its own, found by a hash, and each queue CoDel's law. Queues take turns, a
``quantum`` of bytes at a time; those that have just begun go before those that go on.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass

from vnet.base.drops import drop_reason
from vnet.base.units import NS_PER_MS
from vnet.sim.frame import Frame
from vnet.sim.qdisc.codel import Codel, CodelSettings, Waiting, ticks
from vnet.sim.qdisc.discipline import Discipline, Surroundings
from vnet.sim.qdisc.ecn import with_ce
from vnet.sim.qdisc.flow_hash import flow_bucket
from vnet.sim.qdisc.qdisc import QUEUE_FULL, QUEUE_REMOVED
from vnet.wire.ether import HEADER_BYTES

STOOD_TOO_LONG = drop_reason(
    "codel",
    cause="frames stood in their queue for too long, and CoDel dropped this one so that its "
    "sender slows down",
    cure="nothing: senders of TCP are told so; raise the rate, or the target of fq_codel",
)

_LEAST_MEMORY_BYTES = 512
_SHARED_BYTES, _DESCRIPTOR_BYTES = 336, 256
_LEAST_QUANTUM_BYTES = 256
_MOST_FLOWS = 65_536


@dataclass(frozen=True, slots=True)
class FqCodelSettings:
    """``quantum_bytes`` None is the longest frame of the device; ``ce_threshold_ns`` None: no
    frame is marked for the time alone that it waited."""

    limit_frames: int = 10_240
    flows: int = 1_024
    quantum_bytes: int | None = None
    target_ns: int = 5 * NS_PER_MS
    interval_ns: int = 100 * NS_PER_MS
    memory_limit_bytes: int = 32 << 20
    ecn: bool = True
    drop_batch: int = 64
    ce_threshold_ns: int | None = None

    def is_sound(self) -> bool:
        """Whether the kernel takes it."""
        return 0 < self.flows <= _MOST_FLOWS


def memory_of(frame: Frame) -> int:
    """The memory that a frame holds in a kernel: its buffer, rounded up, and what describes it."""
    size = max(len(frame.data) + _SHARED_BYTES, _LEAST_MEMORY_BYTES)
    return (1 << (size - 1).bit_length()) + _DESCRIPTOR_BYTES


class _Flow:
    __slots__ = ("backlog_bytes", "codel", "deficit_bytes", "frames", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.frames: deque[Waiting] = deque()
        self.codel = Codel()
        self.deficit_bytes = self.backlog_bytes = 0


class FqCodel(Discipline):
    """Queues by flow. What it counts besides is as ``tc -s`` names it."""

    kind = "fq_codel"

    def __init__(self, around: Surroundings, settings: FqCodelSettings, handle: int = 0) -> None:
        super().__init__(around, handle)
        self._flows: dict[int, _Flow] = {}
        self._new: OrderedDict[int, _Flow] = OrderedDict()
        self._old: OrderedDict[int, _Flow] = OrderedDict()
        self.memory_bytes = self.max_packet = 0
        self.drop_overlimit = self.drop_overmemory = self.new_flow_count = 0
        self.ecn_mark = self.ce_mark = 0
        self.configure(settings, 0)

    def configure(self, settings: FqCodelSettings, now_ns: int) -> None:
        """Other settings; what is too much now is dropped."""
        self.settings = settings
        longest = self.around.mtu_bytes + HEADER_BYTES
        self.quantum_bytes = max(settings.quantum_bytes or longest, _LEAST_QUANTUM_BYTES)
        if settings.quantum_bytes is None:
            self.quantum_bytes = longest
        self._codel = CodelSettings(ticks(settings.target_ns), ticks(settings.interval_ns), longest)
        while (
            self.stats.backlog_packets > settings.limit_frames
            or self.memory_bytes > settings.memory_limit_bytes
        ):
            frame = self._next(now_ns)
            if frame is None:
                break
            self.stats.sent_packets -= 1
            self.stats.sent_bytes -= len(frame.data)
            self.around.lost(frame, QUEUE_FULL)
            self.stats.drops += 1

    @property
    def new_flows(self) -> int:
        """How many flows have just begun."""
        return len(self._new)

    @property
    def old_flows(self) -> int:
        """How many go on."""
        return len(self._old)

    # -- in

    def enqueue(self, frame: Frame, now_ns: int) -> bool:
        number = flow_bucket(frame.data, self.settings.flows)
        flow = self._flows.get(number)
        if flow is None:
            flow = self._flows[number] = _Flow(number)
        flow.frames.append(Waiting(frame, ticks(now_ns)))
        flow.backlog_bytes += len(frame.data)
        self._arrives(frame)
        if number not in self._new and number not in self._old:
            self._new[number] = flow
            self.new_flow_count += 1
            flow.deficit_bytes = self.quantum_bytes
        self.memory_bytes += memory_of(frame)
        is_over_memory = self.memory_bytes > self.settings.memory_limit_bytes
        if self.stats.backlog_packets <= self.settings.limit_frames and not is_over_memory:
            return True
        return self._drop_from_longest(frame, is_over_memory=is_over_memory)

    def _drop_from_longest(self, newcomer: Frame, *, is_over_memory: bool) -> bool:
        """Half of what waits in the longest queue goes, but no more than a batch. Returns whether
        ``newcomer`` is still there."""
        flow = max(self._flows.values(), key=lambda each: each.backlog_bytes)
        enough, lost_bytes, count = flow.backlog_bytes >> 1, 0, 0
        is_there = True
        while count < self.settings.drop_batch and flow.frames:
            frame = self._take(flow)
            lost_bytes += len(frame.data)
            count += 1
            if frame is newcomer:
                is_there = False
                self.stats.drops += 1
            else:
                self._lose_below(frame)
            self.around.lost(frame, QUEUE_FULL)
            if lost_bytes >= enough:
                break
        # The law is to be firmer with that queue, too.
        flow.codel.count += count
        self.drop_overlimit += count
        self.drop_overmemory += count * is_over_memory
        return is_there

    def _take(self, flow: _Flow) -> Frame:
        """The first frame of a queue, no longer counted as waiting."""
        frame = flow.frames.popleft().frame
        flow.backlog_bytes -= len(frame.data)
        self.memory_bytes -= memory_of(frame)
        self._leaves(frame)
        return frame

    def _lose_below(self, frame: Frame) -> None:
        """A frame that was taken in is lost; all above counted it as waiting."""
        self.stats.drops += 1
        if self.parent is not None:
            self.parent.lost_in_child(1, len(frame.data))

    # -- out

    def _next(self, now_ns: int) -> Frame | None:
        now = ticks(now_ns)
        while (flows := self._new or self._old) and (number := next(iter(flows))) is not None:
            flow = flows[number]
            if flow.deficit_bytes <= 0:
                flow.deficit_bytes += self.quantum_bytes
                del flows[number]
                self._old[number] = flow
                continue
            frame = self._from_flow(flow, now)
            if frame is None:
                del flows[number]
                if flows is self._new and self._old:
                    # Who sends now and then must not stay new for ever.
                    self._old[number] = flow
                continue
            flow.deficit_bytes -= len(frame.data)
            self.stats.sent_bytes += len(frame.data)
            self.stats.sent_packets += 1
            return frame
        return None

    def _from_flow(self, flow: _Flow, now: int) -> Frame | None:
        """The frame that CoDel lets out of a queue; it waits no longer here."""

        def take() -> Waiting | None:
            if not flow.frames:
                return None
            waiting = flow.frames[0]
            self._take(flow)
            return waiting

        waiting = flow.codel.next(
            self._codel, now, take, lambda: self.stats.backlog_bytes, self._mark_or_drop
        )
        self.max_packet = max(self.max_packet, flow.codel.max_packet)
        if waiting is None:
            return None
        threshold_ns = self.settings.ce_threshold_ns
        if threshold_ns is not None and flow.codel.delay > ticks(threshold_ns):
            self.ce_mark += self._mark(waiting)
        return waiting.frame

    def _mark_or_drop(self, waiting: Waiting) -> bool:
        if self.settings.ecn and self._mark(waiting):
            self.ecn_mark += 1
            return True
        self._lose_below(waiting.frame)
        self.around.lost(waiting.frame, STOOD_TOO_LONG)
        return False

    @staticmethod
    def _mark(waiting: Waiting) -> bool:
        data = with_ce(waiting.frame.data)
        if data is not None and data is not waiting.frame.data:
            waiting.frame = Frame(data, waiting.frame.meta)
        return data is not None

    def _forget(self, now_ns: int) -> None:  # noqa: ARG002
        for flow in self._flows.values():
            while flow.frames:
                self.around.lost(flow.frames.popleft().frame, QUEUE_REMOVED)
        self._flows.clear()
        self._new.clear()
        self._old.clear()
        self.memory_bytes = 0
