"""Which commands there are of Open vSwitch's tools, and which bridge or machine one is for.

The tools' own names work by themselves: ``add-flow br0 ...`` is ``ovs-ofctl add-flow br0 ...``.
What the tools do is in :mod:`vnet.ovs`; it is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, one_of, quote
from vnet.lab.ovs_commands import BridgeCommands
from vnet.shell.context import ShellContext

if TYPE_CHECKING:
    from vnet.hypervisor.openvswitch import OpenVSwitch

OFCTL, APPCTL, VSCTL = "ovs-ofctl", "ovs-appctl", "ovs-vsctl"

_OF_TABLE = ("list-commands", "version")
"""What every table of commands answers by itself."""


def tool_of(name: str) -> str | None:
    """The tool whose command ``name`` is."""
    if "/" in name or name == "list-commands":
        return APPCTL if name in tool_commands(APPCTL) else None
    return OFCTL if name in tool_commands(OFCTL) else None


def tool_commands(tool: str) -> dict[str, tuple[str, str]]:
    """The commands of a tool by name, each with its words and what it does, if that is said."""
    if tool == OFCTL:
        from vnet.ovs.vswitchd.ofctl.table import COMMANDS as OF_COMMANDS

        return {c.name: (c.usage, c.summary) for c in OF_COMMANDS.values()}
    if tool == VSCTL:
        from vnet.ovs.vsctl.table import COMMANDS as VSCTL_COMMANDS

        return {name: (syntax.words, "") for name, syntax in VSCTL_COMMANDS.items()}
    from vnet.ovs.vswitchd.appctl.table import COMMANDS as APP_COMMANDS

    usages = {name: each.usage or "" for name, each in APP_COMMANDS.items()}
    return {
        name: (usage, "") for name, usage in sorted((usages | dict.fromkeys(_OF_TABLE, "")).items())
    }


def shorthands(context: ShellContext) -> list[str]:
    """The tools' commands, which work by themselves, where there is such a switch."""
    if not bridge_labels(context):
        return []
    return [*tool_commands(OFCTL), *tool_commands(APPCTL)]


def commands_text(tool: str) -> str:
    """Every command of a tool, for its help."""
    lines = []
    for name, (usage, summary) in tool_commands(tool).items():
        shown = f"{name} {usage}".rstrip()
        lines.append(f"  {shown:<30} {summary}".rstrip())
    return "\n".join(lines)


# -- bridges and machines


def bridge_labels(context: ShellContext, node: str | None = None) -> dict[str, BridgeCommands]:
    """The bridges of Open vSwitch by their names in the lab: ``h1:br0``, ``sw1``."""
    network = context.lab.network
    found = network.all_switches() if node is None else network.switches_on(node)
    return {switch.label: switch.commands for switch in found if switch.commands is not None}


def bridge_names(context: ShellContext, node: str | None = None) -> Iterator[str]:
    """What bridges may be called: by their labels, and by their own names."""
    for label, commands in bridge_labels(context, node).items():
        yield from dict.fromkeys((label, commands.name))


def bridge_named(context: ShellContext, name: str, node: str | None = None) -> BridgeCommands:
    """A bridge of the lab, or of a node. Raises :class:`UsageError`."""
    labels = bridge_labels(context, node)
    matches = {label: found for label, found in labels.items() if name in (label, found.name)}
    if len(matches) == 1:
        return next(iter(matches.values()))
    if matches:
        hint = f"say {' or '.join(matches)}"
        raise UsageError(f"several nodes have a bridge {quote(name)}", hint)
    for switch in context.lab.network.all_switches():
        if name in (switch.label, switch.name) and switch.commands is None:
            hint = "write 'type: ovs' in the topology"
            raise UsageError(f"{switch.label} is a Linux bridge, which has no flows", hint)
    hint = did_you_mean(name, list(labels), "there are") or "no switch here is of type ovs"
    raise UsageError(f"there is no bridge {quote(name)} of Open vSwitch", hint)


def label_of(
    context: ShellContext, name: str, node: str | None = None
) -> tuple[str, BridgeCommands]:
    """A bridge, and what the lab calls it. Raises :class:`UsageError`."""
    bridge = bridge_named(context, name, node)
    return next((label, b) for label, b in bridge_labels(context).items() if b is bridge)


def machine_for(
    context: ShellContext, words: Sequence[str], node: str | None
) -> tuple[OpenVSwitch, list[str]]:
    """The machine that a command of ovs-appctl is for, and its words as the machine knows them.

    It is the node's; or the one with a bridge that a word names; or the only one there is.
    """
    labels = bridge_labels(context, node)
    machines = {found.machine.owner: found.machine for found in labels.values()}
    if not machines:
        where = "in this lab" if node is None else f"on {node}"
        raise UsageError(f"there is no Open vSwitch {where}", "write 'type: ovs' for a switch")
    for word in words:
        named = [found for label, found in labels.items() if word in (label, found.name)]
        if len(named) == 1:
            (bridge,) = named
            return bridge.machine, [bridge.name if each == word else each for each in words]
    if len(machines) > 1:
        raise UsageError(
            "several nodes have Open vSwitch", f"say which before the command: {one_of(machines)}"
        )
    return next(iter(machines.values())), list(words)


# -- completers


def any_bridge(context: ShellContext, _words: Sequence[str]) -> Iterable[str]:
    """Every bridge, by each of its names."""
    return bridge_names(context)
