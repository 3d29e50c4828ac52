"""Hashes of a flow: what multipath, bundles, select groups and the datapath balance by.

The values are Open vSwitch's (lib/flow.c), so that a frame takes the same link as it would
there. A symmetric hash is the same for both directions of a connection.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from zlib import crc32

from vnet.base.jhash import jhash_bytes, words_of
from vnet.ovs.flow.extract import extract, layers
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.hashing import hash_add, hash_add_words, hash_finish
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    PT_ETHERNET,
)


class HashFields(Enum):
    """What of a flow is hashed (enum nx_hash_fields); the value is its text."""

    ETH_SRC = "eth_src"
    SYMMETRIC_L4 = "symmetric_l4"
    SYMMETRIC_L3L4 = "symmetric_l3l4"
    SYMMETRIC_L3L4_UDP = "symmetric_l3l4+udp"
    NW_SRC = "nw_src"
    NW_DST = "nw_dst"
    SYMMETRIC_L3 = "symmetric_l3"


_VID_MASK = 0x0FFF
_VID_AND_CFI_MASK = 0x1FFF
_FIVE_TUPLE_FINAL = 42
_IPV6_NEXT_HEADER = 6
"""Where an IPv6 header says what follows it."""
_WITH_PORTS = frozenset((IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMPV6))
_CONNECTIONS = frozenset((IPPROTO_TCP, IPPROTO_SCTP))

_ETHERNET_MASK = Flow.dl_src.mask | Flow.dl_dst.mask
_IPV4_MASK = Flow.nw_src.mask | Flow.nw_dst.mask
_IPV6_MASK = Flow.ipv6_src.mask | Flow.ipv6_dst.mask
_PORTS_MASK = Flow.tp_src.mask | Flow.tp_dst.mask
_ICMP_MASK = 0xFF << Flow.tp_src.shift | 0xFF << Flow.tp_dst.shift
_VLANS_MASK = _VID_AND_CFI_MASK << Flow.vlan_tci.shift | _VID_AND_CFI_MASK << Flow.vlan1_tci.shift


def hash_5tuple(key: int, basis: int) -> int:
    """Addresses, protocol and ports; other than IP and ARP hash alike."""
    return _hash_5tuple(key, basis, Flow.nw_proto.of(key))


def _hash_5tuple(key: int, basis: int, protocol: int) -> int:
    dl_type = Flow.dl_type.of(key)
    if dl_type == ETH_TYPE_IPV6:
        addresses = _ipv6_bytes(Flow.ipv6_src.of(key)) + _ipv6_bytes(Flow.ipv6_dst.of(key))
    elif dl_type in (ETH_TYPE_IP, ETH_TYPE_ARP):
        addresses = Flow.nw_src.of(key).to_bytes(4, "big") + Flow.nw_dst.of(key).to_bytes(4, "big")
    else:
        return hash_finish(basis, _FIVE_TUPLE_FINAL)
    hash_ = hash_add(hash_add_words(basis, words_of(addresses)), protocol)
    if Flow.nw_proto.of(key) in _WITH_PORTS:
        ports = Flow.tp_src.of(key).to_bytes(2, "big") + Flow.tp_dst.of(key).to_bytes(2, "big")
        hash_ = hash_add(hash_, int.from_bytes(ports, "little"))
    return hash_finish(hash_, _FIVE_TUPLE_FINAL)


def hash_received(frame: bytes, *, vlan_limit: int) -> int:
    """The hash that a datapath gives a frame as it comes in, and that the frame keeps.

    It is the one of :func:`hash_5tuple`, but TCP and UDP behind extension headers of IPv6 go in
    under the number of the first of those, where their own headers are whole.
    """
    key = extract(frame, vlan_limit=vlan_limit)
    is_read = key & (_PORTS_MASK | Flow.tcp_flags.mask)
    if Flow.dl_type.of(key) == ETH_TYPE_IPV6 and is_read:
        l3 = layers(frame, vlan_limit=vlan_limit).l3
        if Flow.nw_proto.of(key) in (IPPROTO_TCP, IPPROTO_UDP) and l3 is not None:
            return _hash_5tuple(key, 0, frame[l3 + _IPV6_NEXT_HEADER])
    return hash_5tuple(key, 0)


def _ipv6_bytes(address: int) -> bytes:
    return address.to_bytes(16, "big")


def _is_ip_any(key: int) -> bool:
    return Flow.dl_type.of(key) in (ETH_TYPE_IP, ETH_TYPE_IPV6)


def _vlan_ids(key: int) -> int:
    return (Flow.vlan_tci.of(key) ^ Flow.vlan1_tci.of(key)) & _VID_MASK


def _addresses_as_16_bytes(key: int) -> bytes:
    """Both network addresses folded into one; an IPv4 address stands first, then zeros."""
    dl_type = Flow.dl_type.of(key)
    if dl_type == ETH_TYPE_IP:
        return (Flow.nw_src.of(key) ^ Flow.nw_dst.of(key)).to_bytes(4, "big") + bytes(12)
    if dl_type == ETH_TYPE_IPV6:
        return _ipv6_bytes(Flow.ipv6_src.of(key) ^ Flow.ipv6_dst.of(key))
    return bytes(16)


def hash_symmetric_l4(key: int, basis: int) -> int:
    """Ethernet addresses, VLANs, network addresses, and TCP's or SCTP's ports; UDP's are not."""
    is_ip = _is_ip_any(key)
    nw_proto = Flow.nw_proto.of(key) if is_ip else 0
    ports = Flow.tp_src.of(key) ^ Flow.tp_dst.of(key) if nw_proto in _CONNECTIONS else 0
    fields = (
        _addresses_as_16_bytes(key)
        + Flow.dl_type.of(key).to_bytes(2, "big")
        + _vlan_ids(key).to_bytes(2, "big")
        + ports.to_bytes(2, "big")
        + (Flow.dl_src.of(key) ^ Flow.dl_dst.of(key)).to_bytes(6, "big")
        + bytes((nw_proto, 0, 0, 0))
    )
    return jhash_bytes(fields, basis)


