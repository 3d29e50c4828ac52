"""Open vSwitch's own tools, and watching it decide."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, one_of, quote
from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.lab.network import front_of
from vnet.lab.ovs_commands import BridgeCommands
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.shell.context import ShellContext
from vnet.shell.openvswitch import (
    APPCTL,
    OFCTL,
    VSCTL,
    any_bridge,
    bridge_named,
    commands_text,
    label_of,
    machine_for,
    tool_commands,
)
from vnet.shell.options import Arguments, duration_ns
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command
from vnet.shell.upcalls import UpcallWatch

if TYPE_CHECKING:
    from vnet.hypervisor.openvswitch import OpenVSwitch
    from vnet.ovs.vsctl.run import Outcome
    from vnet.ovs.vswitchd.ofctl.command import Options

_LOOK_AGAIN_NS = 10 * NS_PER_MS
"""How often a command that waits looks whether it need not any longer."""


@command(
    OFCTL,
    "CMD BR [WORD...] [-O VERSION] [--strict] [--names] [--no-stats]",
    "flows, groups, meters and ports of a bridge, as ovs-ofctl(8) has them",
    group=Group.SWITCH,
    node=NodeUse.MAYBE,
    words=(1, None),
    examples=[
        "ovs-ofctl add-flow br0 priority=9,icmp,actions=drop",
        "add-flow br0 'table=1, icmp, actions=set_field:3->nw_ttl, NORMAL'",
        "dump-flows h1:br0 icmp",
        "h1 dump-ports br0",
        "ovs-ofctl -O OpenFlow13 dump-groups br0",
        "ovs-ofctl monitor br0 65534 watch:ip",
    ],
    completes=[lambda _context, _words: tool_commands(OFCTL), any_bridge],
    more=lambda: commands_text(OFCTL),
)
def ovs_ofctl(context: ShellContext, arguments: Arguments) -> Output:
    """BR is br0, h1:br0 or sw1. `ovs-ofctl` may be left out, and a flow with spaces wants quotes.
    On a terminal ports are shown by name, as the real one does; --no-names shows numbers. What
    `monitor` and `snoop` print comes as it happens, whatever lets time pass, until `watch stop`.

    Its commands:
    """
    from vnet.ovs.vswitchd.ofctl.command import Options, take_options
    from vnet.ovs.vswitchd.ofctl.table import ofctl
    from vnet.ovs.vswitchd.ofctl.watching import WATCHING

    with _told(OFCTL):
        words, options = take_options(arguments.words, Options(shows_names=sys.stdout.isatty()))
    name, *rest = words or ("",)
    known = tool_commands(OFCTL)
    if name not in known:
        hint = did_you_mean(name, list(known), "see `help ovs-ofctl`")
        raise UsageError(f"ovs-ofctl has no command {quote(name)}", hint)
    if not rest:
        raise UsageError(f"{name}: which bridge?", f"usage: {name} {known[name][0]}")
    bridge = bridge_named(context, rest[0], arguments.node)
    with _told(name, known[name][0], ports_of=lambda port: _ports_of(context, bridge, port)):
        if name in WATCHING:
            return _watch_messages(
                context, *label_of(context, rest[0], arguments.node), words, options
            )
        printed = ofctl(bridge.machine.vswitchd, name, [bridge.name, *rest[1:]], options)
    _tell_of_changes(context)
    return printed


def _tell_of_changes(context: ShellContext) -> None:
    """Have those who look on be told now: that takes events, but no time."""
    if context.watches or context.controllers:
        context.lab.advance(0)


def _watch_messages(
    context: ShellContext,
    label: str,
    bridge: BridgeCommands,
    words: Sequence[str],
    options: Options,
) -> Output:
    """``monitor`` and ``snoop``, until ``watch stop``."""
    from vnet.ovs.vswitchd.ofctl.table import COMMANDS as OF_COMMANDS
    from vnet.shell.monitors import MessageWatch

    name, *rest = words
    OF_COMMANDS[name].check_count(len(rest))
    watch = MessageWatch(context, label, bridge)
    begun = watch.snoop() if name == "snoop" else watch.monitor(rest[1:], options)
    context.watches.append(watch)
    return begun


def _ports_of(context: ShellContext, bridge: BridgeCommands, name: str) -> list[str]:
    """The ports of ``bridge`` that the cards of a VM are at."""
    vm = context.lab.network.vms.get(name)
    owner, known = bridge.machine.owner, {p.name for p in bridge.bridge.ports.values()}
    backs = [front_of(vnic).peer for vnic in vm.vnics] if vm is not None else []
    return [back.name for back in backs if back.owner == owner and back.name in known]


@command(
    APPCTL,
    "CMD [WORD...]",
    "what a switch daemon knows and does, as ovs-appctl(8) asks it",
    group=Group.SWITCH,
    node=NodeUse.MAYBE,
    words=(1, None),
    examples=[
        "ovs-appctl fdb/show br0",
        "ofproto/trace br0 in_port=vnet0,icmp,nw_src=10.0.0.1,nw_dst=10.0.0.2",
        "dpctl/dump-flows --names",
        "h1 dpctl/show",
    ],
    completes=[lambda _context, _words: tool_commands(APPCTL), any_bridge],
    more=lambda: commands_text(APPCTL),
)
def ovs_appctl(context: ShellContext, arguments: Arguments) -> Output:
    """It is asked on the node that stands in front, or on that of the bridge that is named.
    `ovs-appctl` may be left out.

    Its commands:
    """
    from vnet.ovs.vswitchd.appctl.table import appctl

    name, *rest = _without_target(arguments.words) or ("",)
    known = tool_commands(APPCTL)
    if name not in known:
        hint = did_you_mean(name, list(known), "see `help ovs-appctl`")
        raise UsageError(f"ovs-appctl has no command {quote(name)}", hint)
    machine, words = machine_for(context, rest, arguments.node)
    with _told(name, known[name][0], list(machine.vswitchd.bridges)):
        return appctl(machine.vswitchd, name, words)


def _without_target(words: Sequence[str]) -> Sequence[str]:
    """The words behind ``-t ovs-vswitchd``: no other daemon answers here."""
    match words:
        case ["-t" | "--target", target, *rest]:
            pass
        case [word, *rest] if word.startswith(("-t", "--target=")):
            target = word.removeprefix("--target=").removeprefix("-t")
        case _:
            return words
    if target != "ovs-vswitchd":
        hint = "ovs-vswitchd is what a switch runs"
        raise UsageError(f"ovs-appctl: there is no daemon {quote(target)} here", hint)
    return rest


@command(
    VSCTL,
    "[OPTION...] CMD [WORD...] [-- [OPTION...] CMD [WORD...]]...",
    "the database that a node's switch is configured by, as ovs-vsctl(8) reads and changes it",
    group=Group.SWITCH,
    node=NodeUse.MAYBE,
    words=(1, None),
    examples=[
        "ovs-vsctl show",
        "h1 ovs-vsctl list-ports br0",
        "h1 ovs-vsctl set port vnet0 tag=10",
        "h1 ovs-vsctl --columns=name,ofport list interface",
    ],
    completes=[lambda _context, _words: tool_commands(VSCTL), any_bridge],
    more=lambda: commands_text(VSCTL),
)
def ovs_vsctl(context: ShellContext, arguments: Arguments) -> Output:
    """What it changes is in force at once.

    Its commands:
    """
    machine, words = machine_for(context, arguments.words, arguments.node)
    with _told(VSCTL, "[OPTION...] CMD [WORD...]"):
        outcome = _vsctl(context, machine, words)
    _tell_of_changes(context)
    if outcome.status:
        raise UsageError(f"{VSCTL}: it ends with status {outcome.status}")
    return outcome.text.removesuffix("\n")


def _vsctl(context: ShellContext, machine: OpenVSwitch, words: Sequence[str]) -> Outcome:
    """Carry a command line out; where it waits for something, time passes until it is so."""
    from vnet.ovs.vsctl.command_line import parse_command_line
    from vnet.ovs.vsctl.context import NotYetError

    timeout_s = parse_command_line(words)[0].timeout_s
    deadline_ns = context.lab.now_ns + (timeout_s or 0) * NS_PER_S
    while True:
        try:
            return machine.vsctl(words)
        except NotYetError:
            left_ns = deadline_ns - context.lab.now_ns
            if timeout_s is None:
                hint = "say how long to wait, as in --timeout=5"
                raise UsageError(f"{VSCTL}: what it waits for is not so", hint) from None
            if left_ns <= 0:
                raise UsageError(f"{VSCTL}: Alarm clock", "what it waits for is not so") from None
            context.lab.advance(min(left_ns, _LOOK_AGAIN_NS))


@contextmanager
def _told(
    name: str,
    usage: str = "",
    bridges: Sequence[str] = (),
    ports_of: Callable[[str], Sequence[str]] = lambda _name: (),
) -> Iterator[None]:
    """What is wrong is told with the command's name in front, and a hint behind."""
    try:
        yield
    except OpenFlowError as error:
        raise UsageError(f"{name}: {error.what}", error.hint or "the switch refuses it") from None
    except OvsTextError as error:
        hint = error.hint
        if "arguments" in error.what:
            hint = f"usage: {name} {usage}"
        elif "->" in error.what:
            hint = "put quotes around the flow, or > redirects the output"
        elif "unknown port" in error.what:
            machine = error.what.partition(":")[0]
            ports = ports_of(machine)
            hint = f"{machine} is at port {' and '.join(ports)}" if ports else hint
        elif "no such bridge" in error.what:
            hint = f"there are: {one_of(bridges)}"
        raise UsageError(f"{name}: {error.what}", hint) from None


