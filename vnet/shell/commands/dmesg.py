"""``dmesg``: what the kernel of a node has said."""

from __future__ import annotations

from vnet.base.units import NS_PER_S, time_of_day
from vnet.shell.context import ShellContext, Words
from vnet.shell.options import Arguments, Option
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command

_NS_PER_US = 1_000


@command(
    "dmesg",
    "[-T]",
    "what the kernel said: states of ports, changes of topology, martians, double addresses",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(1, 1),
    options={"-T": Option("time of day")},
    examples=["h1 dmesg", "h1 dmesg -T"],
    completes=[Words()],
)
def dmesg(context: ShellContext, arguments: Arguments) -> Output:
    """The times are those of the lab, or with -T of the day, in UTC. The last some thousand lines
    are kept.
    """
    node = arguments.words[0]
    switch = context.lab.network.switches.get(node)
    if switch is None:
        log = context.namespace(node).log
    else:
        bridge = switch.switch.bridge
        if bridge is None:
            return ""
        log = bridge.log
    if "time of day" in arguments.options:
        epoch_ns = context.lab.topology.epoch_ns
        return "\n".join(f"[{time_of_day(epoch_ns + time_ns)}] {text}" for time_ns, text in log)
    return "\n".join(f"[{_seconds(time_ns)}] {text}" for time_ns, text in log)


def _seconds(time_ns: int) -> str:
    seconds, rest_ns = divmod(time_ns, NS_PER_S)
    return f"{seconds:>5}.{rest_ns // _NS_PER_US:06}"
