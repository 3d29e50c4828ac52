"""What must change for a bridge to match its configuration, as pure functions.

Open vSwitch takes away before it adds, since what comes may need what goes: its name, or its
number. Source: bridge_reconfigure() of Open vSwitch 3.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.flow.hashing import hash_bytes
from vnet.ovs.flow.ports import OFPP_LOCAL, OfpPort
from vnet.ovs.vswitchd.config import BridgeConfig, BridgePortConfig, InterfaceConfig


class RunningInterface(NamedTuple):
    """An interface as it runs: its type, and the number of its port."""

    type: str
    number: OfpPort


def wanted_interfaces(
    config: BridgeConfig, *, in_order: bool = False
) -> dict[str, InterfaceConfig]:
    """A bridge's interfaces by name, in the order in which they are given numbers.

    That is the order of a hash table of the ports' names, or with ``in_order`` that of the
    configuration; but those that ask for a number go first, so that nobody else is given it.
    """
    ports = config.all_ports
    order = range(len(ports)) if in_order else _hash_order(ports)
    interfaces = [i for position in order for i in ports[position].interfaces]
    interfaces.sort(key=lambda interface: interface.ofport_request is None)
    wanted = {interface.name: interface for interface in interfaces}
    local = wanted.get(config.name)
    if local is not None:
        wanted[config.name] = as_it_runs(config, local)
    return wanted


def as_it_runs(config: BridgeConfig, interface: InterfaceConfig) -> InterfaceConfig:
    """An interface; the local one is an internal port, whatever its type."""
    is_local = interface.name == config.name
    if is_local and interface.type != "internal":
        return replace(interface, type="internal")
    return interface


def ports_in_table_order(config: BridgeConfig) -> list[BridgePortConfig]:
    """A bridge's ports as Open vSwitch goes through them: in the order of a hash table."""
    ports = config.all_ports
    return [ports[position] for position in _hash_order(ports)]


def _hash_order(ports: Iterable[BridgePortConfig]) -> Sequence[int]:
    return hash_table_order(hash_bytes(port.name.encode(), 0) for port in ports)


def interfaces_to_drop(
    running: Mapping[str, RunningInterface], wanted: Mapping[str, InterfaceConfig]
) -> list[str]:
    """The running interfaces that must go, be it that they come back at once.

    Those that nobody wants, or that have become another kind of device; those that ask for
    another number than they have; and who has that number without having asked for it.
    """
    dropped = {
        name: None
        for name, interface in running.items()
        if name not in wanted or wanted[name].type != interface.type
    }
    holders = {i.number: name for name, i in running.items() if name not in dropped}
    for name, interface in running.items():
        if holders.get(interface.number) != name or interface.number == OFPP_LOCAL:
            continue
        request = wanted[name].ofport_request
        if request is None or request == interface.number:
            continue
        rival = holders.get(OfpPort(request))
        if rival is not None and wanted[rival].ofport_request == request:
            continue  # a contradiction: whoever has the number keeps it
        for gone in (name, rival):
            if gone is not None:
                dropped[gone] = None
                del holders[running[gone].number]
    return list(dropped)
