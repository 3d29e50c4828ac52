"""Tests of a frame's bytes, as closures.

A read behind the frame's end raises :data:`OUT_OF_FRAME`, on which the whole filter says
no, whatever ``not`` stands before: so does BPF. What is read, and in which order, is
therefore part of each test's meaning, and follows the programs that libpcap writes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from vnet.wire.ether import TYPE_IPV4, TYPE_IPV6
from vnet.wire.filter.names import (
    SAP_IP,
    SAP_IPX,
    SAP_ISO,
    SAP_NETBEUI,
    TYPE_AARP,
    TYPE_ATALK,
    TYPE_IPX,
)

Check = Callable[[bytes], bool]
MatchAt = Callable[[bytes, int], bool]
"""Whether what stands at an offset is the one looked for."""
MatchEnds = Callable[[bytes, int, int], bool]
"""The same for the offsets of a source and a target."""

OUT_OF_FRAME = (IndexError, struct.error)

_MAX_LENGTH_FIELD = 1500
_FRAGMENT_HEADER = 44
_SNAP_UI = b"\xaa\xaa\x03"

half_at = struct.Struct("!H").unpack_from
word_at = struct.Struct("!I").unpack_from
_mac_at = struct.Struct("!6s").unpack_from
_snap_at = struct.Struct("!8s").unpack_from


class Layer:
    """Where the EtherType and what it announces stand; each ``vlan`` moves both on."""

    __slots__ = ("payload_at", "type_at")

    def __init__(self) -> None:
        self.type_at = 12
        self.payload_at = 14

    def skip_tag(self) -> None:
        self.type_at += 4
        self.payload_at += 4


# Joints.


def negation(check: Check) -> Check:
    return lambda data: not check(data)


def all_of(checks: tuple[Check, ...]) -> Check:
    """True where every check is, asked in order."""
    if len(checks) == 1:
        return checks[0]
    if len(checks) == 2:
        first, second = checks
        return lambda data: first(data) and second(data)

    return lambda data: all(check(data) for check in checks)


def chain(first: Check, rest: tuple[tuple[bool, Check], ...]) -> Check:
    """Left to right: ``and`` (True) asks on where it was true so far, ``or`` where not."""
    if len(rest) == 1:
        is_and, second = rest[0]
        if is_and:
            return lambda data: first(data) and second(data)
        return lambda data: first(data) or second(data)

    def check_chain(data: bytes) -> bool:
        held = first(data)
        for is_and, check in rest:
            if held is is_and:
                held = check(data)
        return held

    return check_chain


# The link layer.


def link_type(layer: Layer, value: int) -> Check:
    """An EtherType, or, up to 1500, an LLC service access point behind an 802.3 length."""
    if value == SAP_IPX:
        return _ipx(layer)
    if value in (TYPE_ATALK, TYPE_AARP):
        oui = b"\x08\x00\x07" if value == TYPE_ATALK else bytes(3)
        return _type_or_llc(layer, value, _snap(layer, oui, value))
    high, low, llc = layer.type_at, layer.type_at + 1, layer.payload_at
    if value > _MAX_LENGTH_FIELD:
        return lambda data: data[high] << 8 | data[low] == value
    if value in (SAP_ISO, SAP_IP, SAP_NETBEUI):
        pair = value << 8 | value
        return lambda data: (
            data[high] << 8 | data[low] <= _MAX_LENGTH_FIELD and half_at(data, llc)[0] == pair
        )
    return lambda data: data[high] << 8 | data[low] <= _MAX_LENGTH_FIELD and data[llc] == value


def _ipx(layer: Layer) -> Check:
    """IPX has four framings: Ethernet II, SNAP, LLC, and bare behind the length."""
    llc, snap = layer.payload_at, _snap(layer, bytes(3), TYPE_IPX)
    return _type_or_llc(
        layer,
        TYPE_IPX,
        lambda data: snap(data) or data[llc] == SAP_IPX or half_at(data, llc)[0] == 0xFFFF,
    )


def _type_or_llc(layer: Layer, value: int, llc: Check) -> Check:
    at = layer.type_at

    def check(data: bytes) -> bool:
        kind = data[at] << 8 | data[at + 1]
        return kind == value or (kind <= _MAX_LENGTH_FIELD and llc(data))

    return check


def _snap(layer: Layer, oui: bytes, value: int) -> Check:
    at, header = layer.payload_at, _SNAP_UI + oui + value.to_bytes(2, "big")
    return lambda data: _snap_at(data, at)[0] == header


def vlan(layer: Layer, vid: int | None, tpids: tuple[int, ...]) -> Check:
    high, low, tci = layer.type_at, layer.type_at + 1, layer.payload_at
    if vid is None:
        return lambda data: data[high] << 8 | data[low] in tpids
    return lambda data: (
        data[high] << 8 | data[low] in tpids and half_at(data, tci)[0] & 0x0FFF == vid
    )


# Addresses and ports: what to look for, in which direction, and where it stands.


def ends(direction: str, matches: MatchAt) -> MatchEnds:
    """src, dst, ``and`` of both, or either (``or`` and no word)."""
    if direction == "src":
        return lambda data, source, _: matches(data, source)
    if direction == "dst":
        return lambda data, _, target: matches(data, target)
    if direction == "and":
        return lambda data, source, target: matches(data, source) and matches(data, target)
    return lambda data, source, target: matches(data, source) or matches(data, target)


def is_mac(mac: bytes) -> MatchAt:
    return lambda data, at: _mac_at(data, at)[0] == mac


def is_ipv4(value: int, mask: int) -> MatchAt:
    """Where nothing is left to compare, nothing is read: libpcap's optimizer sees to it."""
    if mask == 0:
        return lambda *_: True
    if mask == 0xFFFFFFFF:
        return lambda data, at: word_at(data, at)[0] == value
    return lambda data, at: word_at(data, at)[0] & mask == value


