"""UDP (RFC 768), and what some of its ports are for."""

from __future__ import annotations

from vnet.compare.cursor import Cursor
from vnet.compare.dissect.dhcp import dhcp
from vnet.compare.dissect.dns import dns
from vnet.compare.dissect.packet import Layers, Packet, transport_checksum
from vnet.compare.dissect.ports import is_ephemeral, port_field
from vnet.compare.dissect.tunnels import geneve, tunnel_port, vxlan
from vnet.compare.field import exact
from vnet.wire import geneve as geneve_header
from vnet.wire import vxlan as vxlan_header

_LINUX_VXLAN_PORT = 8472
"""What ip-link(8) takes where it is not told ``dstport``, for it is older than IANA's."""
_VXLAN_PORTS = (vxlan_header.UDP_PORT, _LINUX_VXLAN_PORT)
_DHCP_PORTS = (67, 68)
_DNS_PORT = 53


def udp(cursor: Cursor, packet: Packet, layers: Layers) -> None:
    begin = cursor.at
    source_port, target_port = (int.from_bytes(cursor.take(2), "big") for _ in range(2))
    is_vxlan = target_port in _VXLAN_PORTS
    if is_vxlan or target_port == geneve_header.UDP_PORT:
        cursor.add(tunnel_port(cursor, begin, source_port))
    else:
        cursor.add(port_field("udp.srcport", source_port))
    cursor.add(port_field("udp.dstport", target_port))
    cursor.number("udp.length", 2)
    if cursor.peek(cursor.at, 2) == bytes(2):
        cursor.take(2)
        cursor.add(exact("udp.checksum", "none"))
    else:
        free = [port for port in (source_port, target_port) if is_ephemeral(port)]
        words = b"".join(port.to_bytes(2, "big") for port in free)
        cursor.add(transport_checksum("udp.checksum", cursor, begin, packet, words))
    if is_vxlan:
        vxlan(cursor, layers)
    elif target_port == geneve_header.UDP_PORT:
        geneve(cursor, layers)
    elif source_port in _DHCP_PORTS and target_port in _DHCP_PORTS:
        dhcp(cursor)
    elif _DNS_PORT in (source_port, target_port):
        dns(cursor)
    cursor.rest("udp.data")
