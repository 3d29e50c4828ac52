"""The hierarchical token bucket: classes with a guaranteed and a highest rate, which lend to each
other what they do not need (tc-htb(8)).

A class sends by its own tokens, which come at its ``rate``. When it has none it borrows from its
parent, as long as its second bucket, filled at ``ceil``, lets it. Who sends by its own tokens goes
before who borrows; among those alike it is the lowest ``priority``, and then each in turn, a
``quantum`` of bytes at a time. Tokens are counted in nanoseconds, as in Linux's sch_htb: sending a
frame costs the time that it takes at the rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto

from vnet.base.units import NS_PER_S
from vnet.sim.qdisc.bucket import Bucket
from vnet.sim.qdisc.psched import TransmitTime

TOP_LEVEL = 7
"""The level of a class with children that has no parent; leaves are at 0."""

_LONGEST_REFILL_NS = 60 * NS_PER_S
"""A bucket that nobody has looked at for longer than this has forgotten the rest."""


@dataclass(frozen=True, slots=True)
class ClassSettings:
    """The settings of a class; how much it may send at once is in nanoseconds of each rate."""

    rate_bytes_per_s: int
    ceil_bytes_per_s: int
    burst_ns: int
    ceil_burst_ns: int
    priority: int = 0
    quantum_bytes: int = 1_500
    overhead_bytes: int = 0
    least_bytes: int = 0

    def bucket(self, rate_bytes_per_s: int, burst_ns: int) -> Bucket:
        """A full bucket of one of the rates."""
        time = TransmitTime(rate_bytes_per_s, self.overhead_bytes, self.least_bytes)
        bucket = Bucket(time, 0)
        bucket.size_ns = bucket.tokens_ns = burst_ns
        return bucket


class Mode(Enum):
    """What a class may do."""

    CAN_SEND = auto()
    MAY_BORROW = auto()
    CANNOT_SEND = auto()


class HtbClass:
    """A class. ``waits`` says how many frames do, where it is a leaf."""

    def __init__(
        self,
        number: int,
        settings: ClassSettings,
        parent: HtbClass | None,
        waits: Callable[[], int],
        now_ns: int,
    ) -> None:
        self.number = number
        self.parent = parent
        self.waits = waits
        self.children: dict[int, HtbClass] = {}
        self.level = 0
        self.n_lent = self.n_borrowed = self.n_overlimits = 0
        self.deficits_bytes = [0] * (TOP_LEVEL + 1)
        self.turns: dict[int, int] = {}
        """For each priority, the number of the child whose turn it is."""
        self._mode = Mode.CAN_SEND
        self._checked_ns = now_ns
        self.configure(settings)
        if parent is not None:
            parent.children[number] = self
            parent.become_parent()

    def become_parent(self) -> None:
        """Lend from now on, and send no more: leaves do that."""
        self.level = (TOP_LEVEL + 1 if self.parent is None else self.parent.level) - 1

    def configure(self, settings: ClassSettings) -> None:
        """Other rates; both buckets are full then."""
        self.settings = settings
        self._own = settings.bucket(settings.rate_bytes_per_s, settings.burst_ns)
        self._ceil = settings.bucket(settings.ceil_bytes_per_s, settings.ceil_burst_ns)

    @property
    def tokens_ns(self) -> tuple[int, int]:
        """What was in both buckets when it was last looked at."""
        return self._own.tokens_ns, self._ceil.tokens_ns

    def mode(self, now_ns: int) -> tuple[Mode, int]:
        """Whether it may send, and in what time that changes of itself."""
        refill_ns = self._refill_ns(now_ns)
        if (tokens_ns := self._ceil.tokens_ns + refill_ns) < 0:
            return Mode.CANNOT_SEND, -tokens_ns
        if (tokens_ns := self._own.tokens_ns + refill_ns) < 0:
            return Mode.MAY_BORROW, -tokens_ns
        return Mode.CAN_SEND, 0

    def lender(self, now_ns: int) -> HtbClass | None:
        """Who pays for the next frame: the class itself, or the first above it that can."""
        self._mode, _ = self.mode(now_ns)
        if self._mode is Mode.CAN_SEND:
            return self
        if self._mode is Mode.CANNOT_SEND or self.parent is None:
            return None
        return self.parent.lender(now_ns)

    def wait_ns(self, now_ns: int) -> int:
        """How long until it can be worth asking for a lender again."""
        mode, wait_ns = self.mode(now_ns)
        if mode is Mode.MAY_BORROW and self.parent is not None:
            return min(wait_ns, self.parent.wait_ns(now_ns))
        return wait_ns

    def charge(self, n_bytes: int, payer: HtbClass, now_ns: int) -> int:
        """A frame leaves on the account of ``payer``, this class or one above it. Returns how
        many classes may send no more for that."""
        refill_ns = self._refill_ns(now_ns)
        if self.level >= payer.level:
            self.n_lent += self.level == payer.level
            _take(self._own, n_bytes, refill_ns)
        else:
            self.n_borrowed += 1
            self._own.tokens_ns += refill_ns
        _take(self._ceil, n_bytes, refill_ns)
        self._checked_ns = now_ns
        before, (self._mode, _) = self._mode, self.mode(now_ns)
        stopped = int(self._mode is Mode.CANNOT_SEND and before is not Mode.CANNOT_SEND)
        self.n_overlimits += stopped
        return stopped + (0 if self.parent is None else self.parent.charge(n_bytes, payer, now_ns))

    def _refill_ns(self, now_ns: int) -> int:
        return min(now_ns - self._checked_ns, _LONGEST_REFILL_NS)


def _take(bucket: Bucket, n_bytes: int, refill_ns: int) -> None:
    bucket.tokens_ns = max(bucket.left_ns(n_bytes, refill_ns), 1 - _LONGEST_REFILL_NS)


class HtbTree:
    """Whose turn it is among the leaves of one or several trees of classes."""

    def __init__(self) -> None:
        self._turns: dict[tuple[int, int], int] = {}
        """For each level and priority, the number of the class whose turn it is."""

    def next(self, leaves: Iterable[HtbClass], now_ns: int) -> tuple[HtbClass, HtbClass] | None:
        """The leaf that sends next, and who pays."""
        candidates: dict[tuple[int, int], list[tuple[HtbClass, HtbClass]]] = {}
        for leaf in leaves:
            payer = leaf.lender(now_ns) if leaf.waits() else None
            if payer is not None:
                rank = payer.level, leaf.settings.priority
                candidates.setdefault(rank, []).append((leaf, payer))
        if not candidates:
            return None
        rank = min(candidates)
        return self._in_turn(rank, candidates[rank])

    def _in_turn(
        self, rank: tuple[int, int], ready: list[tuple[HtbClass, HtbClass]]
    ) -> tuple[HtbClass, HtbClass]:
        """Down from the payer whose turn it is to a leaf; at the end of a class's children it is
        the next class's turn."""
        if rank[0] == 0:
            return self._next_of_own(rank, ready)
        payer = ready[0][1]
        if all(leaf.parent is each is payer for leaf, each in ready):
            return self._next_below(payer, rank, ready)
        below: dict[HtbClass | None, dict[int, HtbClass]] = {None: {}}
        payers = dict(ready)
        for leaf, payer in ready:
            one = leaf
            while one is not payer and one.parent is not None:
                below.setdefault(one.parent, {})[one.number] = one
                one = one.parent
            below[None][payer.number] = payer
        path: list[HtbClass] = []
        while not (path and path[-1] in payers):
            holder = path[-1] if path else None
            children, turn = below[holder], self._turn(holder, rank)
            number = min((each for each in children if each >= turn), default=None)
            if number is not None:
                self._set_turn(holder, rank, number)
                path.append(children[number])
                continue
            self._set_turn(holder, rank, min(children))
            if path:
                gone = path.pop()
                self._set_turn(path[-1] if path else None, rank, gone.number + 1)
        return path[-1], payers[path[-1]]

    def _next_of_own(
        self, rank: tuple[int, int], ready: list[tuple[HtbClass, HtbClass]]
    ) -> tuple[HtbClass, HtbClass]:
        """Who pays for themselves stand side by side, and nothing is to be gone down."""
        turn = self._turns.get(rank, 0)
        found = min(ready, key=lambda pair: (pair[0].number < turn, pair[0].number))
        self._turns[rank] = found[0].number
        return found

    def _next_below(
        self, payer: HtbClass, rank: tuple[int, int], ready: list[tuple[HtbClass, HtbClass]]
    ) -> tuple[HtbClass, HtbClass]:
        """All borrow from the one class right above them."""
        turn = payer.turns.get(rank[1], 0)
        found = min(ready, key=lambda pair: (pair[0].number < turn, pair[0].number))
        payer.turns[rank[1]] = found[0].number
        self._turns[rank] = payer.number
        return found

    def _turn(self, holder: HtbClass | None, rank: tuple[int, int]) -> int:
        return self._turns.get(rank, 0) if holder is None else holder.turns.get(rank[1], 0)

    def _set_turn(self, holder: HtbClass | None, rank: tuple[int, int], number: int) -> None:
        if holder is None:
            self._turns[rank] = number
        else:
            holder.turns[rank[1]] = number

    def charge(self, leaf: HtbClass, payer: HtbClass, n_bytes: int, now_ns: int) -> int:
        """The leaf has sent a frame. Returns how many classes may send no more for that."""
        stopped = leaf.charge(n_bytes, payer, now_ns)
        # Who has used up its bytes lets the next one have its turn.
        leaf.deficits_bytes[payer.level] -= n_bytes
        if leaf.deficits_bytes[payer.level] < 0:
            leaf.deficits_bytes[payer.level] += leaf.settings.quantum_bytes
            self.pass_by(leaf, payer)
        return stopped

    def pass_by(self, leaf: HtbClass, payer: HtbClass) -> None:
        """It is the turn of the one behind ``leaf``."""
        holder = leaf.parent if payer is not leaf else None
        rank = payer.level, leaf.settings.priority
        self._set_turn(holder, rank, leaf.number + 1)
