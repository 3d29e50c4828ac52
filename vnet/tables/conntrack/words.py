"""Connections, and what translation makes of them, in a few words for the notes of traces."""

from __future__ import annotations

from vnet.base.ids import ip_text
from vnet.tables.conntrack.extract import ICMP, ICMPV6
from vnet.tables.conntrack.key import PROTOCOL_AT, KeyParts, parts_of
from vnet.tables.conntrack.linux.segment import PORTED, key_of, segment_of
from vnet.tables.conntrack.text import PROTOCOL_NAMES

_NO_ZONE = bytes(2)
_WITH_IDENT = (ICMP, ICMPV6)


def connection_text(key: bytes) -> str:
    """``udp 10.0.0.2:500 -> 10.0.0.3:9``, and where there is one the zone."""
    parts = parts_of(key)
    name = PROTOCOL_NAMES.get(parts.protocol, f"protocol {parts.protocol}")
    zone = f" in zone {parts.zone}" if parts.zone else ""
    return f"{name} {_source(parts)} -> {_target(parts)}{zone}"


def change_text(before: bytes, after: bytes) -> str:
    """What of one key another has not: ``source 10.0.0.2:500 -> 192.0.2.1:1024``. Empty for
    keys that are the same."""
    old, new = parts_of(before), parts_of(after)
    changes = []
    if _source(old) != _source(new):
        changes.append(f"source {_source(old)} -> {_source(new)}")
    if _target(old) != _target(new):
        changes.append(f"destination {_target(old)} -> {_target(new)}")
    return ", ".join(changes)


def packet_change_text(before: bytes, after: bytes, family: int) -> str:
    """The same of two IP packets. An ICMP error changes with the packet that it quotes."""
    keys = [_packet_key(data, family) for data in (before, after)]
    text = change_text(*keys)
    is_error = keys[0][PROTOCOL_AT] in _WITH_IDENT and segment_key(before, family) is None
    return ", also ".join(filter(None, (text, "in what it quotes"))) if is_error else text


def segment_key(data: bytes, family: int) -> bytes | None:
    """An IP packet's key; None where it has none, such as that of an ICMP error."""
    segment = segment_of(data, family)
    return None if segment is None else key_of(segment, _NO_ZONE)


def _packet_key(data: bytes, family: int) -> bytes:
    found = segment_key(data, family)
    if found is not None:
        return found
    source, target = (data[12:16], data[16:20]) if family == 4 else (data[8:24], data[24:40])
    segment = segment_of(data, family)
    return KeyParts(source, target, 0, 0, 0, 0 if segment is None else segment.protocol).pack()


def _source(parts: KeyParts) -> str:
    if parts.protocol in _WITH_IDENT:
        return f"{ip_text(parts.source)} id {parts.ident}" if parts.ident else ip_text(parts.source)
    return _end(parts.source, parts.source_part, parts.protocol)


def _target(parts: KeyParts) -> str:
    return _end(parts.target, parts.target_part, parts.protocol)


def _end(address: bytes, port: int, protocol: int) -> str:
    text = ip_text(address)
    if protocol not in PORTED:
        return text
    return f"{text}:{port}" if len(address) == 4 else f"[{text}]:{port}"
