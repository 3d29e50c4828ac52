"""From the keys of a switch of ``type: ovs`` to the configuration that its daemon gets.

What a file says of single values the schema has judged; what is left is what belongs together.
"""

from __future__ import annotations

from collections.abc import Mapping

from vnet.base.units import NS_PER_S, duration_text
from vnet.ovs.vswitchd.config import BridgeConfig, BridgePortConfig, InterfaceConfig
from vnet.topology.model import OvsBridge
from vnet.topology.report import Path, Report
from vnet.topology.switch_schema import OvsPortFile, SwitchFile

_AGEING_RANGE_S = (15, 3600)
_AGEING = "mac-aging-time"


def make_bridge(
    name: str,
    file: SwitchFile,
    ports: Mapping[str, OvsPortFile | None],
    path: Path,
    report: Report,
) -> OvsBridge:
    """The bridge ``name`` that the entry at ``path`` wants."""
    settings = {**_ageing(file, path, report), **file.other_config}
    config = BridgeConfig(name, fail_mode=file.fail_mode, other_config=settings)
    rows = {device: port_config(device, port or OvsPortFile()) for device, port in ports.items()}
    if name in rows:
        local = InterfaceConfig(name, type="internal")
        rows[name] = _port(name, local, ports[name] or OvsPortFile())
    return OvsBridge(config, rows)


def _ageing(file: SwitchFile, path: Path, report: Report) -> dict[str, str]:
    """The setting that the ``ageing`` of every switch is for Open vSwitch."""
    if "ageing" not in file.model_fields_set:
        return {}
    here = (*path, "ageing")
    least_s, most_s = _AGEING_RANGE_S
    seconds, rest_ns = divmod(file.ageing, NS_PER_S)
    if rest_ns or not least_s <= seconds <= most_s:
        what = f"Open vSwitch cannot have an ageing of {duration_text(file.ageing)}"
        report.add(here, what, f"{least_s}s to {most_s}s, in whole seconds")
    elif _AGEING in file.other_config:
        report.add(here, f"other_config says {_AGEING} too", "leave one of the two out")
    return {_AGEING: str(seconds)}


def port_config(device: str, file: OvsPortFile) -> BridgePortConfig:
    """A port with one interface, the device of the same name."""
    return _port(device, InterfaceConfig(device, ofport_request=file.ofport), file)


def _port(device: str, interface: InterfaceConfig, file: OvsPortFile) -> BridgePortConfig:
    return BridgePortConfig(
        device,
        (interface,),
        vlan_mode=file.vlan_mode,
        tag=file.tag,
        trunks=file.trunks,
        cvlans=file.cvlans,
        protected=file.protected,
        other_config=file.other_config,
    )