def is_ipv6(value: int, prefix_length: int) -> MatchAt:
    """Word by word: an address that differs early is never read to its end."""
    mask = ((1 << prefix_length) - 1) << (128 - prefix_length)
    words = tuple(
        (12 - shift // 8, mask >> shift & 0xFFFFFFFF, value >> shift & 0xFFFFFFFF)
        for shift in (96, 64, 32, 0)
        if mask >> shift & 0xFFFFFFFF
    )

    def matches(data: bytes, at: int) -> bool:
        for offset, word_mask, word in words:
            if word_at(data, at + offset)[0] & word_mask != word:
                return False
        return True

    return matches


def is_port(low: int, high: int) -> MatchAt:
    if low == high:
        return lambda data, at: half_at(data, at)[0] == low
    return lambda data, at: low <= half_at(data, at)[0] <= high


def ether_ends(matches: MatchEnds) -> Check:
    return lambda data: matches(data, 6, 0)


def network_ends(layer: Layer, places: Mapping[int, tuple[int, int]], matches: MatchEnds) -> Check:
    """``places``: EtherTypes, each with the offsets of its source and target address."""
    type_at, payload_at = layer.type_at, layer.payload_at
    absolute = {
        kind: (payload_at + source, payload_at + target)
        for kind, (source, target) in places.items()
    }

    def check(data: bytes) -> bool:
        found = absolute.get(data[type_at] << 8 | data[type_at + 1])
        return found is not None and matches(data, found[0], found[1])

    return check


def port_ends(layer: Layer, protocols: frozenset[int], matches: MatchEnds) -> Check:
    """Over IPv4 in first fragments only; over IPv6 only right behind the fixed header."""
    type_at, at = layer.type_at, layer.payload_at

    def check(data: bytes) -> bool:
        kind = data[type_at] << 8 | data[type_at + 1]
        if kind == TYPE_IPV6:
            return data[at + 6] in protocols and matches(data, at + 40, at + 42)
        if kind != TYPE_IPV4 or data[at + 9] not in protocols:
            return False
        if data[at + 6] & 0x1F or data[at + 7]:
            return False
        ports_at = at + (data[at] & 0x0F) * 4
        return matches(data, ports_at, ports_at + 2)

    return check


# IP.


def ip4_protocol(layer: Layer, value: int) -> Check:
    is_ip, at = link_type(layer, TYPE_IPV4), layer.payload_at + 9
    return lambda data: is_ip(data) and data[at] == value


def ip6_protocol(layer: Layer, value: int) -> Check:
    """The first header behind the fixed one, or behind a fragment header that comes first."""
    is_ip6, at = link_type(layer, TYPE_IPV6), layer.payload_at + 6
    behind_fragment_at = layer.payload_at + 40

    def check(data: bytes) -> bool:
        if not is_ip6(data):
            return False
        first = data[at]
        return first == value or (first == _FRAGMENT_HEADER and data[behind_fragment_at] == value)

    return check


def ip_protocol(layer: Layer, value: int) -> Check:
    """Over either version."""
    over_ip4, over_ip6 = ip4_protocol(layer, value), ip6_protocol(layer, value)
    return lambda data: over_ip4(data) or over_ip6(data)


def first_fragment(layer: Layer) -> Check:
    """An IPv4 packet with a fragment offset of 0."""
    at = layer.payload_at + 6
    return lambda data: not half_at(data, at)[0] & 0x1FFF


def byte_is(at: int, value: int) -> Check:
    return lambda data: data[at] == value


# Groups.


def group_mac() -> Check:
    """To a group address, the broadcast address among them."""
    return lambda data: data[0] & 1 == 1


def ip4_broadcast(layer: Layer) -> Check:
    """To 0.0.0.0 or 255.255.255.255: a capture does not tell its subnets' masks."""
    is_ip, at = link_type(layer, TYPE_IPV4), layer.payload_at + 16
    return lambda data: is_ip(data) and word_at(data, at)[0] in (0, 0xFFFFFFFF)


def ip4_multicast(layer: Layer) -> Check:
    """From 224.0.0.0 up; libpcap counts 240.0.0.0/4 in."""
    is_ip, at = link_type(layer, TYPE_IPV4), layer.payload_at + 16
    return lambda data: is_ip(data) and data[at] >= 224


def ip6_multicast(layer: Layer) -> Check:
    is_ip6, at = link_type(layer, TYPE_IPV6), layer.payload_at + 24
    return lambda data: is_ip6(data) and data[at] == 255