# -- watching


@command(
    "watch",
    "upcalls BR [DURATION] | stop",
    "each frame that a bridge's datapath did not know, and the megaflow that it left",
    group=Group.SWITCH,
    node=NodeUse.MAYBE,
    words=(1, 3),
    options={},
    examples=["watch upcalls br0 2s", "watch upcalls h1:br0"],
    completes=[lambda _context, _words: ("upcalls", "stop"), any_bridge],
)
def watch_upcalls(context: ShellContext, arguments: Arguments) -> Output:
    """With DURATION that much time passes. Without it misses are shown as they happen, whatever
    lets time pass (run, wait, ping), until `watch stop`.
    """
    what, *rest = arguments.words
    if what == "stop" and not rest:
        return _stop(context)
    if what != "upcalls":
        raise UsageError(f"watch: there is no {quote(what)} to watch", "watch upcalls BR")
    if not rest:
        raise UsageError("watch upcalls: of which bridge?", "usage: watch upcalls BR [DURATION]")
    label, bridge = label_of(context, rest[0], arguments.node)
    if any(isinstance(each, UpcallWatch) and each.label == label for each in context.watches):
        raise UsageError(f"upcalls of {label} are watched already", "watch stop ends it")
    duration_ns = _duration_ns(rest[1]) if len(rest) > 1 else None
    watch = UpcallWatch(label, bridge)
    context.watches.append(watch)
    if duration_ns is None:
        return f"upcalls of {label} are shown as they happen, until `watch stop`"
    try:
        context.lab.advance(duration_ns)
    finally:
        context.watches.remove(watch)
        watch.stop()
    return watch.summary


def _stop(context: ShellContext) -> Output:
    if not context.watches:
        hint = "`watch upcalls BR` or `ovs-ofctl monitor BR` begins"
        raise UsageError("watch stop: nothing is watched", hint)
    lines = []
    for each in context.watches:
        each.stop()
        lines.append(each.summary)
    context.watches.clear()
    return "\n".join(lines)


def _duration_ns(text: str) -> int:
    try:
        return duration_ns(text)
    except ValueError as error:
        raise UsageError(f"watch upcalls: {error}") from None
