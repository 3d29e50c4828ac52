"""``bridge``: forwarding databases, ports, groups and VLANs, shown and set as bridge(8) does.

Any word that begins an object's name or a command's will do (``bridge l``, ``bridge vlan s``).
"""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, one_of, quote
from vnet.linux.bridge.stations import Setting
from vnet.shell.commands import bridge_fdb, bridge_link, bridge_mdb, bridge_vlan
from vnet.shell.commands.bridge_scene import Action, Scene
from vnet.shell.context import ShellContext, Words
from vnet.shell.options import Arguments, Option, take_options
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command


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
    of ports; -c writes runs of VLANs as ranges. The devices of a switch on the wire have no
    indices: there `link` shows the numbers of its ports.

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


OBJECTS: dict[str, dict[str, Action]] = {
    "fdb": {
        "show": bridge_fdb.show,
        "add": bridge_fdb.setter(Setting.ADD),
        "append": bridge_fdb.setter(Setting.APPEND),
        "replace": bridge_fdb.setter(Setting.REPLACE),
        "delete": bridge_fdb.delete,
        "get": bridge_fdb.get,
        "flush": bridge_fdb.flush,
    },
    "link": {"show": bridge_link.show, "set": bridge_link.change},
    "mdb": {"show": bridge_mdb.show, "add": bridge_mdb.add, "delete": bridge_mdb.delete},
    "vlan": {
        "show": bridge_vlan.show,
        "add": bridge_vlan.add,
        "delete": bridge_vlan.delete,
        "set": bridge_vlan.change,
    },
}
"""What there is, and what can be done to it; ``show`` is what is done without a word."""
