"""What a tunnel says of a packet that it sends, and the headers that say so.

Source: tnl_port_send() of Open vSwitch; RFC 6040 for ECN.
"""

from __future__ import annotations

import struct

from vnet.base.ids import IpAddress, Mac
from vnet.ovs.dpif.actions import TunnelType
from vnet.ovs.flow import tunnel_flags
from vnet.ovs.flow.flow import Bits, Flow
from vnet.ovs.flow.prerequisites import is_ip
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_NSH,
    IPPROTO_UDP,
    PT_ETHERNET,
    PT_NAMESPACE_ETHERTYPE,
)
from vnet.ovs.ofproto.tunnel.config import TunnelConfig
from vnet.wire import geneve, gre, ipv4, vxlan

_DSCP_MASK = 0xFC
_ECN_MASK = 0x03
_ECN_CE = 0x03
_ECN_ECT_0 = 0x02

_WORD_MASK = 0xFFFF_FFFF
_CHECKSUM_TO_COME = 0xFFFF
"""Where UDP's checksum will be: the datapath takes it that there shall be one."""
_IPV6_HEAD = struct.Struct("!IHBB")
_GPE_NEXT = {
    ETH_TYPE_IP: vxlan.NEXT_IPV4,
    ETH_TYPE_IPV6: vxlan.NEXT_IPV6,
    ETH_TYPE_NSH: vxlan.NEXT_NSH,
    gre.TYPE_ETHERNET: vxlan.NEXT_ETHERNET,
}


def address_tunnel(config: TunnelConfig, flow: Flow, wc: Flow) -> None:
    """Say in the flow by which tunnel it goes; ``wc`` gets the bits of the packet that decide."""
    if config.local is not None:
        _put_address(flow, (Flow.tun_src, Flow.tun_ipv6_src), config.local)
    if config.remote is not None:
        _put_address(flow, (Flow.tun_dst, Flow.tun_ipv6_dst), config.remote)
    flow.tun_tp_dst = config.udp_port
    if not config.out_key.is_flow:
        flow.tun_id = config.out_key.value
    _put_ttl_and_tos(config, flow, wc)
    flags = flow.tun_flags & tunnel_flags.OAM
    flags |= (
        tunnel_flags.DONT_FRAGMENT * config.dont_fragment
        | tunnel_flags.CHECKSUM * config.has_checksum
    )
    flow.tun_flags = flags | tunnel_flags.KEY * config.out_key.is_present
    if config.egress_mark is not None:
        flow.pkt_mark = config.egress_mark
        wc.fill(Flow.pkt_mark)
    flow.tun_erspan_ver = flow.tun_erspan_idx = flow.tun_erspan_dir = flow.tun_erspan_hwid = 0


def _put_address(flow: Flow, places: tuple[Bits, Bits], ip: IpAddress) -> None:
    short, long = places
    number = int.from_bytes(ip, "big")
    flow.put(short, number if len(ip) == 4 else 0)
    flow.put(long, number if len(ip) == 16 else 0)


def _put_ttl_and_tos(config: TunnelConfig, flow: Flow, wc: Flow) -> None:
    """ECN is inherited always, but congestion is not: that is for the underlay to say."""
    ttl, tos = config.ttl, config.tos
    if is_ip(flow):
        if config.inherits_ttl:
            wc.fill(Flow.nw_ttl)
            ttl = flow.nw_ttl
        if config.inherits_tos:
            wc.nw_tos |= _DSCP_MASK
            tos = flow.nw_tos & _DSCP_MASK
        wc.nw_tos |= _ECN_MASK
        ecn = flow.nw_tos & _ECN_MASK
        tos |= _ECN_ECT_0 if ecn == _ECN_CE else ecn
    flow.tun_ttl, flow.tun_tos = ttl, tos


