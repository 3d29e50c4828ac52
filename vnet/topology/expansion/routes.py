"""``gateway`` and ``routes`` of a machine: each next hop must be a neighbour."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.ids import IpAddress, ip_text, is_link_local_ip6, network_of
from vnet.base.text import one_of, quote
from vnet.tables.fib import RouteType
from vnet.tables.policy import TABLE_LOCAL, TABLE_MAIN
from vnet.topology.model import Address, Nexthop, Nic, Route
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.route import RouteFile
from vnet.topology.schema.topology import HostFile, MachineFile


def routes_of(
    path: Path, file: MachineFile, nics: Sequence[Nic], report: Report, count: int
) -> tuple[Route, ...]:
    """The routes of the machine at ``path``: its gateways first, then its routes in order.

    ``nics`` are those of the first of ``count`` machines, whose addresses count up.
    """
    devices = [nic.name for nic in nics]
    if isinstance(file, HostFile):
        devices += file.switches
    wanted: list[tuple[Path, Route]] = []
    for index, gateway in enumerate(file.gateway):
        anywhere = IpAddress(bytes(len(gateway)))
        wanted.append(((*path, "gateway", index), Route(anywhere, 0, (Nexthop(gateway),))))
    for index, given in enumerate(file.routes):
        here = (*path, "routes", index)
        if (route := _route(here, given, devices, report)) is not None:
            wanted.append(((*here, "via"), route))
    seen: set[tuple[object, ...]] = set()
    for here, route in wanted:
        place = (route.network, route.prefix_length, route.table, route.metric, route.tos)
        if place in seen:
            to = f"{ip_text(route.network)}/{route.prefix_length}"
            report.add(here, f"a second route to {to}")
        seen.add(place)
        for hop in route.nexthops:
            if hop.gateway is not None and not route.onlink:
                _check_gateway(here, hop.gateway, nics, report, count)
    return tuple(route for _, route in wanted)


def _route(path: Path, file: RouteFile, devices: Sequence[str], report: Report) -> Route | None:
    """One route; None where it cannot be."""
    hops = [Nexthop(gateway, file.dev) for gateway in file.via]
    hops += [Nexthop(each.via, each.dev or file.dev, each.weight) for each in file.nexthops]
    leads = file.type in ("unicast", "local")
    if not hops and leads and (file.dev is not None or file.type == "local"):
        hops = [Nexthop(None, file.dev or "lo")]
    gateways = [hop.gateway for hop in hops if hop.gateway is not None]
    fault = _fault(file, hops, gateways, devices)
    if fault is not None:
        report.add((*path, fault[0]), fault[1], at_key=fault[0] == "type")
        return None
    about = [*gateways, *([file.src] if file.src is not None else [])]
    family = len(about[0]) if about else 4
    network, length = file.to or (IpAddress(bytes(family)), 0)
    if any(len(network) != len(ip) for ip in about):
        report.add((*path, "via"), "the gateway speaks another IP version than the network")
        return None
    kind = RouteType[file.type.upper()]
    return Route(
        network,
        length,
        tuple(hops),
        kind,
        file.metric,
        TABLE_LOCAL if kind is RouteType.LOCAL and file.table == TABLE_MAIN else file.table,
        file.src,
        file.tos,
        file.mtu or 0,
        file.onlink,
    )


def _fault(
    file: RouteFile, hops: Sequence[Nexthop], gateways: Sequence[IpAddress], devices: Sequence[str]
) -> tuple[str, str] | None:
    """The key at fault, and what is wrong with it."""
    if file.via and file.nexthops:
        return "nexthops", "a route has either 'via' or 'nexthops'"
    if len(set(gateways)) < len(gateways):
        return "via", "the route has a gateway twice"
    if file.type in ("unicast", "local") and not hops:
        return "to", "a route leads by a gateway ('via') or over a device ('dev')"
    if file.type not in ("unicast", "local") and hops:
        return "type", f"a route of type {file.type} leads nowhere, and so by no gateway"
    if any(hop.gateway is None and hop.device is None for hop in hops):
        return "nexthops", "a next hop has a gateway ('via') or a device ('dev')"
    if len(devices) and any(hop.device not in (None, "lo", *devices) for hop in hops):
        return "dev", f"the machine has {one_of([*devices, 'lo'])}, and no other device"
    return None


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
        if not hint and any(nic.dhcp_client for nic in nics):
            hint = "its address comes by DHCP, and its gateway with it"
        report.add(path, f"gateway {text} is on no network of this machine", hint)


def same_network(address: Address, ip: bytes) -> bool:
    """Whether ``ip`` is a neighbour of ``address``: same version, same network bits."""
    length = address.prefix_length
    return len(ip) == len(address.ip) and network_of(ip, length) == network_of(address.ip, length)


def _network_text(address: Address) -> str:
    length = address.prefix_length
    return f"{ip_text(network_of(address.ip, length))}/{length}"
