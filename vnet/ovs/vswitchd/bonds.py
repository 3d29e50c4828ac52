"""From a port's configuration to its bond and its end of LACP.

What cannot be used is silently something else, as ovs-vswitchd.conf.db(5) has it, or as Open
vSwitch does with a warning: an interval below a second is one second, a negative delay none, an
unknown speed slow. Only a system's address that cannot be read means no LACP at all.
``bond_active_slave`` and ``bond-miimon-interval`` change nothing: 3.1 reads the one and does not
use it, and devices of a lab report their links without being polled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vnet.base.ids import MAC_ZERO, Mac
from vnet.base.units import NS_PER_MS
from vnet.l2.lacp.aggregation import Settings as LacpSettings
from vnet.l2.lacp.member import PortSettings
from vnet.ovs.ofproto.bond.settings import AggregateSettings, BondMode, BondSettings
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.vswitchd.config import BridgePortConfig, InterfaceConfig
from vnet.ovs.vswitchd.row import setting_number, setting_truth

_MAC = re.compile(r"[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2}){5}")
_U16_MAX = 0xFFFF
_INT_LIMIT = 1 << 31
_LEAST_INTERVAL_MS = 1000
_DEFAULT_INTERVAL_MS = 10_000


def aggregate_settings(
    config: BridgePortConfig, ports: Mapping[str, OfPort], bridge_mac: Mac
) -> AggregateSettings | None:
    """What makes a port a bond or an end of LACP; None for an ordinary one. ``ports`` are those
    of its interfaces that there are, by name.
    """
    lacp = lacp_settings(config, len(ports), bridge_mac)
    if len(ports) < 2 and lacp is None:
        return None
    interfaces = (interface for interface in config.interfaces if interface.name in ports)
    members = {ports[i.name]: _port_settings(i, ports[i.name]) for i in interfaces}
    return AggregateSettings(bond_settings(config), lacp, members)


def bond_settings(config: BridgePortConfig) -> BondSettings:
    """The bond that a port with several interfaces is."""
    other = config.other_config
    mode = BondMode(config.bond_mode or BondMode.ACTIVE_BACKUP.value)
    interval_ms = _int(other, "bond-rebalance-interval", _DEFAULT_INTERVAL_MS)
    falls_back = setting_truth(other, "lacp-fallback-ab", False)
    heeds_primary = mode is BondMode.ACTIVE_BACKUP or falls_back
    return BondSettings(
        config.name,
        mode,
        updelay_ns=max(0, config.bond_updelay) * NS_PER_MS,
        downdelay_ns=max(0, config.bond_downdelay) * NS_PER_MS,
        hash_basis=_int(other, "bond-hash-basis", 0) & 0xFFFFFFFF,
        rebalance_interval_ns=interval_ms and max(interval_ms, _LEAST_INTERVAL_MS) * NS_PER_MS,
        fallback=falls_back,
        primary=other.get("bond-primary") if heeds_primary else None,
        all_members_active=setting_truth(other, "all-members-active", False),
        wants_lb_output=mode is BondMode.BALANCE_TCP
        and setting_truth(other, "lb-output-action", False),
    )


def lacp_settings(
    config: BridgePortConfig, n_interfaces: int, bridge_mac: Mac
) -> LacpSettings | None:
    """What a port says of itself in LACP, if it speaks that."""
    if config.lacp in (None, "off"):
        return None
    other = config.other_config
    system = mac_at_start(other["lacp-system-id"]) if "lacp-system-id" in other else bridge_mac
    if system in (None, MAC_ZERO):
        return None
    assert system is not None
    # A bond is to be preferred to a single link.
    default_priority = _U16_MAX - (n_interfaces > 1)
    return LacpSettings(
        config.name,
        system,
        _u16(other, "lacp-system-priority", default_priority),
        active=config.lacp == "active",
        fast=other.get("lacp-time", "").lower() == "fast",
        fallback=setting_truth(other, "lacp-fallback-ab", False),
    )


def _port_settings(interface: InterfaceConfig, port: OfPort) -> PortSettings:
    other = interface.other_config
    return PortSettings(
        interface.name,
        _u16(other, "lacp-port-id", port.number),
        _u16(other, "lacp-port-priority", _U16_MAX),
        _u16(other, "lacp-aggregation-key", 0),
    )


def _int(settings: Mapping[str, str], name: str, default: int) -> int:
    """A number of 32 bits with a sign; ``default`` for any other."""
    number = setting_number(settings, name, default)
    return number if -_INT_LIMIT <= number < _INT_LIMIT else default


def _u16(settings: Mapping[str, str], name: str, default: int) -> int:
    """A number from 1 to 65535; ``default`` for any other."""
    number = _int(settings, name, 0)
    return number if 0 < number <= _U16_MAX else default


def mac_at_start(text: str) -> Mac | None:
    """The address that a text begins with, as Open vSwitch reads it here."""
    found = _MAC.match(text)
    return found and Mac(bytes(int(part, 16) for part in found[0].split(":")))
