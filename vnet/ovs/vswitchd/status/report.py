"""All that a daemon has to say of its bridges: after a change, and when time has passed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import cast

from vnet.ovs.ofproto.features import TITLES
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.ovsdb.atoms import Datum, Uuid
from vnet.ovs.vswitchd.bridge import Bridge
from vnet.ovs.vswitchd.config import BridgePortConfig, InterfaceConfig
from vnet.ovs.vswitchd.reconcile import Vswitchd
from vnet.ovs.vswitchd.row import Row
from vnet.ovs.vswitchd.status.interface import NO_INTERFACE, error_of, link_status, statistics
from vnet.ovs.vswitchd.status.port import (
    bridge_status,
    lacp_current,
    port_statistics,
    port_status,
)
from vnet.ovs.vswitchd.status.writer import Status, StatusWriter, one, pairs

DATAPATH_VERSION = "<built-in>"
"""Of a datapath that is part of the daemon."""


class Reporter:
    """Tells a :class:`StatusWriter` what runs."""

    def __init__(self, vswitchd: Vswitchd) -> None:
        self._vswitchd = vswitchd
        self._in_trees: set[str] = set()
        """The bridges that spoke a spanning tree protocol when it was last told of them."""
        self._in_lacp: set[str] = set()
        """The ports that spoke LACP then."""

    def tell_all(self) -> None:
        """What was told may not have been heard: tell it again."""
        for bridge in self._bridges():
            bridge.news.update(interface.name for interface in bridge.config.interfaces())
            for interface in bridge.interfaces.values():
                interface.is_new = interface.is_stale = True

    def doubt(self, rows: Collection[Uuid]) -> None:
        """Somebody may have written something else into these rows of interfaces."""
        if rows:
            for bridge in self._bridges():
                for interface in bridge.interfaces.values():
                    if _uuid(interface.config) in rows:
                        interface.is_stale = True

    def configured(self, writer: StatusWriter) -> None:
        """A configuration is in force: which ports there are now, and which there are not."""
        for bridge in self._bridges():
            status: Status = {
                "datapath_id": one(f"{bridge.ofproto.datapath_id:016x}"),
                "datapath_version": one(DATAPATH_VERSION),
            }
            writer.set("Bridge", _uuid(bridge.config), status)
            if bridge.news or bridge.patches:
                told = bridge.news | bridge.patches
                bridge.news.clear()
                for interface in bridge.config.interfaces():
                    if interface.name in told:
                        self._report_interface(bridge, interface, writer)
        self.changed(writer)

    def datapaths(self, rows: Datum, writer: StatusWriter) -> None:
        """What datapaths can do, whose rows are given by their types."""
        running = {bridge.datapath_type for bridge in self._bridges()}
        features = self._vswitchd.backer.features
        capabilities = {name: _capability(name, features[name]) for name in TITLES}
        for kind, uuid in rows:
            if kind in running:
                status = {"capabilities": pairs({**capabilities, "ct_flush": "true"})}
                writer.set("Datapath", uuid, status)

    def changed(self, writer: StatusWriter) -> None:
        """What has changed by itself: links, and what protocols have found out."""
        for bridge in self._bridges():
            for interface in bridge.interfaces.values():
                if interface.is_stale:
                    interface.is_stale = False
                    writer.set("Interface", _uuid(interface.config), link_status(interface))
            self._report_protocols(bridge, writer)

    def statistics(self, writer: StatusWriter) -> None:
        """What has passed by now."""
        for bridge in self._bridges():
            bridge.ofproto.before_reading_stats()
            for interface in bridge.interfaces.values():
                writer.set("Interface", _uuid(interface.config), statistics(interface))
            tree = bridge.ofproto.spanning_tree
            if tree is not None:
                for port, bundle in self._ports(bridge):
                    writer.set("Port", _uuid(port), port_statistics(bundle, tree))
            for mirror in bridge.ofproto.switching.mirrors:
                counters = {"tx_packets": mirror.n_packets, "tx_bytes": mirror.n_bytes}
                uuid = cast(Uuid, mirror.identity)
                writer.set("Mirror", uuid, {"statistics": pairs(counters)})
            self._report_controllers(bridge, writer)

    def _bridges(self) -> Iterator[Bridge]:
        return iter(self._vswitchd.running.values())

    def _ports(self, bridge: Bridge) -> Iterator[tuple[BridgePortConfig, Bundle]]:
        """The ports of a bridge that there are."""
        bundles = bridge.ofproto.switching.bundles
        return ((port, bundles[port.name]) for port in bridge.config.ports if port.name in bundles)

    def _report_controllers(self, bridge: Bridge, writer: StatusWriter) -> None:
        for controller in bridge.config.controller:
            found = self._vswitchd.controller_status(bridge.config.name, controller.target)
            status: Status = {
                "is_connected": one(found.is_connected),
                "role": one(found.role),
                "status": pairs(found.pairs),
            }
            writer.set("Controller", _uuid(controller), status)

    def _report_protocols(self, bridge: Bridge, writer: StatusWriter) -> None:
        name, tree = bridge.config.name, bridge.ofproto.spanning_tree
        has_tree = tree is not None or name in self._in_trees
        if has_tree:
            writer.set("Bridge", _uuid(bridge.config), bridge_status(bridge.ofproto))
        for port, bundle in self._ports(bridge):
            if has_tree or bundle.bond is not None:
                writer.set("Port", _uuid(port), port_status(bundle, tree))
                if tree is None:
                    writer.set("Port", _uuid(port), port_statistics(bundle, tree))
            speaks = bundle.lacp is not None
            if speaks or port.name in self._in_lacp:
                self._report_lacp(bridge, port, bundle, writer)
                (self._in_lacp.add if speaks else self._in_lacp.discard)(port.name)
        if tree is None:
            self._in_trees.discard(name)
        else:
            self._in_trees.add(name)

    def _report_lacp(
        self, bridge: Bridge, port: BridgePortConfig, bundle: Bundle, writer: StatusWriter
    ) -> None:
        for interface in port.interfaces:
            running = bridge.interfaces.get(interface.name)
            if running is not None:
                writer.set("Interface", _uuid(interface), lacp_current(bundle, running.port))

    def _report_interface(
        self, bridge: Bridge, config: InterfaceConfig, writer: StatusWriter
    ) -> None:
        running = bridge.interfaces.get(config.name)
        if running is None:
            error = self._vswitchd.errors.get(config.name) or None
            writer.set("Interface", _uuid(config), {**NO_INTERFACE, "error": one(error)})
            return
        error = error_of(running.port, self._vswitchd.backer, bridge.datapath_type)
        status: Status = {"ofport": one(running.port.number), "error": one(error)}
        if running.is_new:
            running.is_new = False
            status = {**status, **statistics(running)}
        writer.set("Interface", _uuid(config), status)


def _capability(name: str, value: bool | int) -> str:
    """A feature's value, of which only the greatest is told as a number."""
    return str(value) if name.startswith("max_") else str(bool(value)).lower()


def _uuid(config: Row) -> Uuid:
    """The row of the database that something is configured by; a made-up local port has none."""
    return cast(Uuid, config.identity)
