"""The options of a bridge, by the names and in the units of ip-link(8).

``ip link``, brctl(8) and the topology file all set them here. Times are hundredths of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from vnet.base.errors import UsageError
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.multicast.config import (
    CENTISECOND_NS,
    get_multicast,
    set_multicast,
)
from vnet.linux.bridge.multicast.config import (
    OPTIONS as MULTICAST_OPTIONS,
)
from vnet.linux.bridge.tree_settings import (
    set_bridge_priority,
    set_forward_delay,
    set_hello_time,
    set_max_age,
    set_stp,
)
from vnet.linux.timer_wheel import JIFFY_NS

PROTOCOL_NAMES = {0x8100: "802.1Q", 0x88A8: "802.1ad"}
_HASH_ELASTICITY = 16


@dataclass(frozen=True, slots=True)
class BridgeOption:
    """One number of a bridge, ``bits`` wide, and how it is changed.

    ``set`` raises :class:`UsageError` with what the kernel says of a value that it refuses.
    """

    bits: int
    get: Callable[[Bridge], int]
    set: Callable[[Bridge, int], None]

    @property
    def most(self) -> int:
        """The largest number that can be told to the kernel."""
        return (1 << self.bits) - 1


def set_options(bridge: Bridge, values: Mapping[str, int]) -> None:
    """Set several at once. As in the kernel, what was said first need not be done first."""
    for name, option in BRIDGE_OPTIONS.items():
        if name in values:
            option.set(bridge, values[name])


def option_words(values: Iterable[tuple[str, int]]) -> list[str]:
    """Names and values as they stand behind ``ip link set BRIDGE type bridge``."""
    return [f"{name} {_value_text(name, value)}" for name, value in values]


def _value_text(name: str, value: int) -> str:
    if name == "vlan_protocol":
        return PROTOCOL_NAMES[value]
    return f"{value:#x}" if name == "group_fwd_mask" else str(value)


# -- the spanning tree


def _tree_time(name: str, change: Callable[[Bridge, int], None]) -> BridgeOption:
    """A time of the tree, which is shown as it is in force."""

    def get(bridge: Bridge) -> int:
        jiffies: int = getattr(bridge.tree.times, name)
        return jiffies * JIFFY_NS // CENTISECOND_NS

    return BridgeOption(32, get, lambda bridge, value: change(bridge, value * CENTISECOND_NS))


def _set_ageing(bridge: Bridge, value: int) -> None:
    bridge.set_ageing(value * CENTISECOND_NS)


# -- VLANs


def _check_switch(value: int) -> None:
    if value > 1:
        raise UsageError("RTNETLINK answers: Invalid argument", "0 or 1")


def _set_counting(bridge: Bridge, value: int) -> None:
    _check_switch(value)
    bridge.vlan_filter.counts = bool(value)


def _set_counting_per_port(bridge: Bridge, value: int) -> None:
    _check_switch(value)
    if any(port.vlans.members for port in bridge.ports):
        raise UsageError(
            "RTNETLINK answers: Device or resource busy", "take the ports out of their VLANs first"
        )
    bridge.vlan_filter.counts_per_port = bool(value)


# -- br_netfilter and the rest


def _netfilter_call(name: str) -> BridgeOption:
    def change(bridge: Bridge, value: int) -> None:
        bridge.nf_calls = replace(bridge.nf_calls, **{name: bool(value)})

    return BridgeOption(8, lambda bridge: getattr(bridge.nf_calls, name), change)


def _set_elasticity(bridge: Bridge, _value: int) -> None:
    bridge.say(f"the hash_elasticity option has been deprecated and is always {_HASH_ELASTICITY}")


def _multicast(name: str) -> BridgeOption:
    wide = 64 if name.endswith("_interval") else 32 if name.endswith(("_count", "_max")) else 8
    return BridgeOption(
        wide,
        lambda bridge: get_multicast(bridge, name),
        lambda bridge, value: set_multicast(bridge, name, value),
    )


BRIDGE_OPTIONS: Mapping[str, BridgeOption] = {
    "forward_delay": _tree_time("forward_delay", set_forward_delay),
    "hello_time": _tree_time("hello_time", set_hello_time),
    "max_age": _tree_time("max_age", set_max_age),
    "ageing_time": BridgeOption(
        32, lambda bridge: bridge.ageing.shown_ns // CENTISECOND_NS, _set_ageing
    ),
    "stp_state": BridgeOption(
        32, lambda bridge: bridge.tree.is_on, lambda bridge, value: set_stp(bridge, bool(value))
    ),
    "priority": BridgeOption(16, lambda bridge: bridge.tree.priority, set_bridge_priority),
    "vlan_filtering": BridgeOption(
        8,
        lambda bridge: bridge.vlan_filter.is_on,
        lambda bridge, value: bridge.vlan_filter.set_filtering(bool(value)),
    ),
    "vlan_protocol": BridgeOption(
        16,
        lambda bridge: bridge.vlan_filter.protocol,
        lambda bridge, value: bridge.vlan_filter.set_protocol(value),
    ),
    "vlan_default_pvid": BridgeOption(
        16,
        lambda bridge: bridge.vlan_filter.default_pvid,
        lambda bridge, value: bridge.vlan_filter.set_default_pvid(value),
    ),
    "vlan_stats_enabled": BridgeOption(8, lambda bridge: bridge.vlan_filter.counts, _set_counting),
    "vlan_stats_per_port": BridgeOption(
        8, lambda bridge: bridge.vlan_filter.counts_per_port, _set_counting_per_port
    ),
    "group_fwd_mask": BridgeOption(
        16, lambda bridge: bridge.group_fwd_mask, Bridge.set_group_fwd_mask
    ),
    "mcast_hash_elasticity": BridgeOption(32, lambda _: _HASH_ELASTICITY, _set_elasticity),
    **{f"mcast_{name}": _multicast(name) for name in MULTICAST_OPTIONS},
    "nf_call_iptables": _netfilter_call("ipv4"),
    "nf_call_ip6tables": _netfilter_call("ipv6"),
    "nf_call_arptables": _netfilter_call("arp"),
}
"""In the order in which they are set where several are."""
