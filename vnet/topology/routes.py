"""``gateway`` and ``routes`` of a machine: each next hop must be a neighbour."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.ids import IpAddress, ip_text, is_link_local_ip6, network_of
from vnet.base.text import one_of, quote
from vnet.topology.model import Address, Nic, Route
from vnet.topology.report import Path, Report
from vnet.topology.schema import MachineFile


def routes_of(
    path: Path, file: MachineFile, nics: Sequence[Nic], report: Report, count: int
) -> tuple[Route, ...]:
    """The routes of the machine at ``path``: its gateways first, then its routes in order.

    ``nics`` are those of the first of ``count`` machines, whose addresses count up.
    """
    wanted: list[tuple[Path, Route]] = []
    for index, gateway in enumerate(file.gateway):
        anywhere = IpAddress(bytes(len(gateway)))
        wanted.append(((*path, "gateway", index), Route(anywhere, 0, (gateway,))))
    for index, given in enumerate(file.routes):
        here = (*path, "routes", index, "via")
        network, length = given.to or (IpAddress(bytes(len(given.via[0]))), 0)
        if any(len(network) != len(gateway) for gateway in given.via):
            report.add(here, "the gateway speaks another IP version than the network")
            continue
        if len(set(given.via)) < len(given.via):
            report.add(here, "the route has a gateway twice")
            continue
        wanted.append((here, Route(network, length, tuple(given.via))))
    seen: set[tuple[bytes, int]] = set()
    for here, route in wanted:
        if (route.network, route.prefix_length) in seen:
            to = f"{ip_text(route.network)}/{route.prefix_length}"
            report.add(here, f"a second route to {to}")
        seen.add((route.network, route.prefix_length))
        for gateway in route.gateways:
            _check_gateway(here, gateway, nics, report, count)
    return tuple(route for _, route in wanted)


def _check_gateway(
    path: Path, gateway: IpAddress, nics: Sequence[Nic], report: Report, count: int
) -> None:
    text = quote(ip_text(gateway))
    if len(gateway) == 16 and is_link_local_ip6(gateway):
        if len(nics) != 1:
            what = f"link-local gateway {text} does not say which card it is behind"
            report.add(path, what, "give its global address")
        return
    addresses = [address for nic in nics for address in nic.addresses]
    ahead = [
        int.from_bytes(gateway, "big") - int.from_bytes(address.ip, "big")
        for address in addresses
        if len(address.ip) == len(gateway)
    ]
    owner = next((offset for offset in ahead if 0 <= offset < count), None)
    if owner is not None:
        hint = f"that of number {owner + 1}" if count > 1 else ""
        report.add(path, f"gateway {text} is the machine's own address", hint)
    elif not any(same_network(address, gateway) for address in addresses):
        networks = [_network_text(a) for a in addresses if len(a.ip) == len(gateway)]
        hint = f"its networks: {one_of(networks)}" if networks else ""
        report.add(path, f"gateway {text} is on no network of this machine", hint)


def same_network(address: Address, ip: bytes) -> bool:
    """Whether ``ip`` is a neighbour of ``address``: same version, same network bits."""
    length = address.prefix_length
    return len(ip) == len(address.ip) and network_of(ip, length) == network_of(address.ip, length)


def _network_text(address: Address) -> str:
    length = address.prefix_length
    return f"{ip_text(network_of(address.ip, length))}/{length}"
