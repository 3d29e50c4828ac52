"""A full-duplex cable between two devices: delay, rate, queue, and a plug to pull.

Each direction serialises on its own. A frame costs one event: when it is handed over, the
moment it will have left the sender and the moment it arrives are arithmetic
(``busy_until_ns``), so nothing has to happen in between. What the wire does to the frame on
its way (:mod:`vnet.sim.netem`) is decided then as well, once the sender has paid for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any, TypedDict, Unpack

from vnet.base.chance import Chance
from vnet.base.drops import DropReason, drop_reason
from vnet.base.errors import RunawayError, UsageError
from vnet.sim.frame import Frame
from vnet.sim.netem import (
    UNIMPAIRED,
    Fate,
    Impairments,
    LossModel,
    Netem,
    with_bit_flipped,
)
from vnet.sim.scheduler import Scheduler
from vnet.wire.ether import payload_bytes

LINK_DOWN = drop_reason(
    "link-down",
    cause="the link was down, or went down while the frame was on it",
    cure="bring the link up, or send after it is up",
)
LINK_QUEUE_FULL = drop_reason(
    "link-queue-full",
    cause="frames came faster than the link's bandwidth and its queue was full",
    cure="give the link more bandwidth or a longer queue, or send more slowly",
)
LINK_MTU = drop_reason(
    "link-mtu",
    cause="the frame is larger than the link's mtu",
    cure="raise the link's mtu, or lower the senders'",
)
LINK_LOSS = drop_reason(
    "link-loss",
    cause="the link is set to lose a share of its frames, and this was one of them",
    cure="lower the link's loss, or take it away",
)

MOST_FRAMES_PER_INSTANT = 1_000_000
"""More on one link without delay, in one moment, can only be a loop."""

MOST_FRAMES_IN_FLIGHT = 100_000
"""More on one link without bandwidth, under way at once, can only be a loop that multiplies."""

_BITS_NS = 8 * 1_000_000_000
_IMPAIRMENTS = tuple(field.name for field in fields(Impairments))


class LinkEnd:
    """One end of a link: what a device sends into, and whom arriving frames go to.

    The device sets ``receive``, ``carrier_changed`` and ``dropped`` when it is plugged in.
    """

    __slots__ = (
        "_instant_frames",
        "_instant_ns",
        "busy_until_ns",
        "carrier_changed",
        "corrupted",
        "dropped",
        "drops",
        "duplicated",
        "in_flight",
        "link",
        "name",
        "netem",
        "peer",
        "queued",
        "receive",
        "reordered",
        "tx_bytes",
        "tx_frames",
    )

    def __init__(self, link: Link, name: str) -> None:
        self.link = link
        self.name = name
        self.peer: LinkEnd = self
        self.receive: Callable[[Frame], None] = _nobody_home
        self.carrier_changed: Callable[[], None] = _nothing
        self.dropped: Callable[[Frame, DropReason], None] = _unseen
        self.busy_until_ns = 0
        self.queued: deque[int] = deque()
        """When each frame that waits or is being sent will have left, soonest first."""
        self.tx_frames = 0
        self.tx_bytes = 0
        self.drops: dict[DropReason, int] = {}
        self.in_flight = 0
        """Frames on the way to the other end, those that wait in the queue included."""
        self.netem: Netem | None = None
        """None while this direction only delays."""
        self.duplicated = 0
        self.reordered = 0
        self.corrupted = 0
        self._instant_ns = -1
        self._instant_frames = 0

    def send(self, frame: Frame) -> None:
        """Put a frame on the wire towards the other end."""
        link = self.link
        if not link.up:
            return self._drop(frame, LINK_DOWN)
        size = len(frame.data)
        if link.mtu_bytes is not None and payload_bytes(frame.data) > link.mtu_bytes:
            return self._drop(frame, LINK_MTU)
        scheduler = link.scheduler
        leaves_ns = scheduler.now_ns
        if link.bandwidth_bps is not None:
            queued = self.queued
            while queued and queued[0] <= leaves_ns:
                queued.popleft()
            # The frame being sent is not waiting: a queue of 0 still lets one through.
            if len(queued) > link.queue_frames:
                return self._drop(frame, LINK_QUEUE_FULL)
            leaves_ns = max(leaves_ns, self.busy_until_ns) + size * _BITS_NS // link.bandwidth_bps
            self.busy_until_ns = leaves_ns
            queued.append(leaves_ns)
        else:
            # What is reordered takes no time whatever the latency.
            if link.latency_ns == 0 or self.netem is not None:
                self._count_instant(leaves_ns)
            if self.in_flight >= MOST_FRAMES_IN_FLIGHT:
                self._check_room()
            if self.busy_until_ns > leaves_ns:
                # A bandwidth was taken away; what it had queued still goes first.
                leaves_ns = self.busy_until_ns
        self.tx_frames += 1
        self.tx_bytes += size
        if self.netem is not None:
            return self._impair(self.netem, frame, leaves_ns)
        self.in_flight += 1
        scheduler.at(leaves_ns + link.latency_ns, self._arrive, frame, link.epoch)
        return None

    def _impair(self, netem: Netem, frame: Frame, leaves_ns: int) -> None:
        """Let the wire do to the frame what it is set to do.

        As in netem, a frame that is to be doubled and lost at once is merely sent once. A copy
        leaves before its original and has a fate of its own, but is not copied again.
        """
        size = len(frame.data)
        fate = netem.fate(size)
        twice = netem.duplicates()
        if fate.lost and not twice:
            return self._drop(frame, LINK_LOSS)
        if twice and not fate.lost:
            self.duplicated += 1
            self._let_go_copy(frame, netem.fate(size, copy=True), leaves_ns)
        self._let_go(frame, fate, leaves_ns)
        return None

    def _let_go_copy(self, frame: Frame, fate: Fate, leaves_ns: int) -> None:
        if frame.meta is not None:
            frame = frame.seen(self.link.scheduler.now_ns, self.link.name, "duplicated")
        if fate.lost:
            # The captures of the sender are not told: the frame that they saw goes on.
            self._count_drop(frame, LINK_LOSS)
        else:
            self._let_go(frame, fate, leaves_ns)

    def _let_go(self, frame: Frame, fate: Fate, leaves_ns: int) -> None:
        """Send on a frame that is not lost."""
        link = self.link
        if fate.flipped_bit is not None:
            self.corrupted += 1
            data = with_bit_flipped(frame.data, fate.flipped_bit)
            meta = frame.meta
            if meta is not None:
                meta = meta.add(link.scheduler.now_ns, link.name, "corrupted", data)
            frame = Frame(data, meta)
        delay_ns = max(0, link.latency_ns + fate.jitter_ns)
        if fate.reordered:
            self.reordered += 1
            delay_ns = 0
        self.in_flight += 1
        link.scheduler.at(leaves_ns + delay_ns, self._arrive, frame, link.epoch)

    def _count_instant(self, now_ns: int) -> None:
        """An ideal link takes no time: a loop of them would keep the clock where it is."""
        if now_ns != self._instant_ns:
            self._instant_ns, self._instant_frames = now_ns, 0
        self._instant_frames += 1
        if self._instant_frames > MOST_FRAMES_PER_INSTANT:
            raise RunawayError(
                f"{self._instant_frames} frames crossed {self.link.name} and no time passed",
                "break the loop, or give its links a latency or a bandwidth",
            )

    def _check_room(self) -> None:
        """A loop that multiplies frames fills a wire that has no end of room.

        A wire that takes no time is not to blame for what crosses it in one moment; of that,
        :meth:`_count_instant` knows how much is too much.
        """
        if self.link.latency_ns or self.link.impairments.jitter_ns:
            raise RunawayError(
                f"{self.in_flight} frames are under way on {self.link.name} at once",
                "break the loop, or give the link a bandwidth",
            )

    def _arrive(self, frame: Frame, epoch: int) -> None:
        self.in_flight -= 1
        if epoch != self.link.epoch:
            # The plug was pulled while this frame was on its way.
            return self._drop(frame, LINK_DOWN)
        if frame.meta is not None:
            frame = frame.seen(self.link.scheduler.now_ns, self.link.name, "crossed")
        self.peer.receive(frame)
        return None

    def _drop(self, frame: Frame, reason: DropReason) -> None:
        self._count_drop(frame, reason)
        self.dropped(frame, reason)

    def _count_drop(self, frame: Frame, reason: DropReason) -> None:
        self.drops[reason] = self.drops.get(reason, 0) + 1
        if frame.meta is not None:
            now_ns = self.link.scheduler.now_ns
            frame.meta.add(now_ns, self.link.name, "lost", frame.data, reason)


class LinkChange(TypedDict, total=False):
    """Some of a link's settings; those left out stay as they are. See :class:`Link`."""

    latency_ns: int
    bandwidth_bps: int | None
    queue_frames: int
    mtu_bytes: int | None
    up: bool
    jitter_ns: int
    loss: float | LossModel
    duplicate: float
    reorder: float
    corrupt: float


