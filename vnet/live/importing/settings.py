"""Kernel settings of the machine that its lab would not have by itself.

What a lab has by itself is asked of the lab: it is built, and each setting that differs is one to
be said. Forwarding turns others as well, so it comes first, and the lab is built again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vnet.base.errors import UsageError
from vnet.linux.netns.sysctl.names import parse_setting
from vnet.linux.netns.sysctl.sysctls import Sysctls
from vnet.live.importing.devices import Plan
from vnet.live.importing.machine import Machine

FORWARDING = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")
_SAID_OTHERWISE = "net.ipv4.conf.all.forwarding"
"""The same variable as ip_forward."""

_BY_ITSELF = re.compile(r"net\.ipv6\.conf\.([^.]+\.mtu|lo\.(accept_dad|use_tempaddr))")
"""What follows from the device, and what the kernel turns off for the loopback."""


def differing(
    machine: Machine, made: Plan, lab: Mapping[str, str], notes: list[str]
) -> dict[str, str]:
    """Settings by name whose text in ``lab`` is another one than the machine's."""
    here = {link.name: made.names.get(link.index) for link in machine.links}
    theirs = {lab_name: name for name, lab_name in here.items() if lab_name is not None}
    found = {}
    for name, text in lab.items():
        own = machine.settings.get(_path(name, theirs))
        if own is None or own.split() == text.split() or _is_passed_over(name):
            continue
        try:
            Sysctls().set_when_there(name, own)
        except UsageError as refused:
            notes.append(f"sysctl {name} = {own} is not carried over: {refused.what}")
        else:
            found[name] = " ".join(own.split())
    return dict(sorted(found.items(), key=lambda item: _order(item[0])))


def _is_passed_over(name: str) -> bool:
    return name == _SAID_OTHERWISE or _BY_ITSELF.fullmatch(name) is not None


def _path(name: str, theirs: Mapping[str, str]) -> str:
    """Below /proc/sys, where a device may be called otherwise, and may have dots in its name."""
    setting = parse_setting(name)
    assert setting is not None
    parts = name.split(".")
    if setting.is_of_a_device:
        assert setting.device is not None
        parts[3] = theirs.get(setting.device, setting.device)
    return "/".join(parts)


def _order(name: str) -> tuple[int, str]:
    """What turns others comes first: forwarding, then ``all``, ``default``, and devices."""
    if name in FORWARDING:
        return 0, name
    device = name.split(".")[3] if name.count(".") > 3 else ""
    return {"": 1, "all": 2, "default": 3}.get(device, 4), name
