"""IPv4 options in a machine's hands (RFC 791 section 3.1, RFC 1812 section 4.2.2.6).

:func:`receive` reads the options of every packet that comes in, and writes our address and the time
where the sender asks for them. :meth:`Received.leaving` puts the address of the way out in its
place, and :func:`echoed` makes of a packet's options those of the answer to it.

A record that is full goes on as it is; of times that find no room the hops are counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from vnet.wire.ipv4 import HEADER_BYTES, OPTION_END, OPTION_NOP

RECORD_ROUTE = 7
TIMESTAMP = 68
LOOSE_SOURCE_ROUTE = 131
STRICT_SOURCE_ROUTE = 137
ROUTER_ALERT = 148

_STAMP_ALONE = 0
_STAMP_AND_ADDRESS = 1
_STAMP_IF_NAMED = 3
"""The flags of a timestamp option."""
_MOST_OVERFLOWS = 15

_FIRST_SLOT = {RECORD_ROUTE: 4, TIMESTAMP: 5, LOOSE_SOURCE_ROUTE: 4, STRICT_SOURCE_ROUTE: 4}
"""The least that an option's pointer can be; it counts from 1, at the option's type."""


class OptionValues(Protocol):
    """What a machine puts into options."""

    def address(self) -> bytes:
        """Our address towards whoever sent the packet."""

    def is_foreign(self, ip: bytes) -> bool:
        """Whether ``ip`` may be another machine's."""

    def clock_ms(self) -> int:
        """Milliseconds since midnight UT."""


class Received(NamedTuple):
    """The options of a packet, as long as they were, with what this machine has written.

    ``fault_at`` is the byte of the IP header that a parameter problem points at, None if all is
    well, and ``sound`` what stands before the option at fault. ``address_at`` are the places of our
    address.
    """

    options: bytes
    sound: bytes
    fault_at: int | None
    is_source_routed: bool
    address_at: tuple[int, ...]

    def leaving(self, address: bytes) -> bytes:
        """The options of the packet as it goes on, by the interface that has ``address``."""
        data = bytearray(self.options)
        for at in self.address_at:
            data[at : at + 4] = address
        return bytes(data)


def receive(options: bytes, values: OptionValues) -> Received:
    """Read a packet's options, up to the first that is not as it should be."""
    reading = _Reading(options, values)
    at, fault_at = 0, None
    for at, kind, size in _each(options):
        fault_at = reading.take(at, kind, size)
        if fault_at is not None:
            break
    data = reading.data
    end = _end_of(options)
    if fault_at is None and end is not None:
        data[end:] = bytes(len(data) - end)
    return Received(
        bytes(data),
        bytes(data[:at]),
        None if fault_at is None else HEADER_BYTES + fault_at,
        reading.is_source_routed,
        tuple(reading.address_at),
    )


def echoed(options: bytes, source: bytes, values: OptionValues) -> bytes | None:
    """The options of an answer that leaves from ``source``; None if no answer can be given.

    ``options`` are those of the packet once :func:`receive` has been over them.
    """
    found: dict[int, bytes] = {}
    for at, kind, size in _each(options):
        found.setdefault(kind, options[at : at + size])
    answer = b""
    try:
        if RECORD_ROUTE in found:
            answer += _record_on(bytearray(found[RECORD_ROUTE]), source)
        if TIMESTAMP in found:
            answer += _stamp_on(bytearray(found[TIMESTAMP]), source, values)
    except _NoRoomError:
        return None
    return answer + bytes(-len(answer) % 4)


class _NoRoomError(Exception):
    """An option's pointer is inside it, but leaves no room for what must be written there."""


def _each(options: bytes) -> Iterator[tuple[int, int, int]]:
    """Place, type and length of each option; length 0 for one that has no right one."""
    at = 0
    while at < len(options) and options[at] != OPTION_END:
        kind = options[at]
        if kind == OPTION_NOP:
            at += 1
            continue
        size = options[at + 1] if at + 1 < len(options) else 0
        if size < 2 or at + size > len(options):
            yield at, kind, 0
            return
        yield at, kind, size
        at += size


def _end_of(options: bytes) -> int | None:
    """Where the list of options ends before its room does."""
    at = 0
    for start, _, size in _each(options):
        at = start + size
    while at < len(options) and options[at] == OPTION_NOP:
        at += 1
    return at if at < len(options) else None


