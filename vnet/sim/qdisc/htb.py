"""The hierarchical token bucket: classes with a guaranteed and a highest rate, which lend to each
other what they do not need (tc-htb(8)).

A class sends by its own tokens, which come at its ``rate``. When it has none it borrows from its
parent, as long as its second bucket, filled at ``ceil``, lets it. Who sends by its own tokens goes
before who borrows; among those alike it is the lowest ``priority``, and then each in turn, a
``quantum`` of bytes at a time. Tokens are counted in nanoseconds, as in Linux's sch_htb: sending a
frame costs the time that it takes at the rate.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from vnet.base.units import NS_PER_S
from vnet.sim.frame import Frame
from vnet.sim.qdisc.bucket import Bucket
from vnet.sim.qdisc.qdisc import QUEUE_FULL, QUEUE_REMOVED, RELEASED, QueueStats, Sender
from vnet.sim.scheduler import Scheduler, Timer

QUEUE_FRAMES = 1_000
"""How many frames may wait in a class: a device's usual transmit queue length."""

_LONGEST_REFILL_NS = 60 * NS_PER_S
"""A bucket that nobody has looked at for longer than this has forgotten the rest."""


@dataclass(frozen=True, slots=True)
class HtbRate:
    """The settings of a class. Who has a lower ``priority`` borrows before the others."""

    rate_bytes_per_s: int
    ceil_bytes_per_s: int
    burst_bytes: int
    priority: int = 0
    quantum_bytes: int = 1_500


class _Mode(Enum):
    CAN_SEND = auto()
    MAY_BORROW = auto()
    CANNOT_SEND = auto()


def _take(bucket: Bucket, n_bytes: int, refill_ns: int) -> None:
    bucket.tokens_ns = max(bucket.left_ns(n_bytes, refill_ns), 1 - _LONGEST_REFILL_NS)


class _Class:
    """A class, with its frames if it is a leaf. ``parent`` None: nobody lends to it."""

    def __init__(self, settings: HtbRate, parent: _Class | None, now_ns: int) -> None:
        self.parent = parent
        self.level = 0 if parent is not None else 1
        self.frames: deque[Frame] = deque()
        self.n_packets = self.n_bytes = self.n_dropped = 0
        self._checked_ns = now_ns
        self.configure(settings)

    def configure(self, settings: HtbRate) -> None:
        """Other rates; both buckets are full then."""
        self.settings = settings
        self._own = Bucket(settings.rate_bytes_per_s, settings.burst_bytes)
        self._ceil = Bucket(settings.ceil_bytes_per_s, settings.burst_bytes)
        self.deficits_bytes = [0, 0]

    def mode(self, now_ns: int) -> tuple[_Mode, int]:
        """Whether it may send, and in what time that changes of itself."""
        refill_ns = self._refill_ns(now_ns)
        if (tokens_ns := self._ceil.tokens_ns + refill_ns) < 0:
            return _Mode.CANNOT_SEND, -tokens_ns
        if (tokens_ns := self._own.tokens_ns + refill_ns) < 0:
            return _Mode.MAY_BORROW, -tokens_ns
        return _Mode.CAN_SEND, 0

    def lender(self, now_ns: int) -> _Class | None:
        """Who pays for the next frame: the class itself, or the first above it that can."""
        mode, _ = self.mode(now_ns)
        if mode is _Mode.CAN_SEND:
            return self
        if mode is _Mode.CANNOT_SEND or self.parent is None:
            return None
        return self.parent.lender(now_ns)

    def wait_ns(self, now_ns: int) -> int:
        """How long until it can be worth asking for a lender again."""
        mode, wait_ns = self.mode(now_ns)
        if mode is _Mode.MAY_BORROW and self.parent is not None:
            return min(wait_ns, self.parent.wait_ns(now_ns))
        return wait_ns

    def charge(self, n_bytes: int, payer: _Class, now_ns: int) -> None:
        """A frame leaves on the account of ``payer``, this class or one above it."""
        refill_ns = self._refill_ns(now_ns)
        _take(self._own, n_bytes if self.level >= payer.level else 0, refill_ns)
        _take(self._ceil, n_bytes, refill_ns)
        self._checked_ns = now_ns
        if self.parent is not None:
            self.parent.charge(n_bytes, payer, now_ns)

    def _refill_ns(self, now_ns: int) -> int:
        return min(now_ns - self._checked_ns, _LONGEST_REFILL_NS)


