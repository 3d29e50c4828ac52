"""What other servers said, for as long as it holds (RFC 1035 section 7.4, RFC 2308).

Addresses, names of addresses and services are kept, aliases on the way to them, and that there
is no such thing, if the answer told for how long. What runs out first goes first when there is
no more room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vnet.base.units import NS_PER_S
from vnet.linux.services.dns.answer import parse_answer
from vnet.linux.services.dns_server import message
from vnet.linux.services.dns_server.message import (
    AT_QUESTION,
    NO_ERROR,
    NO_NAME,
    Query,
    Reply,
    emit_labels,
    name_text,
    read_name,
)
from vnet.linux.services.dns_server.statistics import Statistics

if TYPE_CHECKING:
    from dnslib import RR, DNSRecord

_KEPT = (message.A, message.AAAA, message.PTR, message.SRV)
_ALL = 0
"""Stands for every type: there is no such name."""
_MOST_ALIASES = 10
_SOA_NUMBERS = 5


class _Entry(NamedTuple):
    """Data until ``until_ns``; none of it says that there is none, as the ``soa`` told."""

    data: tuple[bytes, ...]
    until_ns: int
    soa: tuple[bytes, bytes, int] | None = None
    """Its owner, data, and until when it holds."""


class Cache:
    """Answers by name and type. ``most`` records are kept."""

    def __init__(self, most: int, statistics: Statistics) -> None:
        self._most = most
        self._statistics = statistics
        self._entries: dict[tuple[str, int], _Entry] = {}
        self._records = 0
        self._turns: dict[tuple[str, int], int] = {}

    # -- asking

    def answer(self, query: Query, reply: Reply, now_ns: int) -> int | None:
        """Put what is kept into ``reply``; returns the code, or None where somebody must be
        asked."""
        steps: list[tuple[str, _Entry]] = []
        name = query.name or ""
        for _ in range(_MOST_ALIASES):
            alias = self._get(name, message.CNAME, now_ns)
            if alias is None or query.type == message.CNAME:
                break
            steps.append((name, alias))
            name = read_name(alias.data[0], 0) or ""
        last = self._get(name, _ALL, now_ns) or self._get(name, query.type, now_ns)
        if last is None:
            return None
        place = AT_QUESTION
        for _name, alias in steps:
            behind = reply.add(place, message.CNAME, _left_s(alias.until_ns, now_ns), alias.data[0])
            if behind is None:
                return NO_ERROR
            place = behind
        if last.soa is not None:
            owner, data, until_ns = last.soa
            reply.add_authority(owner, message.SOA, _left_s(until_ns, now_ns), data)
            return NO_NAME if (name, _ALL) in self._entries else NO_ERROR
        for data in self._in_turn((name, query.type), last.data):
            reply.add(place, query.type, _left_s(last.until_ns, now_ns), data)
        return NO_ERROR

    def _get(self, name: str, kind: int, now_ns: int) -> _Entry | None:
        entry = self._entries.get((name, kind))
        return None if entry is None or entry.until_ns <= now_ns else entry

    def _in_turn(self, key: tuple[str, int], data: tuple[bytes, ...]) -> tuple[bytes, ...]:
        turn = self._turns.get(key, 0) % len(data)
        self._turns[key] = turn + 1
        return data[turn:] + data[:turn]

    # -- keeping

    def keep(self, query: Query, data: bytes, now_ns: int) -> None:
        """Keep of an answer what there is to keep; bytes that make no sense are passed over."""
        answer = parse_answer(data)
        if answer is None or answer.header.tc or answer.header.rcode not in (NO_ERROR, NO_NAME):
            return
        name = self._keep_aliases(query.name or "", answer, now_ns)
        found = [r for r in answer.rr if r.rtype == query.type and _owner(r) == name]
        if found and query.type in _KEPT:
            until_ns = now_ns + min(r.ttl for r in found) * NS_PER_S
            wire = tuple(_data(r) for r in found)
            self._put((name, query.type), _Entry(wire, until_ns), now_ns)
        elif not found and (query.type in _KEPT or answer.header.rcode == NO_NAME):
            self._keep_absence(name, query.type, answer, now_ns)

    def _keep_aliases(self, name: str, answer: DNSRecord, now_ns: int) -> str:
        aliases = {_owner(r): r for r in answer.rr if r.rtype == message.CNAME}
        for _ in range(_MOST_ALIASES):
            record = aliases.get(name)
            if record is None:
                break
            until_ns = now_ns + record.ttl * NS_PER_S
            self._put((name, message.CNAME), _Entry((_data(record),), until_ns), now_ns)
            name = name_text(record.rdata.label.label)
        return name

    def _keep_absence(self, name: str, kind: int, answer: DNSRecord, now_ns: int) -> None:
        soa = next((r for r in answer.auth if r.rtype == message.SOA), None)
        if soa is None:
            return
        least_s = min(soa.ttl, soa.rdata.times[_SOA_NUMBERS - 1])
        told = (emit_labels(soa.rname.label), _data(soa), now_ns + soa.ttl * NS_PER_S)
        entry = _Entry((), now_ns + least_s * NS_PER_S, told)
        kind = _ALL if answer.header.rcode == NO_NAME else kind
        self._put((name, kind), entry, now_ns)

    def _put(self, key: tuple[str, int], entry: _Entry, now_ns: int) -> None:
        weight = max(len(entry.data), 1)
        if entry.until_ns <= now_ns or weight > self._most:
            return
        self._drop(key)
        while self._records + weight > self._most:
            oldest = min(self._entries, key=lambda each: self._entries[each].until_ns)
            self._statistics.evictions += self._entries[oldest].until_ns > now_ns
            self._drop(oldest)
        self._entries[key] = entry
        self._records += weight
        self._statistics.insertions += weight

    def _drop(self, key: tuple[str, int]) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._records -= max(len(entry.data), 1)
            self._turns.pop(key, None)


def _left_s(until_ns: int, now_ns: int) -> int:
    return (until_ns - now_ns + NS_PER_S - 1) // NS_PER_S


def _owner(record: RR) -> str:
    return name_text(record.rname.label)


def _data(record: RR) -> bytes:
    """A record's data with its names written out."""
    from dnslib import DNSBuffer

    data = record.rdata
    if record.rtype in (message.CNAME, message.PTR):
        return emit_labels(data.label.label)
    if record.rtype == message.SOA:
        numbers = b"".join(number.to_bytes(4, "big") for number in data.times)
        return emit_labels(data.mname.label) + emit_labels(data.rname.label) + numbers
    buffer = DNSBuffer()
    data.pack(buffer)
    return bytes(buffer.data)
