"""The learning switch of a bridge: how it becomes what the bridge's configuration says."""

from __future__ import annotations

from collections.abc import Container, Mapping

from vnet.base.ids import MAC_ZERO, Mac
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.bond.settings import AggregateSettings
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.vswitchd import bundles, qos
from vnet.ovs.vswitchd.bonds import aggregate_settings
from vnet.ovs.vswitchd.complaints import Complaints
from vnet.ovs.vswitchd.config import BridgeConfig, BridgePortConfig
from vnet.ovs.vswitchd.interface import Interface
from vnet.ovs.vswitchd.protocols import configure_snooping


class LearningSwitch:
    """One bridge's: its table of stations, its ports (bundles, some of which are bonds), its
    mirrors, and who listens to what."""

    def __init__(self, ofproto: Ofproto, backer: Backer, complaints: Complaints) -> None:
        self._ofproto = ofproto
        self._backer = backer
        self._complaints = complaints
        self._bundles: dict[str, Bundle] = {}
        self._aggregates: dict[Bundle, AggregateSettings] = {}
        self._own_mac = MAC_ZERO

    def configure(
        self,
        was: BridgeConfig,
        config: BridgeConfig,
        changed: Container[str],
        interfaces: Mapping[str, Interface],
    ) -> None:
        """Make it what ``config`` says, of whose ports those of the names ``changed`` differ from
        what they were. ``interfaces`` are those that run."""
        switching = self._ofproto.switching
        switching.forward_bpdu = config.forward_bpdu
        if was is config or _learning(was) != _learning(config):
            switching.mac_table.configure(
                ageing_s=config.mac_aging_time_s,
                max_entries=config.mac_table_size,
                flood_vlans=frozenset(config.flood_vlans),
            )
            self._backer.age(self._ofproto)
        self._configure_bundles(config, changed, interfaces)
        if config.mirrors or switching.mirrors:
            self._complaints.mirrors(config, switching.bundles)
            switching.set_mirrors(bundles.mirrors(config.mirrors, switching.bundles))
        configure_snooping(self._ofproto, config)

    def _configure_bundles(
        self, config: BridgeConfig, changed: Container[str], interfaces: Mapping[str, Interface]
    ) -> None:
        """Set up the ports, and those among them that are bonds."""
        ports, local = config.all_ports, interfaces.get(config.name)
        own_mac = MAC_ZERO if local is None else local.port.mac
        for port in ports:
            if port.name in changed or own_mac != self._own_mac:
                self._configure_bundle(config, port, own_mac, interfaces)
        self._own_mac = own_mac
        current = [self._bundles[port.name] for port in ports if port.name in self._bundles]
        self._bundles = {bundle.name: bundle for bundle in current}
        self._aggregates = {
            bundle: self._aggregates[bundle] for bundle in current if bundle in self._aggregates
        }
        known = self._ofproto.switching.bundles
        gone = [known[name] for name in known if known[name] is not self._bundles.get(name)]
        self._backer.forget_stations(self._ofproto, gone)
        self._ofproto.switching.set_bundles(current)
        self._backer.bonding[config.name].configure(self._aggregates)

    def _configure_bundle(
        self,
        config: BridgeConfig,
        port: BridgePortConfig,
        own_mac: Mac,
        interfaces: Mapping[str, Interface],
    ) -> None:
        names = (interface.name for interface in port.interfaces)
        ports = {name: interfaces[name].port for name in names if name in interfaces}
        for member in ports.values():
            member.queue_dscp = qos.dscp_of(port.qos)
            qos.configure(member, port.qos, self._backer.scheduler)
        known = self._bundles.pop(port.name, None)
        if known is not None:
            self._aggregates.pop(known, None)
        if not ports:
            return
        self._complaints.port(config, port, len(ports))
        bundle = self._bundle(bundles.configured(port, list(ports.values())))
        self._bundles[port.name] = bundle
        aggregate = aggregate_settings(port, ports, own_mac)
        if aggregate is not None:
            self._aggregates[bundle] = aggregate

    def _bundle(self, wanted: Bundle) -> Bundle:
        switching = self._ofproto.switching
        bundle = switching.bundles.get(wanted.name)
        if bundle is None:
            return wanted
        if bundles.update(bundle, wanted):
            switching.flush_bundle(bundle)
        return bundle


def _learning(config: BridgeConfig) -> tuple[object, ...]:
    """What is set of how stations are learned."""
    return config.mac_aging_time_s, config.mac_table_size, config.flood_vlans
