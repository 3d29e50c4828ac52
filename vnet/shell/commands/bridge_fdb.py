"""``bridge fdb``: stations shown, set, deleted and flushed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vnet.base.errors import UsageError
from vnet.base.text import quote
from vnet.linux.bridge.port import BridgePort
from vnet.linux.bridge.stations import (
    Setting,
    delete_station,
    find_station,
    flush_stations,
    set_station,
)
from vnet.linux.netns.hardware_filter import HardwareFilter
from vnet.linux.netns.interface import Interface
from vnet.shell.commands.bridge_scene import Action, Scene
from vnet.shell.keywords import Keywords, hardware_address
from vnet.shell.views.bridge import entry_text, fdb_text
from vnet.tables.fdb import FdbKind

_KINDS = {
    "permanent": FdbKind.LOCAL,
    "local": FdbKind.LOCAL,
    "static": FdbKind.STATIC,
    "temp": FdbKind.STATIC,
    "dynamic": FdbKind.DYNAMIC,
}


def show(scene: Scene, words: Sequence[str]) -> str:
    """``bridge fdb show``, narrowed down by bridge, device, VLAN or state."""
    given = Keywords(
        "bridge fdb", words, valued=("br", "dev", "brport", "vlan", "state"), flags=("dynamic",)
    )
    name = given.get("br")
    chosen = list(scene.bridges.values()) if name is None else [scene.bridge(name)]
    kind = _KINDS.get(given.get("state") or "")
    if "state" in given.values and kind is None:
        raise UsageError(f"bridge fdb: there is no state {quote(given.values['state'])}")
    return fdb_text(
        chosen,
        interfaces=_interfaces(scene, name),
        device=scene.device(given.get("dev") or given.get("brport")),
        vid=given.number("vlan") if "vlan" in given.values else None,
        kind=FdbKind.DYNAMIC if "dynamic" in given.flags else kind,
        statistics="statistics" in scene.options,
    )


def _interfaces(scene: Scene, bridge: str | None) -> list[Interface]:
    """All devices, or a bridge and its ports."""
    found = scene.interfaces.values()
    if bridge is None:
        return list(found)
    names = [bridge, *(port.device.name for port in scene.bridges[bridge].ports)]
    return [interface for interface in found if interface.device.name in names]


def _station(words: Sequence[str], more: Sequence[str] = ()) -> Keywords:
    return Keywords(
        "bridge fdb",
        words,
        valued=("dev", "vlan"),
        flags=("master", "self", *more),
        bare=True,
    )


@dataclass(frozen=True)
class _Place:
    """Which station and VLAN a command is about, at a bridge's port and in a device's filter."""

    mac: bytes
    vid: int
    port: BridgePort | None
    own: HardwareFilter | None


def _at(scene: Scene, given: Keywords) -> _Place:
    if given.bare is None or given.get("dev") is None:
        raise UsageError("Device and address are required arguments.", "fdb add MAC dev DEV master")
    name = given.values["dev"]
    vid = given.number("vlan")
    if "vlan" in given.values and not 1 <= vid <= 4094:
        raise UsageError("Error: invalid vlan id.", "1 to 4094")
    mac = hardware_address(given.bare)
    # The tool's default, which for all but bridges means the device's own filter of addresses.
    is_own = "self" in given.flags or "master" not in given.flags
    interface = scene.interfaces.get(name)
    if name in scene.bridges or interface is None:
        return _Place(mac, vid, scene.target(name, ["self"] * is_own), None)
    port = scene.target(name, ["master"]) if "master" in given.flags else None
    if is_own and interface.device.kind == "loopback":
        raise UsageError("Error: FDB add only supported for Ethernet devices.")
    return _Place(mac, vid, port, interface.hardware_filter if is_own else None)


def setter(setting: Setting) -> Action:
    """``bridge fdb add``, ``append`` or ``replace``."""

    def change(scene: Scene, words: Sequence[str]) -> str:
        given = _station(words, [*_KINDS, "sticky"])
        place = _at(scene, given)
        kind = _KINDS[given.chosen(*_KINDS) or "permanent"]
        if place.port is not None:
            set_station(
                place.port,
                place.mac,
                kind,
                vid=place.vid,
                sticky="sticky" in given.flags,
                setting=setting,
            )
        if place.own is not None:
            if place.vid or kind is not FdbKind.LOCAL:
                raise UsageError(
                    "RTNETLINK answers: Invalid argument",
                    "say master for the bridge: a device itself has permanent ones, and no VLANs",
                )
            place.own.add(place.mac, replace=setting is not Setting.ADD)
        return ""

    return change


def delete(scene: Scene, words: Sequence[str]) -> str:
    """``bridge fdb del MAC dev DEV``."""
    place = _at(scene, _station(words, [*_KINDS, "sticky"]))
    if place.port is not None:
        delete_station(place.port, place.mac, vid=place.vid)
    if place.own is not None:
        place.own.delete(place.mac)
    return ""


def get(scene: Scene, words: Sequence[str]) -> str:
    """``bridge fdb get MAC br BRIDGE``."""
    given = Keywords(
        "bridge fdb get", words, valued=("dev", "br", "vlan"), flags=("master", "self"), bare=True
    )
    if given.bare is None:
        raise UsageError("Device and address are required arguments.", "fdb get MAC br BRIDGE")
    name = given.get("br")
    if name is None:
        port = scene.target(given.need("dev", "Device and address are required arguments."), [])
        chosen = port.bridge
    else:
        chosen = scene.bridge(name)
    entry = find_station(chosen, hardware_address(given.bare), vid=given.number("vlan"))
    return entry_text(entry, statistics="statistics" in scene.options)


def flush(scene: Scene, words: Sequence[str]) -> str:
    """``bridge fdb flush dev DEV``, of what the flags mean."""
    given = Keywords(
        "bridge fdb flush",
        words,
        valued=("dev", "brport", "vlan"),
        flags=("self", "master", "permanent", "nopermanent", "static", "nostatic", "dynamic"),
    )
    name = given.need("dev", "Device is a required argument.")
    port = None
    if name in scene.bridges:
        chosen = scene.bridges[name]
        port = scene.port(given.values["brport"]) if "brport" in given.values else None
    else:
        port = scene.target(name, ["master"])
        chosen = port.bridge
    vid = given.number("vlan") if "vlan" in given.values else None
    kept = {"nopermanent": FdbKind.LOCAL, "nostatic": FdbKind.STATIC}
    spared = {kept[flag] for flag in given.flags if flag in kept}
    wanted = {_KINDS[flag] for flag in given.flags if flag in _KINDS}
    flush_stations(
        chosen,
        lambda entry: (
            port in (None, entry.port)
            and vid in (None, entry.vid)
            and entry.kind not in spared
            and (not wanted or entry.kind in wanted)
        ),
    )
    return ""
