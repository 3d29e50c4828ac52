"""A full-duplex cable between two devices: delay, rate, queue, and a plug to pull.

Each direction serialises on its own. A frame costs one event: when it is handed over, the
moment it will have left the sender and the moment it arrives are arithmetic
(``busy_until_ns``), so nothing has to happen in between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from vnet.base.drops import DropReason, drop_reason
from vnet.base.errors import EndlessInstantError
from vnet.sim.frame import Frame
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

MOST_FRAMES_PER_INSTANT = 1_000_000
"""More on one link without delay, in one moment, can only be a loop."""

_BITS_NS = 8 * 1_000_000_000


class LinkEnd:
    """One end of a link: what a device sends into, and whom arriving frames go to.

    The device sets ``receive``, ``carrier_changed`` and ``dropped`` when it is plugged in.
    """

    __slots__ = (
        "_instant_frames",
        "_instant_ns",
        "busy_until_ns",
        "carrier_changed",
        "dropped",
        "drops",
        "link",
        "name",
        "peer",
        "queued",
        "receive",
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
        elif link.latency_ns == 0:
            self._count_instant(leaves_ns)
        self.tx_frames += 1
        self.tx_bytes += size
        scheduler.at(leaves_ns + link.latency_ns, self._arrive, frame, link.epoch)
        return None

    def _count_instant(self, now_ns: int) -> None:
        """An ideal link takes no time: a loop of them would keep the clock where it is."""
        if now_ns != self._instant_ns:
            self._instant_ns, self._instant_frames = now_ns, 0
        self._instant_frames += 1
        if self._instant_frames > MOST_FRAMES_PER_INSTANT:
            raise EndlessInstantError(
                f"{self._instant_frames} frames crossed {self.link.name} and no time passed",
                "break the loop, or give the link a latency or a bandwidth",
            )

    def _arrive(self, frame: Frame, epoch: int) -> None:
        if epoch != self.link.epoch:
            # The plug was pulled while this frame was on its way.
            return self._drop(frame, LINK_DOWN)
        if frame.meta is not None:
            frame = frame.seen(self.link.scheduler.now_ns, self.link.name, "crossed")
        self.peer.receive(frame)
        return None

    def _drop(self, frame: Frame, reason: DropReason) -> None:
        self.drops[reason] = self.drops.get(reason, 0) + 1
        self.dropped(frame, reason)
        if frame.meta is not None:
            frame.meta.node.add(
                self.link.scheduler.now_ns, self.link.name, "lost", frame.data, reason
            )


class Link:
    """A cable with two :class:`LinkEnd`; settings may be changed while it runs.

    ``mtu_bytes`` counts as an interface's: without the Ethernet header and one VLAN tag.
    ``queue_frames`` is how many may wait behind the one being sent; it only matters with a
    bandwidth. ``epoch`` counts how often the link went down.
    """

    __slots__ = (
        "bandwidth_bps",
        "ends",
        "epoch",
        "latency_ns",
        "mtu_bytes",
        "name",
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
    ) -> None:
        self.scheduler = scheduler
        self.name = f"{ends[0]}--{ends[1]}"
        self.latency_ns = latency_ns
        self.bandwidth_bps = bandwidth_bps
        self.queue_frames = queue_frames
        self.mtu_bytes = mtu_bytes
        self.up = up
        self.epoch = 0
        self.ends = (LinkEnd(self, ends[0]), LinkEnd(self, ends[1]))
        self.ends[0].peer, self.ends[1].peer = self.ends[1], self.ends[0]

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


def _nobody_home(_frame: Frame) -> None:
    raise AssertionError("a frame arrived at a link end with no device plugged in")


def _nothing() -> None:
    return None


def _unseen(_frame: Frame, _reason: DropReason) -> None:
    return None
