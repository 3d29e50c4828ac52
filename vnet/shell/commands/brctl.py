"""``brctl``: the bridges of a node, shown and set as bridge-utils does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, one_of, quote
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.options import BRIDGE_OPTIONS
from vnet.linux.bridge.port import BridgePort
from vnet.linux.bridge.settings import set_port_cost, set_port_flag, set_port_priority
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.device_name import MOST_NAME_BYTES, is_device_name
from vnet.shell.context import ShellContext, Words, node_bridges
from vnet.shell.options import Arguments
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command
from vnet.shell.views.brctl import bridges_text, macs_text, tree_text

_NETLINK = "RTNETLINK answers: "

_ON = {"on": True, "yes": True, "1": True, "off": False, "no": False, "0": False}


@dataclass(frozen=True)
class Scene:
    """Where a command is given: a node with its bridges and devices."""

    node: str
    bridges: Mapping[str, Bridge]
    devices: Sequence[str]
    namespace: Callable[[], Namespace]

    def bridge(self, name: str, failure: str) -> Bridge:
        """A bridge by name; ``failure`` is what the tool says where there is none."""
        if name not in self.bridges:
            hint = did_you_mean(name, list(self.bridges), "it has")
            raise UsageError(failure.format(name), f"{self.node} has no such bridge: {hint}")
        return self.bridges[name]

    def port(self, bridge: str, name: str, failure: str) -> BridgePort:
        """A port by its device; the tool does not look whether it is one of ``bridge``."""
        ports = [port for known in self.bridges.values() for port in known.ports]
        found = next((port for port in ports if port.device.name == name), None)
        if found is None:
            known = one_of([port.device.name for port in ports])
            raise UsageError(failure.format(name), f"the ports of {bridge} are {known}")
        return found

    def has_device(self, name: str) -> None:
        """Raises where there is no such device."""
        if name not in self.devices:
            hint = did_you_mean(name, self.devices, "it has")
            raise UsageError(f"interface {name} does not exist!", hint)


_NO_BRIDGE = "bridge {} does not exist!"


def _show(scene: Scene, *names: str) -> str:
    for name in names:
        if name in scene.devices and name not in scene.bridges:
            raise UsageError(f"device {name} is not a bridge!", f"it has {one_of(scene.bridges)}")
    chosen = [scene.bridge(name, _NO_BRIDGE) for name in names] or scene.bridges.values()
    return bridges_text(chosen)


def _show_macs(scene: Scene, name: str) -> str:
    return macs_text(scene.bridge(name, "read of forward table failed: No such device"))


def _show_tree(scene: Scene, name: str) -> str:
    return tree_text(scene.bridge(name, _NO_BRIDGE))


def _add_bridge(scene: Scene, name: str) -> str:
    name = name[:MOST_NAME_BYTES]
    if name in scene.devices:
        raise UsageError(f"device {name} already exists; can't create bridge with the same name")
    if not is_device_name(name):
        raise UsageError("add bridge failed: Invalid argument", f"{quote(name)} is no name")
    scene.namespace().add_bridge(name)
    return ""


def _delete_bridge(scene: Scene, name: str) -> str:
    name = name[:MOST_NAME_BYTES]
    if name in scene.devices and name not in scene.bridges:
        raise UsageError(f"can't delete bridge {name}: Operation not permitted")
    bridge = scene.bridge(name, "bridge {} doesn't exist; can't delete it")
    namespace = scene.namespace()
    if bridge.device.admin_up:
        raise UsageError(f"bridge {name} is still up; can't delete it", f"set {name} down first")
    namespace.remove_device(name)
    return ""


def _add_ports(scene: Scene, bridge: str, *names: str) -> str:
    scene.bridge(bridge, _NO_BRIDGE)
    for name in names:
        scene.has_device(name)
        if name in scene.bridges:
            raise UsageError(
                f"device {name} is a bridge device itself; "
                "can't add a bridge device to a bridge device."
            )
        if name == "lo":
            raise UsageError(f"can't add {name} to bridge {bridge}: Invalid argument")
        scene.namespace().enslave(name, bridge)
    return ""


def _delete_ports(scene: Scene, bridge: str, *names: str) -> str:
    owner = scene.bridge(bridge, _NO_BRIDGE)
    for name in names:
        scene.has_device(name)
        if name not in [port.device.name for port in owner.ports]:
            raise UsageError(f"device {name} is not a port of {bridge}")
        scene.namespace().release(name)
    return ""


def _stp(scene: Scene, name: str, word: str) -> str:
    on = _on_or_off(word)
    bridge = scene.bridge(name, "set stp status failed: No such device")
    BRIDGE_OPTIONS["stp_state"].set(bridge, on)
    return ""


def _hairpin(scene: Scene, bridge: str, name: str, word: str) -> str:
    on = _on_or_off(word)
    scene.has_device(name)
    failure = "can't set {} to hairpin on bridge " + f"{bridge}: No such device"
    set_port_flag(scene.port(bridge, name, failure), "hairpin", on)
    return ""


def _set_priority(scene: Scene, name: str, text: str) -> str:
    priority = _whole(text, "bad priority")
    bridge = scene.bridge(name, "set bridge priority failed: No such device")
    option = BRIDGE_OPTIONS["priority"]
    # The tool hands on what it was given, of which the kernel takes the lower bits.
    option.set(bridge, priority & option.most)
    return ""


def _time_setting(what: str, option: str) -> Callable[..., str]:
    def setting(scene: Scene, name: str, text: str) -> str:
        hundredths = _hundredths(text, f"bad {what} value")
        bridge = scene.bridge(name, f"set {what} failed: No such device")
        _saying(f"set {what} failed", BRIDGE_OPTIONS[option].set, bridge, hundredths)
        return ""

    return setting


def _port_setting(
    what: str, bad: str, change: Callable[[BridgePort, int], None]
) -> Callable[..., str]:
    def setting(scene: Scene, bridge: str, name: str, text: str) -> str:
        value = _whole(text, f"bad {bad} value")
        port = scene.port(bridge, name, f"set {what} failed: No such device")
        _saying(f"set {what} failed", change, port, value)
        return ""

    return setting


def _saying(failure: str, change: Callable[..., None], *arguments: object) -> None:
    """Make a change; what the kernel says against it, the tool says behind ``failure``."""
    try:
        change(*arguments)
    except UsageError as error:
        said = error.what.removeprefix(_NETLINK)
        raise UsageError(f"{failure}: {said}", error.hint) from None


def _on_or_off(word: str) -> bool:
    if word not in _ON:
        raise UsageError("expect on/off for argument", f"not {quote(word)}")
    return _ON[word]


def _whole(text: str, failure: str) -> int:
    try:
        number = int(text, 0)
    except ValueError:
        number = -1
    if number < 0:
        raise UsageError(failure, f"not {quote(text)}")
    return number


def _hundredths(text: str, failure: str) -> int:
    """Seconds, told to the kernel in hundredths."""
    whole, _, fraction = text.partition(".")
    digits = whole + fraction[:2].ljust(2, "0")
    if not whole or not (whole + fraction).isdecimal() or not text.isascii():
        raise UsageError(failure, f"seconds, as 2 or 2.5, not {quote(text)}")
    return int(digits)


@dataclass(frozen=True)
class _Verb:
    usage: str
    run: Callable[..., str]
    least: int
    most: int | None


_VERBS = {
    "addbr": _Verb("<bridge>", _add_bridge, 1, 1),
    "delbr": _Verb("<bridge>", _delete_bridge, 1, 1),
    "addif": _Verb("<bridge> <device>", _add_ports, 2, None),
    "delif": _Verb("<bridge> <device>", _delete_ports, 2, None),
    "hairpin": _Verb("<bridge> <port> {on|off}", _hairpin, 3, 3),
    "setageing": _Verb("<bridge> <time>", _time_setting("ageing time", "ageing_time"), 2, 2),
    "setbridgeprio": _Verb("<bridge> <prio>", _set_priority, 2, 2),
    "setfd": _Verb("<bridge> <time>", _time_setting("forward delay", "forward_delay"), 2, 2),
    "sethello": _Verb("<bridge> <time>", _time_setting("hello timer", "hello_time"), 2, 2),
    "setmaxage": _Verb("<bridge> <time>", _time_setting("max age", "max_age"), 2, 2),
    "setpathcost": _Verb(
        "<bridge> <port> <cost>", _port_setting("path cost", "path cost", set_port_cost), 3, 3
    ),
    "setportprio": _Verb(
        "<bridge> <port> <prio>",
        _port_setting("port priority", "path priority", set_port_priority),
        3,
        3,
    ),
    "show": _Verb("[ <bridge> ]", _show, 0, None),
    "showmacs": _Verb("<bridge>", _show_macs, 1, 1),
    "showstp": _Verb("<bridge>", _show_tree, 1, 1),
    "stp": _Verb("<bridge> {on|off}", _stp, 2, 2),
}


@command(
    "brctl",
    "show [BR] | showmacs|showstp BR | addbr|addif|stp|set... ...",
    "bridges, their stations and spanning trees, as brctl(8) shows and sets them",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(2, None),
    options={},
    examples=[
        "h1 brctl show",
        "h1 brctl showmacs xenbr0",
        "h1 brctl showstp xenbr0",
        "h1 brctl stp xenbr0 on",
    ],
    completes=[Words(), Words(*_VERBS), node_bridges],
)
def brctl(context: ShellContext, arguments: Arguments) -> Output:
    """The stations' ageing timers count up from the last frame.

    addbr|delbr BR; addif|delif BR DEV...; stp BR on|off; hairpin BR PORT on|off
    setbridgeprio BR PRIO; setportprio BR PORT PRIO; setpathcost BR PORT COST
    setageing|setfd|sethello|setmaxage BR SECONDS
    """
    node, *words = arguments.words
    scene = Scene(
        node,
        context.bridges(node),
        [device.name for device in context.devices(node)],
        lambda: _namespace(context, node),
    )
    return run(scene, words)


def _namespace(context: ShellContext, node: str) -> Namespace:
    if node in context.lab.network.switches:
        hint = f"plug cables instead: link {node}:PORT down, or up"
        raise UsageError(f"{node} is one bridge with the ports that its file gives it", hint)
    return context.namespace(node)


def run(scene: Scene, words: Sequence[str]) -> str:
    """What stands behind ``brctl``."""
    what, *rest = words
    verb = _VERBS.get(what)
    if verb is None:
        hint = did_you_mean(what, list(_VERBS), "it knows")
        raise UsageError(f"never heard of command [{what}]", hint)
    if len(rest) < verb.least or (verb.most is not None and len(rest) > verb.most):
        raise UsageError(
            "Incorrect number of arguments for command", f"Usage: brctl {what} {verb.usage}"
        )
    return verb.run(scene, *rest)
