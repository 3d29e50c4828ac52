"""The hierarchical token bucket as Open vSwitch uses it: a root class, and a leaf a queue."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from vnet.sim.frame import Frame
from vnet.sim.qdisc.htb_tree import ClassSettings, HtbClass, HtbTree
from vnet.sim.qdisc.psched import TransmitTime
from vnet.sim.qdisc.qdisc import QUEUE_FULL, QUEUE_REMOVED, RELEASED, QueueStats, Sender
from vnet.sim.scheduler import Scheduler, Timer

QUEUE_FRAMES = 1_000
"""How many frames may wait in a class: a device's usual transmit queue length."""

_ROOT = 1 << 32
"""The number of the root class, which no queue has."""


@dataclass(frozen=True, slots=True)
class HtbRate:
    """The settings of a class. Who has a lower ``priority`` borrows before the others."""

    rate_bytes_per_s: int
    ceil_bytes_per_s: int
    burst_bytes: int
    priority: int = 0
    quantum_bytes: int = 1_500

    def settings(self) -> ClassSettings:
        """What the tree of classes is told."""
        return ClassSettings(
            self.rate_bytes_per_s,
            self.ceil_bytes_per_s,
            TransmitTime(self.rate_bytes_per_s).ns(self.burst_bytes),
            TransmitTime(self.ceil_bytes_per_s).ns(self.burst_bytes),
            self.priority,
            self.quantum_bytes,
        )


class _Leaf:
    """A queue: its class, its frames, and what it has done."""

    def __init__(self, number: int, rate: HtbRate, root: HtbClass, now_ns: int) -> None:
        self.frames: deque[Frame] = deque()
        self.rate = rate
        self.htb = HtbClass(number, rate.settings(), root, self.frames.__len__, now_ns)
        self.n_packets = self.n_bytes = self.n_dropped = 0


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
        self._root_rate = root
        self._root = HtbClass(_ROOT, root.settings(), None, int, scheduler.now_ns)
        self._root.become_parent()
        self._tree = HtbTree()
        self._leaves: dict[int, _Leaf] = {}
        self._timer = Timer(scheduler, self._release)
        self.configure(root, leaves)

    def configure(self, root: HtbRate, leaves: Mapping[int, HtbRate]) -> None:
        """Change rates, and which queues there are. What waits in one that goes is dropped."""
        assert 0 in leaves, "there is no default queue"
        if self._root_rate != root:
            self._root_rate = root
            self._root.configure(root.settings())
        for queue in [queue for queue in self._leaves if queue not in leaves]:
            del self._root.children[queue]
            for frame in self._leaves.pop(queue).frames:
                self._device.drop(frame, QUEUE_FULL)
        for queue, rate in leaves.items():
            leaf = self._leaves.get(queue)
            if leaf is None:
                self._leaves[queue] = _Leaf(queue, rate, self._root, self._scheduler.now_ns)
            elif leaf.rate != rate:
                leaf.rate = rate
                leaf.htb.configure(rate.settings())
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
        return self._root_rate

    def leaves(self) -> dict[int, HtbRate]:
        """The rates of each queue."""
        return {queue: leaf.rate for queue, leaf in self._leaves.items()}

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
            found = self._tree.next((leaf.htb for leaf in self._leaves.values()), now_ns)
            if found is None:
                break
            self._device.transmit(self._dequeue(*found, now_ns), RELEASED)
        waiting = [leaf.htb for leaf in self._leaves.values() if leaf.frames]
        if waiting:
            self._timer.arm(max(busy_ns, min(leaf.wait_ns(now_ns) for leaf in waiting), 1))

    def _dequeue(self, sender: HtbClass, payer: HtbClass, now_ns: int) -> Frame:
        leaf = self._leaves[sender.number]
        frame = leaf.frames.popleft()
        leaf.n_packets += 1
        leaf.n_bytes += len(frame.data)
        self._tree.charge(sender, payer, len(frame.data), now_ns)
        return frame