def outer_header(
    config: TunnelConfig, flow: Flow, source_mac: Mac, target_mac: Mac, source: IpAddress
) -> tuple[TunnelType, bytes] | None:
    """The headers of a flow that :func:`address_tunnel` was asked for; None where the tunnel
    cannot carry such packets. Lengths, checksums and the source port are the datapath's."""
    inner = _UDP_HEADERS.get(config.kind, _gre)(config, flow)
    if inner is None:
        return None
    is_ipv4 = bool(flow.tun_dst)
    if config.kind in _UDP_HEADERS:
        tunnel_type = _UDP_TYPES[config.kind]
        has_checksum = not is_ipv4 or flow.tun_flags & tunnel_flags.CHECKSUM
        check = _CHECKSUM_TO_COME if has_checksum else 0
        inner = struct.pack("!HHHH", 0, config.udp_port, 0, check) + inner
        protocol = IPPROTO_UDP
    else:
        tunnel_type = TunnelType.GRE if is_ipv4 else TunnelType.IP6GRE
        protocol = gre.PROTOCOL
    network = (_ipv4 if is_ipv4 else _ipv6)(flow, source, protocol)
    return tunnel_type, target_mac + source_mac + network + inner


def _ipv4(flow: Flow, source: IpAddress, protocol: int) -> bytes:
    """With an EtherType before it. The length is added by the datapath, checksum and all."""
    header = ipv4.emit(
        source if len(source) == 4 else bytes(4),
        flow.tun_dst.to_bytes(4, "big"),
        protocol,
        b"",
        ttl=flow.tun_ttl,
        tos=flow.tun_tos,
        flags_offset=ipv4.DONT_FRAGMENT if flow.tun_flags & tunnel_flags.DONT_FRAGMENT else 0,
    )
    return ETH_TYPE_IP.to_bytes(2, "big") + ipv4.with_total_bytes(header, 0)


def _ipv6(flow: Flow, source: IpAddress, protocol: int) -> bytes:
    head = _IPV6_HEAD.pack(6 << 28 | flow.tun_tos << 20, 0, protocol, flow.tun_ttl)
    addresses = source.rjust(16, b"\0") + flow.tun_ipv6_dst.to_bytes(16, "big")
    return ETH_TYPE_IPV6.to_bytes(2, "big") + head + addresses


def _vxlan(config: TunnelConfig, flow: Flow) -> bytes | None:
    flags = vxlan.FLAG_VNI
    if config.is_gpe:
        following = _next_protocol(flow)
        if following is None:
            return None
        flags |= vxlan.FLAG_NEXT_PROTOCOL | following
    return vxlan.emit(flow.tun_id, flags)


def _next_protocol(flow: Flow) -> int | None:
    if flow.packet_type == PT_ETHERNET:
        return vxlan.NEXT_ETHERNET
    if flow.packet_type >> 16 != PT_NAMESPACE_ETHERTYPE:
        return None
    return _GPE_NEXT.get(flow.packet_type & 0xFFFF)


def _geneve(_config: TunnelConfig, flow: Flow) -> bytes:
    return geneve.emit(flow.tun_id, is_oam=bool(flow.tun_flags & tunnel_flags.OAM))


def _gre(config: TunnelConfig, flow: Flow) -> bytes | None:
    ethertype = gre.TYPE_ETHERNET
    if flow.packet_type != PT_ETHERNET:
        if flow.packet_type >> 16 != PT_NAMESPACE_ETHERTYPE:
            return None
        ethertype = flow.packet_type & 0xFFFF
    return gre.emit(
        ethertype,
        has_checksum=bool(flow.tun_flags & tunnel_flags.CHECKSUM),
        key=flow.tun_id & _WORD_MASK if config.out_key.is_present else None,
        sequence=0 if config.has_sequence else None,
    )


_UDP_HEADERS = {"vxlan": _vxlan, "geneve": _geneve}
_UDP_TYPES = {"vxlan": TunnelType.VXLAN, "geneve": TunnelType.GENEVE}
