"""The hierarchical token bucket with its classes made by hand, as tc(8) has it (tc-htb(8)).

Filters choose the leaf, then the default; what belongs in none goes past all of them at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vnet.sim.frame import Frame
from vnet.sim.qdisc.class_hash import ClassHash
from vnet.sim.qdisc.discipline import Discipline, QdiscStats, Surroundings
from vnet.sim.qdisc.fifo import TX_QUEUE_FRAMES, Fifo
from vnet.sim.qdisc.filters import Filters
from vnet.sim.qdisc.htb_tree import ClassSettings, HtbClass, HtbTree
from vnet.sim.qdisc.qdisc import QUEUE_FULL, QUEUE_REMOVED

_MAJOR, _MINOR = 0xFFFF0000, 0xFFFF


@dataclass(frozen=True, slots=True)
class HtbSettings:
    """``default`` is the number of the class for what no filter takes; 0 is none.

    A class's quantum is its rate divided by ``rate_to_quantum``. ``direct_frames`` None: as the
    device's queue is long.
    """

    default: int = 0
    rate_to_quantum: int = 10
    direct_frames: int | None = None


class QueueClass:
    """A class of the tree, and what hangs on it while it is a leaf."""

    def __init__(self, htb: HtbClass, queue: Discipline | None) -> None:
        self.htb = htb
        self.queue = queue
        self.stats = QdiscStats()


class HtbQueue(Discipline):
    """Leaves hold what waits: plain queues if nobody grafts others."""

    kind = "htb"
    has_classes = True

    def __init__(self, around: Surroundings, settings: HtbSettings, handle: int = 0) -> None:
        super().__init__(around, handle)
        self.settings = settings
        self.filters = Filters()
        self.n_direct = 0
        self._tree = HtbTree()
        self._classes: dict[int, QueueClass] = {}
        self._order = ClassHash()
        self._direct: deque[Frame] = deque()

    @property
    def direct_frames(self) -> int:
        """How many of those without a class may wait."""
        wanted = self.settings.direct_frames
        return TX_QUEUE_FRAMES if wanted is None else wanted

    # -- classes

    @property
    def classes(self) -> Iterator[QueueClass]:
        """All of them, in the order in which the kernel lists them."""
        for handle in self._order:
            yield self._classes[handle & _MINOR]

    def class_at(self, number: int) -> QueueClass | None:
        """The class with a number."""
        return self._classes.get(number)

    @property
    def children(self) -> Mapping[int, Discipline]:
        return {c.htb.number: c.queue for c in self.classes if c.queue is not None}

    def graft(self, number: int, child: Discipline | None, now_ns: int) -> None:
        held = self._classes[number]
        assert held.queue is not None, "what has classes below has no queue"
        self._dismiss(held.queue, now_ns)
        held.queue = self._adopt(child or Fifo(self.around))

    def add_class(
        self, number: int, parent: int | None, settings: ClassSettings, now_ns: int
    ) -> None:
        """A new leaf below a class, or below none. What waits in a parent that was a leaf is
        lost."""
        above = None if parent is None else self._classes[parent]
        if above is not None and above.queue is not None:
            self._dismiss(above.queue, now_ns)
            above.queue = None
        leaf = QueueClass(
            HtbClass(
                number,
                settings,
                None if above is None else above.htb,
                lambda: self._waiting(number),
                now_ns,
            ),
            self._adopt(Fifo(self.around)),
        )
        self._classes[number] = leaf
        self._order.add(self.handle & _MAJOR | number)

    def _waiting(self, number: int) -> int:
        queue = self._classes[number].queue
        return 0 if queue is None else queue.stats.backlog_packets

    def remove_class(self, number: int, now_ns: int) -> None:
        """Take a leaf away; its parent is one again if that was the last below it."""
        gone = self._classes.pop(number)
        self._order.remove(self.handle & _MAJOR | number)
        assert gone.queue is not None, "only leaves go"
        self._dismiss(gone.queue, now_ns)
        parent = gone.htb.parent
        if parent is not None:
            del parent.children[number]
            if not parent.children:
                parent.level = 0
                self._classes[parent.number].queue = self._adopt(Fifo(self.around))

    # -- frames

    def enqueue(self, frame: Frame, now_ns: int) -> bool:
        verdict = self.filters.classify(frame.data, now_ns)
        if verdict.lost is not None:
            return self._drop(frame, verdict.lost)
        leaf = self._leaf(verdict.class_id)
        if leaf is None or leaf.queue is None:
            return self._past_all(frame)
        if self._hand_down(leaf.queue, frame, now_ns):
            return True
        leaf.stats.drops += 1
        return False

    def _leaf(self, class_id: int | None) -> QueueClass | None:
        """The class of a frame; None for what goes past all."""
        if class_id is not None:
            if class_id == self.handle:
                return None
            found = self._classes.get(class_id & _MINOR)
            if found is not None and found.queue is not None:
                return found
        return self._classes.get(self.settings.default)

    def _past_all(self, frame: Frame) -> bool:
        if len(self._direct) >= self.direct_frames:
            return self._drop(frame, QUEUE_FULL)
        self._direct.append(frame)
        self.n_direct += 1
        self._arrives(frame)
        return True

    def _next(self, now_ns: int) -> Frame | None:
        if self._direct:
            frame = self._direct.popleft()
            self._sent(frame)
            return frame
        leaves = [c.htb for c in self._classes.values() if c.queue is not None]
        while (found := self._tree.next(leaves, now_ns)) is not None:
            leaf, payer = found
            queue = self._classes[leaf.number].queue
            taken = None if queue is None else queue.dequeue(now_ns)
            if taken is not None:
                self._charge(leaf, payer, taken, now_ns)
                return taken
            # It holds its frames back, or has lost them: another one, this time.
            leaves.remove(leaf)
        waiting = [leaf for leaf in leaves if leaf.waits()]
        if waiting:
            self.around.wake(now_ns + max(min(leaf.wait_ns(now_ns) for leaf in waiting), 1))
        return None

    def _charge(self, leaf: HtbClass, payer: HtbClass, frame: Frame, now_ns: int) -> None:
        self.stats.overlimits += self._tree.charge(leaf, payer, len(frame.data), now_ns)
        one: HtbClass | None = leaf
        while one is not None:
            counted = self._classes[one.number].stats
            counted.sent_bytes += len(frame.data)
            counted.sent_packets += 1
            one = one.parent
        self._sent(frame)

    def _forget(self, now_ns: int) -> None:  # noqa: ARG002
        while self._direct:
            self.around.lost(self._direct.popleft(), QUEUE_REMOVED)
