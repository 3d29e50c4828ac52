"""Mutations of frames: bits, boundary values, lengths, cuts, splices; and the way back to almost.

A mutated frame is then, mostly, addressed to a station that exists and given checksums that
hold, so that it dies deep inside instead of at the door.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vnet.base.chance import Stream
from vnet.wire import icmp, icmpv6, igmp, ipv4, ipv6, tcp, udp
from vnet.wire.checksum import checksum, transport_checksum
from vnet.wire.ether import HEADER_BYTES

_EDGES_8 = (0, 1, 2, 4, 5, 6, 7, 8, 0x0F, 0x3F, 0x40, 0x45, 0x60, 0x7F, 0x80, 0xFE, 0xFF)
_EDGES_16 = (
    *(0, 1, 7, 8, 19, 20, 21, 28, 40, 48, 68, 576, 1279, 1280, 1500),
    *(0x1FFF, 0x2000, 0x7FFF, 0x8000, 0xFFF8, 0xFFFE, 0xFFFF),
)
_FIELDS_AT = (0, 1, 2, 4, 6, 7, 8, 9, 20, 21, 22, 24, 25, 26, 28, 40, 41, 42, 44, 46, 48, 54, 64)
"""Offsets behind the Ethernet header where IPv4, IPv6 and what they carry keep their lengths,
types, offsets, codes and counts."""

_TAGS = (b"\x81\x00", b"\x88\xa8")
_MOST_TAGS = 8
_LARGE_BYTES = 4000
_FLOOD_FRAMES = 1500
_FLOOD_ODDS = 1 / 10_000
_GROUPS = (
    b"\xff" * 6,
    bytes.fromhex("01005e000001"),
    bytes.fromhex("333300000001"),
    bytes.fromhex("3333ff000001"),
    bytes.fromhex("0180c2000000"),
)


@dataclass(frozen=True)
class Stations:
    """Whom to address (``macs``, ``ips``, ``ip6s``), and as whom (``peers``, ``peer6s``).

    All packed. Usually, that is: for once the wrong way round is a case, too.
    """

    macs: Sequence[bytes]
    ips: Sequence[bytes]
    peers: Sequence[bytes]
    ip6s: Sequence[bytes]
    peer6s: Sequence[bytes]


class Mutator:
    """An endless supply of hostile frames, the same ones for the same stream of chance."""

    def __init__(
        self,
        hand_made: Sequence[bytes],
        captured: Sequence[bytes],
        stations: Stations,
        chance: Stream,
    ) -> None:
        self._small = [seed for seed in hand_made if len(seed) < _LARGE_BYTES]
        self._large = [seed for seed in hand_made if len(seed) >= _LARGE_BYTES]
        self._captured = captured
        self._stations = stations
        self._chance = chance
        self._recent: deque[bytes] = deque(maxlen=64)
        self._mutations = (
            self._flip_bits,
            self._set_bytes,
            self._set_field,
            self._set_field,
            self._truncate,
            self._extend,
            self._splice,
        )

    def frames(self) -> Iterator[bytes]:
        """Frame after frame; now and then an earlier one again, or a few in another order.

        And sometimes a flood: one frame from a thousand strangers, which is what fills tables.
        """
        chance = self._chance
        while True:
            luck = chance.random()
            if luck < _FLOOD_ODDS:
                yield from self._flood()
            elif self._recent and luck < 0.05:
                yield chance.choice(self._recent)
            elif self._recent and luck < 0.06:
                yield from chance.sample(self._recent, min(5, len(self._recent)))
            else:
                frame = self._frame()
                self._recent.append(frame)
                yield frame

    def _frame(self) -> bytes:
        chance = self._chance
        # A jumbo frame costs as much as fifty others and finds no more than its own kind.
        luck = chance.random()
        pool = self._large if luck < 0.02 else self._captured if luck < 0.4 else self._small
        data = bytearray(chance.choice(pool))
        if chance.random() < 0.8:
            self._readdress(data)
        for _ in range(chance.choice((0, 0, 1, 1, 1, 2, 3))):
            chance.choice(self._mutations)(data)
        if chance.random() < 0.9:
            repair(data, fit_lengths=chance.random() < 0.4)
        return bytes(data)

    def _flood(self) -> Iterator[bytes]:
        chance = self._chance
        frame = bytearray(chance.choice(self._small))
        self._readdress(frame)
        at = network_at(frame)
        kind = bytes(frame[at - 2 : at])
        source_at, size = {
            b"\x08\x00": (at + 12, 4),
            b"\x86\xdd": (at + 8, 16),
            b"\x08\x06": (at + 14, 4),
        }.get(kind, (at, 0))
        for _ in range(_FLOOD_FRAMES):
            strange = bytearray(frame)
            strange[8:12] = chance.randbytes(4)
            strange[source_at + size - 2 : source_at + size] = chance.randbytes(2)
            if kind == b"\x08\x00":
                strange[at + 4 : at + 6] = chance.randbytes(2)  # the identification
            repair(strange, fit_lengths=False)
            yield bytes(strange)

    # -- mutations

    def _flip_bits(self, data: bytearray) -> None:
        for _ in range(self._chance.randrange(1, 5)):
            if data:
                data[self._at(data)] ^= 1 << self._chance.randrange(8)

    def _set_bytes(self, data: bytearray) -> None:
        for _ in range(self._chance.randrange(1, 4)):
            if data:
                data[self._at(data)] = self._chance.choice(_EDGES_8)

    def _set_field(self, data: bytearray) -> None:
        """A length, type or offset gets a value that is at an edge, or near the truth."""
        at = network_at(data) + self._chance.choice(_FIELDS_AT)
        if at + 2 > len(data):
            return
        if self._chance.random() < 0.4:
            data[at] = self._chance.choice(_EDGES_8)
            return
        edges = (*_EDGES_16, len(data) - at & 0xFFFF, len(data) - at + 1 & 0xFFFF)
        data[at : at + 2] = self._chance.choice(edges).to_bytes(2, "big")

    def _truncate(self, data: bytearray) -> None:
        del data[self._at(data) if data else 0 :]

    def _extend(self, data: bytearray) -> None:
        data += self._chance.randbytes(self._chance.choice((1, 2, 7, 8, 40, 400)))

    def _splice(self, data: bytearray) -> None:
        other = self._chance.choice(self._small)
        cut = self._chance.randrange(HEADER_BYTES, 80)
        data[cut:] = other[cut + self._chance.choice((-8, -4, 0, 0, 0, 4, 8)) :]

    def _at(self, data: bytearray) -> int:
        # Headers are at the front: half of all changes happen there.
        size = len(data) if self._chance.random() < 0.5 else min(len(data), 70)
        return self._chance.randrange(size)

    def _readdress(self, data: bytearray) -> None:
        """To a station of the lab, from one or from nobody known."""
        if len(data) < HEADER_BYTES:
            return
        chance, stations = self._chance, self._stations
        targets = stations.macs if chance.random() < 0.8 else _GROUPS
        if not data[0] & 1 or chance.random() < 0.2:
            data[0:6] = chance.choice(targets)
        if chance.random() < 0.5:
            strange = b"\x0e" + chance.randbytes(5)
            data[6:12] = strange if chance.random() < 0.3 else chance.choice(stations.macs)
        at = network_at(data)
        kind = bytes(data[at - 2 : at])
        if kind == b"\x08\x00":
            self._set_addresses(data, at + 12, at + 16, stations.peers, stations.ips)
        elif kind == b"\x86\xdd":
            self._set_addresses(data, at + 8, at + 24, stations.peer6s, stations.ip6s)
        elif kind == b"\x08\x06":
            self._set_addresses(data, at + 14, at + 24, stations.peers, stations.ips)

    def _set_addresses(
        self,
        data: bytearray,
        source_at: int,
        target_at: int,
        peers: Sequence[bytes],
        targets: Sequence[bytes],
    ) -> None:
        chance, size = self._chance, len(targets[0])
        if target_at + size > len(data):
            return
        if chance.random() < 0.1:
            peers, targets = targets, peers
        for at, known in ((source_at, peers), (target_at, targets)):
            luck = chance.random()
            if luck < 0.7:
                data[at : at + size] = chance.choice(known)
            elif luck < 0.8:
                # A neighbour on a network that exists: this is what fills tables.
                data[at : at + size] = chance.choice(known)[:-2] + chance.randbytes(2)


def network_at(data: bytes | bytearray) -> int:
    """Where the packet begins, behind the Ethernet header and any tags."""
    at = HEADER_BYTES
    while data[at - 2 : at] in _TAGS and at < HEADER_BYTES + 4 * _MOST_TAGS:
        at += 4
    return at


def repair(data: bytearray, *, fit_lengths: bool) -> None:
    """Put the checksums right that can be; ``fit_lengths`` also the IP header's length."""
    at = network_at(data)
    kind = bytes(data[at - 2 : at])
    if kind == b"\x08\x00" and len(data) >= at + ipv4.HEADER_BYTES:
        _repair_ipv4(data, at, fit_lengths)
    elif kind == b"\x86\xdd" and len(data) >= at + ipv6.HEADER_BYTES:
        if fit_lengths:
            size = min(len(data) - at - ipv6.HEADER_BYTES, 0xFFFF)
            data[at + 4 : at + 6] = size.to_bytes(2, "big")
        _repair_ipv6(data, at)


