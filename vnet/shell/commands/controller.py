"""Being a bridge's OpenFlow controller: hear what it tells, and tell it what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.ovs.flow.errors import OvsTextError
from vnet.shell.commands.openvswitch import ovs_ofctl
from vnet.shell.context import ShellContext
from vnet.shell.openvswitch import any_bridge, label_of
from vnet.shell.options import Arguments, Option
from vnet.shell.output import Failed, Output, columns, plural
from vnet.shell.registry import Group, NodeUse, command

if TYPE_CHECKING:
    from vnet.controller.switch import Switch
    from vnet.shell.controllers import ControllerWatch

_CONTROLLER = "controller"
_OFF = "off"


def _apps(_context: ShellContext, _words: Sequence[str]) -> Iterable[str]:
    """Apps that come with vnet, files that may be some, and the word for none."""
    from vnet.controller.shipped import shipped_apps

    return [_OFF, *(f"@{name}" for name in shipped_apps()), *map(str, Path().glob("*.py"))]


@command(
    _CONTROLLER,
    "[BR [APP | off]] [-O VERSION] [-q]",
    "be the OpenFlow controller of a bridge, by hand or by an app; or tell who is whose",
    group=Group.SWITCH,
    node=NodeUse.MAYBE,
    words=(0, 2),
    options={
        "-O": Option("versions", str),
        "-q": Option("quiet"),
    },
    examples=[
        "controller",
        "controller br0",
        "controller br0 @learning-switch",
        "controller br0 -O OpenFlow13 -q",
    ],
    completes=[any_bridge, _apps],
)
def controller(context: ShellContext, arguments: Arguments) -> Output:
    """As with any controller that a bridge gets, the flows that it had are gone. Frames that no
    flow is for come here; by hand they do so at once, an app has to ask for them. What comes is
    shown as it happens, whatever lets time pass (run, wait, ping); -q shows errors only.

    `flow-mod BR`, `group-mod BR`, `meter-mod BR` and `packet-out BR` answer. `controller BR off`
    lets go of the bridge, which then is as it was without flows of its own. An app is a file of
    Python, or @NAME for one that comes with vnet; docs/controllers.md tells what it may say.
    """
    bridge, app = arguments.word(0), arguments.word(1)
    if bridge is None:
        return _all(context)
    label, commands = label_of(context, bridge, arguments.node)
    if app == _OFF:
        return _let_go(context, label)
    from vnet.shell.controllers import become_controller

    watch = become_controller(
        context,
        *(label, commands, app),
        versions=arguments.options.get("versions"),
        is_quiet=arguments.options.get("quiet", False),
    )
    return Failed(watch.summary) if watch.controller.errors else watch.summary


def _all(context: ShellContext) -> Output:
    found = [watch for watch in context.controllers.values() if watch.controller.is_open]
    if not found:
        return "no bridge has its controller here; `controller BR` makes you one"
    header = ("BRIDGE", "OPENFLOW", "APP", "PACKET-INS", "ERRORS")
    return columns(header, [watch.row for watch in found], numbers=(3, 4))


def _let_go(context: ShellContext, label: str) -> Output:
    watch = _watch(context, label)
    del context.controllers[label]
    watch.controller.close()
    context.lab.advance(0)
    return f"{label} is without its controller, after {plural(watch.n_packet_ins, 'packet-in')}"


def _watch(context: ShellContext, label: str) -> ControllerWatch:
    """The controller of a bridge. Raises :class:`UsageError` where it is not here."""
    if not _is_controlled(context, label):
        raise UsageError(f"nobody here is the controller of {label}", f"try: controller {label}")
    return context.controllers[label]


def _is_controlled(context: ShellContext, label: str) -> bool:
    watch = context.controllers.get(label)
    return watch is not None and watch.controller.is_open


# -- what is said to it


@command(
    "flow-mod",
    "BR [add | modify | delete | ...] FLOW",
    "as its controller, have a bridge add, change or delete flows",
    group=Group.SWITCH,
    node=NodeUse.MAYBE,
    words=(2, None),
    examples=[
        "flow-mod br0 priority=5,icmp,actions=drop",
        "flow-mod br0 modify_strict priority=5,icmp,actions=NORMAL",
        "flow-mod br0 delete icmp",
    ],
    completes=[
        any_bridge,
        lambda _c, _w: ("add", "modify", "modify_strict", "delete", "delete_strict"),
    ],
)
def flow_mod(context: ShellContext, arguments: Arguments) -> Output:
    """A flow is written as in a file for `ovs-ofctl add-flows`. What the bridge refuses is shown as
    ovs-ofctl does, and fails. `controller BR` comes first.
    """
    return _say(context, arguments, "flow-mod", lambda switch, text: switch.flow_mod(text))


@command(
    "group-mod",
    "BR [add | modify | delete | ...] GROUP",
    "as its controller, have a bridge add, change or delete groups",
    group=Group.SWITCH,
    node=NodeUse.MAYBE,
    words=(2, None),
    examples=[
        "group-mod br0 group_id=1,type=select,bucket=output:1,bucket=output:2",
        "group-mod br0 delete group_id=1",
    ],
    completes=[
        any_bridge,
        lambda _c, _w: ("add", "modify", "delete", "insert_bucket", "remove_bucket"),
    ],
)
def group_mod(context: ShellContext, arguments: Arguments) -> Output:
    """A group is written as in a file for `ovs-ofctl add-groups`; all else as for `flow-mod`."""
    return _say(context, arguments, "group-mod", lambda switch, text: switch.group_mod(text))


@command(
    "meter-mod",
    "BR [add | modify | delete] METER",
    "as its controller, have a bridge add, change or delete meters",
    group=Group.SWITCH,
    node=NodeUse.MAYBE,
    words=(2, None),
    examples=["meter-mod br0 'meter=1 kbps band=type=drop rate=1000'"],
    completes=[any_bridge, lambda _c, _w: ("add", "modify", "delete")],
)
def meter_mod(context: ShellContext, arguments: Arguments) -> Output:
    """A meter is written as for `ovs-ofctl add-meter`; all else as for `flow-mod`. Meters came with
    OpenFlow 1.3.
    """
    return _say(context, arguments, "meter-mod", lambda switch, text: switch.meter_mod(text))


def _say(
    context: ShellContext, arguments: Arguments, command: str, say: Callable[[Switch, str], None]
) -> Output:
    """Say something to a bridge that is controlled here."""
    name, *words = arguments.words
    watch = _watch(context, label_of(context, name, arguments.node)[0])
    with _told(command):
        say(watch.controller.switch, " ".join(words))
    return _done(context, watch)


@command(
    "packet-out",
    "BR [in_port=PORT] [packet=HEX] actions=ACTIONS",
    "have a bridge send a packet, as its controller or as ovs-ofctl does",
    group=Group.SWITCH,
    node=NodeUse.MAYBE,
    words=(2, None),
    examples=["packet-out br0 in_port=1 packet=ffffffffffff0200000000010800 actions=2"],
    completes=[any_bridge, lambda _c, _w: ("in_port=", "packet=", "actions=")],
)
def packet_out(context: ShellContext, arguments: Arguments) -> Output:
    """As ovs-ofctl(8) has it, and done by that where nobody here is the controller. With
    `controller BR`, `packet` may be left out: it is the one that came last, from where it came in.
    """
    name, *words = arguments.words
    label = label_of(context, name, arguments.node)[0]
    if not _is_controlled(context, label):
        of_ofctl = ("packet-out", name, " ".join(words))
        return ovs_ofctl(context, Arguments(of_ofctl, node=arguments.node))
    watch = _watch(context, label)
    with _told("packet-out"):
        watch.send_packet(" ".join(words))
    return _done(context, watch)


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except OvsTextError as error:
        hint = error.hint
        if "->" in error.what:
            hint = "put quotes around the flow, or > redirects the output"
        raise UsageError(f"{name}: {error.what}", hint) from None


def _done(context: ShellContext, watch: ControllerWatch) -> Output:
    """What was said is done; errors have been shown by then."""
    before = watch.n_errors
    context.lab.advance(0)
    return Failed("") if watch.n_errors > before else None
