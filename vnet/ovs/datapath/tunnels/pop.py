"""Taking a tunnel's headers off, and what they say about where the packet came from.

Outer headers that a kernel would not accept end the packet, each kind by a reason of its own.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from vnet.base.drops import DropReason, drop_reason
from vnet.ovs.datapath.packet import PT_ETHERNET, PT_ETHERTYPE
from vnet.ovs.datapath.tunnels.device import Decapsulated, Pop
from vnet.ovs.flow import tunnel_flags
from vnet.ovs.flow.extract import layers
from vnet.ovs.flow.flow import Flow
from vnet.wire import geneve, gre, udp, vxlan
from vnet.wire.checksum import ones_complement_sum, pseudo_header_sum
from vnet.wire.ether import HEADER_BYTES

BAD_OUTER_IP = drop_reason(
    "ovs-tunnel-bad-outer-ip",
    cause="the outer IP header of a tunnelled packet is cut off, damaged or has options",
    cure="look where the underlay damages packets; tunnels take no IP options",
)
BAD_OUTER_CHECKSUM = drop_reason(
    "ovs-tunnel-bad-checksum",
    cause="the checksum of the outer UDP or GRE header does not hold",
    cure="look where the underlay damages packets",
)
BAD_TUNNEL_HEADER = drop_reason(
    "ovs-tunnel-bad-header",
    cause="the tunnel's header is cut off, or has flags, a version or a type that nobody knows",
    cure="see that both ends speak the same kind of tunnel on this port",
)
CRITICAL_OPTION = drop_reason(
    "ovs-tunnel-critical-option",
    cause="a Geneve option is marked critical, and the switch does not know it",
    cure="have the sender leave the option out",
)

_MOST_HEADS = 4_096
_HEAD = slice(12, 50)
"""Of a frame, what the usual outer headers are: type, IPv4, UDP, VXLAN; the MACs tell nothing."""

_VERSION_4 = 4
_VERSION_6 = 6
_IPV4_BYTES = 20
_IPV4_ADDRESSES = slice(HEADER_BYTES + 12, HEADER_BYTES + 20)
_IPV6_ADDRESSES = slice(HEADER_BYTES + 8, HEADER_BYTES + 40)

_TUN_ID = Flow.tun_id.shift
_TUN_DST = Flow.tun_dst.shift
_TUN_SRC = Flow.tun_src.shift
_TUN_IPV6_SRC = Flow.tun_ipv6_src.shift
_TUN_IPV6_DST = Flow.tun_ipv6_dst.shift
_TUN_TOS = Flow.tun_tos.shift
_TUN_TTL = Flow.tun_ttl.shift
_TUN_TP_SRC = Flow.tun_tp_src.shift
_TUN_TP_DST = Flow.tun_tp_dst.shift
_PACKET_TYPE = Flow.packet_type.shift

_OAM = tunnel_flags.OAM << Flow.tun_flags.shift
_CHECKSUM = tunnel_flags.CHECKSUM << Flow.tun_flags.shift
_KEY = tunnel_flags.KEY << Flow.tun_flags.shift
_GENEVE = tunnel_flags.GENEVE << Flow.tun_flags.shift

_GPE_BITS = vxlan.FLAG_NEXT_PROTOCOL | 0x3000_0000 | vxlan.NEXT_PROTOCOL_MASK
"""What the generic protocol extension uses of the first word."""
_GPE_TYPES = {
    vxlan.NEXT_IPV4: PT_ETHERTYPE | 0x0800,
    vxlan.NEXT_IPV6: PT_ETHERTYPE | 0x86DD,
    vxlan.NEXT_NSH: PT_ETHERTYPE | 0x894F,
    vxlan.NEXT_ETHERNET: PT_ETHERNET,
}
_ETH_TYPE_MIN = 0x600
_GENEVE_CRITICAL = 0x80


class _Outer(NamedTuple):
    """An outer IP header: what the flow says of it, and where its payload starts and ends."""

    metadata: int
    start: int
    end: int


def _outer(frame: bytes) -> _Outer | None:
    found = layers(frame, vlan_limit=0)
    if found.l3 != HEADER_BYTES or found.l4 is None:
        return None
    version = frame[HEADER_BYTES] >> 4
    if version == _VERSION_4:
        return _outer_ipv4(frame, found.l4, found.end)
    if version != _VERSION_6:
        return None
    source, target = frame[22:38], frame[38:54]
    metadata = (
        int.from_bytes(source, "big") << _TUN_IPV6_SRC
        | int.from_bytes(target, "big") << _TUN_IPV6_DST
        | ((frame[14] << 8 | frame[15]) >> 4 & 0xFF) << _TUN_TOS
        | frame[21] << _TUN_TTL
    )
    return _Outer(metadata, found.l4, found.end)


def _outer_ipv4(frame: bytes, start: int, end: int) -> _Outer | None:
    header = frame[HEADER_BYTES : HEADER_BYTES + _IPV4_BYTES]
    if start != HEADER_BYTES + _IPV4_BYTES or ones_complement_sum(header) != 0xFFFF:
        return None
    metadata = (
        int.from_bytes(header[12:16], "big") << _TUN_SRC
        | int.from_bytes(header[16:20], "big") << _TUN_DST
        | header[1] << _TUN_TOS
        | header[8] << _TUN_TTL
    )
    return _Outer(metadata, start, end)


def _udp(frame: bytes, inner_bytes: int) -> _Outer | DropReason:
    """The outer headers up to UDP's; behind that must be a tunnel's of so many bytes."""
    outer = _outer(frame)
    if outer is None:
        return BAD_OUTER_IP
    metadata, at, end = outer
    if end - at < udp.HEADER_BYTES + inner_bytes:
        return BAD_TUNNEL_HEADER
    if frame[at + 6] or frame[at + 7]:
        if not _sum_holds(frame, at, end):
            return BAD_OUTER_CHECKSUM
        metadata |= _CHECKSUM
    metadata |= (frame[at] << 8 | frame[at + 1]) << _TUN_TP_SRC
    metadata |= (frame[at + 2] << 8 | frame[at + 3]) << _TUN_TP_DST
    return _Outer(metadata, at + udp.HEADER_BYTES, end)


def _sum_holds(frame: bytes, at: int, end: int) -> bool:
    is_ipv4 = frame[HEADER_BYTES] >> 4 == _VERSION_4
    addresses = frame[_IPV4_ADDRESSES if is_ipv4 else _IPV6_ADDRESSES]
    middle = len(addresses) // 2
    start = pseudo_header_sum(addresses[:middle], addresses[middle:], udp.PROTOCOL, end - at)
    # Whatever pads the frame counts, as it does in Open vSwitch; padding is zeros.
    return ones_complement_sum(frame[at:], start) == 0xFFFF


def pop_vxlan(frame: bytes) -> Decapsulated | DropReason:
    """RFC 7348, and the extension for other protocols."""
    outer = _udp(frame, vxlan.HEADER_BYTES)
    if isinstance(outer, DropReason):
        return outer
    metadata, at, _ = outer
    header = vxlan.parse(frame, at)
    assert header is not None, "it was measured"
    flags, packet_type = header.flags, PT_ETHERNET
    if flags & vxlan.FLAG_NEXT_PROTOCOL:
        known = _GPE_TYPES.get(flags & vxlan.NEXT_PROTOCOL_MASK)
        if known is None or flags & vxlan.FLAG_OAM:
            return BAD_TUNNEL_HEADER
        flags, packet_type = flags & ~_GPE_BITS, known
    if flags != vxlan.FLAG_VNI or header.reserved:
        return BAD_TUNNEL_HEADER
    metadata |= header.vni << _TUN_ID | _KEY | packet_type << _PACKET_TYPE
    return Decapsulated(frame[at + vxlan.HEADER_BYTES :], metadata)


def pop_geneve(frame: bytes) -> Decapsulated | DropReason:
    """RFC 8926. Options that are not critical may be passed over."""
    outer = _udp(frame, geneve.BASE_BYTES)
    if isinstance(outer, DropReason):
        return outer
    metadata, at, _ = outer
    header = geneve.parse(frame, at)
    if header is None or header.version or header.ethertype != geneve.TYPE_ETHERNET:
        return BAD_TUNNEL_HEADER
    end = at + header.size_bytes
    if _has_critical_option(frame[at + geneve.BASE_BYTES : end]):
        return CRITICAL_OPTION
    metadata |= header.vni << _TUN_ID | _KEY | _GENEVE | _OAM * header.is_oam
    return Decapsulated(frame[end:], metadata)


def _has_critical_option(options: bytes) -> bool:
    """Whether one is, or cannot be told because they are damaged."""
    at = 0
    while at + 4 <= len(options):
        if options[at + 2] & _GENEVE_CRITICAL:
            return True
        at += 4 + (options[at + 3] & 0x1F) * 4
    return at != len(options)


def pop_gre(frame: bytes) -> Decapsulated | DropReason:
    """RFC 2784 and 2890. Sequence numbers are passed over."""
    outer = _outer(frame)
    if outer is None:
        return BAD_OUTER_IP
    metadata, at, _ = outer
    header = gre.parse(frame, at)
    if header is None or header.ethertype < _ETH_TYPE_MIN:
        return BAD_TUNNEL_HEADER
    if header.flags & gre.FLAG_CHECKSUM:
        if ones_complement_sum(frame[at:]) != 0xFFFF:
            return BAD_OUTER_CHECKSUM
        metadata |= _CHECKSUM
    if header.key is not None:
        metadata |= header.key << _TUN_ID | _KEY
    if header.ethertype != gre.TYPE_ETHERNET:
        metadata |= (PT_ETHERTYPE | header.ethertype) << _PACKET_TYPE
    return Decapsulated(frame[at + header.size_bytes :], metadata)


def _remembering(pop: Pop) -> Pop:
    """The same with a memory: packets of a flow that are equally long have the same headers.

    That holds only where headers alone decide: not for checksums over the packet, and not for
    longer headers.
    """

    @lru_cache(_MOST_HEADS)
    def usual(head: bytes, n_bytes: int) -> tuple[int, int] | None:
        """Where the inside begins, and the metadata; None if more must be looked at."""
        start = _HEAD.start
        popped = pop(bytes(start) + head + bytes(n_bytes - start - len(head)))
        if isinstance(popped, DropReason) or popped.metadata & _CHECKSUM:
            return None
        inside = n_bytes - len(popped.data)
        return (inside, popped.metadata) if inside <= _HEAD.stop else None

    def remembering_pop(frame: bytes) -> Decapsulated | DropReason:
        known = usual(frame[_HEAD], len(frame)) if len(frame) >= _HEAD.stop else None
        return pop(frame) if known is None else Decapsulated(frame[known[0] :], known[1])

    return remembering_pop


POPS: dict[str, Pop] = {
    "vxlan": _remembering(pop_vxlan),
    "geneve": _remembering(pop_geneve),
    "gre": _remembering(pop_gre),
    "ip6gre": _remembering(pop_gre),
}
"""By kind of port."""
