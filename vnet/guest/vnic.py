"""A vNIC as Scapy sees it: a socket whose wire is emulated.

:class:`Vnic` is a ``scapy.supersocket.SuperSocket``: ``sr1``, ``srp``, ``sniff``, ``sndrcv``,
answering machines and automata take it where they take any socket, and wait in virtual time.
What they send leaves the guest as bytes; what reaches the guest comes back as packets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from scapy.interfaces import NetworkInterface
from scapy.layers.l2 import Ether
from scapy.packet import NoPayload
from scapy.sendrecv import srp as scapy_srp
from scapy.supersocket import SuperSocket

from vnet.base.drops import DropReason
from vnet.base.errors import UsageError
from vnet.guest import scapy_clock
from vnet.guest.complete import complete, needs_kernel
from vnet.guest.dissect import dissect
from vnet.guest.history import FrameLog
from vnet.linux.netns.interface import Interface
from vnet.sim.frame import Frame, Meta

_NS_PER_S = 1_000_000_000
PATIENCE_NS = 3600 * _NS_PER_S
"""A wait without a timeout ends after this long: periodic timers never let a lab fall idle."""

Listener: TypeAlias = Callable[["VnicSocket", Any], None]


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
        self.listeners: list[Listener] = []
        self._epoch_ns = epoch_ns
        self._unread = 0
        self._exhausted = False

    # -- time

    @property
    def now_ns(self) -> int:
        """Virtual nanoseconds since the lab started."""
        return self.interface.device.scheduler.now_ns

    @property
    def time_s(self) -> float:
        """Virtual seconds since 1970."""
        return (self._epoch_ns + self.now_ns) / _NS_PER_S

    def run_for(self, duration_ns: int) -> None:
        """Let the lab run on. Raises ReentryError inside an event."""
        scheduler = self.interface.device.scheduler
        scheduler.run(scheduler.now_ns + duration_ns)

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

    def recv_raw(self, x: int = 65535) -> tuple[Any, bytes | None, float | None]:
        """The next frame as Scapy's (class, bytes, time), cut to ``x``; waits if there is none."""
        if not self.readable and not self._exhausted:
            VnicSocket.select([self], None)
        entry = self.log.since(self._unread)
        if entry is None:
            self._exhausted = False
            raise EOFError("nothing more will arrive")
        self._unread += 1
        time_ns, data = entry
        return Ether, data[:x], (self._epoch_ns + time_ns) / _NS_PER_S

    def recv(self, x: int = 65535, **kwargs: Any) -> Any:
        """The next frame that reaches the guest, as a packet; runs the lab until there is one.

        Returns None when nothing arrives for an hour of virtual time. Raises ReentryError
        when called from inside an event.
        """
        try:
            return super().recv(x, **kwargs)
        except EOFError:
            if scapy_clock.in_charge(self):
                raise
            return None

    @staticmethod
    def select(sockets: list[Any], remain: float | None = None) -> list[Any]:
        """Scapy's wait: run the lab until a socket is readable or ``remain`` seconds passed."""
        vnics = [socket for socket in sockets if isinstance(socket, VnicSocket)]
        pipes = [socket for socket in sockets if not isinstance(socket, VnicSocket)]
        ready = scapy_clock.readable_pipes(pipes) + [vnic for vnic in vnics if vnic.readable]
        if ready or remain == 0:
            return ready
        scheduler = vnics[0].interface.device.scheduler
        patience_ns = PATIENCE_NS if remain is None else round(remain * _NS_PER_S)
        watches = [vnic.wake_on_arrival() for vnic in vnics]
        try:
            scheduler.run(scheduler.now_ns + patience_ns)
        finally:
            for end_watch in watches:
                end_watch()
        ready = [vnic for vnic in vnics if vnic.readable]
        if not ready and remain is None:
            # Nothing will come: reading now raises EOFError, Scapy's word for a closed end.
            for vnic in vnics:
                vnic._exhausted = True
            return vnics
        return ready

    def wake_on_arrival(self) -> Callable[[], None]:
        """Stop the running lab when a frame arrives; returns what ends that again."""
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
        return complete(packet, self.interface)

    def send_by_kernel(self, packet: Any, meta: Meta | None = None) -> int:
        """Have the guest's kernel route and resolve a packet, from its IP header on."""
        data = bytes(packet)
        if not data:
            raise UsageError("an empty packet cannot be sent")
        namespace = self.interface.namespace
        if data[0] >> 4 == 6:
            namespace.ipv6.send(data, meta)
        elif data[0] >> 4 == 4:
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
        self._waiting = 0
        self._taps: list[Callable[[], None]] = []
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
            self.interface.device.scheduler.stop()
        if self.listeners:
            # Called in an event of its own: the card has not yet handed the frame on.
            self.interface.device.scheduler.after(0, self._tell, time_ns, data)

    def note_drop(self, time_ns: int, data: bytes, reason: DropReason) -> None:
        """Drops are for captures and the trace."""

    def _tell(self, time_ns: int, data: bytes) -> None:
        for listener in tuple(self.listeners):
            listener(self, dissect(data, self._epoch_ns + time_ns))

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
        x.sent_time = self.time_s
        if needs_kernel(packet):
            inner = packet.payload if isinstance(packet, Ether) else packet
            return self.send_by_kernel(inner, meta)
        return self._put(bytes(packet), meta)

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
        return _VnicInterface(self)

    @iface.setter
    def iface(self, _value: Any) -> None:
        raise UsageError("a vNIC's interface cannot be changed")

    def _face_for(self, packet: Any) -> VnicSocket:
        first = packet[0] if isinstance(packet, (list, tuple)) and packet else packet
        return self if isinstance(first, (Ether, bytes)) else self.l3

    def sr(self, *args: Any, **kargs: Any) -> Any:
        """Send and receive; packets may begin with Ether or with IP."""
        kargs.setdefault("verbose", 0)
        return SuperSocket.sr(self._face_for(args[0]), *args, **kargs)

    def sr1(self, *args: Any, **kargs: Any) -> Any:
        """Send one packet and return the first answer, or None."""
        kargs.setdefault("verbose", 0)
        kargs.setdefault("timeout", 5)
        return SuperSocket.sr1(self._face_for(args[0]), *args, **kargs)

    def srp(self, *args: Any, **kargs: Any) -> Any:
        """Scapy's srp over this card."""
        kargs.setdefault("verbose", 0)
        return scapy_srp(*args, iface=self.iface, **kargs)

    def __repr__(self) -> str:
        return f"<Vnic {self.name} {self.mac}>"


