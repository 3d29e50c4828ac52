"""The DHCP server as a program of a machine: its socket, its pings, its log.

It does one thing at a time. While it waits for somebody to answer a ping, further requests stay in
the receive buffer of its socket, and are lost when that is full.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vnet.base.drops import DropReason
from vnet.base.ids import IPV4_BROADCAST, MAC_BROADCAST
from vnet.linux.netns.sockets.echo import EchoReply, EchoSocket
from vnet.linux.netns.sockets.udp import Datagram, UdpSocket
from vnet.linux.services.arp_injection import inject
from vnet.linux.services.daemon_log import DaemonLog
from vnet.linux.services.dhcp_server import drops
from vnet.linux.services.dhcp_server.checks import WAIT_S
from vnet.linux.services.dhcp_server.leases import LeaseTable
from vnet.linux.services.dhcp_server.replies import Answer
from vnet.linux.services.dhcp_server.request import Arrival, LocalNetwork
from vnet.linux.services.dhcp_server.server import DhcpService, Steps
from vnet.linux.services.dhcp_server.settings import DhcpServing
from vnet.sim.frame import Frame, Meta
from vnet.sim.scheduler import Timer
from vnet.wire import dhcp, icmp, ipv4, udp
from vnet.wire.ether import TYPE_IPV4
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface

_NS_PER_S = 1_000_000_000
_CLASS_SELECTOR_6 = 0xC0
_PING_DATA = bytes(20)
_MOST_WAITING = 166
"""How many requests the receive buffer (net.core.rmem_default) holds, each with its overhead."""


class DhcpServer:
    """A server on one interface; a machine may have several, each on an interface of its own."""

    def __init__(self, interface: Interface, serving: DhcpServing, epoch_ns: int) -> None:
        namespace = self._namespace = interface.namespace
        self.interface = interface
        self._epoch_ns = epoch_ns
        self.log = DaemonLog(namespace.scheduler)
        label = f"{namespace.name}:{interface.device.name} dhcp server"
        self._chance = namespace.chance.stream(label)
        self.service = DhcpService(serving, self.now_s, lambda: self._chance, self.log.write)
        self._socket = self._open()
        self._relayed = self._open_for_relays()
        self._waiting: deque[Datagram] = deque()
        self._steps: Steps | None = None
        self._answering: Datagram | None = None
        self._ping: EchoSocket | None = None
        self._asked = b""
        self._timer = Timer(namespace.scheduler, self._nobody_answered)
        namespace.dhcp_servers[interface] = self

    @property
    def leases(self) -> LeaseTable:
        return self.service.leases

    def now_s(self) -> int:
        """The time of day, in whole Unix seconds."""
        return (self._epoch_ns + self._namespace.scheduler.now_ns) // _NS_PER_S

    def stop(self) -> None:
        """Hear and say no more. Leases are forgotten."""
        self._timer.cancel()
        if self._ping is not None:
            self._ping.close()
        self._socket.close()
        for socket in self._relayed:
            socket.close()
        self._waiting.clear()
        self._steps = None
        self._namespace.dhcp_servers.pop(self.interface, None)

    def _open(self) -> UdpSocket:
        socket = self._namespace.sockets.open_udp(
            self._heard, dhcp.SERVER_PORT, device=self.interface
        )
        socket.discovers_mtu = False
        socket.tos = _CLASS_SELECTOR_6
        return socket

    def _open_for_relays(self) -> list[UdpSocket]:
        """Requests for other networks may come in by any interface."""
        if all(span.prefix_length is None for span in self.service.serving.ranges):
            return []
        sockets = self._namespace.sockets
        opened = []
        for network in _networks(self.interface):
            socket = sockets.open_udp(self._heard, dhcp.SERVER_PORT, address=network.ip)
            socket.discovers_mtu, socket.tos = False, _CLASS_SELECTOR_6
            opened.append(socket)
        return opened

    # -- requests, one by one

    def _heard(self, socket: UdpSocket, datagram: Datagram) -> None:
        if self._steps is not None:
            if len(self._waiting) >= _MOST_WAITING:
                socket.refuse(drops.QUEUE_FULL)
            else:
                self._waiting.append(datagram)
            return
        reason = self._begin(datagram)
        if reason is not None:
            socket.refuse(reason)

    def _begin(self, datagram: Datagram) -> DropReason | None:
        """Take up a request; returns why it is dropped, if it is."""
        message = dhcp.parse(datagram.data)
        if message is None:
            return drops.MALFORMED
        networks = tuple(_networks(self.interface))
        if not networks:
            name = self.interface.device.name
            self.log.write(f"DHCP packet received on {name} which has no address")
            return None
        arrival = Arrival(
            self.interface.device.name,
            networks,
            datagram.source,
            datagram.source_port,
            datagram.target != IPV4_BROADCAST,
        )
        went_without = self.service.no_address
        self._answering = datagram
        self._go_on(self.service.answer(message, arrival))
        return drops.NO_ADDRESS if self.service.no_address > went_without else None

    def _go_on(self, steps: Steps, is_taken: bool | None = None) -> None:
        """Let the service decide until it is done, or wants to know of an address."""
        self._steps = steps
        try:
            ip = next(steps) if is_taken is None else steps.send(is_taken)
        except StopIteration as done:
            self._steps = None
            if done.value is not None:
                self._send(done.value)
            return
        self._ask(ip)

    def _take_next(self) -> None:
        while self._waiting and self._steps is None:
            datagram = self._waiting.popleft()
            reason = self._begin(datagram)
            if reason is not None:
                self._drop(datagram, reason)

    def _drop(self, datagram: Datagram, reason: DropReason) -> None:
        """Count a request that had been waiting."""
        device = datagram.interface.device
        ports = datagram.source_port, dhcp.SERVER_PORT
        segment = udp.emit(datagram.source, datagram.target, *ports, datagram.data)
        packet = ipv4.emit(datagram.source, datagram.target, ipv4.UDP, segment)
        data = ether_frame(MAC_BROADCAST, device.mac, TYPE_IPV4, packet)
        device.drop(Frame(data, datagram.meta), reason)

    # -- is the address free?

    def _ask(self, ip: bytes) -> None:
        namespace = self._namespace
        ident = self._chance.randrange(1 << 16)
        self._asked = ip
        self._ping = namespace.sockets.open_echo(ident, self._answered, lambda _error: None)
        message = icmp.Icmp(icmp.ECHO_REQUEST, 0, ident.to_bytes(2, "big") + bytes(2), _PING_DATA)
        self._timer.arm(WAIT_S * _NS_PER_S)
        source = self.interface.source_for(ip)
        if source is None:
            return  # The address was taken away meanwhile: nobody can be asked.
        packet = ipv4.emit(
            source,
            ip,
            ipv4.ICMP,
            icmp.emit(message),
            ttl=namespace.sysctls.ipv4.ip_default_ttl,
            ident=namespace.idents.next(source, ip, ipv4.ICMP),
            flags_offset=ipv4.DONT_FRAGMENT,
        )
        namespace.ipv4.send(packet, self._meta())

    def _answered(self, reply: EchoReply) -> None:
        if (
            self._timer.due_ns is not None
            and reply.source == self._asked
            and not reply.sequence
            and len(reply.data) == len(_PING_DATA)
        ):
            # Not within the event that brought the answer: the server is another program.
            self._timer.cancel()
            self._namespace.scheduler.after(0, self._found, True)

    def _nobody_answered(self) -> None:
        self._found(False)

    def _found(self, is_taken: bool) -> None:
        if self._ping is None or self._steps is None:
            return
        self._ping.close()
        self._ping = None
        went_without = self.service.no_address
        self._go_on(self._steps, is_taken)
        if self.service.no_address > went_without and self._answering is not None:
            self._drop(self._answering, drops.NO_ADDRESS)
        self._take_next()

    # -- answers

    def _send(self, answer: Answer) -> None:
        if not any(_networks(self.interface)):
            self.log.write(f"no address on {self.interface.device.name} to answer from")
            return
        if answer.client_mac is not None:
            inject(self.interface, answer.target, answer.client_mac, self.log)
        is_elsewhere = answer.port == dhcp.SERVER_PORT and self._relayed
        socket = self._relayed[0] if is_elsewhere else self._socket
        socket.send_to(answer.target, answer.port, answer.data, meta=self._meta())

    def _meta(self) -> Meta | None:
        return None if self._answering is None else self._answering.meta


def _networks(interface: Interface) -> Iterator[LocalNetwork]:
    for address in interface.addresses:
        if len(address.ip) == 4:
            yield LocalNetwork(address.ip, address.prefix_length, address.broadcast)
