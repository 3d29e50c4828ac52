"""``vlans`` of a machine: which device each stands on, and with what tag."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from vnet.base.text import did_you_mean, quote
from vnet.topology.expansion.cards import NO_MAC, check_card
from vnet.topology.expansion.dhcp import served
from vnet.topology.expansion.dns import dns_on_card
from vnet.topology.model import VlanDevice
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.linux import LARGEST_VID
from vnet.topology.schema.topology import VlanFile
from vnet.wire.ether import TYPE_QINQ, TYPE_VLAN

_PROTOCOLS = {"802.1Q": TYPE_VLAN, "802.1ad": TYPE_QINQ}


def vlan_devices_of(
    path: Path,
    files: Mapping[str, VlanFile | None],
    devices: Collection[str],
    count: int,
    report: Report,
) -> tuple[VlanDevice, ...]:
    """The VLAN devices of the first machine that the entry at ``path`` makes, of ``count``.

    ``devices`` are those they may stand on, besides VLAN devices that are written before.
    """
    made: dict[str, VlanDevice] = {}
    for name, given in files.items():
        file, here = given or VlanFile(), (*path, "vlans", name)
        if name in devices:
            report.add(here, f"there is a device {quote(name)} already", at_key=True)
        device = _device(here, name, file, [*devices, *made], report)
        if device is None:
            continue
        twin = next((o.name for o in made.values() if _tag(o) == _tag(device)), None)
        if twin is not None:
            what = f"{quote(twin)} is VLAN {device.vid} of {device.link} already"
            report.add(here, what, at_key=True)
        check_card(here, file, count, report)
        made[name] = served(here, file, device, count, report)
    return tuple(made.values())


def _tag(device: VlanDevice) -> tuple[str, int, int]:
    return device.link, device.protocol, device.vid


def _device(
    path: Path, name: str, file: VlanFile, devices: Collection[str], report: Report
) -> VlanDevice | None:
    stem, dot, digits = name.rpartition(".")
    spelt = bool(dot) and digits.isascii() and digits.isdecimal()
    link = file.link or (stem if spelt else None)
    vid = file.id if file.id is not None else int(digits[:9]) if spelt else None
    if link is None or vid is None:
        missing = "link" if link is None else "id"
        what = f"{quote(name)} does not say the {missing} of the VLAN"
        report.add(path, what, f"write {missing}, or call it eth0.10", at_key=True)
        return None
    if not 1 <= vid <= LARGEST_VID:
        report.add(path, f"there is no VLAN {vid}", f"1 to {LARGEST_VID}", at_key=True)
        return None
    if link not in devices:
        what = f"there is no device {quote(link)} for {quote(name)} to stand on"
        report.add(path, what, did_you_mean(link, list(devices), "there are"), at_key=True)
        return None
    return VlanDevice(
        name,
        file.mac or NO_MAC,
        tuple(file.addresses),
        file.mtu if "mtu" in file.model_fields_set else 0,
        file.ipv6,
        tuple(file.tc),
        link=link,
        vid=vid,
        protocol=_PROTOCOLS[file.protocol],
        dhcp_client=file.asks_dhcp,
        dns=dns_on_card(path, file, report),
    )
