"""All TCP of a namespace: which connection a segment is for, and how segments leave."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zlib import crc32

from vnet.base.drops import DropReason
from vnet.base.errors import UsageError
from vnet.base.ids import ip_text, is_link_local_ip6
from vnet.linux.netns import drops
from vnet.linux.netns.sockets.ports import ephemeral_ports
from vnet.linux.netns.sockets.tcp import DEFAULT_BACKLOG, TcpListener, TcpSocket
from vnet.linux.netns.sockets.tcp_settings import tcp_settings
from vnet.linux.tcp import drops as tcp_drops
from vnet.linux.tcp.connection import Connection
from vnet.linux.tcp.outcome import Failure
from vnet.linux.tcp.sequence import unfold
from vnet.linux.tcp.states import State
from vnet.linux.tcp.stray import reset_for
from vnet.linux.tcp.time_wait import TimeWait, Verdict
from vnet.sim.frame import Frame, Meta
from vnet.wire import ipv4, ipv6, tcp, tcp_options
from vnet.wire.tcp import ACK, RST, SYN, Tcp
from vnet.wire.tcp_options import TcpOptions

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

FlowKey = tuple[bytes, int, bytes, int]
"""Our address and port, the peer's address and port."""

ANY = b""
_ISN_TICK_SHIFT = 6
"""The initial sequence number moves on by one every 64 ns (RFC 6528)."""

_MASK = 0xFFFFFFFF
_ECN_BITS = 0x03
_LEAST_ADVERTISED = {4: 256, 16: 1220}
_WITHIN_IP = {4: ipv4.HEADER_BYTES + tcp.HEADER_BYTES, 16: ipv6.HEADER_BYTES + tcp.HEADER_BYTES}


