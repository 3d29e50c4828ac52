"""From a typed line to a command's output: words, nodes in front, suggestions, errors.

The grammar is small. A line is ``CMD WORDS...``; or ``NODE CMD WORDS...``, which gives the
node to a command that wants one first (``vm1 ping vm2``) or runs on one (``h1 ip addr``). Of
a command and a node with the same name the command wins; ``on NODE CMD`` reaches the node.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, quote
from vnet.shell import commands  # noqa: F401  (fills the registry)
from vnet.shell.context import ShellContext
from vnet.shell.openvswitch import shorthands, tool_of
from vnet.shell.output import Output
from vnet.shell.registry import COMMANDS, Command, NodeUse


def run_line(context: ShellContext, line: str) -> Output:
    """Run one line. Raises :class:`~vnet.base.errors.VnetError`."""
    name, rest = first_word(line)
    if not name or name.startswith("#"):
        return None
    context.lines.append(line.strip())
    command = COMMANDS.get(name)
    if command is not None:
        if command.node is NodeUse.PREFIX:
            example = f"{context.node_names[0]} {line.strip()}"
            raise UsageError(f"{name} runs on a node", f"say which: {example}")
        return _invoke(context, command, rest)
    if context.is_node(name):
        return run_on(context, name, rest)
    tool = COMMANDS.get(tool_of(name) or "")
    if tool is not None:
        return _invoke(context, tool, line.strip())
    known = [*COMMANDS.names, *shorthands(context), *context.node_names]
    hint = did_you_mean(name, known, "")
    raise UsageError(
        f"there is no command or node {quote(name)}",
        hint if hint.startswith("did you mean") else "`help` lists the commands, `nodes` the nodes",
    )


def run_on(context: ShellContext, node: str, text: str) -> Output:
    """Run ``CMD WORDS...`` on a node."""
    if not context.is_node(node):
        hint = did_you_mean(node, context.node_names, "there are")
        raise UsageError(f"there is no node {quote(node)}", hint)
    name, rest = first_word(text)
    able = [command.name for command in COMMANDS if command.node is not NodeUse.NONE]
    if not name:
        raise UsageError(f"{node}: what shall it do?", f"one of {', '.join(able)}")
    command = COMMANDS.get(name)
    tool = COMMANDS.get(tool_of(name) or "")
    if command is None and tool is not None:
        return _invoke(context, tool, text.strip(), node)
    if command is None or command.node is NodeUse.NONE:
        hint = did_you_mean(name, [*able, *shorthands(context)], "")
        if not hint.startswith("did you mean"):
            hint = did_you_mean(name, able, "one of")
        raise UsageError(f"{quote(name)} is not a command for a node", hint)
    return _invoke(context, command, rest, node)


def _invoke(context: ShellContext, command: Command, text: str, node: str | None = None) -> Output:
    if command.node is NodeUse.MAYBE:
        return command.run(context, command.parse(split(text), node=node))
    before = [] if node is None else [node]
    if command.verbatim:
        whole = " ".join([*before, text])
        return command.run(context, command.parse(whole.split(), whole))
    return command.run(context, command.parse([*before, *split(text)]))


def first_word(text: str) -> tuple[str, str]:
    """The first word of a line and the rest of it."""
    name, _, rest = text.strip().partition(" ")
    return name, rest.strip()


def split(text: str) -> list[str]:
    """Words as a POSIX shell parts them, comments left out. Raises :class:`UsageError`."""
    try:
        return shlex.split(text, comments=True)
    except ValueError as error:
        raise UsageError(f"cannot read the line: {str(error).lower()}") from None


# -- completion


def complete(context: ShellContext, before: Sequence[str], text: str) -> list[str]:
    """What could stand for ``text`` after the words ``before``; empty for nothing known."""
    try:
        return sorted({word for word in _candidates(context, before) if word.startswith(text)})
    except UsageError:
        return []  # a word before it is wrong already; running the line will say so


def _candidates(context: ShellContext, before: Sequence[str]) -> Iterable[str]:
    if not before:
        typed = [c.name for c in COMMANDS if c.node is not NodeUse.PREFIX]
        return [*typed, *shorthands(context), *context.node_names]
    command, words = COMMANDS.get(before[0]), list(before[1:])
    if command is None and tool_of(before[0]) is not None:
        command, words = COMMANDS.get(tool_of(before[0]) or ""), list(before)
    if before[0] == "on":
        if not words:
            return context.node_names
        before, command = words, None
    if command is None:
        if len(before) == 1:
            able = [c.name for c in COMMANDS if c.node is not NodeUse.NONE]
            return [*able, *shorthands(context)]
        command = COMMANDS.get(before[1])
        words = [before[0], *before[2:]]
        if command is None and tool_of(before[1]) is not None:
            command, words = COMMANDS.get(tool_of(before[1]) or ""), list(before[1:])
        elif command is not None and command.node is NodeUse.MAYBE:
            words = list(before[2:])
    if command is None:
        return []
    plain = [word for word in words if not word.startswith("-")]
    offered = list(command.options or ())
    if command.completes:
        at = min(len(plain), len(command.completes) - 1)
        most = command.words[1]
        if most is None or len(plain) < most:
            offered += command.completes[at](context, plain)
    return offered