def _repair_ipv4(data: bytearray, at: int, fit_lengths: bool) -> None:
    if fit_lengths:
        data[at + 2 : at + 4] = min(len(data) - at, 0xFFFF).to_bytes(2, "big")
    header_bytes = (data[at] & 0x0F) * 4
    data[at + 10 : at + 12] = bytes(2)
    value = checksum(bytes(data[at : at + header_bytes]))
    data[at + 10 : at + 12] = value.to_bytes(2, "big")
    header = ipv4.parse(bytes(data[at:]))
    if header is None or header.is_fragment:
        return
    start, end = at + header_bytes, at + header.total_bytes
    if header.protocol in (icmp.PROTOCOL, igmp.PROTOCOL):
        _put(data, start, end, 2, None)
    else:
        _repair_transport(data, start, end, header.protocol, (header.source, header.target))


def _repair_ipv6(data: bytearray, at: int) -> None:
    header = ipv6.parse(bytes(data[at:]))
    upper = None if header is None else ipv6.upper_layer(header)
    if header is None or upper is None or upper.fragment is not None:
        return
    start = at + ipv6.HEADER_BYTES + upper.offset
    end = at + ipv6.HEADER_BYTES + len(header.payload)
    _repair_transport(data, start, end, upper.protocol, (header.source, header.target))


def _repair_transport(
    data: bytearray, start: int, end: int, protocol: int, ends: tuple[bytes, bytes]
) -> None:
    place = {udp.PROTOCOL: 6, tcp.PROTOCOL: 16, icmpv6.PROTOCOL: 2}.get(protocol)
    if place is None:
        return
    if protocol == udp.PROTOCOL and end - start >= udp.HEADER_BYTES:
        end = min(end, start + (data[start + 4] << 8 | data[start + 5]))
    _put(data, start, end, place, (*ends, protocol))


def _put(
    data: bytearray, start: int, end: int, place: int, pseudo: tuple[bytes, bytes, int] | None
) -> None:
    """Write the checksum of ``data[start:end]``, whose field is at ``place`` in it."""
    at = start + place
    if at + 2 > end:
        return
    data[at : at + 2] = bytes(2)
    segment = bytes(data[start:end])
    value = checksum(segment) if pseudo is None else transport_checksum(*pseudo, segment)
    data[at : at + 2] = (value or 0xFFFF if place == 6 else value).to_bytes(2, "big")
