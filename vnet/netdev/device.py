"""The network device: a name, a MAC, counters, and one way in and one way out.

A frame comes in by :meth:`NetDevice.receive` (from a wire, a peer, a guest's ring) and is
handed to ``rx_handler``, which whoever owns the device has set: a namespace's IP stack, or
the bridge the device is a port of. It leaves by :meth:`NetDevice.transmit`, which each kind
of device finishes in ``_xmit``. Both ways count, show the frame to the sniffers and add to
its trace, and both are hot: everything optional costs one comparison with None.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from vnet.base.drops import DropReason, drop_reason
from vnet.base.ids import Mac
from vnet.sim.frame import Frame, Meta
from vnet.sim.qdisc.ingress import Ingress
from vnet.sim.qdisc.qdisc import Qdisc
from vnet.sim.scheduler import Scheduler
from vnet.sim.trace import FlightRecorder, TraceNode

if TYPE_CHECKING:
    from vnet.netdev.vlan_device import VlanDevices

DEVICE_DOWN = drop_reason(
    "device-down",
    cause="the device is administratively down or has no carrier",
    cure="set the device up and see that the other end of its wire is up",
)
NO_HANDLER = drop_reason(
    "no-handler",
    cause="nobody listens on the device: it is in no namespace and no bridge",
    cure="give the device an owner before frames reach it",
)

TOO_SHORT = drop_reason(
    "frame-too-short",
    cause="the frame is shorter than an Ethernet header",
    cure="mend the sender",
)
TRUNCATED_TAG = drop_reason(
    "vlan-tag-truncated",
    cause="the frame ends within its VLAN tag or just behind it",
    cure="mend the sender",
)

RxHandler = Callable[[Frame], None]

_NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


class Sniffer(Protocol):
    """Whoever wants a copy of the frames of a device (tcpdump's place in the kernel)."""

    def capture(self, time_ns: int, data: bytes, outbound: bool) -> None:
        """A frame passed at ``time_ns``; ``outbound`` is seen from the device."""

    def note_drop(
        self, time_ns: int, data: bytes, reason: DropReason, notes: tuple[str, ...] = (), /
    ) -> None:
        """The device, or the room behind it, threw a frame away; ``notes`` say more of why."""


class NetDevice(ABC):
    """A device without a wire; subclasses say where transmitted frames go.

    ``owner`` is the node the device belongs to, for messages and the trace. ``carrier`` is
    whether there is a live peer; the device is ``running`` when it is also administratively
    up, and ``has_queue`` once it was. ``state_changed`` is called after either changes.
    ``recorder`` follows the frames that begin or end at the device without a trace. ``qdisc`` is
    where frames wait for their turn to leave; None: they leave as they come; ``ingress`` judges
    what has come in. ``vlan_devices`` stand on top of it and take the frames of their VLANs before
    anyone else.
    """

    kind = "device"

    __slots__ = (
        "admin_up",
        "carrier",
        "drops",
        "has_queue",
        "ifindex",
        "ingress",
        "mac",
        "mtu_bytes",
        "name",
        "owner",
        "qdisc",
        "recorder",
        "running",
        "rx_bytes",
        "rx_handler",
        "rx_packets",
        "scheduler",
        "sniffers",
        "state_changed",
        "tx_bytes",
        "tx_packets",
        "vlan_devices",
    )

    def __init__(
        self, scheduler: Scheduler, name: str, mac: Mac, mtu_bytes: int = 1500, owner: str = ""
    ) -> None:
        self.scheduler = scheduler
        self.name = name
        self.owner = owner
        self.mac = mac
        self.mtu_bytes = mtu_bytes
        self.ifindex = 0
        self.admin_up = False
        self.has_queue = False
        self.carrier = True
        self.running = False
        self.rx_packets = 0
        self.rx_bytes = 0
        self.tx_packets = 0
        self.tx_bytes = 0
        self.drops: dict[DropReason, int] = {}
        self.sniffers: tuple[Sniffer, ...] | None = None
        self.recorder: FlightRecorder | None = None
        self.qdisc: Qdisc | None = None
        self.vlan_devices: VlanDevices | None = None
        self.ingress: Ingress | None = None
        self.rx_handler: RxHandler = self._refuse
        self.state_changed: Callable[[], None] = _nothing

    @property
    def label(self) -> str:
        """``node:device``, as captures and the trace name it."""
        return f"{self.owner}:{self.name}"

    @property
    def settings(self) -> Mapping[str, str]:
        """What is set of it, as far as dumps show that."""
        return _NO_SETTINGS

    @property
    def busy_until_ns(self) -> int:
        """When the wire behind it will have taken what was sent until now."""
        return 0

    @property
    def speed_mbps(self) -> int | None:
        """How fast the device says it is (ethtool's speed), or None where it says nothing."""
        return None

    @property
    def iflink(self) -> int:
        """The index of the device at the other end, or the device's own (IFLA_LINK)."""
        return self.ifindex

    def receive(self, frame: Frame) -> None:
        """A frame arrived at the device from outside."""
        if not self.running:
            return self.drop(frame, DEVICE_DOWN)
        data = frame.data
        self.rx_packets += 1
        self.rx_bytes += len(data)
        if self.sniffers is not None:
            for sniffer in self.sniffers:
                sniffer.capture(self.scheduler.now_ns, data, False)
        if frame.meta is not None:
            frame = frame.seen(self.scheduler.now_ns, self.label, "received")
        if self.ingress is not None and not self.ingress.admits(frame):
            return None
        if self.vlan_devices is not None and self.vlan_devices.take(frame):
            return None
        self.rx_handler(frame)
        return None

    def transmit(self, frame: Frame, queue: int = 0) -> None:
        """Send a frame out of the device, by one of its queues where it has any."""
        if not self.running:
            return self.drop(frame, DEVICE_DOWN)
        if self.qdisc is not None and not self.qdisc.admit(frame, queue):
            return None
        data = frame.data
        self.tx_packets += 1
        self.tx_bytes += len(data)
        if self.sniffers is not None:
            for sniffer in self.sniffers:
                sniffer.capture(self.scheduler.now_ns, data, True)
        if frame.meta is not None:
            frame = frame.seen(self.scheduler.now_ns, self.label, "sent")
        elif self.recorder is not None:
            frame = frame.with_meta(self.follow("sent", data))
        self._xmit(frame)
        return None

    def is_for_host(self, _mac: bytes) -> bool:
        """Whether a frame to another MAC than the device's is the host's all the same."""
        return False

    @abstractmethod
    def _xmit(self, frame: Frame) -> None:
        """Where transmitted frames of this kind of device go."""

    def drop(self, frame: Frame, reason: DropReason, notes: tuple[str, ...] = ()) -> None:
        """Count and name the loss of a frame that this device had in its hands.

        ``notes`` are lines that the trace shows with it.
        """
        self.drops[reason] = self.drops.get(reason, 0) + 1
        now_ns = self.scheduler.now_ns
        if self.sniffers is not None:
            for sniffer in self.sniffers:
                sniffer.note_drop(now_ns, frame.data, reason, notes)
        if frame.meta is not None:
            frame.meta.add(now_ns, self.label, "dropped", frame.data, reason, notes)
        elif self.recorder is not None:
            self.follow("dropped", frame.data, reason, notes)

    def follow(
        self,
        event: str,
        data: bytes,
        reason: DropReason | None = None,
        notes: tuple[str, ...] = (),
    ) -> Meta | None:
        """Begin the trace of a frame that has none; None where nobody records."""
        if self.recorder is None:
            return None
        root = TraceNode(self.scheduler.now_ns, self.label, event, data, reason, notes)
        return Meta(self.recorder.begin(root))

    def set_admin(self, up: bool) -> None:
        """What ``ip link set dev X up`` or ``down`` does to the device itself."""
        if up != self.admin_up:
            self.admin_up = up
            self.has_queue = True
            self._admin_changed()
            self._refresh()

    def set_carrier(self, carrier: bool) -> None:
        """The peer appeared or went away."""
        if carrier != self.carrier:
            self.carrier = carrier
            self._refresh()

    def _admin_changed(self) -> None:
        """A place for kinds of device whose peer loses its carrier with them."""
        return

    def _refresh(self) -> None:
        self.running = self.admin_up and self.carrier
        if not self.running and self.qdisc is not None:
            self.qdisc.purge()
        self.state_changed()

    def add_sniffer(self, sniffer: Sniffer) -> None:
        """Show every frame that passes from now on to ``sniffer``."""
        self.sniffers = (*(self.sniffers or ()), sniffer)

    def remove_sniffer(self, sniffer: Sniffer) -> None:
        """Stop showing frames to ``sniffer``."""
        kept = tuple(s for s in self.sniffers or () if s is not sniffer)
        self.sniffers = kept or None

    def _refuse(self, frame: Frame) -> None:
        self.drop(frame, NO_HANDLER)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.label})"


def _nothing() -> None:
    return None
