"""``ip link set BRIDGE type bridge``: the options of the spanning tree and of multicast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.multicast.config import CENTISECOND_NS, OPTIONS, set_multicast
from vnet.linux.bridge.tree_settings import (
    set_bridge_priority,
    set_forward_delay,
    set_hello_time,
    set_max_age,
)
from vnet.shell.keywords import whole

Setting = Callable[[Bridge, str], None]


def _time(name: str, change: Callable[[Bridge, int], None]) -> Setting:
    def setting(bridge: Bridge, text: str) -> None:
        change(bridge, whole(f"ip link: {name}", text) * CENTISECOND_NS)

    return setting


def _multicast(name: str, bridge: Bridge, text: str) -> None:
    set_multicast(bridge, name, whole(f"ip link: mcast_{name}", text))


def _priority(bridge: Bridge, text: str) -> None:
    set_bridge_priority(bridge, whole("ip link: priority", text))


BRIDGE_OPTIONS: Mapping[str, Setting] = {
    "priority": _priority,
    "forward_delay": _time("forward_delay", set_forward_delay),
    "hello_time": _time("hello_time", set_hello_time),
    "max_age": _time("max_age", set_max_age),
    **{f"mcast_{name}": partial(_multicast, name) for name in OPTIONS},
}
"""Times and intervals are hundredths of a second."""
