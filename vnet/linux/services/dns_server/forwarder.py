"""Asking other servers on behalf of clients, by UDP.

Every question leaves from a port of its own with an identifier of its own. Servers are asked in
the order in which they are written (strict-order): the next one where one fails, or where a
client asks again. A server that is alone is asked once more, and then its failure is told; where
the last of several fails nobody is told anything, as with dnsmasq 2.90. There are no timers: who
got no answer asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from vnet.base.ids import IpAddress
from vnet.base.units import NS_PER_S
from vnet.linux.netns.sockets.udp import Datagram, UdpSocket
from vnet.linux.services.dns_server import drops, message
from vnet.linux.services.dns_server.message import HEADER_BYTES, QR, Query, passed_back, passed_on

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace

PORT = 53
MOST_QUESTIONS = 150
"""How many may be under way at a time (dns-forward-max)."""
_PATIENCE_NS = 10 * NS_PER_S
_FAILURES = (message.SERVER_FAILURE, message.REFUSED)

Answer = Callable[[bytes], None]


class _Question:
    """A question under way: who wants to know, who was asked, and by which socket."""

    __slots__ = ("askers", "data", "place", "query", "retries", "servers", "socket", "until_ns")

    def __init__(self, query: Query, data: bytes, servers: Sequence[IpAddress]) -> None:
        self.query = query
        self.data = data
        self.servers = servers
        self.askers: dict[object, tuple[Query, Answer]] = {}
        self.place = 0
        self.retries = 0
        self.until_ns = 0
        self.socket: UdpSocket | None = None

    @property
    def server(self) -> IpAddress:
        return self.servers[self.place]

    def pass_on(self) -> None:
        """It is the next server's turn; the last one keeps it."""
        self.place = min(self.place + 1, len(self.servers) - 1)

    def is_answered_by(self, datagram: Datagram) -> bool:
        """Whether this can be the answer: from the server, to this very question."""
        data, end = datagram.data, HEADER_BYTES + len(self.query.question)
        return (
            (datagram.source, datagram.source_port) == (self.server, PORT)
            and data[:2] == self.data[:2]
            and len(data) >= end
            and bool(data[2] << 8 & QR)
            and data[4:6] == self.data[4:6]
            and data[HEADER_BYTES:end].lower() == self.query.question.lower()
        )


class Forwarder:
    """The questions under way. ``on_answer`` is told of each answer before its askers are."""

    def __init__(
        self, namespace: Namespace, name: str, on_answer: Callable[[Query, bytes], None]
    ) -> None:
        self._namespace = namespace
        self._chance = namespace.chance.stream(f"{namespace.name}:{name} dns identifiers")
        self._on_answer = on_answer
        self._open: dict[tuple[bytes, int, bool], _Question] = {}

    def ask(
        self, query: Query, data: bytes, servers: Sequence[IpAddress], asker: object, answer: Answer
    ) -> bool:
        """Have somebody else answer ``query``; False if too much is asked already.

        ``asker`` is the same for who asks again, whom then the next server hears of.
        """
        key = (query.question, query.flags, query.edns is not None)
        question = self._open.get(key)
        if question is None:
            if len(self._open) >= MOST_QUESTIONS:
                return False
            ident = self._chance.randrange(1 << 16)
            question = self._open[key] = _Question(query, passed_on(query, data, ident), servers)
            heard = partial(self._heard, key, question)
            question.socket = self._namespace.sockets.open_udp(heard)
        elif asker in question.askers:
            question.pass_on()
        else:
            # Somebody else waits for the same answer.
            question.askers[asker] = (query, answer)
            return True
        question.askers[asker] = (query, answer)
        self._send(key, question)
        return True

    def close(self) -> None:
        """Forget all of them."""
        for key in tuple(self._open):
            self._end(key)

    def _send(self, key: tuple[bytes, int, bool], question: _Question) -> None:
        assert question.socket is not None
        scheduler = self._namespace.scheduler
        question.until_ns = scheduler.now_ns + _PATIENCE_NS
        scheduler.at(question.until_ns, self._expire, key, question)
        if self._namespace.route_to(question.server) is not None:
            question.socket.send_to(question.server, PORT, question.data)

    def _expire(self, key: tuple[bytes, int, bool], question: _Question) -> None:
        is_over = self._namespace.scheduler.now_ns >= question.until_ns
        if is_over and self._open.get(key) is question:
            self._end(key)

    def _end(self, key: tuple[bytes, int, bool]) -> None:
        question = self._open.pop(key)
        if question.socket is not None:
            question.socket.close()

    def _heard(
        self,
        key: tuple[bytes, int, bool],
        question: _Question,
        socket: UdpSocket,
        datagram: Datagram,
    ) -> None:
        data = datagram.data
        if not question.is_answered_by(datagram):
            return socket.refuse(drops.STRAY_ANSWER)
        if data[3] & 0xF in _FAILURES:
            is_last = question.place == len(question.servers) - 1
            if not is_last or (len(question.servers) == 1 and not question.retries):
                question.retries += 1
                question.pass_on()
                return self._send(key, question)
            if len(question.servers) > 1:
                return None
        self._end(key)
        self._on_answer(question.query, data)
        for query, answer in question.askers.values():
            answer(passed_back(query, data))
        return None
