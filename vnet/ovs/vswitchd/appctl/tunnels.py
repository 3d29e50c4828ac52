"""``ovs/route/...`` and ``tnl/...``: the ways that tunnels take, their neighbours and ports."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vnet.base.ids import IpAddress, Mac, ip_from_text, mac_from_text
from vnet.ovs.dpif.dpif import UdpPortRange
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ofproto.dump.tunnels import (
    neighbors_lines,
    port_range_text,
    route_lines,
    routes_lines,
    tunnel_endpoints_lines,
    tunnel_ports_lines,
    tunnels_lines,
)
from vnet.ovs.ofproto.tunnel.neighbors import MAX_AGEING_S
from vnet.ovs.vswitchd.reconcile import Vswitchd

_OK = "OK"
_MARK = re.compile(r"pkt_mark=(0[xX][0-9a-fA-F]+|[0-9]+)")
_DECIMAL = re.compile(r"\s*\+?([0-9]+)")


def _network(text: str) -> tuple[IpAddress, int] | None:
    """An address with a prefix length; without one, of all its bits."""
    address, slash, length = text.partition("/")
    try:
        ip = ip_from_text(address)
    except ValueError:
        return None
    if not slash:
        return ip, len(ip) * 8
    if not length.isdecimal() or int(length) > len(ip) * 8:
        return None
    return ip, int(length)


def _mark(word: str) -> int | None:
    found = _MARK.match(word)
    return None if found is None else int(found[1], 0)


def _marked(words: Sequence[str]) -> int:
    """The packet mark that the last of some words is; 0 where there is no word."""
    if not words:
        return 0
    mark = _mark(words[0])
    if mark is None:
        raise OvsTextError("Invalid pkt_mark")
    return mark


def add_route(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``ovs/route/add ip_addr/prefix_len out_br_name [gw] [pkt_mark=mark]``."""
    network = _network(words[0])
    if network is None:
        raise OvsTextError("Invalid parameters")
    target, prefix_length = network
    gateway, mark = None, 0
    if len(words) > 2:
        found = _mark(words[2])
        if found is not None:
            mark = found
        else:
            gateway = _gateway(words[2], target)
    if len(words) > 3:
        mark = _marked(words[3:])
    router = vswitchd.backer.underlay.router
    if not router.add(target, prefix_length, words[1], gateway=gateway, mark=mark):
        raise OvsTextError("Error while inserting route.")
    return _OK


def _gateway(word: str, target: IpAddress) -> IpAddress | None:
    family = "" if len(target) == 4 else "IPv6 "
    try:
        gateway = ip_from_text(word)
    except ValueError:
        gateway = None
    if gateway is None or len(gateway) != len(target):
        raise OvsTextError(f"Invalid pkt_mark or {family}gateway")
    return gateway if any(gateway) else None


def delete_route(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``ovs/route/del ip_addr/prefix_len [pkt_mark=mark]``."""
    network = _network(words[0])
    if network is None:
        raise OvsTextError("Invalid parameters")
    if not vswitchd.backer.underlay.router.remove(*network, mark=_marked(words[1:])):
        raise OvsTextError("Not found")
    return _OK


def look_up_route(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``ovs/route/lookup ip_addr [pkt_mark=mark]``."""
    network = _network(words[0])
    if network is None or network[1] != len(network[0]) * 8:
        raise OvsTextError("Invalid parameters")
    route = vswitchd.backer.underlay.router.lookup(network[0], mark=_marked(words[1:]))
    if route is None:
        raise OvsTextError("Not found")
    return "\n".join(route_lines(route))


def set_neighbor(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``tnl/neigh/set BRIDGE IP MAC``."""
    bridge, address, mac = words
    try:
        ip = ip_from_text(address)
    except ValueError as error:
        raise OvsTextError("bad IP address") from error
    try:
        owner: Mac = mac_from_text(mac)
    except ValueError as error:
        raise OvsTextError("bad MAC address") from error
    vswitchd.backer.underlay.neighbors.learn(bridge, ip, owner)
    return _OK


def flush_neighbors(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``tnl/neigh/flush``."""
    vswitchd.backer.underlay.neighbors.flush()
    return _OK


def age_neighbors(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``tnl/neigh/aging [SECS]``."""
    neighbors = vswitchd.backer.underlay.neighbors
    if not words:
        return str(neighbors.ageing_s)
    found = _DECIMAL.match(words[0])
    if found is None or not 0 < int(found[1]) <= MAX_AGEING_S:
        raise OvsTextError("bad aging value")
    neighbors.set_ageing(int(found[1]))
    return _OK


def port_range(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``tnl/egress_port_range min max``."""
    if len(words) < 2:
        return port_range_text(vswitchd.backer.dpif.udp_ports)
    ends = []
    for word, name in zip(words, ("min", "max"), strict=True):
        found = _DECIMAL.match(word)
        if found is None or not 0 < int(found[1]) <= 0xFFFF:
            return f"Invalid {name}."
        ends.append(int(found[1]))
    vswitchd.backer.dpif.set_udp_ports(UdpPortRange(min(ends), max(ends)))
    return _OK


def show_ports(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``tnl/ports/show -v``."""
    if words and words[0].lower() == "-v":
        return "\n".join(tunnel_endpoints_lines(vswitchd.backer.underlay))
    return "\n".join(tunnel_ports_lines(vswitchd.backer.underlay))


def show_routes(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``ovs/route/show``."""
    return "\n".join(routes_lines(vswitchd.backer.underlay))


def show_neighbors(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``tnl/neigh/show``."""
    return "\n".join(neighbors_lines(vswitchd.backer.underlay))


def list_tunnels(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``ofproto/list-tunnels``."""
    return "\n".join(tunnels_lines(vswitchd.backer.underlay))
