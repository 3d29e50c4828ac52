"""The network part of a flow: IPv4, IPv6 with its extension headers, ARP, NSH, and PBB.

Lengths are judged here. A header that lies about its length, or is cut short, leaves its
members 0 and ends the reading; padding behind an IP packet is never read.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from vnet.ovs.flow.extension_headers import NO_NEXT_HEADER, extensions_seen
from vnet.ovs.flow.extract_transport import TRANSPORT, unread_transport
from vnet.ovs.flow.flow import FRAG_ANY, FRAG_LATER, Flow
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_NSH,
    ETH_TYPE_PBB,
    ETH_TYPE_RARP,
)

_NW_DST = Flow.nw_dst.shift
_NW_SRC = Flow.nw_src.shift
_NW_PROTO = Flow.nw_proto.shift
_NW_TOS = Flow.nw_tos.shift
_NW_TTL = Flow.nw_ttl.shift
_NW_FRAG = Flow.nw_frag.shift
_IPV6_DST = Flow.ipv6_dst.shift
_IPV6_LABEL = Flow.ipv6_label.shift
_IPV6_EXTHDR = Flow.ipv6_exthdr.shift
_PBB_TCI = Flow.pbb_tci.shift
_ARP_SHA = Flow.arp_sha.shift
_ARP_THA = Flow.arp_tha.shift

IPV4_HEADER_BYTES = 20
IPV6_HEADER_BYTES = 40
MAX_PADDING_BYTES = 0xFFFF

IPV4_FRAGMENT = 0x3FFF
_IPV4_FRAGMENT_OFFSET = 0x1FFF

_IPV6 = Struct("!IHBB32s")
"""Version, class and label; payload length, next header, hop limit, both addresses."""
_IPV6_LABEL_MASK = 0x000FFFFF
_IPV6_FRAGMENT_OFFSET = 0xFFF8

_HOP_BY_HOP = 0
_ROUTING = 43
_FRAGMENT = 44
_AUTHENTICATION = 51
_DESTINATION_OPTIONS = 60
_OPTION_HEADERS = frozenset((_HOP_BY_HOP, _ROUTING, _DESTINATION_OPTIONS))
_EXTENSION_HEADERS = _OPTION_HEADERS | {_FRAGMENT, _AUTHENTICATION}
_CHAINED = _EXTENSION_HEADERS | {NO_NEXT_HEADER}
"""What a chain of extension headers begins with."""
_MIN_EXTENSION_BYTES = 8

_ARP_BYTES = 28
_ARP_ETHERNET_IPV4 = b"\x00\x01\x08\x00\x06\x04"

_PBB_TCI_BYTES = 4

_NSH_BASE_BYTES = 8
_NSH_MD_TYPE_1 = 1
_NSH_MD_TYPE_2 = 2
_NSH_MD1_BYTES = 24


Payload = tuple[int, int, int, int]
"""What an IP packet carries: ``nw_proto``, ``nw_frag``, where it starts, and where it ends (and
padding begins). A plain tuple, because every frame off the fast road makes one.
"""


def ipv4_payload(frame: bytes, l3: int) -> Payload | None:
    """Judge an IPv4 header at ``l3``; None where its lengths cannot be. The version is not read."""
    size = len(frame) - l3
    if size < IPV4_HEADER_BYTES:
        return None
    header_bytes = (frame[l3] & 0xF) << 2
    total_bytes = int.from_bytes(frame[l3 + 2 : l3 + 4], "big")
    if not IPV4_HEADER_BYTES <= header_bytes <= total_bytes:
        return None
    if not total_bytes <= size <= total_bytes + MAX_PADDING_BYTES:
        return None
    fragment = int.from_bytes(frame[l3 + 6 : l3 + 8], "big")
    nw_frag = 0
    if fragment & IPV4_FRAGMENT:
        nw_frag = FRAG_ANY | FRAG_LATER if fragment & _IPV4_FRAGMENT_OFFSET else FRAG_ANY
    return frame[l3 + 9], nw_frag, l3 + header_bytes, l3 + total_bytes


def _ipv4(frame: bytes, l3: int) -> int:
    payload = ipv4_payload(frame, l3)
    if payload is None:
        return 0
    # The network members first, then the transport's: short numbers shift faster than long ones.
    return (
        frame[l3 + 8] << _NW_TTL
        | frame[l3 + 1] << _NW_TOS
        | int.from_bytes(frame[l3 + 12 : l3 + 20], "big") << _NW_DST
        | _payload_bits(frame, *payload)
    )


def _payload_bits(frame: bytes, nw_proto: int, nw_frag: int, start: int, end: int) -> int:
    bits = nw_frag << _NW_FRAG | nw_proto << _NW_PROTO
    if nw_frag & FRAG_LATER:
        return bits
    return bits | TRANSPORT.get(nw_proto, unread_transport)(frame, start, end)


def _ipv6_is_sane(frame: bytes, l3: int) -> bool:
    size = len(frame) - l3
    if size < IPV6_HEADER_BYTES:
        return False
    packet_bytes = IPV6_HEADER_BYTES + int.from_bytes(frame[l3 + 4 : l3 + 6], "big")
    return packet_bytes <= size <= packet_bytes + MAX_PADDING_BYTES


def _ipv6_extensions(frame: bytes, l3: int) -> Payload | None:
    """Walk the extension headers (RFC 8200 section 4); None where one is cut short.

    A later fragment ends the walk, with the fragment header's own number as the protocol.
    """
    nw_proto = frame[l3 + 6]
    nw_frag = 0
    at = l3 + IPV6_HEADER_BYTES
    end = at + int.from_bytes(frame[l3 + 4 : l3 + 6], "big")
    while nw_proto in _EXTENSION_HEADERS:
        if end - at < _MIN_EXTENSION_BYTES:
            return None
        header, nw_proto, length = nw_proto, frame[at], frame[at + 1]
        if header in _OPTION_HEADERS:
            at += (length + 1) * 8
        elif header == _AUTHENTICATION:
            at += (length + 2) * 4
        else:
            fragment = int.from_bytes(frame[at + 2 : at + 4], "big")
            at += 8
            if fragment:
                nw_frag = FRAG_ANY
            if fragment & _IPV6_FRAGMENT_OFFSET:
                return _FRAGMENT, FRAG_ANY | FRAG_LATER, at, end
        if at > end:
            return None
    return nw_proto, nw_frag, at, end


def ipv6_payload(frame: bytes, l3: int) -> Payload | None:
    """Judge an IPv6 header at ``l3`` and its extensions; None where a length cannot be."""
    return _ipv6_extensions(frame, l3) if _ipv6_is_sane(frame, l3) else None


def _ipv6(frame: bytes, l3: int) -> int:
    if not _ipv6_is_sane(frame, l3):
        return 0
    header: tuple[int, int, int, int, bytes] = _IPV6.unpack_from(frame, l3)
    class_and_label, payload_bytes, next_header, hop_limit, addresses = header
    bits = int.from_bytes(addresses, "big") << _IPV6_DST
    if next_header in _CHAINED:
        bits |= extensions_seen(frame, l3) << _IPV6_EXTHDR
        payload = _ipv6_extensions(frame, l3)
        if payload is None:
            return bits
    else:
        start = l3 + IPV6_HEADER_BYTES
        payload = (next_header, 0, start, start + payload_bytes)
    return (
        (class_and_label >> 20 & 0xFF) << _NW_TOS
        | hop_limit << _NW_TTL
        | _payload_bits(frame, *payload)
        | (class_and_label & _IPV6_LABEL_MASK) << _IPV6_LABEL
        | bits
    )


def _arp(frame: bytes, l3: int) -> int:
    """ARP for Ethernet and IPv4 (RFC 826); an operation beyond 8 bits is not told."""
    if len(frame) - l3 < _ARP_BYTES or frame[l3 : l3 + 6] != _ARP_ETHERNET_IPV4:
        return 0
    operation = int.from_bytes(frame[l3 + 6 : l3 + 8], "big")
    return (
        int.from_bytes(frame[l3 + 8 : l3 + 14], "big") << _ARP_SHA
        | int.from_bytes(frame[l3 + 14 : l3 + 18], "big") << _NW_SRC
        | int.from_bytes(frame[l3 + 18 : l3 + 24], "big") << _ARP_THA
        | int.from_bytes(frame[l3 + 24 : l3 + 28], "big") << _NW_DST
        | (operation << _NW_PROTO if operation <= 0xFF else 0)
    )


def _nsh(frame: bytes, l3: int) -> int:
    """The network service header (RFC 8300); contexts of MD type 1 only."""
    size = len(frame) - l3
    if size < _NSH_BASE_BYTES:
        return 0
    word = int.from_bytes(frame[l3 : l3 + 2], "big")
    md_type = frame[l3 + 2]
    header_bytes = (word & 0x3F) << 2
    if header_bytes > size or word >> 14:
        return 0
    if md_type == _NSH_MD_TYPE_2 and header_bytes < _NSH_BASE_BYTES:
        return 0
    contexts = 0
    if md_type == _NSH_MD_TYPE_1:
        if header_bytes != _NSH_MD1_BYTES:
            return 0
        contexts = int.from_bytes(frame[l3 + 8 : l3 + 24], "big")
    return (
        (word >> 12 & 0x3) << Flow.nsh_flags.shift
        | (word >> 6 & 0x3F) << Flow.nsh_ttl.shift
        | md_type << Flow.nsh_mdtype.shift
        | frame[l3 + 3] << Flow.nsh_np.shift
        | int.from_bytes(frame[l3 + 4 : l3 + 8], "big") << Flow.nsh_path_hdr.shift
        | contexts << Flow.nsh_context[-1].shift
    )


def _pbb(frame: bytes, l3: int) -> int:
    """A backbone service tag (IEEE 802.1Q clause 9.7); the frame inside is not read."""
    end = l3 + _PBB_TCI_BYTES
    return int.from_bytes(frame[l3:end], "big") << _PBB_TCI if end <= len(frame) else 0


def unread_network(_frame: bytes, _l3: int) -> int:
    """For the types that a flow does not look into."""
    return 0


NetworkParser = Callable[[bytes, int], int]
"""Frame, and where the network header starts: the bits of the flow from there on."""

NETWORK: dict[int, NetworkParser] = {
    ETH_TYPE_IP: _ipv4,
    ETH_TYPE_IPV6: _ipv6,
    ETH_TYPE_ARP: _arp,
    ETH_TYPE_RARP: _arp,
    ETH_TYPE_NSH: _nsh,
    ETH_TYPE_PBB: _pbb,
}


_PAYLOADS: dict[int, Callable[[bytes, int], Payload | None]] = {
    ETH_TYPE_IP: ipv4_payload,
    ETH_TYPE_IPV6: ipv6_payload,
}


def ip_payload(frame: bytes, dl_type: int, l3: int) -> Payload | None:
    """Where the payload of an IP packet is; None for other types and for malformed headers."""
    parser = _PAYLOADS.get(dl_type)
    return None if parser is None else parser(frame, l3)
