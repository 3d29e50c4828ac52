"""From the keys of a switch of ``type: ovs`` to the configuration that its daemon gets.

What a file says of single values the schema has judged; what is left is what belongs together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from vnet.base.units import NS_PER_S, duration_text
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vswitchd.config import (
    BridgeConfig,
    BridgePortConfig,
    FlowTableConfig,
    InterfaceConfig,
    MirrorConfig,
    QosConfig,
    QueueConfig,
)
from vnet.ovs.vswitchd.controller_config import ControllerConfig
from vnet.ovs.vswitchd.tunnel_options import Finding, TunnelOptionsError, read_tunnel
from vnet.topology.expansion.ovs_bonds import bond_interfaces, check_bond_keys
from vnet.topology.model import OvsBridge
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.bridge import FlowTableFile, MirrorFile
from vnet.topology.schema.port import OvsPortFile
from vnet.topology.schema.qos import QosFile
from vnet.topology.schema.switch import SwitchFile, TextFile

_AGEING_RANGE_S = (15, 3600)
_AGEING = "mac-aging-time"
_NORMAL = re.compile(r".*\bactions?\s*=\s*normal", re.IGNORECASE)


def make_bridge(
    name: str,
    file: SwitchFile,
    ports: Mapping[str, OvsPortFile | None],
    path: Path,
    report: Report,
) -> OvsBridge:
    """The bridge ``name`` that the entry at ``path`` wants."""
    settings = {**_ageing(file, path, report), **file.other_config}
    rows = {}
    for device, port in ports.items():
        row = _port_row(name, device, port or OvsPortFile(), (*path, "ports", device), report)
        if row is not None:
            rows[device] = row
    made = tuple(row for row in rows.values() if is_made(row))
    config = BridgeConfig(
        name,
        fail_mode=file.fail_mode,
        protocols=file.protocols,
        controller=tuple(ControllerConfig(target) for target in file.controller),
        ports=made,
        mirrors=tuple(_mirrors(file.mirrors, (*path, "mirrors"), report)),
        flow_tables={
            number: _table(table or FlowTableFile()) for number, table in file.flow_tables.items()
        },
        flood_vlans=file.flood_vlans,
        stp_enable=file.stp,
        rstp_enable=file.rstp,
        mcast_snooping_enable=file.mcast_snooping,
        other_config=settings,
    )
    if file.stp and file.rstp:
        what = "stp and rstp exclude each other"
        report.add((*path, "stp"), what, "leave one of the two out", at_key=True)
    comers = {device: row for device, row in rows.items() if row not in made}
    return OvsBridge(config, comers, has_flows=_has_flows(file))


def _has_flows(file: SwitchFile) -> bool:
    """Whether flows do more than forward as any switch does."""
    if isinstance(file.flows, TextFile):
        return True
    texts = file.flows.splitlines() if isinstance(file.flows, str) else file.flows
    lines = (str(text).partition("#")[0].strip() for text in texts)
    return any(line and not _NORMAL.fullmatch(line) for line in lines)


def is_made(port: BridgePortConfig) -> bool:
    """Whether a bridge makes the port by itself, for no device that comes is behind it."""
    return port.interfaces[0].type not in ("", "internal")


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


def _mirrors(
    files: Mapping[str, MirrorFile | None], path: Path, report: Report
) -> Iterator[MirrorConfig]:
    """The mirrors; such as would copy nothing, or to nowhere, are reported."""
    for name, given in files.items():
        file = given or MirrorFile()
        here = (*path, name)
        if file.output_port is None and file.output_vlan is None:
            hint = "say output_port, or output_vlan"
            report.add(here, f"mirror {name} does not specify output", hint, at_key=True)
        elif file.output_port is not None and file.output_vlan is not None:
            what = f"mirror {name} specifies both output port and output vlan"
            report.add((*here, "output_vlan"), what, "leave one of the two out", at_key=True)
        if not (file.select_all or file.select_src_port or file.select_dst_port):
            hint = "say select_all, select_src_port or select_dst_port"
            report.add(here, f"mirror {name} selects no frames", hint, at_key=True)
        yield MirrorConfig(
            name,
            file.select_all,
            tuple(file.select_src_port),
            tuple(file.select_dst_port),
            file.select_vlan,
            file.output_port,
            file.output_vlan,
            file.snaplen,
        )


def _table(file: FlowTableFile) -> FlowTableConfig:
    return FlowTableConfig(
        file.name, file.flow_limit, file.overflow_policy, file.groups, file.prefixes
    )


def _port_row(
    bridge: str, device: str, file: OvsPortFile, path: Path, report: Report
) -> BridgePortConfig | None:
    """The port ``device``; None where the database or the daemon would refuse it."""
    if file.type is None and file.options:
        hint = "write its type, such as patch"
        report.add((*path, "options"), "options are for ports with a type", hint, at_key=True)
    if not check_bond_keys(file, path, report):
        return None
    try:
        interfaces = _interfaces(bridge, device, file)
    except TunnelOptionsError as error:
        _tell_options(error.found, file, path, report)
        return None
    except OvsTextError as error:
        report.add(path, error.what, at_key=True)
        return None
    if interfaces[0].is_tunnel:
        first = interfaces[0]
        warnings = read_tunnel(device, first.type, first.options).warnings
        _tell_options(warnings, file, path, report)
    return BridgePortConfig(
        device,
        interfaces,
        vlan_mode=file.vlan_mode,
        tag=file.tag,
        trunks=file.trunks,
        cvlans=file.cvlans,
        protected=file.protected,
        bond_mode=file.bond_mode,
        bond_updelay=file.bond_updelay,
        bond_downdelay=file.bond_downdelay,
        lacp=file.lacp,
        qos=None if file.qos is None else _qos(file.qos),
        other_config=file.other_config,
    )


def _tell_options(found: Iterable[Finding], file: OvsPortFile, path: Path, report: Report) -> None:
    """Report the first that there is to say of each option of a tunnel, at the option."""
    told: set[str] = set()
    for finding in found:
        option = finding.option
        if option not in told:
            told.add(option)
            here = (*path, "options", option) if option in file.options else path
            report.add(here, finding.sentence, at_key=True)


def _interfaces(bridge: str, device: str, file: OvsPortFile) -> tuple[InterfaceConfig, ...]:
    """The device of a port, or those of a bond. Raises what the daemon would say of it."""
    if file.bond is not None:
        return bond_interfaces(file)
    interface = InterfaceConfig(
        device,
        type=file.type or ("internal" if device == bridge else ""),
        ofport_request=file.ofport,
        options=file.options,
        ingress_policing_rate=file.ingress_policing_rate,
        ingress_policing_burst=file.ingress_policing_burst,
    )
    interface.check()
    return (interface,)


def _qos(file: QosFile) -> QosConfig:
    queues = {
        number: QueueConfig() if queue is None else QueueConfig(queue.dscp, queue.other_config)
        for number, queue in file.queues.items()
    }
    return QosConfig(file.type, queues, file.other_config)
