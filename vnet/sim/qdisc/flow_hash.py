"""Which of so many queues a frame's flow belongs in: by addresses, protocol and ports."""

from __future__ import annotations

from zlib import crc32

_VLAN_TYPES = (b"\x81\x00", b"\x88\xa8")
_IPV4, _IPV6 = b"\x08\x00", b"\x86\xdd"
_WITH_PORTS = (6, 17, 33, 132, 136)
_ETHERNET_BYTES, _TAG_BYTES = 14, 4


def flow_key(data: bytes) -> bytes:
    """What all frames of a flow have in common: a connection's five things, of other packets the
    addresses and the protocol, and of frames without IP the stations."""
    at = _ETHERNET_BYTES
    while data[at - 2 : at] in _VLAN_TYPES and len(data) >= at + _TAG_BYTES:
        at += _TAG_BYTES
    kind = data[at - 2 : at]
    if kind == _IPV4 and len(data) >= at + 20:
        protocol, behind = data[at + 9], at + (data[at] & 0x0F) * 4
        addresses = data[at + 12 : at + 20]
        is_cut = bool((data[at + 6] << 8 | data[at + 7]) & 0x3FFF)
    elif kind == _IPV6 and len(data) >= at + 40:
        protocol, behind = data[at + 6], at + 40
        addresses = data[at + 8 : at + 40]
        is_cut = False
    else:
        return data[:12] + kind
    ports = b"" if is_cut or protocol not in _WITH_PORTS else data[behind : behind + 4]
    return addresses + bytes((protocol,)) + ports


def flow_bucket(data: bytes, buckets: int) -> int:
    """A number below ``buckets`` (reciprocal_scale() of the kernel)."""
    return crc32(flow_key(data)) * buckets >> 32
