"""What a server says to a query: from what it knows, what it was told, or by asking others."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.ids import IpAddress
from vnet.linux.services.dns_server import message
from vnet.linux.services.dns_server.cache import Cache
from vnet.linux.services.dns_server.domains import Domains
from vnet.linux.services.dns_server.message import AT_QUESTION, Query, Reply
from vnet.linux.services.dns_server.own_names import OwnNames
from vnet.linux.services.dns_server.settings import DnsServing
from vnet.linux.services.dns_server.statistics import Statistics
from vnet.linux.services.names import NameSource

_NOT_READY = 14
"""The extended error of a server that has nobody to ask (RFC 8914 section 4.15)."""


class Answering:
    """Answers queries. It knows no sockets and no time but what it is told."""

    def __init__(self, settings: DnsServing, sources: Sequence[NameSource]) -> None:
        self.statistics = Statistics()
        self._settings = settings
        self._own = OwnNames(settings, sources)
        self._domains = Domains(settings)
        self._cache = Cache(settings.cache_names, self.statistics)

    def answer(self, query: Query, room: int, now_ns: int) -> bytes | Sequence[IpAddress]:
        """The answer in ``room`` bytes, or the servers that are to be asked."""
        reply = Reply(query, room)
        name = query.name if query.simple else None
        kind = query.type if query.klass == message.IN else 0
        if name is not None:
            known = self._from_memory(query, name, reply, now_ns)
            if known is not None:
                self.statistics.hits += 1
                return known
        ruling = self._domains.rule(name, kind)
        if ruling is None:
            return reply.finish(message.REFUSED, authoritative=False, error=_NOT_READY)
        if ruling.address is not None:
            kind = message.A if len(ruling.address) == 4 else message.AAAA
            reply.add(AT_QUESTION, kind, self._settings.ttl_s, ruling.address)
            return reply.finish(message.NO_ERROR, authoritative=True)
        if ruling.servers:
            self.statistics.misses += 1
            return ruling.servers
        there = name is not None and self._own.knows(name)
        rcode = message.NO_ERROR if there else message.NO_NAME
        return reply.finish(rcode, authoritative=False)

    def refuse(self, query: Query) -> bytes:
        """The answer where too much is asked already."""
        return Reply(query, message.LEAST_UDP_BYTES).finish(message.REFUSED, authoritative=False)

    def learn(self, query: Query, data: bytes, now_ns: int) -> None:
        """Another server answered."""
        if query.simple and query.klass == message.IN:
            self._cache.keep(query, data, now_ns)

    def _from_memory(self, query: Query, name: str, reply: Reply, now_ns: int) -> bytes | None:
        if query.klass == message.CHAOS:
            return self._of_itself(query, name, reply)
        if query.klass != message.IN:
            return None
        if self._own.answer(query, reply):
            return reply.finish(message.NO_ERROR, authoritative=True)
        if query.type == message.MAILB:
            return reply.finish(message.NO_NAME, authoritative=True)
        rcode = self._cache.answer(query, reply, now_ns)
        return None if rcode is None else reply.finish(rcode, authoritative=False)

    def _of_itself(self, query: Query, name: str, reply: Reply) -> bytes | None:
        text = None
        if query.type in (message.TXT, message.ANY):
            text = self.statistics.text(name, self._settings.cache_names)
        if text is None:
            if name.rpartition(".")[2] not in ("bind", "server"):
                return None
            # Names that only make sense of one server are never passed on.
            return reply.finish(message.NOT_IMPLEMENTED, authoritative=False)
        data = bytes((len(text),)) + text.encode()
        reply.add(AT_QUESTION, message.TXT, 0, data, message.CHAOS)
        return reply.finish(message.NO_ERROR, authoritative=True)
