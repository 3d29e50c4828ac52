"""The shell itself: help, history, on, quit."""

from __future__ import annotations

from inspect import cleandoc

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, quote
from vnet.shell.context import ShellContext, nodes
from vnet.shell.openvswitch import tool_commands, tool_of
from vnet.shell.options import Arguments
from vnet.shell.output import Output
from vnet.shell.registry import COMMANDS, Command, Group, NodeUse, command


@command(
    "help",
    "[CMD]",
    "list the commands, or show one with its examples",
    group=Group.SHELL,
    words=(0, 1),
    options={},
    examples=["help", "help ping"],
    completes=[lambda _context, _words: COMMANDS.names],
)
def show_help(_context: ShellContext, arguments: Arguments) -> Output:
    """All commands by group; or one with usage, summary and examples."""
    name = arguments.word(0)
    if name is None:
        return _all_commands()
    found = COMMANDS.get(name)
    tool = tool_of(name) if found is None else None
    if tool is not None:
        return _tool_command(tool, name)
    if found is None:
        hint = did_you_mean(name, COMMANDS.names, "there are")
        raise UsageError(f"there is no command {quote(name)}", hint)
    return _one_command(found)


def _all_commands() -> str:
    lines: list[str] = []
    for group in Group:
        members = [member for member in COMMANDS if member.group is group]
        lines += ["", group.value] if lines else [group.value]
        lines += [f"  {member.name:<10} {member.summary}" for member in members]
    return "\n".join([*lines, "", "`help CMD` shows usage and examples."])


def _tool_command(tool: str, name: str) -> str:
    """A command of a tool, which works by itself as well."""
    usage, summary = tool_commands(tool)[name]
    lines = [f"[NODE] {name} {usage}".rstrip()]
    lines += [f"  {summary}"] if summary else []
    return "\n".join([*lines, f"  as {tool}(8) has it; `help {tool}` tells more"])


def _one_command(found: Command) -> str:
    lines = [found.synopsis]
    if found.node is NodeUse.FIRST:
        node, *rest = found.usage.split(" ")
        # SRC[:DEVICE] and [NODE] are in front just the name.
        name = node.strip("[]").partition("[")[0]
        lines.append(" ".join([name, found.name, *rest]))
    # The docstring is written for who types the command, not for who reads the code.
    told = cleandoc(found.run.__doc__ or "").replace("``", "`")
    lines += [f"  {line}".rstrip() for line in (found.summary, *told.splitlines())]
    if found.more is not None:
        lines.append(found.more())
    lines += ["", "examples:" if len(found.examples) > 1 else "example:"]
    return "\n".join([*lines, *(f"  {example}" for example in found.examples)])


@command(
    "on",
    "NODE CMD...",
    "run a command on a node; `on` may be left out",
    group=Group.SHELL,
    verbatim=True,
    words=(1, None),
    examples=["on h1 ip addr", "on vm1 ping vm2 -c 1"],
    completes=[nodes],
)
def on_node(context: ShellContext, arguments: Arguments) -> Output:
    """The long form of ``NODE CMD...``, for nodes that are called like a command."""
    from vnet.shell.dispatch import first_word, run_on

    return run_on(context, *first_word(arguments.text))


@command(
    "history",
    "",
    "what was typed in this session",
    group=Group.SHELL,
    options={},
    examples=["history"],
)
def history(context: ShellContext, _arguments: Arguments) -> Output:
    """Numbered lines, the oldest first."""
    return "\n".join(f"{number:>4}  {line}" for number, line in enumerate(context.lines, 1))


def _quit(context: ShellContext, _arguments: Arguments) -> Output:
    """What was captured so far is complete."""
    context.ended = True


for _name, _summary in (("quit", "end the session"), ("exit", "as quit")):
    command(_name, "", _summary, group=Group.SHELL, options={}, examples=[_name])(_quit)