class Link:
    """A cable with two :class:`LinkEnd`; settings may be changed while it runs.

    ``mtu_bytes`` counts as an interface's: without the Ethernet header and one VLAN tag.
    ``queue_frames`` is how many may wait behind the one being sent; it only matters with a
    bandwidth. ``epoch`` counts how often the link went down. Impairments draw from streams
    of ``chance``, which a link that never has any can do without. What waits in a queue when
    the bandwidth changes leaves as it was reckoned before.
    """

    __slots__ = (
        "_netems",
        "bandwidth_bps",
        "ends",
        "epoch",
        "impairments",
        "latency_ns",
        "mtu_bytes",
        "name",
        "on_plug",
        "queue_frames",
        "scheduler",
        "up",
    )

    def __init__(
        self,
        scheduler: Scheduler,
        ends: tuple[str, str],
        *,
        latency_ns: int = 0,
        bandwidth_bps: int | None = None,
        queue_frames: int = 1000,
        mtu_bytes: int | None = None,
        up: bool = True,
        impairments: Impairments = UNIMPAIRED,
        chance: Chance | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.name = "--".join(ends)
        self.latency_ns = latency_ns
        self.bandwidth_bps = bandwidth_bps
        self.queue_frames = queue_frames
        self.mtu_bytes = mtu_bytes
        self.up = up
        self.epoch = 0
        self.ends = _joined(self, ends)
        self._netems = (
            () if chance is None else tuple(Netem(chance, f"link {name}") for name in ends)
        )
        self.on_plug: Callable[[], None] = _nothing
        """Called when the cable was plugged in or pulled."""
        self.impairments = UNIMPAIRED
        self.impair(impairments)

    def impair(self, impairments: Impairments) -> None:
        """What the wire does to both directions' frames from now on.

        Those under way are not touched: their fate was decided when they were sent.
        """
        if impairments == self.impairments:
            return
        assert self._netems, f"{self.name} was built without chance"
        self.impairments = impairments
        for netem in self._netems:
            netem.change(impairments)
        self._let_impair()

    def _let_impair(self) -> None:
        """Have each direction impaired by what is there for it, if it shall be."""
        for end, netem in zip(self.ends, self._netems, strict=bool(self._netems)):
            end.netem = None if self.impairments == UNIMPAIRED else netem

    def change(self, **settings: Unpack[LinkChange]) -> None:
        """Change some settings and leave the others. Raises :class:`UsageError`, and then
        has changed nothing, if frames are to be reordered on a link without any delay."""
        given: dict[str, Any] = dict(settings)
        changed = {name: given.pop(name) for name in _IMPAIRMENTS if name in given}
        impairments = replace(self.impairments, **changed)
        latency_ns = given.get("latency_ns", self.latency_ns)
        if impairments.reorder and not latency_ns and not impairments.jitter_ns:
            raise UsageError(
                f"frames cannot be reordered on {self.name}, which has no delay",
                "give it a latency or a jitter",
            )
        self.impair(impairments)
        up = given.pop("up", self.up)
        for name, value in given.items():
            setattr(self, name, value)
        self.set_up(up)

    def replug(self, number: int, name: str) -> tuple[LinkEnd, LinkEnd]:
        """Pull both plugs; end ``number`` (0 or 1) is called ``name`` from now on.

        The link is down and has new ends, into which nothing is plugged. Returns the old ones,
        which know what has passed, and to whom what was on the wire is lost.
        """
        self.set_up(False)
        old = self.ends
        names = [end.name for end in old]
        names[number] = name
        self.name = "--".join(names)
        self.ends = _joined(self, names)
        self._let_impair()
        return old

    def set_up(self, up: bool) -> None:
        """Plug or unplug the cable. What is on the wire when it goes down is lost."""
        if up == self.up:
            return
        self.up = up
        if not up:
            self.epoch += 1
            for end in self.ends:
                end.busy_until_ns = 0
                end.queued.clear()
        for end in self.ends:
            end.carrier_changed()
        self.on_plug()


def _joined(link: Link, names: Sequence[str]) -> tuple[LinkEnd, LinkEnd]:
    """The two ends of a link."""
    one, other = (LinkEnd(link, name) for name in names)
    one.peer, other.peer = other, one
    return one, other


def _nobody_home(_frame: Frame) -> None:
    raise AssertionError("a frame arrived at a link end with no device plugged in")


def _nothing() -> None:
    return None


def _unseen(_frame: Frame, _reason: DropReason) -> None:
    return None
