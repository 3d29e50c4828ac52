"""``bridge link``: ports shown, and their settings set."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.errors import UsageError
from vnet.l2.stp.port import StpState
from vnet.linux.bridge.settings import (
    PORT_FLAGS,
    set_port_cost,
    set_port_flag,
    set_port_priority,
    set_port_router,
    set_port_state,
)
from vnet.linux.bridge.state import PortState
from vnet.shell.commands.bridge_scene import Scene, port_state
from vnet.shell.keywords import Keywords, on_or_off
from vnet.shell.views.bridge import ports_text


def show(scene: Scene, words: Sequence[str]) -> str:
    """``bridge link show``."""
    given = Keywords("bridge link", words, valued=("dev",))
    return ports_text(
        scene.bridges.values(),
        interfaces=scene.interfaces,
        device=scene.device(given.get("dev")),
        details="details" in scene.options,
    )


def change(scene: Scene, words: Sequence[str]) -> str:
    """``bridge link set``."""
    given = Keywords(
        "bridge link set",
        words,
        valued=("dev", *PORT_FLAGS, "cost", "mcast_router", "priority", "state"),
        flags=("self", "master"),
    )
    name = given.need("dev", "Device is a required argument.")
    flags = {key: on_or_off(key, text) for key, text in given.values.items() if key in PORT_FLAGS}
    port = scene.port(name)
    if port is None or "self" in given.flags:
        raise UsageError(
            "RTNETLINK answers: Operation not supported", f"{name} is no port of a bridge"
        )
    for key, on in flags.items():
        set_port_flag(port, key, on)
    # The tool tells the kernel of no cost where it is 0; ip link does.
    if given.number("cost"):
        set_port_cost(port, given.number("cost"))
    if "mcast_router" in given.values:
        set_port_router(port, given.number("mcast_router"))
    if "priority" in given.values:
        set_port_priority(port, given.number("priority"))
    if "state" in given.values:
        state = PortState(port_state(given.values["state"]))
        set_port_state(port, StpState[state.name])
    return ""
