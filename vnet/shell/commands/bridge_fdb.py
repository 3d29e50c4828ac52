"""``bridge fdb``: stations shown, set, deleted and flushed."""

from __future__ import annotations

from collections.abc import Sequence

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
        device=scene.device(given.get("dev") or given.get("brport")),
        vid=given.number("vlan") if "vlan" in given.values else None,
        kind=FdbKind.DYNAMIC if "dynamic" in given.flags else kind,
        statistics="statistics" in scene.options,
    )


def _station(words: Sequence[str], more: Sequence[str] = ()) -> Keywords:
    return Keywords(
        "bridge fdb",
        words,
        valued=("dev", "vlan"),
        flags=("master", "self", *more),
        bare=True,
    )


def _at(scene: Scene, given: Keywords) -> tuple[BridgePort, bytes, int]:
    """Which port, station and VLAN a command is about."""
    if given.bare is None or given.get("dev") is None:
        raise UsageError("Device and address are required arguments.", "fdb add MAC dev DEV master")
    name = given.values["dev"]
    flags = given.flags
    if not {"self", "master"} & set(flags):
        # The tool's default, which for a port means the device's own filter of addresses.
        flags = ["self"]
    vid = given.number("vlan")
    if "vlan" in given.values and not 1 <= vid <= 4094:
        raise UsageError("Error: invalid vlan id.", "1 to 4094")
    return scene.target(name, flags), hardware_address(given.bare), vid


def setter(setting: Setting) -> Action:
    """``bridge fdb add``, ``append`` or ``replace``."""

    def change(scene: Scene, words: Sequence[str]) -> str:
        given = _station(words, [*_KINDS, "sticky"])
        port, mac, vid = _at(scene, given)
        kind = _KINDS[given.chosen(*_KINDS) or "permanent"]
        set_station(port, mac, kind, vid=vid, sticky="sticky" in given.flags, setting=setting)
        return ""

    return change


def delete(scene: Scene, words: Sequence[str]) -> str:
    """``bridge fdb del MAC dev DEV``."""
    port, mac, vid = _at(scene, _station(words, [*_KINDS, "sticky"]))
    delete_station(port, mac, vid=vid)
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
