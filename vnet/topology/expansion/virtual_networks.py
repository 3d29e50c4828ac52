"""Switches of a host that are virtual networks of libvirt's: nat, route, isolated, open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Network

from vnet.base.ids import IpAddress, ip_from_text, ip_text
from vnet.base.text import quote
from vnet.base.units import NS_PER_S, duration_text
from vnet.hypervisor.modes.virtual_network import Forward, VirtualNetwork
from vnet.linux.services.dhcp_server.settings import DhcpOption, DhcpServing
from vnet.topology.expansion.cards import NO_MAC
from vnet.topology.model import Address, HostSwitch, Nic
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.dhcp import DhcpFile, serving_of
from vnet.topology.schema.topology import HostSwitchFile
from vnet.wire.dhcp_options import ROUTER

DEFAULT_BRIDGE = "virbr0"
_DEFAULT_NAME = "default"
_DEFAULT_ADDRESS = Address(ip_from_text("192.168.122.1"), 24)
_LONGEST_PREFIX = 30
"""A network has room for its bridge and for a guest."""


def network_of_switch(
    path: Path, name: str, file: HostSwitchFile, mode: str, report: Report
) -> VirtualNetwork | None:
    """The network that the switch ``name`` at ``path`` is; None for one of mode bridge."""
    if mode == "bridge":
        return None
    if file.type != "linux":
        what = f"mode {quote(mode)} is for Linux bridges"
        report.add((*path, "type"), what, "write type: linux, or mode: bridge")
        return None
    if file.uplink not in (None, "none"):
        what = f"a network of mode {mode} has no card behind it"
        report.add((*path, "uplink"), what, "leave it out, or write mode: bridge")
    address = _address(path, file, mode, report)
    delay_ns = file.forward_delay or 0
    if delay_ns % NS_PER_S:
        what = f"libvirt counts the forward_delay in seconds, not {duration_text(delay_ns)}"
        report.add((*path, "forward_delay"), what)
    return VirtualNetwork(
        _DEFAULT_NAME if name == DEFAULT_BRIDGE else name,
        name,
        NO_MAC,
        Forward(mode),
        address.ip,
        address.prefix_length,
        stp=file.stp or "stp" not in file.model_fields_set,
        delay_s=delay_ns // NS_PER_S,
    )


def serving_of_network(
    path: Path, file: HostSwitchFile, network: VirtualNetwork, report: Report
) -> DhcpServing | None:
    """What libvirt's dnsmasq leases on a network: all that there is, unless the file says.

    An isolated network has no router to tell of.
    """
    said = "dhcp" in file.model_fields_set
    if said and file.dhcp is None:
        return None
    given = file.dhcp or DhcpFile()
    address = Address(network.ip, network.prefix_length)
    serving = serving_of((*path, "dhcp") if said else path, given, [address], report)
    if serving is None:
        return None
    if network.forward is Forward.ISOLATED and given.router is None:
        no_router = DhcpOption(ROUTER, b"", is_addresses=True)
        serving = replace(serving, options=(no_router, *serving.options))
    most = sum(len(each) for each in serving.ranges)
    if "leases" in given.model_fields_set:
        most = given.leases
    return replace(serving, authoritative=True, overload=False, most_leases=most)


def _address(path: Path, file: HostSwitchFile, mode: str, report: Report) -> Address:
    if not file.ip:
        return _DEFAULT_ADDRESS
    here: Path = (*path, "ip", 0)
    address = file.ip[0]
    if len(file.ip) > 1 or len(address.ip) == 16:
        what = f"a network of mode {mode} has one address, of IPv4"
        report.add((*path, "ip", len(file.ip) - 1), what)
        return _DEFAULT_ADDRESS
    if address.prefix_length > _LONGEST_PREFIX:
        what = f"{_text(address)} leaves no room for guests"
        report.add(here, what, f"/{_LONGEST_PREFIX} at most")
    return address


def check_subnets(
    path: Path,
    switches: Mapping[str, HostSwitch],
    cards: Iterable[Nic],
    report: Report,
) -> None:
    """Report networks of one host that overlap with each other, or with those of its cards.

    As libvirt does, which refuses to start a network that is in use elsewhere.
    """
    seen = list(_subnets_of(cards))
    for name, switch in switches.items():
        if switch.network is None:
            continue
        own = IPv4Network(switch.network.subnet)
        for other, owner in seen:
            if own.overlaps(other):
                what = f"network {quote(str(own))} of {name} overlaps with {other} of {owner}"
                here = place_of_network(report, path, name, "ip", 0)
                report.add(here, what, "give it another with 'ip'")
                break
        seen.append((own, name))


def place_of_network(report: Report, host: Path, switch: str, *keys: str | int) -> Path:
    """Where the file says what a switch of the host at ``host`` is: at ``keys`` of it, if it has
    them; else what it has, or the host's mode."""
    found: Path = (*host, "switches")
    for key in (switch, *keys):
        if not report.has((*found, key)):
            break
        found = (*found, key)
    return found if len(found) > len(host) + 1 else (*host, "mode")


def _subnets_of(cards: Iterable[Nic]) -> Iterator[tuple[IPv4Network, str]]:
    for card in cards:
        for address in card.addresses:
            if len(address.ip) == 4:
                yield IPv4Network(_text(address), strict=False), card.name


def _text(address: Address) -> str:
    return f"{ip_text(IpAddress(address.ip))}/{address.prefix_length}"
