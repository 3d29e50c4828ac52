"""The recorder's own programs on a stage: an echo service, and clients of UDP and TCP."""

from __future__ import annotations

from collections.abc import Callable

from tests.oracle.linux_kit import Stage
from tests.oracle.recording import MS
from vnet.base.ids import ip_from_text, ip_text
from vnet.linux.netns.sockets.errors import SocketError
from vnet.linux.netns.sockets.tcp import TcpListener, TcpSocket
from vnet.linux.netns.sockets.udp import Datagram, UdpSocket
from vnet.linux.tcp.outcome import Failure
from vnet.wire import ipv4, udp

_LOOK_MS = 1
_HANG_UP_NS = 100_000
"""How long a client of TCP takes to close the connection when it has been answered."""


class EchoServices:
    """Programs that tell everybody who asks by UDP or TCP where he seems to come from.

    ``hang_up_ns`` after they have answered by TCP they close the connection.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.hang_up_ns = _HANG_UP_NS * 2

    def serve(self, node: str, *ports: int) -> None:
        sockets = self._stage.nodes[node].sockets
        for port in ports:
            sockets.open_udp(_echo, port)
            sockets.tcp.listen(port, self._welcome, backlog=50)

    def _welcome(self, listener: TcpListener) -> None:
        socket = listener.accept()
        assert socket is not None
        address, port = socket.remote
        socket.send(f"{ip_text(address)}:{port}".encode())
        self._stage.scheduler.after(self.hang_up_ns, socket.close)


def _echo(socket: UdpSocket, datagram: Datagram) -> None:
    caller = f"{ip_text(datagram.source)}:{datagram.source_port}|".encode()
    socket.send_to(datagram.source, datagram.source_port, caller + datagram.data)


def wait_for(stage: Stage, is_done: Callable[[], bool], most_ms: int) -> None:
    """Let time pass until something is the case, or too much has passed."""
    for _ in range(0, most_ms, _LOOK_MS):
        if is_done():
            return
        stage.wait(_LOOK_MS * MS)


def ask_udp(
    stage: Stage, node: str, target: str, port: int, data: bytes, source_port: int = 0
) -> bytes | str:
    """The answer to a datagram; or why there is none."""
    heard: list[bytes] = []
    failed: list[SocketError] = []
    socket = stage.nodes[node].sockets.open_udp(
        lambda _socket, datagram: heard.append(datagram.data),
        source_port,
        lambda error: failed.append(error),
    )
    socket.send_to(ip_from_text(target), port, data)
    wait_for(stage, lambda: bool(heard or failed), 1_000)
    socket.close()
    return heard[0] if heard else "refused" if failed else "timed out"


def send_udp(
    stage: Stage, node: str, target: str, port: int, data: bytes, source_port: int, ttl: int
) -> None:
    """A datagram with a TTL of its own, and a second in which nothing comes back."""
    namespace = stage.nodes[node]
    source, to = namespace.sockets.source_for(ip_from_text(target)), ip_from_text(target)
    segment = udp.emit(source, to, source_port, port, data)
    ident = namespace.idents.next(source, to, udp.PROTOCOL)
    listening = namespace.sockets.open_udp(lambda *_: None, source_port)
    flags = ipv4.DONT_FRAGMENT
    packet = ipv4.emit(source, to, udp.PROTOCOL, segment, ttl=ttl, ident=ident, flags_offset=flags)
    namespace.ipv4.send(packet)
    stage.wait(1_000 * MS)
    listening.close()


def ask_tcp(
    stage: Stage, node: str, target: str, port: int, source_port: int, most_ms: int = 3_000
) -> bytes | str:
    """What a service says to who connects; it is hung up on then."""
    heard: list[bytes] = []
    failed: list[Failure | None] = []

    def read(socket: TcpSocket) -> None:
        if data := socket.receive():
            heard.append(data)
            stage.scheduler.after(_HANG_UP_NS, socket.close)

    tcp = stage.nodes[node].sockets.tcp
    socket = tcp.connect(ip_from_text(target), port, source_port=source_port)
    socket.on_readable = read
    socket.on_closed = lambda _socket, failure: failed.append(failure)
    wait_for(stage, lambda: bool(heard or failed), most_ms)
    if not heard:
        socket.close()
    return heard[0] if heard else "timed out"
