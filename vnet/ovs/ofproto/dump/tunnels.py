"""What tunnels know, as ``ovs-appctl`` shows it (``tnl/ports/show``, ``ovs/route/show``, ...)."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.ids import ip_text, mac_text
from vnet.ovs.dpif.dpif import UdpPortRange
from vnet.ovs.dpif.text.flows import match_text
from vnet.ovs.dpif.text.show import USUAL_PORTS
from vnet.ovs.flow.value_text import hex_text
from vnet.ovs.ofproto.tunnel.config import (
    ANY_ADDRESS,
    DEFAULT_TTL,
    Key,
    PacketTypes,
    TunnelConfig,
)
from vnet.ovs.ofproto.tunnel.ports import TunnelMatch
from vnet.ovs.ofproto.tunnel.router import TunnelRoute
from vnet.ovs.ofproto.tunnel.underlay import Underlay

_ADDRESS_WIDTH = 46
"""INET6_ADDRSTRLEN."""


def tunnel_ports_lines(underlay: Underlay) -> Iterator[str]:
    """``tnl/ports/show``: the datapath's ports for tunnels, and how many tunnels share each."""
    yield "Listening ports:"
    for listener, n_tunnels in underlay.listeners().items():
        yield f"{listener.name} ({listener.odp_port}) ref_cnt={n_tunnels}"


def tunnel_endpoints_lines(underlay: Underlay) -> Iterator[str]:
    """``tnl/ports/show -v``: what packets are tunnels'."""
    yield "Listening ports:"
    for listener, match in underlay.listening().entries():
        shown = match_text(match.value, match.mask)
        yield f"{listener.name} ({listener.odp_port}) : {shown}"


def neighbors_lines(underlay: Underlay) -> Iterator[str]:
    """``tnl/neigh/show``"""
    yield f"{'IP':<{_ADDRESS_WIDTH}}{'MAC':<20}Bridge"
    yield "=" * 74
    for neighbor in underlay.neighbors:
        ip = f"{ip_text(neighbor.ip):<{_ADDRESS_WIDTH}}"
        yield f"{ip}{mac_text(neighbor.mac)}   {neighbor.bridge}"


def routes_lines(underlay: Underlay) -> Iterator[str]:
    """``ovs/route/show``"""
    yield "Route Table:"
    yield from map(_route_line, underlay.router.all())


def _route_line(route: TunnelRoute) -> str:
    line = "User: " if route.is_user else "Cached: "
    line += f"{ip_text(route.network)}/{route.prefix_length}"
    if route.mark:
        line += f" MARK {route.mark}"
    line += f" dev {route.device}"
    if route.gateway is not None:
        line += f" GW {ip_text(route.gateway)}"
    line += f" SRC {ip_text(route.source)}"
    return f"{line} local" if route.is_local else line


def route_lines(route: TunnelRoute) -> Iterator[str]:
    """``ovs/route/lookup``"""
    yield f"src {ip_text(route.source)}"
    yield f"gateway {'::' if route.gateway is None else ip_text(route.gateway)}"
    yield f"dev {route.device}"


def port_range_text(ports: UdpPortRange) -> str:
    """``tnl/egress_port_range``"""
    return f"Tunnel UDP source port range: {ports.first}-{ports.last}"


def tunnels_lines(underlay: Underlay) -> Iterator[str]:
    """``ofproto/list-tunnels``"""
    for port in sorted(underlay.tunnels.ports(), key=lambda port: port.name):
        assert port.tunnel is not None
        assert port.odp_port is not None
        config = port.tunnel
        words = [TunnelMatch.of(config, port.odp_port).text()]
        if config.out_key != config.in_key:
            words.append(f"out_key={_key_text(config.out_key)}")
        words.append("ttl=inherit" if config.inherits_ttl else f"ttl={config.ttl}")
        if config.inherits_tos:
            words.append("tos=inherit")
        elif config.tos:
            words.append(f"tos={config.tos:#x}")
        words += ["df=false"] * (not config.dont_fragment) + ["csum=true"] * config.has_checksum
        yield f"port {port.odp_port}: {port.name} ({config.kind}: {', '.join(words)})"


def _key_text(key: Key) -> str:
    if not key.is_present:
        return "none"
    return "flow" if key.is_flow else hex_text(key.value)


def tunnel_settings_text(config: TunnelConfig) -> str:
    """How a tunnel is set up, as ``dpif/show`` shows it: ``key=7, remote_ip=192.0.2.1``. What
    goes without saying is not said."""
    return ", ".join(f"{name}={value}" for name, value in sorted(_settings(config)))


def _settings(config: TunnelConfig) -> Iterator[tuple[str, object]]:
    for name, address in (("remote_ip", config.remote), ("local_ip", config.local)):
        if address != ANY_ADDRESS:
            yield name, "flow" if address is None else ip_text(address)
    if config.in_key == config.out_key:
        yield from _key("key", config.in_key)
    else:
        yield from _key("in_key", config.in_key)
        yield from _key("out_key", config.out_key)
    if config.inherits_ttl or config.ttl != DEFAULT_TTL:
        yield "ttl", "inherit" if config.inherits_ttl else config.ttl
    if config.inherits_tos or config.tos:
        yield "tos", "inherit" if config.inherits_tos else f"{config.tos:#x}"
    if config.udp_port not in (0, USUAL_PORTS.get(config.kind)):
        yield "dst_port", config.udp_port
    for name, is_set in (("csum", config.has_checksum), ("seq", config.has_sequence)):
        if is_set:
            yield name, "true"
    if config.packet_types is not PacketTypes.LEGACY_L2:
        yield "packet_type", config.packet_types.value
    if not config.dont_fragment:
        yield "df_default", "false"
    if config.egress_mark is not None:
        yield "egress_pkt_mark", config.egress_mark


def _key(name: str, key: Key) -> Iterator[tuple[str, object]]:
    if key.is_flow:
        yield name, "flow"
    elif key.is_present:
        yield name, key.value
