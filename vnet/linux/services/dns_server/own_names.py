"""What the server knows by itself: hosts, leases and records (dnsmasq's own data).

Of several addresses another one comes first each time. Names that point to others are followed
as far as the server knows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vnet.base.ids import IpAddress
from vnet.linux.services.dns_server import message
from vnet.linux.services.dns_server.message import AT_QUESTION, Query, Reply, read_name
from vnet.linux.services.dns_server.records import ip_of_reverse_name
from vnet.linux.services.dns_server.settings import DnsServing, Record
from vnet.linux.services.names import NameSource

_MOST_ALIASES = 10
_ADDRESS_KINDS = (message.A, message.AAAA)
_SIZES = {message.A: 4, message.AAAA: 16}


class OwnNames:
    """Records by name, and the sources that know machines."""

    def __init__(self, settings: DnsServing, sources: Sequence[NameSource]) -> None:
        self._ttl_s = settings.ttl_s
        self._sources = sources
        self._records: dict[str, list[Record]] = {}
        self._reverse: dict[bytes, Record] = {}
        self._turns: dict[tuple[str, int], int] = {}
        for record in settings.records:
            self._records.setdefault(record.name, []).append(record)
            if record.type in _ADDRESS_KINDS:
                self._reverse.setdefault(record.data, record)

    def knows(self, name: str) -> bool:
        """Whether there is such a name, or one below it."""
        if name in self._records or any(key.endswith(f".{name}") for key in self._records):
            return True
        return any(source.addresses_of(name) or source.has_below(name) for source in self._sources)

    def answer(self, query: Query, reply: Reply) -> bool:
        """Put what is known into ``reply``; False if that is nothing."""
        name, kind, place = query.name or "", query.type, AT_QUESTION
        found = False
        for _ in range(_MOST_ALIASES):
            alias = next(iter(self._of(name, message.CNAME)), None)
            if alias is None:
                break
            found = True
            behind = reply.add(place, message.CNAME, self._ttl(alias), alias.data)
            if behind is None or kind == message.CNAME:
                return True
            place, name = behind, read_name(alias.data, 0) or ""
        return self._answer_for(name, kind, place, reply) or found

    def _answer_for(self, name: str, kind: int, place: int, reply: Reply) -> bool:
        found = False
        for record in self._of(name, kind):
            if record.type not in (*_ADDRESS_KINDS, message.CNAME):
                reply.add(place, record.type, self._ttl(record), record.data)
                found = True
        if kind in (message.PTR, message.ANY) and not found:
            found = self._add_reverse(name, place, reply)
        for each in _ADDRESS_KINDS:
            if kind in (each, message.ANY):
                for data, ttl_s in self._addresses(name, each):
                    reply.add(place, each, ttl_s, data)
                    found = True
        return found

    def _of(self, name: str, kind: int) -> Iterable[Record]:
        records = self._records.get(name, ())
        return [r for r in records if kind in (r.type, message.ANY)]

    def _ttl(self, record: Record) -> int:
        return self._ttl_s if record.ttl_s is None else record.ttl_s

    def _add_reverse(self, name: str, place: int, reply: Reply) -> bool:
        ip = ip_of_reverse_name(name)
        if ip is None:
            return False
        record = self._reverse.get(ip)
        if record is not None:
            reply.add(place, message.PTR, self._ttl(record), message.emit_name(record.name))
            return True
        names = (source.name_of(ip) for source in self._sources)
        known = next((each for each in names if each is not None), None)
        if known is not None:
            reply.add(place, message.PTR, self._ttl_s, message.emit_name(known))
        return known is not None

    def _addresses(self, name: str, kind: int) -> list[tuple[bytes, int]]:
        """Addresses of one family with their times to live, the next of them first."""
        found = [(r.data, self._ttl(r)) for r in self._of(name, kind) if r.type == kind]
        known: list[IpAddress] = []
        for source in self._sources:
            # Who is written down stands in the way of a lease with the same name.
            known = known or [ip for ip in source.addresses_of(name) if len(ip) == _SIZES[kind]]
        found += [(ip, self._ttl_s) for ip in known]
        if len(found) > 1:
            turn = self._turns.get((name, kind), 0) % len(found)
            self._turns[name, kind] = turn + 1
            found = found[turn:] + found[:turn]
        return found
