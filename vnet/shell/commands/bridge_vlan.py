"""``bridge vlan``: who is in which VLAN, shown and set."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.errors import UsageError
from vnet.linux.bridge.port import BridgePort
from vnet.linux.bridge.state import PortState
from vnet.shell.commands.bridge_scene import Scene, port_state
from vnet.shell.keywords import Keywords, whole
from vnet.shell.views.bridge_vlan import vlans_text


def show(scene: Scene, words: Sequence[str]) -> str:
    """``bridge vlan show``."""
    given = Keywords("bridge vlan", words, valued=("dev", "vid"))
    return vlans_text(
        scene.bridges.values(),
        device=scene.device(given.get("dev")),
        vid=given.number("vid") if "vid" in given.values else None,
        statistics="statistics" in scene.options,
        details="details" in scene.options,
        ranges="ranges" in scene.options,
    )


def _range(text: str) -> range:
    first, dash, last = text.partition("-")
    low = whole("bridge vlan: vid", first)
    if low > 4095:
        raise UsageError(f'Invalid VLAN ID "{low}"')
    if not dash:
        return range(low, low + 1)
    high = whole("bridge vlan: vid", last)
    if high > 4095 or low >= high:
        raise UsageError(f'Invalid VLAN range "{low}-{high}"')
    return range(low, high + 1)


def _at(scene: Scene, words: Sequence[str]) -> tuple[BridgePort, range, Keywords]:
    given = Keywords(
        "bridge vlan",
        words,
        valued=("dev", "vid", "state"),
        flags=("pvid", "untagged", "self", "master"),
    )
    missing = "Device and VLAN ID are required arguments."
    name = given.need("dev", missing)
    vids = _range(given.need("vid", missing))
    if "pvid" in given.flags and len(vids) > 1:
        raise UsageError("pvid cannot be configured for a vlan range")
    return scene.target(name, given.flags), vids, given


def add(scene: Scene, words: Sequence[str]) -> str:
    """``bridge vlan add dev DEV vid VID[-VID] [pvid] [untagged]``."""
    port, vids, given = _at(scene, words)
    for vid in vids:
        port.bridge.vlan_filter.add(
            port, vid, pvid="pvid" in given.flags, untagged="untagged" in given.flags
        )
    return ""


def delete(scene: Scene, words: Sequence[str]) -> str:
    """``bridge vlan del``; of a range, those that are there."""
    port, vids, _ = _at(scene, words)
    here = [vid for vid in vids if vid in port.vlans.members]
    for vid in here or vids:
        port.bridge.vlan_filter.delete(port, vid)
    return ""


def change(scene: Scene, words: Sequence[str]) -> str:
    """``bridge vlan set ... state STATE``."""
    port, vids, given = _at(scene, words)
    state = PortState(port_state(given.need("state", "Device and VLAN ID are required arguments.")))
    for vid in vids:
        port.bridge.vlan_filter.set_state(port, vid, state)
    return ""