def hash_symmetric_l3(key: int, basis: int) -> int:
    """The network addresses."""
    fields = _addresses_as_16_bytes(key) + Flow.dl_type.of(key).to_bytes(2, "big") + bytes(2)
    return jhash_bytes(fields, basis)


def hash_symmetric_l2(key: int, basis: int) -> int:
    """Ethernet addresses, VLANs and type; 0 for packets without an Ethernet header."""
    if Flow.packet_type.of(key) != PT_ETHERNET:
        return 0
    fields = (
        Flow.dl_type.of(key).to_bytes(2, "big")
        + _vlan_ids(key).to_bytes(2, "big")
        + (Flow.dl_src.of(key) ^ Flow.dl_dst.of(key)).to_bytes(6, "big")
        + bytes(2)
    )
    return hash_finish(hash_add_words(basis, words_of(fields)), basis)


def hash_symmetric_l3l4(key: int, basis: int, *, with_udp: bool = False) -> int:
    """Network addresses, protocol and, of what is no fragment, ports; layer 2 of what is no IP."""
    dl_type = Flow.dl_type.of(key)
    if dl_type == ETH_TYPE_IP:
        addresses = (Flow.nw_src.of(key) ^ Flow.nw_dst.of(key)).to_bytes(4, "big")
    elif dl_type == ETH_TYPE_IPV6:
        addresses = _ipv6_bytes(Flow.ipv6_src.of(key) ^ Flow.ipv6_dst.of(key))
    else:
        return hash_symmetric_l2(key, basis)
    nw_proto = Flow.nw_proto.of(key)
    hash_ = hash_add(hash_add_words(basis, words_of(addresses)), nw_proto)
    if _has_hashed_ports(key, with_udp):
        ports = (Flow.tp_src.of(key) ^ Flow.tp_dst.of(key)).to_bytes(2, "big")
        hash_ = hash_add(hash_, int.from_bytes(ports, "little"))
    return hash_finish(hash_, basis)


def _has_hashed_ports(key: int, with_udp: bool) -> bool:
    nw_proto = Flow.nw_proto.of(key)
    is_hashed = nw_proto in _CONNECTIONS or (with_udp and nw_proto == IPPROTO_UDP)
    return is_hashed and not Flow.nw_frag.of(key)


def _hash_symmetric_l3l4_udp(key: int, basis: int) -> int:
    return hash_symmetric_l3l4(key, basis, with_udp=True)


def _hash_eth_src(key: int, basis: int) -> int:
    return jhash_bytes(Flow.dl_src.of(key).to_bytes(6, "big"), basis)


def _hash_nw_src(key: int, basis: int) -> int:
    dl_type = Flow.dl_type.of(key)
    if dl_type == ETH_TYPE_IP:
        return jhash_bytes(Flow.nw_src.of(key).to_bytes(4, "big"), basis)
    if dl_type == ETH_TYPE_IPV6:
        return jhash_bytes(_ipv6_bytes(Flow.ipv6_src.of(key)), basis)
    return basis


