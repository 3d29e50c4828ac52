"""The names of settings: ``net.ipv4.conf.eth0.rp_filter``, or with slashes as below /proc/sys.

With dots between, a slash stands for a dot in a device's name, as sysctl(8) has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, NamedTuple

from vnet.linux.netns.sysctl.bridge import BridgeKnobs
from vnet.linux.netns.sysctl.conntrack import ConntrackKnobs
from vnet.linux.netns.sysctl.ipv4 import Ipv4Conf, Ipv4Knobs, Ipv4RouteKnobs
from vnet.linux.netns.sysctl.ipv6 import Icmp6Knobs, Ipv6Conf, Ipv6Knobs, Ipv6RouteKnobs
from vnet.linux.netns.sysctl.knob import Knob, knobs_of
from vnet.linux.netns.sysctl.neighbor import SCALED, NeighborConf

ALL = "all"
DEFAULT = "default"

ONCE: dict[str, tuple[str, type[Any]]] = {
    "net.bridge": ("bridge", BridgeKnobs),
    "net.ipv4": ("ipv4", Ipv4Knobs),
    "net.ipv4.route": ("ipv4_route", Ipv4RouteKnobs),
    "net.netfilter": ("conntrack", ConntrackKnobs),
    "net.ipv6": ("ipv6", Ipv6Knobs),
    "net.ipv6.icmp": ("icmp6", Icmp6Knobs),
    "net.ipv6.route": ("ipv6_route", Ipv6RouteKnobs),
}
"""What a machine has once: the attribute of ``Sysctls``, and what there is."""

PER_DEVICE: dict[str, tuple[str, type[Any]]] = {
    "net.ipv4.conf": ("ipv4_conf", Ipv4Conf),
    "net.ipv4.neigh": ("ipv4_neighbors", NeighborConf),
    "net.ipv6.conf": ("ipv6_conf", Ipv6Conf),
    "net.ipv6.neigh": ("ipv6_neighbors", NeighborConf),
}
"""What each device has, and "all" or "default"."""

_IP_FORWARD = "net.ipv4.ip_forward"

CONNECTIONS = "net.netfilter.nf_conntrack_count"
"""Not a setting: how many connections are tracked."""


class SettingName(NamedTuple):
    """A setting: ``knob`` of ``device`` (None, or "all", "default", or a device) in a group.

    ``text`` is its name with dots. ``unit`` is what one of its numbers is in the units of ``knob``
    where an older name of that counts in larger ones.
    """

    text: str
    attribute: str
    device: str | None
    knob: Knob
    unit: int = 1

    @property
    def is_of_a_device(self) -> bool:
        return self.device not in (None, ALL, DEFAULT)


def parse_setting(text: str) -> SettingName | None:
    """What a name means; None if there is no such setting, whatever the devices are called."""
    parts = _split(text)
    if ".".join(parts) == _IP_FORWARD:
        # The same variable as conf.all.forwarding.
        return SettingName(_IP_FORWARD, "ipv4_conf", ALL, knobs_of(Ipv4Conf)["forwarding"])
    if len(parts) == 5 and ".".join(parts[:3]) in PER_DEVICE:
        return _name_of(".".join(parts[:3]), parts[3], parts[4])
    group = ".".join(parts[:-1])
    if group not in ONCE:
        return None
    attribute, knobs = ONCE[group]
    knob = knobs_of(knobs).get(_python_name(group, parts[-1]))
    return None if knob is None else SettingName(".".join(parts), attribute, None, knob)


def _split(text: str) -> list[str]:
    dot, slash = text.find("."), text.find("/")
    if slash >= 0 and (dot < 0 or slash < dot):
        return text.split("/")
    return [part.replace("/", ".") for part in text.split(".")]


def _name_of(group: str, device: str, knob: str) -> SettingName | None:
    attribute, knobs = PER_DEVICE[group]
    text = f"{group}.{device.replace('.', '/')}.{knob}"
    unit = 1
    if knobs is NeighborConf:
        if device == ALL:
            return None
        knob, unit = SCALED.get(knob, (knob, 1))
    found = knobs_of(knobs).get(knob)
    if found is None or (found.only_default and device != DEFAULT):
        return None
    return SettingName(text, attribute, device, found, unit)


def _python_name(group: str, knob: str) -> str:
    return knob.replace("-", "_") if group == "net.bridge" else knob


def names_of(devices: Iterable[str]) -> list[str]:
    """Every setting of a machine with these devices, in order."""
    names = [_IP_FORWARD]
    for group, (_attribute, knobs) in ONCE.items():
        for knob in knobs_of(knobs):
            spelled = knob.replace("_", "-") if group == "net.bridge" else knob
            names.append(f"{group}.{spelled}")
    for device in (ALL, DEFAULT, *devices):
        names += _names_of_device(device)
    return sorted(names)


def _names_of_device(device: str) -> list[str]:
    made = [
        _name_of(group, device, knob)
        for group, (_attribute, knobs) in PER_DEVICE.items()
        for knob in (*knobs_of(knobs), *(("unres_qlen",) if knobs is NeighborConf else ()))
    ]
    return [name.text for name in made if name is not None]


def nearest_name(text: str, devices: Iterable[str] = ()) -> str | None:
    """The setting that was probably meant, or None."""
    parts = _split(text)
    known = _names_of_device(parts[3]) if len(parts) == 5 else names_of(devices)
    close = get_close_matches(text, known, n=1)
    return close[0] if close else None
