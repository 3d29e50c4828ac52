"""A vNIC as Scapy sees it: a socket whose wire is emulated.

:class:`Vnic` is a ``scapy.supersocket.SuperSocket``: ``sr1``, ``srp``, ``sniff``, ``sndrcv``,
answering machines and automata take it where they take any socket, and wait in virtual time.
What they send leaves the guest as bytes; what reaches the guest comes back as packets.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from scapy.interfaces import NetworkInterface
from scapy.layers.l2 import Ether
from scapy.packet import NoPayload, Packet
from scapy.sendrecv import srp as scapy_srp
from scapy.supersocket import SuperSocket

from vnet.base.drops import DropReason
from vnet.base.errors import UsageError
from vnet.base.ids import ip_text
from vnet.guest import scapy_clock
from vnet.guest.background import PATIENCE_NS
from vnet.guest.complete import (
    FRAME_LAYERS,
    complete,
    is_on_link_only,
    kernel_payload,
    needs_kernel,
    settle,
)
from vnet.guest.dissect import dissect
from vnet.guest.history import FrameLog
from vnet.guest.scapy_time import ns_of, timestamp
from vnet.linux.netns.interface import Interface
from vnet.sim.frame import Frame, Meta
from vnet.sim.scheduler import Scheduler
from vnet.wire import ipv4, ipv6

Listener: TypeAlias = Callable[[Any], None]


class VnicSocket(SuperSocket):  # type: ignore[misc]
    """What the link-layer and the IP face of a vNIC share: waiting in virtual time."""

    nonblocking_socket = True
    closed = False

    def __init__(self, interface: Interface, epoch_ns: int) -> None:
        # Not SuperSocket.__init__, which opens a socket of this computer.
        scapy_clock.install()
        self.interface = interface
        self.promisc = True
        self.ins = self.outs = None
        self.epoch_ns = epoch_ns
        self._unread = 0
        self._exhausted = False

    # -- time

    @property
    def scheduler(self) -> Scheduler:
        """The lab's clock."""
        return self.interface.device.scheduler

    @property
    def now_ns(self) -> int:
        """Virtual nanoseconds since the lab started."""
        return self.scheduler.now_ns

    def run_for(self, duration_ns: int) -> None:
        """Let the lab run on. Raises ReentryError inside an event."""
        end_ns = self.now_ns + duration_ns
        self.scheduler.run(end_ns)

    # -- receiving

    @property
    def log(self) -> FrameLog:
        """The frames that reached the guest."""
        raise NotImplementedError

    def skip_to_now(self) -> None:
        """Forget what arrived unread: a sniffer hears only what comes after it began."""
        self._unread = self.log.total
        self._exhausted = False

    @property
    def readable(self) -> bool:
        """Whether a frame waits to be read."""
        return self.log.total > self._unread

    def recv_raw(self, x: int = 65535) -> tuple[Any, bytes | None, Any]:
        """The next frame as Scapy's (class, bytes, time), cut to ``x``; waits if there is none."""
        if not self.readable and not self._exhausted:
            VnicSocket.select([self], None)
        entry = self.log.since(self._unread)
        if entry is None:
            self._exhausted = False
            raise EOFError("nothing more will arrive")
        number, time_ns, data = entry
        self._unread = number + 1
        return Ether, data[:x], timestamp(self.epoch_ns + time_ns)

    def recv(self, x: int = 65535, **kwargs: Any) -> Any:
        """The next frame that reaches the guest, as a packet; runs the lab until there is one.

        Returns None when nothing arrives for an hour of virtual time. Raises ReentryError
        when called from inside an event and nothing waits to be read.
        """
        try:
            return super().recv(x, **kwargs)
        except EOFError:
            if scapy_clock.in_charge(self):
                raise
            self._exhausted = False
            return None

    @staticmethod
    def select(sockets: list[Any], remain: float | None = None) -> list[Any]:
        """Scapy's wait: run the lab until a socket is readable or ``remain`` seconds passed."""
        vnics = [socket for socket in sockets if isinstance(socket, VnicSocket)]
        pipes = [socket for socket in sockets if not isinstance(socket, VnicSocket)]
        ready = scapy_clock.readable_pipes(pipes) + [vnic for vnic in vnics if vnic.readable]
        if ready or remain == 0 or not vnics:
            return ready
        scheduler = vnics[0].scheduler
        if any(vnic.scheduler is not scheduler for vnic in vnics):
            raise UsageError("vNICs of two labs cannot be waited for at once")
        end_ns = scheduler.now_ns + (PATIENCE_NS if remain is None else ns_of(remain))
        watches = [vnic.wake_on_arrival() for vnic in vnics]
        try:
            while not ready and scheduler.now_ns < end_ns:
                scheduler.run(end_ns)
                ready = [vnic for vnic in vnics if vnic.readable]
        finally:
            for end_watch in watches:
                end_watch()
        if not ready and remain is None:
            # Nothing will come: reading now raises EOFError, Scapy's word for a closed end.
            for vnic in vnics:
                vnic._exhausted = True
            return list(vnics)
        return ready

    def wake_on_arrival(self) -> Callable[[], None]:
        """Stop the running lab when a frame arrives; returns what ends that again."""
        raise NotImplementedError

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each frame that arrives, as a packet, in an event of its own.

        Returns what ends that again.
        """
        raise NotImplementedError

    def fileno(self) -> int:
        """There is no file behind a vNIC."""
        return -1

    def close(self) -> None:
        """A program closes its socket; the card stays where it is."""

    def __del__(self) -> None:
        """Nothing to close."""

    # -- sending

    def complete(self, packet: Any) -> Any:
        """``packet`` with what it leaves open filled in from the guest."""
        if not isinstance(packet, Packet):
            raise UsageError(
                f"a vNIC sends Scapy packets and bytes, not {type(packet).__name__}",
                "send the packets of a list one by one, or all with sr()",
            )
        return complete(packet, self.interface)

    def settle(self, packet: Any) -> None:
        """Fill in what could only be known after sending."""
        settle(packet, self.interface)

    def face_for(self, packets: list[Any]) -> VnicSocket:
        """The side of the card that sees answers as ``packets`` are: with Ethernet or without."""
        return self

    def send_by_kernel(self, packet: Any, meta: Meta | None = None) -> int:
        """Have the guest's kernel route and resolve a packet, from its IP header on.

        A multicast or link-local target has no route worth the name: it leaves by this card.
        """
        data = bytes(packet)
        namespace = self.interface.namespace
        version = data[0] >> 4 if data else 0
        if version == 6 and len(data) >= ipv6.HEADER_BYTES:
            out = self.interface if is_on_link_only(data[24:40]) else None
            namespace.ipv6.send(data, meta, out=out)
        elif version == 4 and len(data) >= ipv4.HEADER_BYTES:
            if is_on_link_only(data[16:20]):
                namespace.ipv4.send_by(self.interface, data, meta)
            else:
                namespace.ipv4.send(data, meta)
        else:
            raise UsageError(
                f"{packet.summary()} is neither a frame nor an IP packet",
                "begin it with Ether(), IP() or IPv6()",
            )
        return len(data)


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

    def note_drop(self, time_ns: int, data: bytes, reason: DropReason) -> None:
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
            return self._put(bytes(packet), meta)
        if isinstance(x, FRAME_LAYERS) and "src" in x.fields:
            raise UsageError(
                f"{self.name}: nobody has told the MAC of {packet.payload.dst} yet, and the "
                "kernel, which would ask, sends from its own MAC",
                "set Ether(dst=...) as well, or ping the target first",
            )
        return self.send_by_kernel(kernel_payload(packet), meta)

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
