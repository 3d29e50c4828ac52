"""The bridges, ports and interfaces that a database's rows describe (ovs-vsctl(8)).

A VLAN bridge ("fake bridge") is a port of its parent that is shown as a bridge of its own, with
the parent's ports of the same VLAN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vsctl.record import Record
from vnet.ovs.vsctl.transaction import Transaction


@dataclass(eq=False, slots=True)
class Bridge:
    """A bridge; one without a row of its own is a VLAN bridge of ``parent``."""

    name: str
    own: Record | None = None
    parent: Bridge | None = None
    vlan: int = 0
    ports: list[Port] = field(default_factory=list)
    children: dict[int, Bridge] = field(default_factory=dict)
    """Its VLAN bridges by VLAN."""

    @property
    def record(self) -> Record:
        """The row that its ports are listed in."""
        bridge = self.parent or self
        assert bridge.own is not None
        return bridge.own


@dataclass(eq=False, slots=True)
class Port:
    record: Record
    bridge: Bridge
    interfaces: list[Interface] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.record.name


@dataclass(eq=False, slots=True)
class Interface:
    record: Record
    port: Port

    @property
    def name(self) -> str:
        return self.record.name


Warn = Callable[[str, str], None]
"""Takes a warning: who gives it, and what it says."""


class Switch:
    """All of it by name. Of rows with one name the first counts."""

    def __init__(self, transaction: Transaction, warn: Warn) -> None:
        self.bridges: dict[str, Bridge] = {}
        self.ports: dict[str, Port] = {}
        self.interfaces: dict[str, Interface] = {}
        self._transaction = transaction
        self._warn = warn
        self._is_verified = False
        self._find_bridges()
        self._find_ports()

    # -- reading the rows

    def _records(self) -> Iterator[Record]:
        return self._transaction.referred("Bridge", self._transaction.root["bridges"])

    def _ports_of(self, bridge: Record) -> Iterator[Record]:
        return self._transaction.referred("Port", bridge["ports"])

    def _find_bridges(self) -> None:
        seen: set[str] = set()
        for record in self._records():
            bridge = self.bridges[record.name] = Bridge(record.name, record)
            for port in self._ports_of(record):
                if port.name in seen:
                    continue
                seen.add(port.name)
                if _is_vlan_bridge(port) and port.name not in self.bridges:
                    self._add_vlan_bridge(port.name, bridge, port.only("tag"))

    def _add_vlan_bridge(self, name: str, parent: Bridge, vlan: int) -> None:
        child = self.bridges[name] = Bridge(name, parent=parent, vlan=vlan)
        other = parent.children.setdefault(vlan, child)
        if other is not child:
            self._warn(
                "vsctl",
                f"{parent.name}: bridge has multiple VLAN bridges ({name} and {other.name}) "
                f"for VLAN {vlan}, but only one is allowed",
            )

    def _find_ports(self) -> None:
        seen: set[str] = set()
        for record in self._records():
            if record.name in seen:
                continue
            seen.add(record.name)
            bridge = self.bridges[record.name]
            for port_record in self._ports_of(record):
                name = port_record.name
                other = self.ports.get(name)
                if other is not None:
                    bridges = f"({bridge.name} and {other.bridge.name})"
                    self._warn("vsctl", f"{name}: port is in multiple bridges {bridges}")
                elif not (_is_vlan_bridge(port_record) and name in seen):
                    if _is_vlan_bridge(port_record):
                        seen.add(name)
                    self.add_port(bridge, port_record)

    def add_port(self, bridge: Bridge, record: Record) -> None:
        """A port has come; one with the VLAN of a VLAN bridge is that one's."""
        tag = record.only("tag")
        owner = bridge if tag is None else bridge.children.get(tag, bridge)
        port = self.ports[record.name] = Port(record, owner)
        owner.ports.append(port)
        for interface in self._transaction.referred("Interface", record["interfaces"]):
            other = self.interfaces.get(interface.name)
            if other is not None:
                ports = f"({other.port.name} and {port.name})"
                self._warn("vsctl", f"{interface.name}: interface is in multiple ports {ports}")
            else:
                self.add_interface(port, interface)

    def add_interface(self, port: Port, record: Record) -> None:
        """An interface has come."""
        interface = self.interfaces[record.name] = Interface(record, port)
        port.interfaces.append(interface)

    # -- what goes

    def delete_interface(self, interface: Interface) -> None:
        """An interface goes, with its row."""
        interface.port.interfaces.remove(interface)
        del self.interfaces[interface.name]
        self._transaction.delete(interface.record)

    def delete_port(self, port: Port) -> None:
        """A port goes, with all that is its own."""
        self._transaction.drop_reference(port.bridge.record, "ports", port.record)
        for interface in list(port.interfaces):
            self.delete_interface(interface)
        port.bridge.ports.remove(port)
        del self.ports[port.name]
        self._transaction.delete(port.record)

    def delete_bridge(self, bridge: Bridge) -> None:
        """A bridge goes, with its ports and the VLAN bridges that it is the parent of."""
        for child in list(bridge.children.values()):
            self.delete_bridge(child)
        for port in list(bridge.ports):
            self.delete_port(port)
        if bridge.own is not None:
            for collectors in self._transaction.records("Flow_Sample_Collector_Set"):
                if collectors.only("bridge") == bridge.own.uuid:
                    self._transaction.delete(collectors)
            self._transaction.delete(bridge.own)
            self._transaction.drop_reference(self._transaction.root, "bridges", bridge.own)
        elif bridge.parent is not None and bridge.parent.children.get(bridge.vlan) is bridge:
            del bridge.parent.children[bridge.vlan]
        del self.bridges[bridge.name]

    # -- what must be there, or must not

    def bridge(self, name: str) -> Bridge:
        """A bridge that must exist."""
        bridge = self.find_bridge(name)
        if bridge is None:
            raise OvsTextError(f"no bridge named {name}")
        return bridge

    def real_bridge(self, name: str) -> Record:
        """The row of a bridge that must exist and be no VLAN bridge."""
        bridge = self.bridge(name)
        if bridge.own is None:
            raise OvsTextError(f"{name} is a fake bridge")
        return bridge.own

    def find_bridge(self, name: str) -> Bridge | None:
        """A bridge, if it exists."""
        self._transaction.root.verify("bridges")
        return self.bridges.get(name)

    def port(self, name: str) -> Port:
        """A port that must exist."""
        port = self.find_port(name)
        if port is None:
            raise OvsTextError(f"no port named {name}")
        return port

    def find_port(self, name: str) -> Port | None:
        """A port that is no local one, if it exists."""
        self.verify_ports()
        port = self.ports.get(name)
        return None if port is None or name == port.bridge.name else port

    def interface(self, name: str) -> Interface:
        """An interface that must exist."""
        interface = self.find_interface(name)
        if interface is None:
            raise OvsTextError(f"no interface named {name}")
        return interface

    def find_interface(self, name: str) -> Interface | None:
        """An interface that is no bridge's own, if it exists."""
        self.verify_ports()
        interface = self.interfaces.get(name)
        return None if interface is None or name == interface.port.bridge.name else interface

    def check_free(self, name: str, what: str) -> None:
        """Raise unless ``name`` is free for a ``what`` ("a port", "an interface")."""
        self.verify_ports()
        sentence = f"cannot create {what} named {name} because"
        if name in self.bridges:
            raise OvsTextError(f"{sentence} a bridge named {name} already exists")
        if name in self.ports:
            bridge = self.ports[name].bridge.name
            raise OvsTextError(f"{sentence} a port named {name} already exists on bridge {bridge}")
        if name in self.interfaces:
            bridge = self.interfaces[name].port.bridge.name
            raise OvsTextError(
                f"{sentence} an interface named {name} already exists on bridge {bridge}"
            )

    def verify_ports(self) -> None:
        """What follows depends on which ports and interfaces there are."""
        if self._is_verified:
            return
        self._is_verified = True
        self._transaction.root.verify("bridges")
        for bridge in self._records():
            bridge.verify("ports")
            for port in self._ports_of(bridge):
                port.verify("interfaces")


def _is_vlan_bridge(port: Record) -> bool:
    return bool(port.only("fake_bridge")) and port.only("tag") is not None
