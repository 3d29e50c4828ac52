"""Multicast groups: join one, and leave it."""

from __future__ import annotations

from vnet.shell.context import ShellContext, machines
from vnet.shell.options import Arguments, Option
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command

_DEVICE = {"-I": Option("device", str)}


@command(
    "join",
    "MACHINE GROUP [-I DEVICE]",
    "join a multicast group, as a program's socket would",
    group=Group.TRAFFIC,
    node=NodeUse.FIRST,
    words=(2, 2),
    options=_DEVICE,
    examples=["join vm1 239.1.1.1", "vm1 join 239.1.1.1 -I eth0"],
    completes=[machines],
)
def join(context: ShellContext, arguments: Arguments) -> Output:
    """Without DEVICE, by where the route to the group leads, or else the first with an address."""
    name, group = arguments.words
    machine = context.machine(name)
    return f"{name}:{machine.join(group, **arguments.options)} joins {group}"


@command(
    "leave",
    "MACHINE GROUP [-I DEVICE]",
    "leave a multicast group that was joined",
    group=Group.TRAFFIC,
    node=NodeUse.FIRST,
    words=(2, 2),
    options=_DEVICE,
    examples=["leave vm1 239.1.1.1"],
    completes=[machines],
)
def leave(context: ShellContext, arguments: Arguments) -> Output:
    """Switches hear of it, and prune what they flood."""
    name, group = arguments.words
    machine = context.machine(name)
    return f"{name}:{machine.leave(group, **arguments.options)} leaves {group}"