def _hash_nw_dst(key: int, basis: int) -> int:
    dl_type = Flow.dl_type.of(key)
    if dl_type == ETH_TYPE_IP:
        return jhash_bytes(Flow.nw_dst.of(key).to_bytes(4, "big"), basis)
    if dl_type == ETH_TYPE_IPV6:
        return jhash_bytes(_ipv6_bytes(Flow.ipv6_dst.of(key)), basis)
    return basis


def _by_network(ipv4: int, ipv6: int) -> Callable[[int], int]:
    """The mask for whichever network protocol the flow is of; nothing for other types."""
    masks = {ETH_TYPE_IP: ipv4, ETH_TYPE_IPV6: ipv6}
    return lambda key: masks.get(Flow.dl_type.of(key), 0)


_addresses_mask = _by_network(_IPV4_MASK, _IPV6_MASK)


def _symmetric_l4_mask(key: int) -> int:
    mask = _ETHERNET_MASK | _VLANS_MASK | _addresses_mask(key)
    if not _is_ip_any(key):
        return mask
    nw_proto = Flow.nw_proto.of(key)
    if nw_proto != IPPROTO_UDP:
        mask |= _ICMP_MASK if nw_proto == IPPROTO_ICMP else _PORTS_MASK
    return mask | Flow.nw_proto.mask


def _symmetric_l3l4_mask(key: int, *, with_udp: bool = False) -> int:
    if not _is_ip_any(key):
        return 0
    ports = _PORTS_MASK if _has_hashed_ports(key, with_udp) else 0
    return _addresses_mask(key) | Flow.nw_proto.mask | ports


def _symmetric_l3l4_udp_mask(key: int) -> int:
    return _symmetric_l3l4_mask(key, with_udp=True)


_HASHES: dict[HashFields, Callable[[int, int], int]] = {
    HashFields.ETH_SRC: _hash_eth_src,
    HashFields.SYMMETRIC_L4: hash_symmetric_l4,
    HashFields.SYMMETRIC_L3L4: hash_symmetric_l3l4,
    HashFields.SYMMETRIC_L3L4_UDP: _hash_symmetric_l3l4_udp,
    HashFields.NW_SRC: _hash_nw_src,
    HashFields.NW_DST: _hash_nw_dst,
    HashFields.SYMMETRIC_L3: hash_symmetric_l3,
}

_MASKS: dict[HashFields, Callable[[int], int]] = {
    HashFields.ETH_SRC: lambda _key: Flow.dl_src.mask,
    HashFields.SYMMETRIC_L4: _symmetric_l4_mask,
    HashFields.SYMMETRIC_L3L4: _symmetric_l3l4_mask,
    HashFields.SYMMETRIC_L3L4_UDP: _symmetric_l3l4_udp_mask,
    HashFields.NW_SRC: _by_network(Flow.nw_src.mask, Flow.ipv6_src.mask),
    HashFields.NW_DST: _by_network(Flow.nw_dst.mask, Flow.ipv6_dst.mask),
    HashFields.SYMMETRIC_L3: _addresses_mask,
}


def hash_fields(key: int, fields: HashFields, basis: int) -> int:
    """The hash of the chosen part of a flow (``flow_hash_fields``)."""
    return _HASHES[fields](key, basis)


def mask_of_hash_fields(key: int, fields: HashFields) -> int:
    """Which bits of the flow that hash depends on (``flow_mask_hash_fields``)."""
    return _MASKS[fields](key)


_ENDS = (
    *(Flow.dl_dst, Flow.dl_src, Flow.dl_type, Flow.pbb_tci),
    *(Flow.nw_dst, Flow.nw_src, Flow.nw_proto, Flow.ipv6_dst, Flow.ipv6_src),
    *(Flow.arp_tha, Flow.arp_sha),
)
_ENDS_MASK = sum(bits.mask for bits in _ENDS)
_WHOLE_ENDS_MASK = _ENDS_MASK | Flow.tp_dst.mask | Flow.tp_src.mask
_KEY_BYTES = (_WHOLE_ENDS_MASK.bit_length() + 7) // 8


def hash_headers(key: int, basis: int) -> int:
    """A hash of all addresses and ports that a packet has in any layer; never 0.

    Of fragments none has ports, so that all of a packet go the same way.
    """
    mask = _ENDS_MASK if Flow.nw_frag.of(key) else _WHOLE_ENDS_MASK
    return crc32((key & mask).to_bytes(_KEY_BYTES, "big"), basis) or 1
