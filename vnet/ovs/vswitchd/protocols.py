"""Sets a running bridge up to listen in and to speak: multicast snooping, and spanning trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from vnet.base.ids import Mac
from vnet.ovs.flow.ports import OFPP_LOCAL
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.spanning_tree.tree import Home
from vnet.ovs.ofproto.switching.multicast import MulticastSnooping
from vnet.ovs.vlog.vlog import LogModule
from vnet.ovs.vswitchd.changes import ports_in_table_order
from vnet.ovs.vswitchd.config import BridgeConfig
from vnet.ovs.vswitchd.row import setting_truth
from vnet.ovs.vswitchd.spanning_tree import rstp_ports, rstp_settings, stp_ports, stp_settings

SettingsT = TypeVar("SettingsT")


def configure_snooping(bridge: Ofproto, config: BridgeConfig) -> None:
    """``mcast_snooping_enable`` and ``mcast-snooping-*``."""
    switching = bridge.switching
    if not config.mcast_snooping_enable:
        if switching.snooping is not None:
            switching.snooping.close()
            switching.snooping = None
        return
    if switching.snooping is None:
        switching.snooping = MulticastSnooping(bridge.scheduler, bridge.touch)
    table = switching.snooping.table
    switching.snooping.configure(
        ageing_s=config.mcast_aging_time_s,
        max_groups=config.mcast_table_size,
        flood_unregistered=not config.mcast_disable_flood_unregistered,
    )
    for port in ports_in_table_order(config):
        bundle = switching.bundles.get(port.name)
        if bundle is not None:
            table.set_flood(
                bundle,
                traffic=setting_truth(port.other_config, "mcast-snooping-flood", False),
                reports=setting_truth(port.other_config, "mcast-snooping-flood-reports", False),
            )


def configure_spanning_tree(
    bridge: Ofproto, config: BridgeConfig, home: Home, log: LogModule
) -> None:
    """``stp_enable`` or ``rstp_enable``, which goes first, and their ``other_config``.

    Unless another is set, the bridge's address is that of its local port.
    """
    local = bridge.ports.get(OFPP_LOCAL)
    if config.rstp_enable and config.stp_enable:
        log.warn(
            f"{config.name}: RSTP and STP are mutually exclusive but both are configured; "
            "enabling RSTP"
        )
    if local is not None and config.rstp_enable:
        _configure_rstp(bridge, config, home, local.mac, log)
    elif local is not None and config.stp_enable:
        _configure_stp(bridge, config, home, local.mac, log)
    else:
        _close(bridge)


def _configure_rstp(
    bridge: Ofproto, config: BridgeConfig, home: Home, mac: Mac, log: LogModule
) -> None:
    from vnet.ovs.ofproto.spanning_tree.rstp_bridge import RstpBridge  # Few bridges speak it.

    def say_of_bridge(sentence: str) -> None:
        log.err(f"bridge {config.name}: {sentence}")

    settings = rstp_settings(config.other_config, mac, say_of_bridge)
    ports = rstp_ports(ports_in_table_order(config), _mirror_outputs(bridge), log.err)
    tree = bridge.spanning_tree
    if not isinstance(tree, RstpBridge):
        _close(bridge)
        tree = bridge.spanning_tree = RstpBridge(bridge, home, settings)
        bridge.touch()
    tree.configure(settings, _by_port(bridge, config, ports))


def _configure_stp(
    bridge: Ofproto, config: BridgeConfig, home: Home, mac: Mac, log: LogModule
) -> None:
    from vnet.ovs.ofproto.spanning_tree.stp_bridge import StpBridge

    def say_of_bridge(sentence: str) -> None:
        log.err(f"bridge {config.name}: {sentence}")

    settings = stp_settings(config.other_config, mac, say_of_bridge)
    ports = stp_ports(ports_in_table_order(config), _mirror_outputs(bridge), log.err)
    if ports is None:
        say_of_bridge("must manually configure all STP port IDs or none, disabling")
        _close(bridge)
        return
    tree = bridge.spanning_tree
    if not isinstance(tree, StpBridge):
        _close(bridge)
        tree = bridge.spanning_tree = StpBridge(bridge, home, settings)
        bridge.touch()
    tree.configure(settings, _by_port(bridge, config, ports))


def _mirror_outputs(bridge: Ofproto) -> frozenset[str]:
    outputs = (mirror.output for mirror in bridge.switching.mirrors)
    return frozenset(output.name for output in outputs if output is not None)


def _close(bridge: Ofproto) -> None:
    if bridge.spanning_tree is not None:
        bridge.spanning_tree.close()
        bridge.spanning_tree = None
        bridge.touch()


def _by_port(
    bridge: Ofproto, config: BridgeConfig, settings: Mapping[str, SettingsT]
) -> dict[OfPort, SettingsT]:
    """Settings, known by the names of their ports, by interface of the bridge. Those of interfaces
    that have no device are passed over.
    """
    interfaces = {port.name: port.interfaces for port in config.all_ports}
    found = {}
    for name, wanted in settings.items():
        for interface in interfaces[name]:
            port = bridge.port_by_name(interface.name)
            if port is not None:
                found[port] = wanted
    return found
