"""A vNIC as Scapy sees it: a socket whose wire is emulated.

:class:`Vnic` is a ``scapy.supersocket.SuperSocket``: ``sr1``, ``srp``, ``sniff``, ``sndrcv``,
answering machines and automata take it where they take any socket, and wait in virtual time.
What they send leaves the guest as bytes; what reaches the guest comes back as packets.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from scapy.interfaces import NetworkInterface
from scapy.packet import NoPayload
from scapy.sendrecv import srp as scapy_srp

from vnet.base.errors import UsageError
from vnet.base.ids import ip_text
from vnet.guest.complete import FRAME_LAYERS, kernel_payload, needs_kernel
from vnet.guest.dissect import build, dissect
from vnet.guest.history import FrameLog
from vnet.guest.scapy_time import timestamp
from vnet.guest.socket import Listener, VnicSocket
from vnet.linux.netns.interface import Interface
from vnet.sim.frame import Frame, Meta


class Vnic(VnicSocket):
    """A virtual machine's network card, at the link layer.

    ``sent`` and ``received`` show every frame as a Scapy packet, the kernel's own included;
    they remember the last thousand each way.
    """

    def __init__(self, interface: Interface, epoch_ns: int) -> None:
        super().__init__(interface, epoch_ns)
        self.sent = FrameLog(epoch_ns)
        self.received = FrameLog(epoch_ns)
        self._listeners: list[Listener] = []
        self._waiting = 0
        interface.device.add_sniffer(self)

    @property
    def name(self) -> str:
        """``vm1:eth0``."""
        return self.interface.device.label

    @property
    def mac(self) -> str:
        """The card's MAC as text."""
        return self.interface.device.mac.hex(":")

    @property
    def log(self) -> FrameLog:
        return self.received

    # -- the device's sniffer

    def capture(self, time_ns: int, data: bytes, outbound: bool) -> None:
        """A frame passed the card."""
        if outbound:
            self.sent.append(time_ns, data)
            return
        self.received.append(time_ns, data)
        if self._waiting:
            self.scheduler.stop()
        if self._listeners:
            # Called in an event of its own: the card has not yet handed the frame on.
            self.scheduler.after(0, self._tell, time_ns, data)

    def note_drop(self, *_what: object) -> None:
        """Drops are for captures and the trace."""

    def _tell(self, time_ns: int, data: bytes) -> None:
        for listener in tuple(self._listeners):
            if listener in self._listeners:
                listener(dissect(data, self.epoch_ns + time_ns))

    def listen(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        return partial(self._stop_listening, listener)

    def _stop_listening(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def wake_on_arrival(self) -> Callable[[], None]:
        self._waiting += 1
        return self._stop_waiting

    def _stop_waiting(self) -> None:
        self._waiting -= 1

    # -- sending

    def send(self, x: Any) -> int:
        """Put a frame on the wire: a Scapy packet or bytes; returns the bytes sent.

        A packet that begins with IP, or an Ether without a destination to an unknown
        neighbour, is routed and resolved by the guest's kernel.
        """
        return self.send_traced(x, None)

    def send_traced(self, x: Any, meta: Meta | None) -> int:
        """As :meth:`send`, with the trace tree that the frame shall grow."""
        if isinstance(x, (bytes, bytearray, memoryview)):
            return self._put(bytes(x), meta)
        packet = self.complete(x)
        x.sent_time = timestamp(self.epoch_ns + self.now_ns)
        if not needs_kernel(packet):
            return self._put(build(packet), meta)
        for_kernel = kernel_payload(packet)
        if isinstance(packet, FRAME_LAYERS) and packet.src != self.mac:
            raise UsageError(
                f"{self.name}: nobody has told the MAC of {for_kernel.dst} yet, and the kernel, "
                f"which would ask, sends from its own MAC and not from {packet.src}",
                "set Ether(dst=...) as well, or ping the target first",
            )
        return self.send_by_kernel(for_kernel, meta)

    def _put(self, data: bytes, meta: Meta | None) -> int:
        self.interface.device.transmit(Frame(data, meta))
        return len(data)

    # -- Scapy's functions, with the right face

    @property
    def l3(self) -> VnicL3Socket:
        """The card at the IP layer: packets begin with IP or IPv6."""
        return VnicL3Socket(self)

    @property
    def iface(self) -> NetworkInterface:
        """For Scapy functions that want an interface: ``srp(pkt, iface=vnic.iface)``."""
        return VnicInterface(self)

    @iface.setter
    def iface(self, _value: Any) -> None:
        raise UsageError("a vNIC's interface cannot be changed")

    def face_for(self, packets: list[Any]) -> VnicSocket:
        return self if not packets or isinstance(packets[0], FRAME_LAYERS) else self.l3

    def sr(self, pkt: Any, *args: Any, **kargs: Any) -> Any:
        """Send and receive; packets may begin with Ether or with IP."""
        kargs.setdefault("verbose", 0)
        return super().sr(pkt, *args, **kargs)

    def sr1(self, pkt: Any, *args: Any, **kargs: Any) -> Any:
        """Send and return the first answer, or None: by default after five virtual seconds."""
        kargs.setdefault("verbose", 0)
        if not args:
            kargs.setdefault("timeout", 5)
        return super().sr1(pkt, *args, **kargs)

    def srp(self, pkt: Any, *args: Any, **kargs: Any) -> Any:
        """Scapy's srp over this card."""
        kargs.setdefault("verbose", 0)
        return scapy_srp(pkt, *args, iface=self.iface, **kargs)

    def __repr__(self) -> str:
        return f"<Vnic {self.name} {self.mac}>"


class VnicL3Socket(VnicSocket):
    """The IP face of a vNIC: sends through the guest's routing, receives without Ethernet."""

    def __init__(self, vnic: Vnic) -> None:
        super().__init__(vnic.interface, vnic.epoch_ns)
        self.vnic = vnic
        self._unread = vnic.received.total

    @property
    def log(self) -> FrameLog:
        return self.vnic.received

    @property
    def iface(self) -> NetworkInterface:
        """The card's."""
        return self.vnic.iface

    def wake_on_arrival(self) -> Callable[[], None]:
        return self.vnic.wake_on_arrival()

    def listen(self, listener: Listener) -> Callable[[], None]:
        return self.vnic.listen(partial(_tell_without_ethernet, listener))

    def send(self, x: Any) -> int:
        """Route and send a packet that begins with IP or IPv6."""
        packet = self.complete(x)
        x.sent_time = timestamp(self.epoch_ns + self.now_ns)
        return self.send_by_kernel(packet)

    def recv(self, x: int = 65535, **kwargs: Any) -> Any:
        """The next packet, from its IP header on."""
        packet = super().recv(x, **kwargs)
        return packet if packet is None else _without_ethernet(packet)


def _without_ethernet(frame: Any) -> Any:
    inner = frame.payload
    if isinstance(inner, NoPayload):
        return frame
    inner.time = frame.time
    return inner


def _tell_without_ethernet(listener: Listener, frame: Any) -> None:
    listener(_without_ethernet(frame))


class VnicInterface(NetworkInterface):  # type: ignore[misc]
    """A Scapy interface whose sockets are a vNIC."""

    def __init__(self, vnic: Vnic) -> None:
        super().__init__(None)
        self.vnic = vnic
        self.name = self.network_name = self.description = vnic.name
        self.mac = vnic.mac
        self.index = vnic.interface.device.ifindex
        self.flags = 0
        for address in vnic.interface.addresses:
            self.ips[4 if len(address.ip) == 4 else 6].append(ip_text(address.ip))
        self.ip = next(iter(self.ips[4]), None)

    def l2socket(self) -> Callable[..., Vnic]:
        return lambda **_options: self.vnic

    def l2listen(self) -> Callable[..., Vnic]:
        return lambda **_options: self.vnic

    def l3socket(self, ipv6: bool = False) -> Callable[..., VnicL3Socket]:  # noqa: ARG002
        return lambda **_options: self.vnic.l3

    def is_valid(self) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VnicInterface) and other.vnic is self.vnic
