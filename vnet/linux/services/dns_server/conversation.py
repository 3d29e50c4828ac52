"""A client's connection to a DNS server (RFC 7766), one query after the other.

What the server must ask for, it asks for by TCP as well.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from vnet.base.units import NS_PER_S
from vnet.linux.netns.sockets.tcp import TcpSocket
from vnet.linux.services.dns.stream import MessageReader, prefixed
from vnet.linux.services.dns_server.answering import Answering
from vnet.linux.services.dns_server.errand import Errand
from vnet.linux.services.dns_server.message import HEADER_BYTES, Query, parse_query, passed_back
from vnet.linux.tcp.outcome import Failure

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace

_MOST_BYTES = 65_535
_LIFETIME_NS = 150 * NS_PER_S


class Conversation:
    """The server's side of one connection.

    Who does not read its answers is asked for no more questions.
    """

    def __init__(self, namespace: Namespace, answering: Answering, client: TcpSocket) -> None:
        self._namespace = namespace
        self._answering = answering
        self._client = client
        self._reader = MessageReader()
        self._errand: Errand | None = None
        self._unsent = bytearray()
        client.on_readable = self._readable
        client.on_writable = self._writable
        client.on_closed = self._client_gone
        namespace.scheduler.after(_LIFETIME_NS, self.close)
        self._readable(client)

    def close(self) -> None:
        """Hang up; harmless when that is done."""
        self._client.close()
        self._forget_errand()

    def _client_gone(self, _client: TcpSocket, _failure: Failure | None) -> None:
        self._forget_errand()

    def _forget_errand(self) -> None:
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.stop()

    def _readable(self, client: TcpSocket) -> None:
        if self._unsent:
            return None
        self._reader.feed(client.receive())
        while self._errand is None and not self._unsent:
            data = self._reader.next()
            if data is None:
                break
            if not self._take(data):
                return self.close()
        if client.at_end and self._errand is None and not self._unsent:
            self.close()
        return None

    def _say(self, answer: bytes) -> None:
        self._unsent += prefixed(answer)
        self._push()

    def _push(self) -> None:
        del self._unsent[: self._client.send(bytes(self._unsent))]

    def _writable(self, client: TcpSocket) -> None:
        self._push()
        self._readable(client)

    def _take(self, data: bytes) -> bool:
        """Do with a message what is to be done; False if nobody can."""
        if 0 < len(data) < HEADER_BYTES:
            return True
        query = parse_query(data)
        if query is None:
            self._answering.statistics.malformed += 1
            return False
        answer = self._answering.answer(query, _MOST_BYTES, self._namespace.scheduler.now_ns)
        if isinstance(answer, bytes):
            self._say(answer)
        else:
            on_end = partial(self._answered, query)
            self._errand = Errand(self._namespace, answer, data, on_end)
            self._errand.start()
        return True

    def _answered(self, query: Query, answer: bytes | None) -> None:
        self._errand = None
        if answer is None:
            return self.close()
        self._answering.learn(query, answer, self._namespace.scheduler.now_ns)
        self._say(passed_back(query, answer))
        return self._readable(self._client)