class Htb:
    """The discipline of a device: a root class, and leaves by the number of their queue.

    Frames for a queue that is not there go to queue 0, which must be.
    """

    kind = "htb"

    def __init__(
        self, scheduler: Scheduler, device: Sender, root: HtbRate, leaves: Mapping[int, HtbRate]
    ) -> None:
        self._scheduler = scheduler
        self._device = device
        self._root = _Class(root, None, scheduler.now_ns)
        self._leaves: dict[int, _Class] = {}
        self._turn: dict[tuple[int, int], int] = {}
        self._timer = Timer(scheduler, self._release)
        self.configure(root, leaves)

    def configure(self, root: HtbRate, leaves: Mapping[int, HtbRate]) -> None:
        """Change rates, and which queues there are. What waits in one that goes is dropped."""
        assert 0 in leaves, "there is no default queue"
        if self._root.settings != root:
            self._root.configure(root)
        for queue in [queue for queue in self._leaves if queue not in leaves]:
            for frame in self._leaves.pop(queue).frames:
                self._device.drop(frame, QUEUE_FULL)
        for queue, settings in leaves.items():
            leaf = self._leaves.get(queue)
            if leaf is None:
                self._leaves[queue] = _Class(settings, self._root, self._scheduler.now_ns)
            elif leaf.settings != settings:
                leaf.configure(settings)
        self._leaves = dict(sorted(self._leaves.items()))
        self._release()

    def close(self) -> None:
        """The device does without it from now on: what waits is sent at once."""
        self._timer.cancel()
        for leaf in self._leaves.values():
            while leaf.frames:
                self._device.transmit(leaf.frames.popleft(), RELEASED)

    def purge(self) -> None:
        """See :class:`~vnet.sim.qdisc.qdisc.Qdisc`."""
        self._timer.cancel()
        for leaf in self._leaves.values():
            while leaf.frames:
                self._device.drop(leaf.frames.popleft(), QUEUE_REMOVED)

    @property
    def root(self) -> HtbRate:
        """The rate of all queues together."""
        return self._root.settings

    def leaves(self) -> dict[int, HtbRate]:
        """The rates of each queue."""
        return {queue: leaf.settings for queue, leaf in self._leaves.items()}

    def waiting(self, queue: int) -> list[Frame]:
        """What waits in a queue."""
        return list(self._leaves[queue].frames)

    def stats(self) -> dict[int, QueueStats]:
        """What each queue has done."""
        return {
            queue: QueueStats(leaf.n_packets, leaf.n_bytes, leaf.n_dropped)
            for queue, leaf in self._leaves.items()
        }

    def admit(self, frame: Frame, queue: int) -> bool:
        """See :class:`~vnet.sim.qdisc.qdisc.Qdisc`."""
        if queue == RELEASED:
            return True
        leaf = self._leaves.get(queue) or self._leaves[0]
        if len(leaf.frames) >= QUEUE_FRAMES:
            leaf.n_dropped += 1
            self._device.drop(frame, QUEUE_FULL)
            return False
        if frame.meta is not None:
            frame = frame.seen(self._scheduler.now_ns, self._device.label, f"queued ({queue})")
        leaf.frames.append(frame)
        self._release()
        return False

    def _release(self) -> None:
        """Send all that may leave now, and come back when more may."""
        now_ns = self._scheduler.now_ns
        while (busy_ns := self._device.busy_until_ns - now_ns) <= 0:
            found = self._next(now_ns)
            if found is None:
                break
            queue, payer = found
            self._device.transmit(self._dequeue(queue, payer, now_ns), RELEASED)
        waiting = [leaf for leaf in self._leaves.values() if leaf.frames]
        if waiting:
            self._timer.arm(max(busy_ns, min(leaf.wait_ns(now_ns) for leaf in waiting), 1))

    def _next(self, now_ns: int) -> tuple[int, _Class] | None:
        """Whose turn it is, and who pays."""
        candidates: dict[tuple[int, int], list[tuple[int, _Class]]] = {}
        for queue, leaf in self._leaves.items():
            payer = leaf.lender(now_ns) if leaf.frames else None
            if payer is not None:
                rank = payer.level, leaf.settings.priority
                candidates.setdefault(rank, []).append((queue, payer))
        if not candidates:
            return None
        rank = min(candidates)
        turn, ready = self._turn.get(rank, 0), candidates[rank]
        return next((found for found in ready if found[0] >= turn), ready[0])

    def _dequeue(self, queue: int, payer: _Class, now_ns: int) -> Frame:
        leaf = self._leaves[queue]
        frame = leaf.frames.popleft()
        n_bytes = len(frame.data)
        leaf.n_packets += 1
        leaf.n_bytes += n_bytes
        leaf.charge(n_bytes, payer, now_ns)
        # Who has used up its bytes lets the next one have its turn.
        rank = payer.level, leaf.settings.priority
        leaf.deficits_bytes[payer.level] -= n_bytes
        self._turn[rank] = queue
        if leaf.deficits_bytes[payer.level] < 0:
            leaf.deficits_bytes[payer.level] += leaf.settings.quantum_bytes
            self._turn[rank] = queue + 1
        return frame