class _Reading:
    """The options of one packet while they are read."""

    def __init__(self, options: bytes, values: OptionValues) -> None:
        self.data = bytearray(options)
        self.is_source_routed = False
        self.address_at: list[int] = []
        self._values = values
        self._seen: set[int] = set()

    def take(self, at: int, kind: int, size: int) -> int | None:
        """Read the option at ``at``; the byte at fault, or None."""
        if not size:
            return at
        if kind == ROUTER_ALERT:
            return at + 1 if size < 4 else None
        if kind not in _FIRST_SLOT:
            return None
        is_route = kind in (LOOSE_SOURCE_ROUTE, STRICT_SOURCE_ROUTE)
        is_second = kind in self._seen or (is_route and self.is_source_routed)
        if is_second and not is_route:
            return at
        if size < _FIRST_SLOT[kind] - 1:
            return at + 1
        if self.data[at + 2] < _FIRST_SLOT[kind]:
            return at + 2
        if is_second:
            return at
        self._seen.add(kind)
        if kind == RECORD_ROUTE:
            return self._record(at, size)
        if kind == TIMESTAMP:
            return self._stamp(at, size)
        self.is_source_routed = True
        return None

    def _record(self, at: int, size: int) -> int | None:
        pointer = self.data[at + 2]
        if pointer > size:
            return None
        if pointer + 3 > size:
            return at + 2
        self._write_address(at + pointer - 1)
        self.data[at + 2] += 4
        return None

    def _stamp(self, at: int, size: int) -> int | None:
        data = self.data
        pointer, flag = data[at + 2], data[at + 3] & 0x0F
        if pointer > size:
            return self._count_overflow(at)
        slot = at + pointer - 1
        needed = 4 if flag == _STAMP_ALONE else 8
        if pointer + 3 > size:
            return at + 2
        if flag not in (_STAMP_ALONE, _STAMP_AND_ADDRESS, _STAMP_IF_NAMED):
            return None
        if pointer + needed - 1 > size:
            return at + 2
        if flag == _STAMP_IF_NAMED and self._values.is_foreign(bytes(data[slot : slot + 4])):
            return None
        if flag == _STAMP_AND_ADDRESS:
            self._write_address(slot)
        _write_time(data, slot + needed - 4, self._values)
        data[at + 2] += needed
        return None

    def _count_overflow(self, at: int) -> int | None:
        flags = self.data[at + 3]
        if flags & 0x0F == _STAMP_IF_NAMED:
            return None
        if flags >> 4 == _MOST_OVERFLOWS:
            return at + 3
        self.data[at + 3] += 1 << 4
        return None

    def _write_address(self, at: int) -> None:
        self.data[at : at + 4] = self._values.address()
        self.address_at.append(at)


def _write_time(data: bytearray, at: int, values: OptionValues) -> None:
    data[at : at + 4] = values.clock_ms().to_bytes(4, "big")


def _record_on(option: bytearray, source: bytes) -> bytes:
    """The record of a packet goes on with its answer, which begins here."""
    pointer, size = option[2], len(option)
    if pointer > size:
        return bytes(option)
    if pointer + 3 > size:
        raise _NoRoomError
    option[pointer - 1 : pointer + 3] = source
    option[2] += 4
    return bytes(option)


def _stamp_on(option: bytearray, source: bytes, values: OptionValues) -> bytes:
    pointer, size, flag = option[2], len(option), option[3] & 0x0F
    if pointer > size or flag not in (_STAMP_ALONE, _STAMP_AND_ADDRESS, _STAMP_IF_NAMED):
        return bytes(option)
    if pointer + 3 > size:
        raise _NoRoomError
    if flag == _STAMP_IF_NAMED:
        if pointer + 7 > size or values.is_foreign(bytes(option[pointer - 1 : pointer + 3])):
            return bytes(option)
        pointer += 4
    elif flag == _STAMP_AND_ADDRESS:
        if pointer + 7 > size:
            raise _NoRoomError
        option[pointer - 1 : pointer + 3] = source
        pointer += 4
    _write_time(option, pointer - 1, values)
    option[2] = pointer + 4
    return bytes(option)