class VnicL3Socket(VnicSocket):
    """The IP face of a vNIC: sends through the guest's routing, receives without Ethernet."""

    def __init__(self, vnic: Vnic) -> None:
        super().__init__(vnic.interface, vnic._epoch_ns)
        self.vnic = vnic
        self._unread = vnic.received.total

    @property
    def log(self) -> FrameLog:
        return self.vnic.received

    def wake_on_arrival(self) -> Callable[[], None]:
        return self.vnic.wake_on_arrival()

    def send(self, x: Any) -> int:
        """Route and send a packet that begins with IP or IPv6."""
        x.sent_time = self.time_s
        return self.send_by_kernel(self.complete(x))

    def recv(self, x: int = 65535, **kwargs: Any) -> Any:
        """The next packet, from its IP header on."""
        packet = super().recv(x, **kwargs)
        if packet is None or isinstance(packet.payload, NoPayload):
            return packet
        inner = packet.payload
        inner.time = packet.time
        return inner


class _VnicInterface(NetworkInterface):  # type: ignore[misc]
    """A Scapy interface whose sockets are a vNIC."""

    def __init__(self, vnic: Vnic) -> None:
        self._vnic = vnic
        self.name = self.network_name = self.description = vnic.name
        self.mac = vnic.mac
        self.index = vnic.interface.device.ifindex
        self.flags = 0

    def l2socket(self) -> Callable[..., Vnic]:
        return lambda **_options: self._vnic

    def l2listen(self) -> Callable[..., Vnic]:
        return lambda **_options: self._vnic

    def l3socket(self, ipv6: bool = False) -> Callable[..., VnicL3Socket]:  # noqa: ARG002
        return lambda **_options: self._vnic.l3

    def is_valid(self) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _VnicInterface) and other._vnic is self._vnic
