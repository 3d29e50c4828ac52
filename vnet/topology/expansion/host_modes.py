"""``mode`` and ``style`` of a host: which scripts put its guests on the network.

A mode of Xen's own (route, nat) needs no switch: each guest hangs on its back end alone. Every
other one but ``bridge`` is that of libvirt's virtual networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from vnet.base.ids import IpAddress
from vnet.base.text import one_of, quote
from vnet.hypervisor.modes.domain_addresses import (
    MOST_DOMID,
    NAT_PREFIX_LENGTH,
    address_of_domain,
    has_router,
    router_address,
)
from vnet.topology.expansion.routes import same_network
from vnet.topology.model import (
    Address,
    BridgeStyle,
    Host,
    Hypervisor,
    Nexthop,
    Nic,
    Route,
    VifMode,
    Vm,
    Vnic,
)
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.topology import HostFile

_BRIDGE_STYLES = tuple(style.value for style in BridgeStyle)
_DEFAULT_ROUTE = IpAddress(bytes(4))


class HostScripts(NamedTuple):
    """What a host does with cards: ``bridge_style`` for those behind its bridges, ``vif_mode``
    for those of guests that plug into no switch; ``networks`` is the mode that its switches have
    unless they say so."""

    bridge_style: BridgeStyle
    vif_mode: VifMode | None
    network_mode: str


def scripts_of(path: Path, file: HostFile, report: Report) -> HostScripts:
    """What ``mode`` and ``style`` of the host at ``path`` mean."""
    xen = file.hypervisor == Hypervisor.XEN.value
    bridge_style = BridgeStyle.NETWORK_BRIDGE if xen else BridgeStyle.ENSLAVED
    fault = _fault(file)
    if fault is not None:
        key, what, hint = fault
        report.add((*path, key), what, hint)
        return HostScripts(bridge_style, None, "bridge")
    if file.mode == "bridge":
        if file.style is not None:
            bridge_style = BridgeStyle(file.style)
        return HostScripts(bridge_style, None, "bridge")
    if _is_xens(file):
        return HostScripts(bridge_style, VifMode(file.mode), "bridge")
    return HostScripts(bridge_style, None, file.mode)


def _is_xens(file: HostFile) -> bool:
    default = file.hypervisor == Hypervisor.XEN.value and file.mode in ("route", "nat")
    return file.style == "xen" or (file.style is None and default)


def _fault(file: HostFile) -> tuple[str, str, str] | None:
    """The key at fault, what is wrong with it, and what would be right."""
    mode, style, hypervisor = file.mode, file.style, file.hypervisor
    if mode != "bridge" and hypervisor not in (Hypervisor.XEN.value, Hypervisor.KVM.value):
        what = f"mode {quote(mode)} is for xen and kvm, not for {hypervisor}"
        return "mode", what, "write mode: bridge"
    if style is None:
        return None
    fitting = _BRIDGE_STYLES if mode == "bridge" else ("libvirt", "xen")
    if mode in ("isolated", "open"):
        fitting = ("libvirt",)
    if style not in fitting:
        return (
            "style",
            f"style {quote(style)} is not one of mode {mode}",
            f"it has: {one_of(fitting)}",
        )
    if style in ("network-bridge", "xen") and hypervisor != Hypervisor.XEN.value:
        other = "enslaved" if mode == "bridge" else "libvirt"
        what = f"style {quote(style)} is Xen's, not {hypervisor}'s"
        return "style", what, f"write style: {other}"
    return None


def netdev_of(
    path: Path, script: VifMode | None, nics: Mapping[str, Nic], report: Report
) -> str | None:
    """The card that Xen's scripts reach the outside by: the first that has an IPv4 address."""
    if script is None:
        return None
    for nic in nics.values():
        if any(len(address.ip) == 4 for address in nic.addresses):
            return nic.name
    what = f"mode {script.value} needs a card of the host with an IPv4 address"
    report.add((*path, "mode"), what, "as in nics: {eth0: {ip: 192.0.2.1/24}}")
    return None


def settle(host: Host, domid: int, vm: Vm) -> Vm:
    """``vm`` with what Xen's modes give a guest: an address in mode nat, and its router.

    What the file says of them stands.
    """
    if host.vif_mode is None or host.netdev is None or domid > MOST_DOMID:
        return vm
    vnics = tuple(_addressed(host, domid, number, vnic) for number, vnic in enumerate(vm.vnics))
    routes = vm.routes
    if not any(route.prefix_length == 0 and route.network == _DEFAULT_ROUTE for route in routes):
        gateways = (_way_out(host, vnic) for vnic in vnics)
        routes += tuple(route for route in gateways if route is not None)[:1]
    return replace(vm, vnics=vnics, routes=routes)


def _addressed(host: Host, domid: int, number: int, vnic: Vnic) -> Vnic:
    if host.vif_mode is not VifMode.NAT or vnic.switch or vnic.addresses:
        return vnic
    own = Address(address_of_domain(domid, number), NAT_PREFIX_LENGTH)
    return replace(vnic, addresses=(own,))


def _way_out(host: Host, vnic: Vnic) -> Route | None:
    """The default route by a card that hangs on its back end alone."""
    own = next((address for address in vnic.addresses if len(address.ip) == 4), None)
    if vnic.switch or own is None:
        return None
    if host.vif_mode is VifMode.ROUTE:
        gateway = host_address(host)
    elif has_router(own.ip):
        gateway = router_address(own.ip)
    else:
        return None
    hop = Nexthop(gateway, vnic.name)
    return Route(_DEFAULT_ROUTE, 0, (hop,), onlink=not same_network(own, gateway))


def host_address(host: Host) -> IpAddress:
    """The host's own address, that its guests of mode route have for a gateway."""
    addresses = host.nics[host.netdev or ""].addresses
    return next(address.ip for address in addresses if len(address.ip) == 4)
