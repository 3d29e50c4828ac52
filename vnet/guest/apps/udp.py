"""UDP: a server that echoes (RFC 862) or only counts, and a stream of numbered datagrams.

The stream builds one packet with Scapy and then stamps number, identification and checksums
into its bytes, which is a hundred times faster than building each anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypedDict

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from vnet.base.errors import UsageError
from vnet.base.ids import ip_text, is_multicast_ip
from vnet.base.units import NS_PER_S
from vnet.guest.apps.app import App
from vnet.guest.apps.numbered import NUMBER_BYTES, NumberedStream
from vnet.guest.stamp import DatagramTemplate
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.errors import SocketError
from vnet.linux.netns.sockets.udp import Datagram, UdpSocket
from vnet.wire import udp


def build_datagram(
    namespace: Namespace, source: bytes, target: bytes, ports: tuple[int, int], data: bytes
) -> Any:
    """A Scapy packet from IP on, as the kernel would send it for a socket."""
    transport = UDP(sport=ports[0], dport=ports[1]) / Raw(data)
    # A group's packets stay on the link unless the program says otherwise (IP_MULTICAST_TTL).
    stays = is_multicast_ip(target)
    if len(target) == 16:
        hops = 1 if stays else namespace.ipv6.hop_limit_to(target)
        return IPv6(src=ip_text(source), dst=ip_text(target), hlim=hops) / transport
    return (
        IP(
            src=ip_text(source),
            dst=ip_text(target),
            id=namespace.idents.next(source, target, udp.PROTOCOL),
            flags="DF" if _fits(namespace, target, len(data) + 28) else 0,
            ttl=1 if stays else namespace.sysctls.ipv4.ip_default_ttl,
        )
        / transport
    )


def _fits(namespace: Namespace, target: bytes, size: int) -> bool:
    """Whether a packet goes in one piece, and so with DF set (IP_PMTUDISC_WANT)."""
    stack = namespace.ipv4
    return size <= stack.mtu_to(target) and not stack.may_be_fragmented(target)


def send_packet(namespace: Namespace, target: bytes, data: bytes) -> None:
    """Hand an IP packet to the stack of its family."""
    (namespace.ipv6 if len(target) == 16 else namespace.ipv4).send(data)


class UdpServer(App):
    """Listens on a port until closed; an echo server unless ``echo`` is False.

    ``listeners`` are told of every datagram, before it is answered.
    """

    def __init__(self, namespace: Namespace, port: int = 7, *, echo: bool = True) -> None:
        super().__init__(namespace.scheduler)
        self.received = 0
        self.unanswerable = 0
        self.listeners: list[Callable[[Datagram], None]] = []
        self.echo = echo
        self._namespace = namespace
        self._port = port
        self._socket: UdpSocket | None = None

    def start(self) -> None:
        self._socket = self._namespace.sockets.open_udp(self._heard, self._port)

    def seen(self) -> dict[str, Any]:
        return {"received": self.received}

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def _heard(self, socket: UdpSocket, request: Datagram) -> None:
        self.received += 1
        for listener in tuple(self.listeners):
            listener(request)
        # A question from an echo port would be answered for ever (RFC 862 servers, CA-1996-01).
        if not self.echo or request.source_port == socket.port:
            return
        source = self._answering_address(request)
        if source is None:
            self.unanswerable += 1
            return
        packet = build_datagram(
            self._namespace,
            source,
            request.source,
            (socket.port, request.source_port),
            request.data,
        )
        send_packet(self._namespace, request.source, bytes(packet))

    def _answering_address(self, request: Datagram) -> bytes | None:
        """Where the answer comes from; None where no route leads back to the asker."""
        if self._namespace.route_to(request.source) is None and not self._namespace.owns(
            request.source
        ):
            return None
        if self._namespace.owns(request.target):
            return request.target
        try:
            # It was sent to everybody; the answer is from one.
            return self._namespace.sockets.source_for(request.source)
        except UsageError:
            return None


class UdpOptions(TypedDict, total=False):
    """What a stream can be asked for; :class:`UdpStream` has the defaults."""

    port: int
    count: int
    interval_ns: int
    size_bytes: int
    echo: bool
    timeout_ns: int
    servers: Sequence[UdpServer]


class UdpStream(NumberedStream):
    """A stream from a namespace's socket to ``target``, of packets that Scapy has built.

    With ``echo`` those count that came back; without, those that one of ``servers`` has got:
    the far end, or the members of a group. No ``servers`` and no ``echo`` leave ``received`` at
    0: nobody could tell.
    """

    def __init__(
        self,
        namespace: Namespace,
        target: bytes,
        *,
        port: int = 7,
        count: int = 1,
        interval_ns: int = NS_PER_S,
        size_bytes: int = 64,
        echo: bool = True,
        timeout_ns: int = NS_PER_S,
        servers: Sequence[UdpServer] = (),
    ) -> None:
        patience_ns = timeout_ns if echo or servers else 0
        super().__init__(namespace.scheduler, count, interval_ns, patience_ns)
        self._namespace = namespace
        self._source: bytes = b""
        self._target = target
        self._port = port
        self._size_bytes = max(size_bytes, NUMBER_BYTES)
        self._echo = echo
        self._servers = () if echo else tuple(servers)
        self._socket: UdpSocket | None = None
        self._template: DatagramTemplate | None = None
        self._mtu_bytes = 0

    def start(self) -> None:
        sockets = self._namespace.sockets
        try:
            self._source = sockets.source_for(self._target)
        except UsageError as refusal:
            self.errors.append(refusal.what)
            self.scheduler.after(0, self.finish)
            return
        self._socket = sockets.open_udp(self._came_back, on_error=self._error)
        for server in self._servers:
            server.listeners.append(self._got_there)
        self._pacer.tick()

    def close(self) -> None:
        super().close()
        if self._socket is not None:
            self._socket.close()
        for server in self._servers:
            if self._got_there in server.listeners:
                server.listeners.remove(self._got_there)

    def _template_for(self, socket: UdpSocket, mtu_bytes: int) -> DatagramTemplate:
        """The packet to stamp; built anew when the path's mtu turned out to be another."""
        if self._template is None or mtu_bytes != self._mtu_bytes:
            packet = build_datagram(
                self._namespace,
                self._source,
                self._target,
                (socket.port, self._port),
                bytes(self._size_bytes),
            )
            self._template, self._mtu_bytes = DatagramTemplate(bytes(packet)), mtu_bytes
        return self._template

    def _send(self, number: int) -> None:
        assert self._socket is not None
        ipv4 = len(self._target) == 4
        mtu_bytes = self._namespace.ipv4.mtu_to(self._target) if ipv4 else 0
        template = self._template_for(self._socket, mtu_bytes)
        ident = 0
        if ipv4:
            ident = self._namespace.idents.next(self._source, self._target, udp.PROTOCOL)
        data = template.stamp(number.to_bytes(NUMBER_BYTES, "big"), ident)
        self.sent += 1
        send_packet(self._namespace, self._target, data)

    def _came_back(self, _socket: UdpSocket, datagram: Datagram) -> None:
        if self._echo:
            self._count(datagram.data)

    def _got_there(self, datagram: Datagram) -> None:
        assert self._socket is not None
        # By its port: on the way its address may have been translated.
        if datagram.source_port == self._socket.port:
            self._count(datagram.data)

    def _error(self, error: SocketError) -> None:
        # What our own stack refuses, nobody has reported.
        reporter = "" if error.kind is None else ip_text(error.reporter)
        self.errors.append(f"{reporter} {error.text}".strip())
