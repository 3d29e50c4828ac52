"""Which bridges of two hosts a tunnel joins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from vnet.base.ids import IpAddress
from vnet.ovs.ofproto.tunnel.config import TunnelConfig
from vnet.topology.model import Host


class TunnelEnd(NamedTuple):
    """A tunnel's port: of which bridge of which host, and how it is set up."""

    host: str
    bridge: str
    port: str
    tunnel: TunnelConfig


def tunnel_ends(host: Host) -> Iterator[TunnelEnd]:
    """The tunnels of a host."""
    for switch in host.switches.values():
        ports = () if switch.ovs is None else switch.ovs.config.ports
        for port in ports:
            interface = port.interfaces[0]
            if interface.is_tunnel:
                yield TunnelEnd(host.name, switch.name, port.name, interface.tunnel)


def tunnel_pairs(hosts: Iterable[Host]) -> Iterator[tuple[TunnelEnd, TunnelEnd]]:
    """The tunnels that lead to each other, each pair once, where addresses tell."""
    hosts = list(hosts)
    owners: dict[IpAddress, str] = {
        address.ip: host.name
        for host in hosts
        for nic in host.nics.values()
        for address in nic.addresses
    }
    ends = {host.name: list(tunnel_ends(host)) for host in hosts}
    order = {host.name: place for place, host in enumerate(hosts)}
    for one in (end for host in hosts for end in ends[host.name]):
        remote = one.tunnel.remote
        target = None if remote is None else owners.get(remote)
        if target is None or order[target] < order[one.host]:
            continue
        for other in ends[target]:
            back = other.tunnel.remote
            leads_back = back is not None and owners.get(back) == one.host
            if leads_back and _understand(one.tunnel, other.tunnel):
                yield one, other


def _understand(one: TunnelConfig, other: TunnelConfig) -> bool:
    """Whether what either sends is the other's to receive."""
    if (one.kind, one.udp_port) != (other.kind, other.udp_port):
        return False
    return all(
        sent.is_flow or received.is_flow or sent.value == received.value
        for sent, received in ((one.out_key, other.in_key), (other.out_key, one.in_key))
    )
