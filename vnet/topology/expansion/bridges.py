"""What the switches of a file are to be set up with, and the pairs that join those of a host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vnet.base.text import did_you_mean, quote
from vnet.linux.bridge.config import PLAIN_BRIDGE, LinuxBridgeConfig
from vnet.topology.devices import RESERVED_NAMES
from vnet.topology.expansion.linux_bridges import make_linux_bridge
from vnet.topology.model import OvsBridge, Veth
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.port import PortFile
from vnet.topology.schema.switch import LINUX_KEYS, OVS_KEYS, SwitchFile
from vnet.topology.schema.topology import HostFile


def bridge_of(
    name: str,
    path: Path,
    file: SwitchFile,
    ports: Mapping[str, PortFile | None] | None,
    report: Report,
) -> tuple[OvsBridge | None, LinuxBridgeConfig]:
    """What a switch is to be set up with: as one of Open vSwitch, or as a Linux bridge.

    ``ports`` is None where the entry has no map of them.
    """
    kind, other = "Linux bridges", "linux"
    others_keys: tuple[str, ...] = LINUX_KEYS
    if file.type == "linux":
        kind, other, others_keys = "switches of Open vSwitch", "ovs", OVS_KEYS
    for key in others_keys:
        if key in file.model_fields_set:
            what = f"{key} is for {kind}"
            report.add((*path, key), what, f"write type: {other}", at_key=True)
    rows: Mapping[str, Any] = ports or {}
    if file.type == "ovs":
        # Files without Open vSwitch do without all that it is made of.
        from vnet.topology.expansion.ovs_bridges import make_bridge

        return make_bridge(name, file, rows, path, report), PLAIN_BRIDGE
    return None, make_linux_bridge(file, rows, path, report)


def veths_of(path: Path, file: HostFile, report: Report) -> tuple[Veth, ...]:
    """The pairs that join switches of a host."""
    made = []
    for number, pair in enumerate(file.veths):
        for device, switch in pair.items():
            here = (*path, "veths", number, device)
            check_reserved(here, device, report)
            if switch not in file.switches:
                hint = did_you_mean(switch, list(file.switches), "it has")
                report.add(here, f"the host has no switch {quote(switch)}", hint)
        one, other = pair.items()
        if {one[1], other[1]} <= file.switches.keys():
            made.append(Veth((one, other)))
    return tuple(made)


def check_reserved(path: Path, name: str, report: Report) -> None:
    """Report a name that no card or switch can have."""
    if name in RESERVED_NAMES:
        report.add(path, f"the name {quote(name)} is reserved", at_key=True)
