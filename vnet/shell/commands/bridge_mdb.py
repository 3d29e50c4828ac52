"""``bridge mdb``: groups shown, added and deleted."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.errors import UsageError
from vnet.base.ids import ip_from_text, mac_from_text
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.multicast.by_hand import add_member, delete_member
from vnet.linux.bridge.multicast.mdb import GroupKey
from vnet.linux.bridge.port import BridgePort
from vnet.shell.commands.bridge_scene import Scene
from vnet.shell.keywords import Keywords
from vnet.shell.views.mdb import groups_text

_REQUIRED = "Device, group address and port name are required arguments."


def show(scene: Scene, words: Sequence[str]) -> str:
    """``bridge mdb show [dev BRIDGE]``; of another device there is nothing to show."""
    given = Keywords("bridge mdb", words, valued=("dev",))
    name = scene.device(given.get("dev"))
    chosen = [bridge for known, bridge in scene.bridges.items() if name in (None, known)]
    return groups_text(
        chosen, details="details" in scene.options, statistics="statistics" in scene.options
    )


def add(scene: Scene, words: Sequence[str]) -> str:
    """``bridge mdb add dev BRIDGE port PORT grp GROUP [permanent|temp] [src IP] [vid VID]``."""
    given = _given(words)
    bridge, port, key = _at(scene, given)
    add_member(bridge, port, key, permanent=given.chosen("permanent", "temp") == "permanent")
    return ""


def delete(scene: Scene, words: Sequence[str]) -> str:
    """``bridge mdb del dev BRIDGE port PORT grp GROUP [src IP] [vid VID]``."""
    bridge, port, key = _at(scene, _given(words))
    delete_member(bridge, port, key)
    return ""


def _given(words: Sequence[str]) -> Keywords:
    return Keywords(
        "bridge mdb",
        words,
        valued=("dev", "port", "grp", "src", "vid"),
        flags=("permanent", "temp"),
    )


def _at(scene: Scene, given: Keywords) -> tuple[Bridge, BridgePort, GroupKey]:
    bridge = scene.bridge(given.need("dev", _REQUIRED))
    name = given.need("port", _REQUIRED)
    address = _address(given.need("grp", _REQUIRED))
    source = _address(given.values["src"]) if "src" in given.values else b""
    vid = given.number("vid")
    if not 0 <= vid <= 4094:
        raise UsageError(f'Invalid VLAN ID "{vid}"')
    if name == bridge.device.name:
        return bridge, bridge.own_port, GroupKey(address, vid, source)
    scene.device(name)
    port = scene.port(name)
    if port is None:
        raise UsageError("Error: bridge: Net device is not a bridge port.")
    if port.bridge is not bridge:
        raise UsageError("Error: bridge: Port belongs to a different bridge device.")
    return bridge, port, GroupKey(address, vid, source)


def _address(text: str) -> bytes:
    """A group's address: of IPv4, of IPv6, or a MAC."""
    for read in (ip_from_text, mac_from_text):
        try:
            return bytes(read(text))
        except ValueError:
            continue
    raise UsageError(f'Invalid address "{text}"', "a group, as 239.1.1.1, ff05::1 or a MAC")
