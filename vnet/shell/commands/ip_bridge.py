"""``ip link add`` and ``set`` of what is ``type bridge``."""

from __future__ import annotations

from collections.abc import Mapping

from vnet.base.errors import UsageError
from vnet.base.ids import Mac
from vnet.base.text import did_you_mean
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.options import BRIDGE_OPTIONS, PROTOCOL_NAMES, set_options
from vnet.linux.bridge.stations import flush_stations
from vnet.linux.netns.namespace import Namespace
from vnet.shell.commands.ip_words import WordReader, number

_FLUSH = "fdb_flush"
_MISSING = ("group_address", "mcast_stats_enabled", "mcast_vlan_snooping", "no_linklocal_learn")
_PROTOCOLS = {name.lower(): protocol for protocol, name in PROTOCOL_NAMES.items()}


def add_bridge(namespace: Namespace, name: str, read: WordReader, mac: Mac | None) -> None:
    """A fresh bridge with the options that are left; none at all where one of them is wrong."""
    values = _values(read)
    bridge = namespace.add_bridge(name, mac=mac)
    try:
        set_options(bridge, values)
    except UsageError:
        namespace.remove_device(name)
        raise


def set_bridge(bridge: Bridge, read: WordReader) -> None:
    """Set the options that are left; nothing is where a word of them is wrong."""
    values = _values(read)
    set_options(bridge, values)
    if _FLUSH in values:
        flush_stations(bridge, lambda entry: entry.is_dynamic)


def _values(read: WordReader) -> Mapping[str, int]:
    values = {}
    while read:
        name = read.next()
        if name == _FLUSH:
            values[name] = 1
        elif name in BRIDGE_OPTIONS:
            values[name] = _value(name, read.next())
        elif name in _MISSING:
            raise UsageError(
                "RTNETLINK answers: Operation not supported", f"bridges here have no {name}"
            )
        else:
            hint = did_you_mean(name, [*BRIDGE_OPTIONS, _FLUSH], "there are")
            raise UsageError(f'bridge: unknown command "{name}"?', hint)
    return values


def _value(name: str, text: str) -> int:
    if name != "vlan_protocol":
        return number(text, BRIDGE_OPTIONS[name].most, name)
    if text.lower() not in _PROTOCOLS:
        raise UsageError(f'Error: argument "{text}" is wrong: invalid vlan_protocol')
    return _PROTOCOLS[text.lower()]
