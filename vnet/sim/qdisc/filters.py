"""What chooses a class for a frame, or polices it: the filters of tc(8).

``u32`` compares words of the packet, counted from its network header (tc-u32(8)); ``matchall``
takes every frame (tc-matchall(8)). Filters are asked in the order of their preference, and the
first that takes a frame has the say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vnet.base.drops import DropReason, drop_reason
from vnet.base.units import NS_PER_US
from vnet.sim.qdisc.bucket import Bucket
from vnet.sim.qdisc.police import Limit, Policer
from vnet.sim.qdisc.psched import TICK_NS, TransmitTime
from vnet.wire.ether import HEADER_BYTES

FILTERED = drop_reason(
    "tc-filter",
    cause="a filter of tc has the action to drop what it takes, and took the frame",
    cure="delete the filter, or have it take less",
)
POLICED = drop_reason(
    "tc-policed",
    cause="frames came faster than a policer of tc lets them pass",
    cure="raise its rate or its burst, or send more slowly",
)
OVER_POLICE_MTU = drop_reason(
    "tc-police-mtu",
    cause="the frame is larger than the mtu of a policer of tc, which is 2040 bytes if not said",
    cure="give the policer a larger mtu",
)

_MOST_ROUNDS = 16
"""How often a frame may be classified anew before it is dropped."""

PASS = "pass"
DROP = "drop"
CONTINUE = "continue"
RECLASSIFY = "reclassify"
PIPE = "pipe"


class Verdict(NamedTuple):
    """Neither: no filter took the frame."""

    class_id: int | None = None
    lost: DropReason | None = None


UNCLASSIFIED = Verdict()


class Word(NamedTuple):
    """32 bits at an offset from the network header, which may be negative, under a mask."""

    value: int
    mask: int
    offset: int

    def fits(self, data: bytes) -> bool:
        """Whether a frame has them. Beyond its end nothing is found."""
        at = HEADER_BYTES + self.offset
        if at < 0 or at + 4 > len(data):
            return False
        return int.from_bytes(data[at : at + 4], "big") & self.mask == self.value


class Action:
    """What a filter does with the frames that it takes, and how many those were."""

    def __init__(self, control: str, now_ns: int) -> None:
        self.control = control
        self.n_packets = self.n_bytes = self.n_drops = self.n_overlimits = 0
        self.installed_ns = now_ns
        self.used_ns: int | None = None

    def act(self, n_bytes: int, now_ns: int) -> tuple[str, DropReason]:
        """What is to be done, and what it is called if that is to drop."""
        self._count(n_bytes, now_ns)
        self.n_drops += self.control == DROP
        return self.control, FILTERED

    def _count(self, n_bytes: int, now_ns: int) -> None:
        self.n_packets += 1
        self.n_bytes += n_bytes
        self.used_ns = now_ns


@dataclass(frozen=True, slots=True)
class PoliceSettings:
    """A rate in bytes a second and a burst; or frames a second, and a burst of frames.

    ``mtu_bytes`` 0 is no limit. ``exceed`` becomes of what is too much, ``conform`` of the rest.
    """

    rate_bytes_per_s: int = 0
    burst_bytes: int = 0
    frames_per_s: int = 0
    burst_frames: int = 0
    mtu_bytes: int = 0
    overhead_bytes: int = 0
    exceed: str = RECLASSIFY
    conform: str = PASS


class Police(Action):
    """A policer as an action (tc-police(8)). ``index`` is its number in the machine."""

    def __init__(self, settings: PoliceSettings, index: int, now_ns: int) -> None:
        super().__init__(settings.exceed, now_ns)
        self.settings = settings
        self.index = index
        self._policer = Policer(self._bytes(), self._frames(), now_ns)

    def _bytes(self) -> Bucket | None:
        settings = self.settings
        if not settings.rate_bytes_per_s:
            return None
        bucket = Bucket(
            TransmitTime(settings.rate_bytes_per_s, settings.overhead_bytes), settings.burst_bytes
        )
        bucket.size_ns = bucket.tokens_ns = burst_ticks(settings) * TICK_NS
        return bucket

    def _frames(self) -> Limit | None:
        settings = self.settings
        if not settings.frames_per_s:
            return None
        return Limit(settings.frames_per_s, settings.burst_frames)

    def act(self, n_bytes: int, now_ns: int) -> tuple[str, DropReason]:
        self._count(n_bytes, now_ns)
        mtu_bytes, reason = self.settings.mtu_bytes, POLICED
        if mtu_bytes and n_bytes > mtu_bytes:
            reason = OVER_POLICE_MTU
        elif self._policer.passes(n_bytes, now_ns):
            self.n_drops += self.settings.conform == DROP
            return self.settings.conform, reason
        self.n_overlimits += 1
        self.n_drops += self.settings.exceed == DROP
        return self.settings.exceed, reason


def burst_ticks(settings: PoliceSettings) -> int:
    """A burst as tc tells the kernel: whole microseconds of the rate, in ticks."""
    time_us = settings.burst_bytes * 1_000_000 // settings.rate_bytes_per_s
    return time_us * NS_PER_US // TICK_NS


@dataclass(eq=False)
class Filter:
    """One filter. ``protocol`` is an EtherType, 0 for all; no ``words``: it takes everything.

    ``handle`` is what the kernel calls it: of u32, the number of its table and its own in that.
    """

    kind: str
    preference: int
    protocol: int
    handle: tuple[int, int]
    words: Sequence[Word] = ()
    class_id: int | None = None
    actions: Sequence[Action] = ()
    is_plain_police: bool = False
    """Written with ``police`` and not with ``action police``: tc shows it otherwise."""

    def takes(self, data: bytes) -> bool:
        """Whether it has the say over a frame."""
        if self.protocol and data[12] << 8 | data[13] != self.protocol:
            return False
        return all(word.fits(data) for word in self.words)

    def judge(self, n_bytes: int, now_ns: int) -> tuple[str, DropReason]:
        """What its actions come to."""
        control, reason = PASS, FILTERED
        for action in self.actions:
            control, reason = action.act(n_bytes, now_ns)
            if control != PIPE:
                break
        return control, reason


class Filters:
    """The filters of one place, in the order in which they are asked."""

    def __init__(self) -> None:
        self._filters: list[Filter] = []
        self.parent = 0
        """The place as the last one that was added had it."""

    def __iter__(self) -> Iterator[Filter]:
        return iter(self._filters)

    def __len__(self) -> int:
        return len(self._filters)

    def add(self, new: Filter) -> None:
        """Put a filter where its preference has it, and among like ones its handle."""
        place = (new.preference, new.handle)
        at = sum((other.preference, other.handle) <= place for other in self._filters)
        self._filters.insert(at, new)

    def remove(self, gone: Filter) -> None:
        """Take a filter away."""
        self._filters.remove(gone)

    def classify(self, data: bytes, now_ns: int, n_bytes: int | None = None) -> Verdict:
        """Ask them about a frame, which policers take for ``n_bytes`` long; None: as it is."""
        if not self._filters:
            return UNCLASSIFIED
        if n_bytes is None:
            n_bytes = len(data)
        for _ in range(_MOST_ROUNDS):
            verdict, again = self._ask(data, now_ns, n_bytes)
            if not again:
                return verdict
        return verdict

    def _ask(self, data: bytes, now_ns: int, n_bytes: int) -> tuple[Verdict, bool]:
        for asked in self._filters:
            if not asked.takes(data):
                continue
            control, reason = asked.judge(n_bytes, now_ns)
            if control in (DROP, RECLASSIFY):
                return Verdict(None, reason), control == RECLASSIFY
            if control != CONTINUE:
                return Verdict(asked.class_id), False
        return UNCLASSIFIED, False
