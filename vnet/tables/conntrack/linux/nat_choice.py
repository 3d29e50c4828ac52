"""What a new connection is translated to, out of what a target allows (nf_nat_core.c).

A *tuple* here is a key as it will be seen behind the translation: its source and target are the
connection's after it. It is free if no other connection is answered by what answers it.

Kept where possible: the source's other translations, the source port. Else addresses are picked by
a hash of both ends, ports one after the other from a random start, in up to four rounds of ever
fewer attempts. If none of them is free the last is taken all the same: then the packet does not
get into the table, and is lost.
"""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.chance import Stream
from vnet.base.jhash import jhash_bytes
from vnet.tables.conntrack.action import NatKind
from vnet.tables.conntrack.extract import ICMP, ICMPV6, TCP
from vnet.tables.conntrack.key import KeyParts, parts_of, reverse, zone_of
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.entry import Entry
from vnet.tables.conntrack.linux.nat_range import NatRange
from vnet.tables.conntrack.linux.segment import GRE, PORTED
from vnet.tables.conntrack.linux.table import EntryTable
from vnet.tables.conntrack.linux.tcp_seen import TcpTracked
from vnet.tables.conntrack.linux.tcp_states import SYN_SENT, TIME_WAIT

_MESSAGES = (ICMP, ICMPV6)
_WELL_KNOWN = range(1, 512)
_RESERVED = range(600, 1024)
_USUAL = range(1024, 65536)
_IDENTIFIERS = range(65536)

_MOST_ATTEMPTS = 128
_LEAST_ATTEMPTS = 16
_RUTHLESS_BELOW = 32
"""With no more attempts left than this, a closed connection of TCP has to make room."""

_U32 = 0xFFFFFFFF
_HALF = 0x80000000


class NatChooser:
    """Chooses for the connections of one table; ``stream`` is where ports start."""

    __slots__ = ("_stream", "_table")

    def __init__(self, table: EntryTable, stream: Stream) -> None:
        self._table = table
        self._stream = stream

    def choose(self, entry: Entry, kind: NatKind, choice: NatRange, now_ns: int) -> bytes:
        """The tuple of ``entry`` once ``kind`` is translated; free, unless everything was tried."""
        before = _tuple_of(entry)
        is_random = choice.random or choice.random_fully
        if kind is NatKind.SOURCE and not is_random:
            kept = self._kept(entry, before, choice, now_ns)
            if kept is not None:
                return kept
        parts = parts_of(before)
        address = _pick_address(parts, choice, kind)
        if kind is NatKind.SOURCE:
            parts = parts._replace(source=address)
        else:
            parts = parts._replace(target=address)
        if not is_random and self._may_stay(entry, parts, choice, kind, now_ns):
            return parts.pack()
        return self._with_free_value(entry, parts, choice, kind, now_ns)

    def _kept(self, entry: Entry, before: bytes, choice: NatRange, now_ns: int) -> bytes | None:
        """No translation, if that is allowed and free; or what the same source has already."""
        parts = parts_of(before)
        if _is_allowed(parts, choice):
            return None if self._is_taken(entry, before, now_ns) else before
        source = before[:-5] + zone_of(entry.key).to_bytes(2, "big") + before[-3:]
        for other in self._table.from_source(source, now_ns):
            found = parts_of(_tuple_of(other))
            result = _with_value(parts, NatKind.SOURCE, _value(found, NatKind.SOURCE))
            result = result._replace(source=found.source)
            if _is_allowed(result, choice):
                packed = result.pack()
                return None if self._is_taken(entry, packed, now_ns) else packed
        return None

    def _may_stay(
        self, entry: Entry, parts: KeyParts, choice: NatRange, kind: NatKind, now_ns: int
    ) -> bool:
        """Whether port or identifier can be as they are."""
        if choice.first_port is None:
            return not self._is_taken(entry, parts.pack(), now_ns)
        if choice.base_port is not None or not _value_is_allowed(parts, choice, kind):
            return False
        is_only_one = choice.last_port in (None, choice.first_port)
        return is_only_one or not self._is_taken(entry, parts.pack(), now_ns)

    def _with_free_value(
        self, entry: Entry, parts: KeyParts, choice: NatRange, kind: NatKind, now_ns: int
    ) -> bytes:
        values = _values(parts, choice, kind)
        if values is None:
            return parts.pack()
        start = self._start(parts, choice, kind)
        found = parts.pack()
        for value, attempts_left in self._attempts(values, start):
            found = _with_value(parts, kind, value).pack()
            if not self._is_taken(entry, found, now_ns):
                return found
            if attempts_left <= _RUTHLESS_BELOW and self._takes_over(entry, found, now_ns):
                return found
        return found

    def _start(self, parts: KeyParts, choice: NatRange, kind: NatKind) -> int:
        if choice.base_port is not None:
            return _value(parts, kind) - choice.base_port & 0xFFFF
        if kind is NatKind.DESTINATION and not (choice.random or choice.random_fully):
            return 0
        return self._stream.getrandbits(16)

    def _attempts(self, values: range, start: int) -> Iterator[tuple[int, int]]:
        """Values to try, each with how many attempts its round has left."""
        attempts = min(len(values), _MOST_ATTEMPTS)
        while True:
            for number in range(attempts):
                yield values[(start + number & 0xFFFFFFFF) % len(values)], attempts - number
            if attempts >= len(values) or attempts < _LEAST_ATTEMPTS:
                return
            attempts //= 2
            start = self._stream.getrandbits(16)

    # -- what others have

    def _is_taken(self, entry: Entry, found: bytes, now_ns: int) -> bool:
        """Whether another connection is answered by what would answer this tuple."""
        other = self._table.find(answer_to(entry, found), now_ns)
        return other is not None and other is not entry and other.key != entry.key

    def _takes_over(self, entry: Entry, found: bytes, now_ns: int) -> bool:
        """Make a closed connection go whose numbers are behind those of the new one."""
        if entry.protocol != TCP or entry.l4.state != SYN_SENT:
            return False
        answer = answer_to(entry, found)
        other = self._table.find(answer, now_ns)
        if other is None or answer != other.reply_key or not _may_go(other, entry):
            return False
        self._table.remove(other)
        return True


