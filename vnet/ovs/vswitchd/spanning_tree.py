"""From a bridge's configuration to its spanning tree (ovs-vswitchd.conf.db(5), ``other_config``
of the Bridge and Port tables).

Unusable numbers are read as Open vSwitch reads them: those of bridges fall back to the default,
those of ports to what C makes of their beginning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from vnet.base.ids import Mac, mac_from_text, mac_text
from vnet.ovs.ofproto.spanning_tree.settings import (
    RstpPortSettings,
    RstpSettings,
    StpPortSettings,
    StpSettings,
)
from vnet.ovs.vswitchd.config import BridgePortConfig
from vnet.ovs.vswitchd.row import setting_number, setting_truth

MAX_STP_PORTS = 255
_MAX_RSTP_PORTS = 4095

_U8 = 0xFF
_U16 = 0xFFFF
_U32 = 0xFFFF_FFFF

_C_PREFIX = {
    0: re.compile(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)"),
    10: re.compile(r"\s*([+-]?)([0-9]+)"),
}

Settings = Mapping[str, str]
Say = Callable[[str], None]
"""Takes what there is to say of settings that cannot be used."""


def nobody(_sentence: str) -> None:
    """For those who have nobody to say it to."""


def c_unsigned(text: str, base: int = 0) -> int:
    """What strtoul(3) reads of the beginning of a text, 0 if nothing (64 bits)."""
    found = _C_PREFIX[base].match(text)
    if found is None:
        return 0
    sign, digits = found.groups()
    if base == 0 and digits[:2] in ("0x", "0X"):
        value = int(digits, 16)
    elif base == 0 and digits.startswith("0"):
        value = int(digits, 8)
    else:
        value = int(digits)
    return (-value if sign == "-" else value) & (1 << 64) - 1


def _address(settings: Settings, name: str, own: Mac, say: Say) -> int:
    """An address that was set; the bridge's own, where it is unset or no address."""
    try:
        mac = mac_from_text(settings[name]) if name in settings else own
    except ValueError:
        say(f"invalid {name}, defaulting to {mac_text(own)}")
        mac = own
    return int.from_bytes(mac, "big")


def _takes_part(port: BridgePortConfig, protocol: str, outputs: Iterable[str], say: Say) -> bool:
    """Whether a port may: no bond, no internal port, and none that a mirror outputs to."""
    if not setting_truth(port.other_config, f"{protocol}-enable", True):
        return False
    if len(port.interfaces) > 1:
        say(f"port {port.name}: cannot enable {protocol.upper()} on bonds, disabling")
        return False
    return port.interfaces[0].type != "internal" and port.name not in outputs


# -- 802.1D-1998


def stp_settings(settings: Settings, own: Mac, say: Say = nobody) -> StpSettings:
    """What ``stp-*`` say of a bridge. Times are seconds, except the hello time, which Open vSwitch
    takes for milliseconds.
    """
    return StpSettings(
        _address(settings, "stp-system-id", own, say),
        setting_number(settings, "stp-priority", 32768) & _U16,
        setting_number(settings, "stp-hello-time", 2_000) & _U16,
        setting_number(settings, "stp-max-age", 20) * 1_000 & _U16,
        setting_number(settings, "stp-forward-delay", 15) * 1_000 & _U16,
    )


def stp_ports(
    ports: Iterable[BridgePortConfig], outputs: frozenset[str], say: Say = nobody
) -> dict[str, StpPortSettings | None] | None:
    """What ``stp-*`` say of the ports of a bridge, by name; None of one that takes no part.

    ``ports`` are in the order in which they are numbered. Numbers are set on all of them or on
    none: else there is no tree, None.
    """
    found: dict[str, StpPortSettings | None] = {}
    set_numbers: set[int] = set()
    n_counted = 0
    for port in ports:
        found[port.name] = None
        if not _takes_part(port, "stp", outputs, say):
            continue
        settings = port.other_config
        if "stp-port-num" in settings:
            number = c_unsigned(settings["stp-port-num"])
            if not 1 <= number <= MAX_STP_PORTS:
                say(f"port {port.name}: invalid stp-port-num")
                continue
            if number in set_numbers:
                say(f"port {port.name}: duplicate stp-port-num {number}, disabling")
                continue
            set_numbers.add(number)
        elif n_counted >= MAX_STP_PORTS:
            say(f"port {port.name}: too many STP ports, disabling")
            continue
        else:
            n_counted += 1
            number = n_counted
        found[port.name] = StpPortSettings(
            number,
            c_unsigned(settings.get("stp-port-priority", "128")) & _U8,
            c_unsigned(settings.get("stp-path-cost", "2"), 10) & _U16,
        )
    return None if set_numbers and n_counted else found


# -- 802.1D-2004


def rstp_settings(settings: Settings, own: Mac, say: Say = nobody) -> RstpSettings:
    """What ``rstp-*`` say of a bridge."""
    return RstpSettings(
        _address(settings, "rstp-address", own, say),
        setting_number(settings, "rstp-priority", 32768) & _U16,
        setting_number(settings, "rstp-force-protocol-version", 2) & _U32,
        setting_number(settings, "rstp-max-age", 20) & _U16,
        setting_number(settings, "rstp-forward-delay", 15) & _U16,
        setting_number(settings, "rstp-transmit-hold-count", 6) & _U16,
    )


def rstp_ports(
    ports: Iterable[BridgePortConfig], outputs: frozenset[str], say: Say = nobody
) -> dict[str, RstpPortSettings | None]:
    """What ``rstp-*`` say of the ports of a bridge, by name; None of one that takes no part."""
    found: dict[str, RstpPortSettings | None] = {}
    for port in ports:
        found[port.name] = None
        if not _takes_part(port, "rstp", outputs, say):
            continue
        settings = port.other_config
        number = c_unsigned(settings.get("rstp-port-num", "0"))
        if "rstp-port-num" in settings and not 1 <= number <= _MAX_RSTP_PORTS:
            say(f"port {port.name}: invalid rstp-port-num")
            continue
        found[port.name] = RstpPortSettings(
            number,
            c_unsigned(settings.get("rstp-port-priority", "128")) & _U8,
            c_unsigned(settings.get("rstp-path-cost", "2000"), 10) & _U32,
            setting_number(settings, "rstp-admin-p2p-mac", 1) & _U8,
            setting_truth(settings, "rstp-admin-port-state", True),
            setting_truth(settings, "rstp-port-admin-edge", False),
            setting_truth(settings, "rstp-port-auto-edge", True),
            setting_truth(settings, "rstp-port-mcheck", False),
        )
    return found
