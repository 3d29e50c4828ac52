"""From the keys of a switch of ``type: linux`` to the configuration of its bridge."""

from __future__ import annotations

from collections.abc import Mapping

from vnet.base.text import quote
from vnet.base.units import duration_text
from vnet.linux.bridge.config import LinuxBridgeConfig, PortConfig
from vnet.linux.bridge.multicast.config import INTERVALS, MulticastConfig
from vnet.linux.bridge.tree_settings import TreeConfig
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.linux import FLAGS, LinuxPortFile, MulticastFile
from vnet.topology.schema.switch import SwitchFile
from vnet.wire.ether import TYPE_QINQ, TYPE_VLAN

_PROTOCOLS = {"802.1Q": TYPE_VLAN, "802.1ad": TYPE_QINQ}
_DELAY_NS = (2_000_000_000, 30_000_000_000)
_HELLO_NS = (1_000_000_000, 10_000_000_000)
_MAX_AGE_NS = (6_000_000_000, 40_000_000_000)
_REFUSED_OF_BRIDGE = 0x0007
_REFUSED_OF_PORT = 0x0002


def make_linux_bridge(
    file: SwitchFile, ports: Mapping[str, LinuxPortFile | None], path: Path, report: Report
) -> LinuxBridgeConfig:
    """The bridge that the entry at ``path`` wants."""
    if file.group_fwd_mask & _REFUSED_OF_BRIDGE:
        what = f"the kernel refuses group_fwd_mask {file.group_fwd_mask:#x}"
        report.add(
            (*path, "group_fwd_mask"), what, "STP, pause and LACP cannot be let through: 0x7"
        )
    rows = {
        name: _port(port or LinuxPortFile(), (*path, "ports", name), report)
        for name, port in ports.items()
    }
    if not file.vlan_filtering:
        _check_use(file, ports, path, report)
    return LinuxBridgeConfig(
        file.vlan_filtering,
        _PROTOCOLS[file.vlan_protocol],
        file.default_pvid,
        file.vlan_stats,
        file.group_fwd_mask,
        rows,
        _tree(file, path, report),
        _multicast(file),
    )


def _tree(file: SwitchFile, path: Path, report: Report) -> TreeConfig:
    delay_ns = file.forward_delay
    if file.stp and delay_ns is not None and not _DELAY_NS[0] <= delay_ns <= _DELAY_NS[1]:
        what = f"a bridge that speaks STP cannot have a forward_delay of {duration_text(delay_ns)}"
        report.add((*path, "forward_delay"), what, "2s to 30s")
    for key, limits_ns in (("hello_time", _HELLO_NS), ("max_age", _MAX_AGE_NS)):
        time_ns = getattr(file, key)
        if time_ns is not None and not limits_ns[0] <= time_ns <= limits_ns[1]:
            least, most = (duration_text(limit_ns) for limit_ns in limits_ns)
            what = f"a bridge cannot have a {key} of {duration_text(time_ns)}"
            report.add((*path, key), what, f"{least} to {most}")
    return TreeConfig(file.stp, file.priority, delay_ns, file.hello_time, file.max_age)


def _multicast(file: SwitchFile) -> MulticastConfig:
    snoops = file.mcast_snooping or "mcast_snooping" not in file.model_fields_set
    wanted = file.multicast or MulticastFile()
    intervals_ns = {
        name: time_ns
        for name in INTERVALS
        if (time_ns := getattr(wanted, f"{name}_interval")) is not None
    }
    return MulticastConfig(
        snoops,
        wanted.querier,
        wanted.query_use_ifaddr,
        wanted.igmp_version,
        wanted.mld_version,
        wanted.hash_max,
        wanted.router,
        wanted.last_member_count,
        wanted.startup_query_count,
        intervals_ns,
    )


def _port(file: LinuxPortFile, path: Path, report: Report) -> PortConfig:
    both = [vid for vid in file.tagged if vid in file.untagged]
    if both:
        what = f"VLAN {both[0]} cannot leave both tagged and untagged"
        report.add((*path, "untagged"), what, "leave it out of one of the two", at_key=True)
    if file.group_fwd_mask & _REFUSED_OF_PORT:
        what = f"the kernel refuses group_fwd_mask {file.group_fwd_mask:#x}"
        report.add((*path, "group_fwd_mask"), what, "pause frames cannot be let through: 0x2")
    flags = {name: getattr(file, name) for name in FLAGS if name in file.model_fields_set}
    return PortConfig(
        file.pvid,
        file.tagged,
        file.untagged,
        flags,
        file.cost,
        file.priority,
        file.group_fwd_mask,
        file.mcast_router,
    )


def _check_use(
    file: SwitchFile, ports: Mapping[str, LinuxPortFile | None], path: Path, report: Report
) -> None:
    """VLANs of a bridge that does not look at tags are a slip."""
    hint = "write vlan_filtering: true"
    for key in ("vlan_protocol", "default_pvid", "vlan_stats"):
        if key in file.model_fields_set:
            what = f"{key} is for bridges that filter VLANs"
            report.add((*path, key), what, hint, at_key=True)
    for name, port in ports.items():
        for key in ("pvid", "tagged", "untagged"):
            if port is not None and key in port.model_fields_set:
                what = f"{key} of {quote(name)} does nothing in a bridge that does not filter VLANs"
                report.add((*path, "ports", name, key), what, hint, at_key=True)