def _tuple_of(entry: Entry) -> bytes:
    """What packets of the original direction look like behind all translation so far."""
    return reverse(entry.reply_key)


def answer_to(entry: Entry, found: bytes) -> bytes:
    """The key of what answers a tuple, in the zone of the connection's answers."""
    answer = reverse(found)
    return answer[:-5] + zone_of(entry.reply_key).to_bytes(2, "big") + answer[-3:]


def _may_go(old: Entry, new: Entry) -> bool:
    if old.protocol != TCP or not isinstance(old.l4, TcpTracked):
        return False
    if not old.status & status.SRC_NAT or old.status & status.FIXED_TIMEOUT:
        return False
    ahead = new.l4.ends[0].end - old.l4.ends[0].end & _U32
    return old.l4.state >= TIME_WAIT and 0 < ahead < _HALF


# -- ports and identifiers


def _value(parts: KeyParts, kind: NatKind) -> int:
    if parts.protocol in _MESSAGES:
        return parts.ident
    return parts.source_part if kind is NatKind.SOURCE else parts.target_part


def _with_value(parts: KeyParts, kind: NatKind, value: int) -> KeyParts:
    if parts.protocol in _MESSAGES:
        return parts._replace(ident=value)
    if kind is NatKind.SOURCE:
        return parts._replace(source_part=value)
    return parts._replace(target_part=value)


def _is_allowed(parts: KeyParts, choice: NatRange) -> bool:
    """Whether a source is within what is allowed."""
    if choice.first_address is not None:
        last = choice.last_address or choice.first_address
        if not choice.first_address <= parts.source <= last:
            return False
    return choice.first_port is None or _value_is_allowed(parts, choice, NatKind.SOURCE)


def _value_is_allowed(parts: KeyParts, choice: NatRange, kind: NatKind) -> bool:
    if parts.protocol not in PORTED and parts.protocol not in (*_MESSAGES, GRE):
        return True
    assert choice.first_port is not None
    last = choice.first_port if choice.last_port is None else choice.last_port
    return choice.first_port <= _value(parts, kind) <= last


def _values(parts: KeyParts, choice: NatRange, kind: NatKind) -> range | None:
    """What may be chosen from; None where there is nothing to choose."""
    is_message = parts.protocol in _MESSAGES
    if not is_message and parts.protocol not in PORTED:
        return None
    if choice.first_port is not None:
        last = choice.first_port if choice.last_port is None else choice.last_port
        return range(min(choice.first_port, last), max(choice.first_port, last) + 1)
    if is_message:
        return _IDENTIFIERS
    if kind is NatKind.DESTINATION:
        return None
    if parts.source_part < 512:
        return _WELL_KNOWN
    return _RESERVED if parts.source_part < 1024 else _USUAL


# -- addresses


def _pick_address(parts: KeyParts, choice: NatRange, kind: NatKind) -> bytes:
    """An address of the range, the same for the same two ends."""
    if choice.first_address is None:
        return parts.source if kind is NatKind.SOURCE else parts.target
    last = choice.last_address or choice.first_address
    if choice.first_address == last:
        return last
    basis = 0 if choice.persistent else int.from_bytes(parts.target[-4:], "little") ^ parts.zone
    hashed = jhash_bytes(parts.source.ljust(16, b"\0"), basis)
    picked = b""
    within = True
    for at in range(0, len(last), 4):
        low, high = choice.first_address[at : at + 4], last[at : at + 4]
        least = int.from_bytes(low, "big") if within else 0
        spread = int.from_bytes(high, "big") - least + 1 & _U32 if within else _U32
        word = (least + (hashed * spread >> 32) & _U32).to_bytes(4, "big")
        picked += word
        if word != high:
            within = False
        if not choice.persistent:
            # The target's address may be what is being picked.
            source = picked if kind is NatKind.DESTINATION else parts.target
            hashed ^= int.from_bytes(source[at : at + 4], "little")
    return picked
