"""One name put to the servers: the questions for its addresses go out together.

Each server is given some time, and all are asked several times over, with the same identifiers
from the same port. What a server refuses, or fails at, the next one is asked; who is alone is
asked once more. An answer that did not fit is fetched by TCP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.units import NS_PER_S
from vnet.linux.netns.sockets.errors import SocketError
from vnet.linux.netns.sockets.tcp import TcpSocket
from vnet.linux.netns.sockets.udp import Datagram, UdpSocket
from vnet.linux.resolv_conf import MOST_SERVERS
from vnet.linux.services.dns.answer import parse_answer
from vnet.linux.services.dns.query import PORT, emit_query
from vnet.linux.services.dns.stream import MessageReader, prefixed
from vnet.linux.services.dns_server import drops
from vnet.linux.tcp.outcome import Failure
from vnet.sim.scheduler import Timer

if TYPE_CHECKING:
    from dnslib import DNSRecord

    from vnet.linux.netns.namespace import Namespace

_FAILURES = (2, 4, 5)
"""SERVFAIL, NOTIMP and REFUSED: another server may know."""


class Exchange:
    """Asks for ``kinds`` of one name. ``on_end`` is told of the answers, by kind, as far as they
    came; ``failed`` says whether a server failed."""

    def __init__(
        self,
        namespace: Namespace,
        labels: Sequence[bytes],
        kinds: Sequence[int],
        on_end: Callable[[Exchange], None],
    ) -> None:
        self.answers: dict[int, DNSRecord] = {}
        self.failed = False
        self.timed_out = False
        self._namespace = namespace
        self._on_end = on_end
        chance = namespace.chance.stream(
            f"{namespace.name} resolver {b'.'.join(labels)!r} {namespace.scheduler.now_ns}"
        )
        self._queries: dict[int, bytes] = {}
        while len(self._queries) < len(kinds):
            ident = chance.randrange(1 << 16)
            if all(query[:2] != ident.to_bytes(2, "big") for query in self._queries.values()):
                kind = kinds[len(self._queries)]
                self._queries[kind] = emit_query(ident, labels, kind)
        self._rounds = self._plan()
        self._server: bytes = b""
        self._refused: set[int] = set()
        self._timer = Timer(namespace.scheduler, self._too_late)
        self._socket: UdpSocket | None = None
        self._stream: TcpSocket | None = None
        self._reader = MessageReader()

    def start(self) -> None:
        """Ask the first server."""
        self._socket = self._namespace.sockets.open_udp(self._heard, on_error=self._error)
        self._next()

    def stop(self) -> None:
        """Ask no more, and tell nobody."""
        self._timer.cancel()
        self._rounds = iter(())
        if self._socket is not None:
            self._socket.close()
        self._hang_up()

    def _plan(self) -> Iterator[tuple[bytes, int]]:
        """Whom to ask, and for how many seconds to wait."""
        conf = self._namespace.resolv_conf
        servers = conf.servers[:MOST_SERVERS]
        for _ in range(conf.attempts):
            for number, server in enumerate(servers):
                wait_s = conf.timeout_s << number
                yield server, max(wait_s // len(servers) if number else wait_s, 1)

    def _next(self) -> None:
        """Ask the next server for what is not answered."""
        for server, wait_s in self._rounds:
            self._server = server
            self._refused.clear()
            try:
                self._namespace.sockets.source_for(server)
            except UsageError:
                continue
            assert self._socket is not None
            self._timer.arm(wait_s * NS_PER_S)
            for kind in self._open():
                self._socket.send_to(server, PORT, self._queries[kind])
            return
        self._end()

    def _open(self) -> list[int]:
        return [kind for kind in self._queries if kind not in self.answers]

    def _end(self) -> None:
        self.stop()
        self._on_end(self)

    # -- what comes back

    def _too_late(self) -> None:
        self.timed_out = True
        self._hang_up()
        self._next()

    def _error(self, error: SocketError) -> None:
        if error.target == self._server and self._timer.due_ns is not None:
            # Never from inside a send: the next server is asked in an event of its own.
            self._timer.arm(0)

    def _heard(self, socket: UdpSocket, datagram: Datagram) -> None:
        if (datagram.source, datagram.source_port) != (self._server, PORT):
            return socket.refuse(drops.STRAY_ANSWER)
        if not self._take(datagram.data, may_be_cut=True):
            return socket.refuse(drops.STRAY_ANSWER)
        return None

    def _take(self, data: bytes, *, may_be_cut: bool) -> bool:
        """Take an answer; False if it is none to an open question."""
        kind = next((k for k in self._open() if self._queries[k][:2] == data[:2]), None)
        answer = None if kind is None or kind in self._refused else parse_answer(data)
        if kind is None or answer is None or not self._matches(kind, answer):
            return False
        if answer.header.rcode in _FAILURES:
            self.failed = True
            self._refused.add(kind)
        elif answer.header.tc and may_be_cut:
            self._ask_by_tcp()
            return True
        else:
            self.answers[kind] = answer
        if not self._open():
            self._end()
        elif len(self._refused) == len(self._open()):
            # The other question may have been answered: that is enough.
            self._end() if self.answers else self._next()
        return True

    def _matches(self, kind: int, answer: DNSRecord) -> bool:
        if not answer.header.qr or len(answer.questions) != 1:
            return False
        question, asked = answer.questions[0], parse_answer(self._queries[kind])
        assert asked is not None
        return bool(question == asked.questions[0])

    # -- by TCP

    def _ask_by_tcp(self) -> None:
        if self._stream is not None:
            return None
        self._reader = MessageReader()
        try:
            self._stream = self._namespace.sockets.tcp.connect(self._server, PORT)
        except UsageError:
            return self._next()
        self._stream.on_connected = self._say
        self._stream.on_readable = self._heard_by_tcp
        self._stream.on_closed = self._closed
        return None

    def _say(self, stream: TcpSocket) -> None:
        stream.send(b"".join(prefixed(self._queries[kind]) for kind in self._open()))

    def _heard_by_tcp(self, stream: TcpSocket) -> None:
        self._reader.feed(stream.receive())
        while self._stream is stream and (data := self._reader.next()) is not None:
            self._take(data, may_be_cut=False)

    def _closed(self, stream: TcpSocket, _failure: Failure | None) -> None:
        if stream is self._stream:
            self._stream = None
            self._next()

    def _hang_up(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
