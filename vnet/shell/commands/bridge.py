"""``bridge``: forwarding databases, ports and VLANs, shown and set as bridge(8) does.

Any word that begins an object's name or a command's will do (``bridge l``, ``bridge vlan s``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, one_of, quote
from vnet.l2.stp.port import StpState
from vnet.linux.bridge.bridge import Bridge
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
from vnet.linux.bridge.stations import (
    Setting,
    delete_station,
    find_station,
    flush_stations,
    set_station,
)
from vnet.linux.netns.interface import Interface
from vnet.shell.commands import bridge_mdb
from vnet.shell.context import ShellContext, Words
from vnet.shell.keywords import Keywords, hardware_address, on_or_off, whole
from vnet.shell.options import Arguments, Option, take_options
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command
from vnet.shell.views.bridge import entry_text, fdb_text, ports_text
from vnet.shell.views.bridge_vlan import vlans_text
from vnet.tables.fdb import FdbKind


@dataclass(frozen=True)
class Scene:
    """Where a command is given: a node, with its bridges, devices and the options in front."""

    node: str
    bridges: Mapping[str, Bridge]
    devices: Sequence[str]
    interfaces: Mapping[str, Interface]
    options: Mapping[str, object]

    def bridge(self, name: str) -> Bridge:
        """A bridge by name."""
        if name not in self.bridges:
            hint = did_you_mean(name, list(self.bridges), "it has")
            raise UsageError(f"{self.node} has no bridge {quote(name)}", hint)
        return self.bridges[name]

    def device(self, name: str | None) -> str | None:
        """A device by name, or None for None."""
        if name is not None and name not in self.devices:
            hint = did_you_mean(name, self.devices, "it has")
            raise UsageError(f"{self.node} has no device {quote(name)}", hint)
        return name

    def port(self, name: str) -> BridgePort | None:
        """The port that a device is, or None."""
        self.device(name)
        ports = (port for bridge in self.bridges.values() for port in bridge.ports)
        return next((port for port in ports if port.device.name == name), None)

    def target(self, name: str, flags: Sequence[str]) -> BridgePort:
        """What ``dev NAME master``, ``self`` or neither is about: a port, or a bridge itself."""
        port = self.port(name)
        if port is not None and "self" not in flags:
            return port
        if name in self.bridges and "self" in flags:
            return self.bridges[name].own_port
        hint = f"say self for the bridge {name}" if name in self.bridges else ""
        if port is not None:
            hint = f"say master: {name} is a port, and has nothing of the kind itself"
        raise UsageError(
            "RTNETLINK answers: Operation not supported", hint or f"{name} is no port of a bridge"
        )


_Action = Callable[[Scene, Sequence[str]], str]


@command(
    "bridge",
    "[-s] [-d] [-c] fdb|link|mdb|vlan [show|add|del|set ...] [br BR] [dev DEV]",
    "forwarding databases, ports, groups and VLANs, as bridge(8) shows and sets them",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(2, None),
    examples=[
        "h1 bridge fdb",
        "h1 bridge -s fdb show br xenbr0",
        "h1 bridge -d link",
        "h1 bridge vlan",
        "h1 bridge link set dev peth0 isolated on",
    ],
    completes=[Words(), Words("fdb", "link", "mdb", "vlan"), Words("show", "add", "del", "set")],
)
def bridge(context: ShellContext, arguments: Arguments) -> Output:
    """-s adds how long ago an entry was used and refreshed, or what passed in a VLAN; -d the flags
    of ports; -c writes runs of VLANs as ranges.

    fdb add|append|replace MAC dev DEV [master|self] [permanent|static|dynamic] [sticky] [vlan VID]
    fdb del|get MAC dev DEV [vlan VID]; fdb flush dev DEV [vlan VID]
    mdb add|del dev BR port DEV grp GROUP [permanent|temp] [vid VID]
    vlan add|del dev DEV vid VID[-VID] [pvid] [untagged] [self]
    vlan set dev DEV vid VID state STATE
    link set dev DEV [hairpin|isolated|learning|... on|off] [cost N] [priority N] [state STATE]
    """
    node, *words = arguments.words
    known = {
        "-s": Option("statistics"),
        "-d": Option("details"),
        "-c": Option("ranges"),
    }
    plain, given = take_options("bridge", words, known)
    machine = context.lab.network.machine(node)
    scene = Scene(
        node,
        context.bridges(node),
        [device.name for device in context.devices(node)],
        machine.namespace.interfaces if machine else {},
        given,
    )
    return run(scene, plain)


def run(scene: Scene, words: Sequence[str]) -> str:
    """Find object and command, which may be cut short, and do it."""
    if not words:
        raise UsageError("bridge: which object?", f"one of {one_of(OBJECTS)}")
    first, *rest = words
    named = next((name for name in OBJECTS if name.startswith(first)), None)
    if named is None:
        hint = did_you_mean(first, list(OBJECTS), "there are")
        raise UsageError(f"bridge: there is no object {quote(first)}", hint)
    actions = OBJECTS[named]
    if not rest:
        return actions["show"](scene, ())
    verb, *arguments = rest
    if verb in ("list", "lst", "ls"):
        verb = "show"
    action = next((name for name in actions if name.startswith(verb)), None)
    if action is None:
        hint = did_you_mean(verb, list(actions), "it has")
        raise UsageError(f'Command "{verb}" is unknown, try "bridge {named} help".', hint)
    return actions[action](scene, arguments)


# -- fdb

_KINDS = {
    "permanent": FdbKind.LOCAL,
    "local": FdbKind.LOCAL,
    "static": FdbKind.STATIC,
    "temp": FdbKind.STATIC,
    "dynamic": FdbKind.DYNAMIC,
}


def _fdb_show(scene: Scene, words: Sequence[str]) -> str:
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


def _fdb_set(setting: Setting) -> _Action:
    def change(scene: Scene, words: Sequence[str]) -> str:
        given = _station(words, [*_KINDS, "sticky"])
        port, mac, vid = _at(scene, given)
        kind = _KINDS[given.chosen(*_KINDS) or "permanent"]
        set_station(port, mac, kind, vid=vid, sticky="sticky" in given.flags, setting=setting)
        return ""

    return change


def _fdb_delete(scene: Scene, words: Sequence[str]) -> str:
    port, mac, vid = _at(scene, _station(words, [*_KINDS, "sticky"]))
    delete_station(port, mac, vid=vid)
    return ""


def _fdb_get(scene: Scene, words: Sequence[str]) -> str:
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


def _fdb_flush(scene: Scene, words: Sequence[str]) -> str:
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


# -- vlan


def _vlan_show(scene: Scene, words: Sequence[str]) -> str:
    given = Keywords("bridge vlan", words, valued=("dev", "vid"))
    return vlans_text(
        scene.bridges.values(),
        device=scene.device(given.get("dev")),
        vid=given.number("vid") if "vid" in given.values else None,
        statistics="statistics" in scene.options,
        details="details" in scene.options,
        ranges="ranges" in scene.options,
    )


def _vlan_range(text: str) -> range:
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


def _vlan_change(scene: Scene, words: Sequence[str]) -> tuple[BridgePort, range, Keywords]:
    given = Keywords(
        "bridge vlan",
        words,
        valued=("dev", "vid", "state"),
        flags=("pvid", "untagged", "self", "master"),
    )
    missing = "Device and VLAN ID are required arguments."
    name = given.need("dev", missing)
    vids = _vlan_range(given.need("vid", missing))
    if "pvid" in given.flags and len(vids) > 1:
        raise UsageError("pvid cannot be configured for a vlan range")
    return scene.target(name, given.flags), vids, given


def _vlan_add(scene: Scene, words: Sequence[str]) -> str:
    port, vids, given = _vlan_change(scene, words)
    for vid in vids:
        port.bridge.vlan_filter.add(
            port, vid, pvid="pvid" in given.flags, untagged="untagged" in given.flags
        )
    return ""


def _vlan_delete(scene: Scene, words: Sequence[str]) -> str:
    port, vids, _ = _vlan_change(scene, words)
    here = [vid for vid in vids if vid in port.vlans.members]
    for vid in here or vids:
        port.bridge.vlan_filter.delete(port, vid)
    return ""


def _vlan_set(scene: Scene, words: Sequence[str]) -> str:
    port, vids, given = _vlan_change(scene, words)
    state = PortState(_state(given.need("state", "Device and VLAN ID are required arguments.")))
    for vid in vids:
        port.bridge.vlan_filter.set_state(port, vid, state)
    return ""


def _state(text: str) -> int:
    """A port's state by name, or by the kernel's number."""
    by_name = {state.name.lower(): state.value for state in PortState}
    if text.lower() in by_name:
        return by_name[text.lower()]
    if text.isascii() and text.isdecimal() and int(text) in by_name.values():
        return int(text)
    raise UsageError("Error: invalid STP port state", f"one of {one_of(by_name)}")


# -- link


def _link_show(scene: Scene, words: Sequence[str]) -> str:
    given = Keywords("bridge link", words, valued=("dev",))
    return ports_text(
        scene.bridges.values(),
        interfaces=scene.interfaces,
        device=scene.device(given.get("dev")),
        details="details" in scene.options,
    )


def _link_set(scene: Scene, words: Sequence[str]) -> str:
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
    if "cost" in given.values:
        set_port_cost(port, given.number("cost"))
    if "mcast_router" in given.values:
        set_port_router(port, given.number("mcast_router"))
    if "priority" in given.values:
        set_port_priority(port, given.number("priority"))
    if "state" in given.values:
        state = PortState(_state(given.values["state"]))
        set_port_state(port, StpState[state.name])
    return ""


OBJECTS: dict[str, dict[str, _Action]] = {
    "fdb": {
        "show": _fdb_show,
        "add": _fdb_set(Setting.ADD),
        "append": _fdb_set(Setting.APPEND),
        "replace": _fdb_set(Setting.REPLACE),
        "delete": _fdb_delete,
        "get": _fdb_get,
        "flush": _fdb_flush,
    },
    "link": {"show": _link_show, "set": _link_set},
    "mdb": {"show": bridge_mdb.show, "add": bridge_mdb.add, "delete": bridge_mdb.delete},
    "vlan": {"show": _vlan_show, "add": _vlan_add, "delete": _vlan_delete, "set": _vlan_set},
}
"""What there is, and what can be done to it; ``show`` is what is done without a word."""
