"""The daemon: a DNS server on the addresses of one interface, by UDP and TCP."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.ids import ip_text
from vnet.linux.netns.changes import AddressChange, Change
from vnet.linux.netns.sockets.tcp import TcpListener
from vnet.linux.netns.sockets.udp import Datagram, UdpSocket
from vnet.linux.services.daemon_log import DaemonLog
from vnet.linux.services.dns_server import drops
from vnet.linux.services.dns_server.answering import Answering
from vnet.linux.services.dns_server.conversation import Conversation
from vnet.linux.services.dns_server.forwarder import PORT, Forwarder
from vnet.linux.services.dns_server.message import Query, parse_query, room_for
from vnet.linux.services.dns_server.settings import DnsServing
from vnet.linux.services.names import NameSource

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface

_BACKLOG = 32
"""As dnsmasq has it."""


class DnsServer:
    """Serves names on ``interface``, on each address that it has (bind-dynamic)."""

    def __init__(
        self, interface: Interface, settings: DnsServing, sources: Iterable[NameSource] = ()
    ) -> None:
        self._interface = interface
        self._namespace = interface.namespace
        self.log = DaemonLog(self._namespace.scheduler)
        self._answering = Answering(settings, tuple(sources))
        self.statistics = self._answering.statistics
        self._forwarder = Forwarder(self._namespace, interface.device.name, self._learn)
        self._doors: dict[bytes, tuple[UdpSocket, TcpListener]] = {}
        self._namespace.listeners.append(self._heard_of)
        for address in interface.addresses:
            self._open(address.ip)

    @property
    def addresses(self) -> list[bytes]:
        """Where it can be asked."""
        return list(self._doors)

    def stop(self) -> None:
        """Serve no more."""
        self._namespace.listeners.remove(self._heard_of)
        for ip in tuple(self._doors):
            self._shut(ip)
        self._forwarder.close()

    def _heard_of(self, change: Change) -> None:
        if isinstance(change, AddressChange) and change.device is self._interface.device:
            if change.deleted:
                self._shut(change.address.ip)
            else:
                self._try_to_open(change.address.ip)

    def _try_to_open(self, ip: bytes) -> None:
        """An address came: whoever added it is not to fail because somebody else listens there."""
        try:
            self._open(ip)
        except UsageError as error:
            self.log.write(f"failed to create listening socket for {ip_text(ip)}: {error}")

    def _open(self, ip: bytes) -> None:
        sockets = self._namespace.sockets
        if ip in self._doors:
            return
        if sockets.tcp.is_listening(PORT, ip):
            raise UsageError(f"{self._namespace.name}: port {PORT} is in use")
        socket = sockets.open_udp(self._heard, PORT, address=ip)
        listener = sockets.tcp.listen(PORT, self._accept, address=ip, backlog=_BACKLOG)
        self._doors[ip] = (socket, listener)

    def _shut(self, ip: bytes) -> None:
        if ip not in self._doors:
            return
        socket, listener = self._doors.pop(ip)
        socket.close()
        listener.close()

    def _accept(self, listener: TcpListener) -> None:
        while (client := listener.accept()) is not None:
            Conversation(self._namespace, self._answering, client)

    def _heard(self, socket: UdpSocket, datagram: Datagram) -> None:
        query = parse_query(datagram.data)
        if query is None:
            self.statistics.malformed += 1
            return socket.refuse(drops.QUERY_MALFORMED)
        answer = self._answering.answer(query, room_for(query), self._namespace.scheduler.now_ns)
        say = partial(socket.send_to, datagram.source, datagram.source_port)
        if isinstance(answer, bytes):
            return say(answer)
        asker = (datagram.source, datagram.source_port, query.ident)
        if not self._forwarder.ask(query, datagram.data, answer, asker, say):
            say(self._answering.refuse(query))
        return None

    def _learn(self, query: Query, data: bytes) -> None:
        self._answering.learn(query, data, self._namespace.scheduler.now_ns)
