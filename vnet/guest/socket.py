"""A Scapy socket whose wire is emulated: it waits in virtual time, and sends as the guest."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, TypeAlias

from scapy.layers.l2 import Ether
from scapy.packet import Packet
from scapy.supersocket import SuperSocket

from vnet.base.errors import UsageError
from vnet.guest import scapy_clock
from vnet.guest.background import PATIENCE_NS
from vnet.guest.complete import complete, is_on_link_only, settle
from vnet.guest.dissect import build
from vnet.guest.history import FrameLog
from vnet.guest.scapy_time import ns_of, timestamp
from vnet.linux.netns.interface import Interface
from vnet.sim.frame import Meta
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
        while self.now_ns < end_ns:
            self.scheduler.run(end_ns)

    # -- receiving

    @property
    @abstractmethod
    def log(self) -> FrameLog:
        """The frames that reached the guest."""

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

    @abstractmethod
    def wake_on_arrival(self) -> Callable[[], None]:
        """Stop the running lab when a frame arrives; returns what ends that again."""

    @abstractmethod
    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each frame that arrives, as a packet, in an event of its own.

        Returns what ends that again.
        """

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

    def face_for(self, packets: list[Any]) -> VnicSocket:  # noqa: ARG002
        """The side of the card that sees answers as ``packets`` are: with Ethernet or without."""
        return self

    def send_by_kernel(self, packet: Any, meta: Meta | None = None) -> int:
        """Have the guest's kernel route and resolve a packet, from its IP header on.

        A multicast or link-local target has no route worth the name: it leaves by this card.
        """
        data = build(packet)
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
                "begin it with Ether(), IP(dst=...) or IPv6(dst=...)",
            )
        return len(data)
