"""A VLAN device (``eth0.10``): one VLAN of the device below, as a device of its own.

What is sent by it leaves by the device below with a tag. What comes in below with that tag is
the VLAN device's alone, without it: neither the IP stack nor a bridge that the device below is a
port of sees such a frame.
"""

from __future__ import annotations

from vnet.base.ids import Mac
from vnet.netdev.device import NetDevice
from vnet.sim.frame import Frame
from vnet.wire.ether import HEADER_BYTES, TYPE_VLAN
from vnet.wire.vlan import LEAST_TAGGED_BYTES

"""A tag, and two bytes of what is within."""


class VlanDevice(NetDevice):
    """VLAN ``vid`` of ``lower``; ``protocol`` is the tag's, 802.1Q or 802.1ad.

    While ``inherits_mac``, its MAC is that of the device below, whatever becomes of that.
    """

    kind = "vlan"

    __slots__ = ("_tag", "inherits_mac", "lower", "protocol", "vid")

    def __init__(
        self, lower: NetDevice, name: str, vid: int, *, protocol: int = TYPE_VLAN, mac: Mac | None
    ) -> None:
        super().__init__(lower.scheduler, name, mac or lower.mac, lower.mtu_bytes, lower.owner)
        self.lower = lower
        self.vid = vid
        self.protocol = protocol
        self.inherits_mac = mac is None
        self.carrier = lower.carrier
        self.recorder = lower.recorder
        self._tag = (protocol << 16 | vid).to_bytes(4, "big")

    @property
    def iflink(self) -> int:
        return self.lower.ifindex

    @property
    def busy_until_ns(self) -> int:
        return self.lower.busy_until_ns

    @property
    def speed_mbps(self) -> int | None:
        return self.lower.speed_mbps

    def is_for_host(self, mac: bytes) -> bool:
        # Whose a frame is was settled below; a MAC of its own only adds to that.
        return mac == self.lower.mac or self.lower.is_for_host(mac)

    def receive(self, frame: Frame) -> None:
        """A frame of the VLAN arrived below; it comes without its tag."""
        if self.running:
            # The kernel counts it when the Ethernet header is already read.
            self.rx_bytes -= HEADER_BYTES
        super().receive(frame)

    def _xmit(self, frame: Frame) -> None:
        data = frame.data
        self.lower.transmit(Frame(data[:12] + self._tag + data[12:], frame.meta))


class VlanDevices:
    """The VLAN devices on top of one device, by the tag that is theirs."""

    __slots__ = ("by_tag",)

    def __init__(self) -> None:
        self.by_tag: dict[tuple[bytes, int], VlanDevice] = {}

    def add(self, device: VlanDevice) -> None:
        """Frames with its tag are for ``device`` from now on."""
        self.by_tag[device.protocol.to_bytes(2, "big"), device.vid] = device

    def remove(self, device: VlanDevice) -> None:
        """Frames with its tag are the lower device's again."""
        del self.by_tag[device.protocol.to_bytes(2, "big"), device.vid]

    def take(self, frame: Frame) -> bool:
        """Hand a frame to the VLAN device that it is for; False where there is none."""
        data = frame.data
        if len(data) < LEAST_TAGGED_BYTES:
            return False
        device = self.by_tag.get((data[12:14], (data[14] << 8 | data[15]) & 0x0FFF))
        if device is None:
            return False
        device.receive(Frame(data[:12] + data[16:], frame.meta))
        return True
