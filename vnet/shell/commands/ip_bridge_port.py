"""``ip link set PORT type bridge_slave``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean
from vnet.l2.stp.port import StpState
from vnet.linux.bridge.port import BridgePort
from vnet.linux.bridge.settings import (
    PORT_FLAGS,
    set_port_cost,
    set_port_flag,
    set_port_priority,
    set_port_router,
    set_port_state,
)
from vnet.linux.bridge.state import PortState
from vnet.linux.bridge.stations import flush_stations
from vnet.shell.commands.ip_words import WordReader, number
from vnet.shell.keywords import on_or_off

_FLUSH = "fdb_flush"
_FLAGS = {**{name: name for name in PORT_FLAGS}, "mcast_fast_leave": "fastleave"}
_MISSING = ("backup_port", "nobackup_port", "proxy_arp", "proxy_arp_wifi", "vlan_tunnel")


def _set_state(port: BridgePort, value: int) -> None:
    if value not in [state.value for state in PortState]:
        raise UsageError("RTNETLINK answers: Invalid argument", "0 to 4")
    set_port_state(port, StpState[PortState(value).name])


_NUMBERS: Mapping[str, tuple[int, str, Callable[[BridgePort, int], None]]] = {
    "cost": (32, "cost is invalid", set_port_cost),
    "priority": (16, "priority is invalid", set_port_priority),
    "state": (8, "state is invalid", _set_state),
    "mcast_router": (8, "invalid mcast_router", set_port_router),
    "group_fwd_mask": (16, "invalid group_fwd_mask", BridgePort.set_group_fwd_mask),
}
"""How many bits each has, what the tool says of more, and how it is set; in the kernel's order."""


def set_bridge_port(port: BridgePort, read: WordReader) -> None:
    """Set the options that are left; nothing is where a word of them is wrong."""
    flags: dict[str, bool] = {}
    numbers: dict[str, int] = {}
    flushes = False
    while read:
        name = read.next()
        if name == _FLUSH:
            flushes = True
        elif name in _FLAGS:
            flags[_FLAGS[name]] = on_or_off(name, read.next())
        elif name in _NUMBERS:
            numbers[name] = _number(name, read.next())
        elif name in _MISSING:
            raise UsageError(
                "RTNETLINK answers: Operation not supported", f"ports here have no {name}"
            )
        else:
            hint = did_you_mean(name, [*_FLAGS, *_NUMBERS, _FLUSH], "there are")
            raise UsageError(f'bridge_slave: unknown option "{name}"?', hint)
    for name, on in flags.items():
        set_port_flag(port, name, on)
    for name, (_, _, change) in _NUMBERS.items():
        if name in numbers:
            change(port, numbers[name])
    if flushes:
        flush_stations(port.bridge, lambda entry: entry.is_dynamic and entry.port is port)


def _number(name: str, text: str) -> int:
    bits, fault, _ = _NUMBERS[name]
    return number(text, (1 << bits) - 1, fault=fault)