class TcpTable:
    """A namespace's connections, what is left of old ones, and the ports that listen."""

    __slots__ = (
        "_came_by",
        "_meta",
        "_namespace",
        "_picked",
        "_secret",
        "_tos",
        "listeners",
        "remains",
        "sockets",
    )

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._secret = f"{namespace.chance.seed}/{namespace.name} tcp/".encode()
        self._picked = 0
        """How many ephemeral ports have been picked."""
        self._meta: Meta | None = None
        """The trace of the segment that is being handled: its answers grow from it."""
        self._tos = 0
        """Its type of service, which a reset has, too."""
        self._came_by: Interface | None = None
        self.sockets: dict[FlowKey, TcpSocket] = {}
        self.remains: dict[FlowKey, TimeWait] = {}
        self.listeners: dict[tuple[bytes, int], TcpListener] = {}

    @property
    def now_ns(self) -> int:
        return self._namespace.scheduler.now_ns

    def at(self, when_ns: int, callback: Callable[..., object], *args: Any) -> None:
        """Have something called at a moment that is not past."""
        self._namespace.scheduler.at(max(when_ns, self.now_ns), callback, *args)

    # -- opening

    def is_listening(self, port: int, address: bytes = ANY) -> bool:
        """Whether somebody waits for connections there."""
        return (address, port) in self.listeners

    def listen(
        self,
        port: int,
        on_waiting: Callable[[TcpListener], None],
        *,
        address: bytes = ANY,
        backlog: int = DEFAULT_BACKLOG,
    ) -> TcpListener:
        """Listen on ``port``, on all addresses of both families unless one is given."""
        if self.is_listening(port, address):
            raise UsageError(f"{self._namespace.name}: TCP port {port}: Address already in use")
        listener = TcpListener(self, address, port, on_waiting, backlog)
        self.listeners[(address, port)] = listener
        return listener

    def connect(
        self, target: bytes, port: int, *, source: bytes | None = None, source_port: int = 0
    ) -> TcpSocket:
        """Begin to connect; the socket tells when it is, or that it cannot be.

        Raises :class:`UsageError` where no route leads there, or the port is taken.
        """
        source = source or self._namespace.sockets.source_for(target)
        if source_port == 0:
            source_port = self._pick_port(source, target, port)
        key = (source, source_port, target, port)
        if key in self.sockets or key in self.remains:
            raise UsageError(
                f"{self._namespace.name}: TCP port {source_port} to {ip_text(target)}:{port}: "
                "Address already in use"
            )
        socket = self._make(key)
        socket.connection.connect(self.now_ns)
        socket.settle()
        return socket

    def _pick_port(self, source: bytes, target: bytes, port: int) -> int:
        """A free port; even ones first, as the odd ones are for who binds without connecting."""
        stream = self._namespace.chance.stream(f"{self._namespace.name} tcp port {self._picked}")
        self._picked += 1
        ports = ephemeral_ports(self._namespace)
        # Of an odd number of ports the last is left out, unless it is the only one.
        count = max(len(ports) // 2, 1)
        start = stream.randrange(count)
        for parity in range(min(len(ports), 2)):
            for offset in range(count):
                picked = ports[2 * ((start + offset) % count) + parity]
                key = (source, picked, target, port)
                if key not in self.sockets and key not in self.remains:
                    return picked
        raise UsageError(f"{self._namespace.name}: Cannot assign requested address")

    def _make(self, key: FlowKey, isn: int | None = None) -> TcpSocket:
        """A socket with a connection that has not begun."""
        source, source_port, target, port = key
        pair = sha256(self._secret + source + target).digest()
        flow = sha256(
            self._secret
            + source
            + target
            + source_port.to_bytes(2, "big")
            + port.to_bytes(2, "big")
        ).digest()
        if isn is None:
            isn = int.from_bytes(flow[:4], "big") + (self.now_ns >> _ISN_TICK_SHIFT) & _MASK
        connection = Connection(
            tcp_settings(self._namespace.sysctls.ipv4),
            (source_port, port),
            mss=self._advertised_mss(target),
            isn=isn,
            clock_offset=int.from_bytes(pair[:4], "big"),
            now_ns=self.now_ns,
        )
        path = self._path_mss(target)
        if path < connection.mss:
            connection.path_narrowed(path, self.now_ns)
        ident = int.from_bytes(flow[4:6], "big")
        label = int.from_bytes(flow[6:9], "big") & 0xFFFFF
        socket = self.sockets[key] = TcpSocket(self, key, connection, ident, label)
        return socket

    def _advertised_mss(self, target: bytes) -> int:
        """The MSS that a SYN names: the route's, or what fits through the path as it is known."""
        namespace = self._namespace
        route = None if namespace.owns(target) else namespace.route_to(target)
        if route is not None and route.route.metrics.advmss_bytes:
            return route.route.metrics.advmss_bytes
        return max(min(self._path_mss(target), 65_535 - 40), _LEAST_ADVERTISED[len(target)])

    def _path_mss(self, target: bytes) -> int:
        stack = self._namespace.ipv6 if len(target) == 16 else self._namespace.ipv4
        return stack.mtu_to(target) - _WITHIN_IP[len(target)]

    # -- closing

    def forget(self, socket: TcpSocket) -> None:
        """A connection is no more."""
        if self.sockets.get(socket.key) is socket:
            del self.sockets[socket.key]
        listener = socket.listener
        if listener is not None:
            listener.half_open.discard(socket.key)
            if socket in listener.waiting:
                listener.waiting.remove(socket)

    def remember(self, socket: TcpSocket) -> None:
        """A connection has come to TIME-WAIT: a minute's memory takes its place."""
        if self.sockets.get(socket.key) is not socket:
            return
        del self.sockets[socket.key]
        remains = TimeWait(socket.connection, self.now_ns)
        self.remains[socket.key] = remains
        self.at(remains.expires_ns, self._expire, socket.key, remains)
        socket.on_closed(socket, None)

    def _expire(self, key: FlowKey, remains: TimeWait) -> None:
        if self.remains.get(key) is not remains:
            return
        if remains.expires_ns > self.now_ns:
            self.at(remains.expires_ns, self._expire, key, remains)
        else:
            del self.remains[key]

    def stop_listening(self, listener: TcpListener) -> None:
        self.listeners.pop((listener.address, listener.port), None)

    def sockets_of(self, keys: Iterable[FlowKey]) -> list[TcpSocket]:
        return [self.sockets[key] for key in sorted(keys) if key in self.sockets]

    # -- receiving

    def receive(
        self,
        interface: Interface,
        frame: Frame,
        source: bytes,
        target: bytes,
        data: bytes,
        tos: int,
    ) -> None:
        """A segment for us; what is thrown away is counted on ``interface``.

        ``tos`` is the packet's type of service or traffic class.
        """
        segment = tcp.parse(data)
        if segment is None or not tcp.checksum_holds(source, target, data):
            return interface.device.drop(frame, drops.TRANSPORT_MALFORMED)
        options = tcp_options.parse(segment.options)
        if options is None:
            return interface.device.drop(frame, tcp_drops.OPTIONS_MALFORMED)
        key = (target, segment.target_port, source, segment.source_port)
        before, self._meta = self._meta, frame.meta
        self._tos, self._came_by = tos & ~_ECN_BITS, interface
        try:
            socket = self.sockets.get(key)
            if socket is not None and socket.listener is None:
                reason = socket.arrived(segment, options)
            elif frame.data[0] & 1 or not self._namespace.owns(target):
                reason = drops.NO_SOCKET  # everybody is nobody's peer
            else:
                reason = self._dispatch(key, segment, options)
        finally:
            self._meta = before
        if reason is not None:
            interface.device.drop(frame, reason)
        return None

    def _dispatch(self, key: FlowKey, segment: Tcp, options: TcpOptions) -> DropReason | None:
        socket = self.sockets.get(key)
        if socket is not None:
            if socket.state is State.SYN_RECEIVED and self._must_wait(socket, segment):
                return tcp_drops.LISTEN_QUEUE_FULL
            return socket.arrived(segment, options)
        isn = None
        remains = self.remains.get(key)
        if remains is not None:
            verdict = remains.judge(segment, options, self.now_ns)
            if verdict is Verdict.ANSWER:
                self._answer(key, remains.acknowledgement(self.now_ns))
            if verdict is Verdict.FORGET:
                del self.remains[key]
            if verdict is not Verdict.NEW:
                return None
            isn = remains.next_isn & _MASK
        listener = self.listeners.get((key[0], key[1])) or self.listeners.get((ANY, key[1]))
        if listener is not None and not segment.flags & RST:
            return self._listen(listener, key, segment, options, isn)
        if not segment.flags & RST:
            self._answer(key, reset_for(segment), self._tos)
        return drops.NO_SOCKET

    @staticmethod
    def _must_wait(socket: TcpSocket, segment: Tcp) -> bool:
        """The last part of a handshake is passed over while too many wait to be accepted."""
        listener = socket.listener
        return listener is not None and listener.is_full and segment.flags & (ACK | RST) == ACK

    def _listen(
        self,
        listener: TcpListener,
        key: FlowKey,
        segment: Tcp,
        options: TcpOptions,
        isn: int | None,
    ) -> DropReason | None:
        if segment.flags & ACK:
            self._answer(key, reset_for(segment), self._tos)
            return drops.NO_SOCKET
        if not segment.flags & SYN:
            return tcp_drops.NO_ACK
        if listener.is_full or listener.is_flooded:
            return tcp_drops.LISTEN_QUEUE_FULL
        self.remains.pop(key, None)
        socket = self._make(key, isn)
        socket.listener = listener
        listener.half_open.add(key)
        socket.connection.accept(segment, options, self.now_ns)
        socket.settle()
        return None

    # -- sending

    def transmit(self, socket: TcpSocket, segment: Tcp) -> None:
        """Send a segment of a connection."""
        source, _port, target, _target_port = socket.key
        ident = 0
        # The SYN-ACK of a listening port is no socket's yet: like resets, it has no count.
        if not (segment.flags & SYN and socket.connection.passive):
            ident = socket.ident
            socket.ident = ident + 1 & 0xFFFF
        sender = socket.connection.sender
        confirm, sender.progressed = sender.progressed, False
        self._send(source, target, segment, ident, socket.flow_label, confirm=confirm)

    def _answer(self, key: FlowKey, segment: Tcp, tos: int = 0) -> None:
        """Send a segment that no connection stands behind."""
        label = crc32(key[0] + key[2], key[1] << 16 | key[3]) & 0xFFFFF
        # A link-local address is one of the link that the segment came by.
        out = self._came_by if is_link_local_ip6(key[2]) else None
        self._send(key[0], key[2], segment, 0, label, tos=tos, out=out)

    def _send(
        self,
        source: bytes,
        target: bytes,
        segment: Tcp,
        ident: int,
        flow_label: int,
        *,
        tos: int = 0,
        confirm: bool = False,
        out: Interface | None = None,
    ) -> None:
        namespace = self._namespace
        data = tcp.emit(source, target, segment)
        if len(target) == 16:
            hops = namespace.ipv6.hop_limit_to(target)
            packet = ipv6.emit(
                source,
                target,
                tcp.PROTOCOL,
                data,
                hop_limit=hops,
                traffic_class=tos,
                flow_label=flow_label,
            )
            return namespace.ipv6.send(packet, self._meta, out=out, confirm=confirm)
        packet = ipv4.emit(
            source,
            target,
            tcp.PROTOCOL,
            data,
            ttl=namespace.sysctls.ipv4.ip_default_ttl,
            tos=tos,
            ident=ident,
            flags_offset=ipv4.DONT_FRAGMENT,
        )
        return namespace.ipv4.send(packet, self._meta, confirm=confirm)

    # -- what the path says

    def path_error(
        self, source: bytes, target: bytes, quoted: bytes, failure: Failure | None
    ) -> bool:
        """ICMP tells of a packet of ours, whose segment begins with ``quoted``; None for
        ``failure`` says that it was too large. False if it is of no connection here."""
        if len(quoted) < 8:
            return False
        ports = int.from_bytes(quoted[:2], "big"), int.from_bytes(quoted[2:4], "big")
        socket = self.sockets.get((source, ports[0], target, ports[1]))
        if socket is None:
            return False
        sender = socket.connection.sender
        sequence = unfold(int.from_bytes(quoted[4:8], "big"), sender.una)
        if not sender.una <= sequence <= sender.nxt:
            return False
        if failure is None:
            socket.connection.path_narrowed(self._path_mss(target), self.now_ns)
        else:
            socket.connection.unreachable(failure, self.now_ns)
        socket.settle()
        return True
