"""The switches of a host: which card is behind each, and which are virtual networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from vnet.base.text import did_you_mean, quote
from vnet.topology.expansion.bridges import bridge_of, check_reserved
from vnet.topology.expansion.dhcp import serving_on_bridge
from vnet.topology.expansion.dns import dns_of_network, dns_on_bridge
from vnet.topology.expansion.virtual_networks import (
    DEFAULT_BRIDGE,
    network_of_switch,
    serving_of_network,
)
from vnet.topology.model import Address, HostSwitch
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.topology import HostFile, HostSwitchFile


def host_switches(
    name: str, path: Path, file: HostFile, network_mode: str, report: Report
) -> dict[str, HostSwitch]:
    """The switches of host ``name``; those that say no mode have ``network_mode``."""
    switches = {key: value or HostSwitchFile() for key, value in file.switches.items()}
    if not switches and network_mode != "bridge":
        switches[DEFAULT_BRIDGE] = HostSwitchFile()
    _check_uplinks(name, path, file, switches, report)
    claimed = {str(switch.uplink) for switch in switches.values()}
    free = iter([nic for nic in file.nics if nic not in claimed])
    built: dict[str, HostSwitch] = {}
    for key, switch in switches.items():
        here = (*path, "switches", key)
        ovs, linux = bridge_of(key, here, switch, switch.ports, report)
        mode = switch.mode or network_mode
        network = network_of_switch(here, key, switch, mode, report)
        if network is not None:
            address = Address(network.ip, network.prefix_length)
            linux = replace(linux, tree=replace(linux.tree, stp=network.stp))
            dhcp = serving_of_network(here, switch, network, report)
            network = replace(network, has_dhcp=dhcp is not None)
            own = HostSwitch(key, None, switch.ageing, None, linux, (address,), dhcp, network)
            own = replace(own, dns=dns_of_network(here, switch, address, report))
        else:
            # An uplink of null means none, as 'none' does; only silence gets a card.
            said = "uplink" in switch.model_fields_set
            chosen = switch.uplink if said else next(free, None)
            card = chosen if chosen in file.nics or chosen in file.vlans else None
            dhcp = serving_on_bridge(here, switch, report)
            dns = dns_on_bridge(here, switch, report)
            own = HostSwitch(key, card, switch.ageing, ovs, linux, tuple(switch.ip), dhcp, dns=dns)
            if not said:
                free = iter([])
        built[key] = own
    return built


def _check_uplinks(
    name: str,
    path: Path,
    file: HostFile,
    switches: Mapping[str, HostSwitchFile],
    report: Report,
) -> None:
    claimed: dict[str, str] = {}
    for key, switch in switches.items():
        here = (*path, "switches", key)
        check_reserved(here, key, report)
        if key in file.nics:
            report.add(here, f"{quote(key)} is a card of {name} too", at_key=True)
        if switch.uplink in (None, "none"):
            continue
        uplink = str(switch.uplink)
        if uplink not in file.nics and uplink not in file.vlans:
            hint = did_you_mean(uplink, list(file.nics), f"{name} has")
            what = f"{name} has no card {quote(uplink)}"
            report.add((*here, "uplink"), what, hint or f"{name} has no cards")
        elif uplink in claimed:
            what = f"card {quote(uplink)} is already the uplink of {claimed[uplink]}"
            report.add((*here, "uplink"), what, "a card has one switch")
        claimed.setdefault(uplink, key)
