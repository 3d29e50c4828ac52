"""The one list of commands: what each is called, does, takes, shows as example, completes.

A command is a plain function with a :func:`command` above it. Help, completion, the check of
what was typed, and the tests that run every example all read the same :class:`Command`; a
new room of the house adds its commands by declaring them, and a name can be claimed once.

    @command(
        "wait", "DURATION", "let virtual time pass",
        group=Group.RUNNING, words=(1, 1), examples=["wait 200ms"],
    )
    def wait(context: ShellContext, arguments: Arguments) -> Output:
        ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from vnet.base.errors import UsageError
from vnet.shell.options import Arguments, Option, take_options
from vnet.shell.output import Output

if TYPE_CHECKING:
    from vnet.shell.context import ShellContext

Run: TypeAlias = Callable[["ShellContext", Arguments], Output]
Completer: TypeAlias = Callable[["ShellContext", Sequence[str]], Iterable[str]]
"""What could stand next, given the words typed before it (options left out)."""


class Group(Enum):
    """The headings of ``help``, in its order."""

    LAB = "What is in the lab"
    RUNNING = "Letting time pass"
    TRAFFIC = "Traffic"
    WATCHING = "What became of the frames"
    SWITCH = "Switches of Open vSwitch, as its own tools have it"
    NODE = "On a node, as the real tools print it (NODE CMD..., or on NODE CMD...)"
    SHELL = "The shell"


class NodeUse(Enum):
    """What a command has to do with a node."""

    NONE = "none"
    FIRST = "first"  # its first word is one: `ping vm1 vm2` is also `vm1 ping vm2`
    PREFIX = "prefix"  # it runs on one, named before it: `h1 ip addr`
    MAYBE = "maybe"  # one may be named before it: `fdb/show br0`, `h1 fdb/show br0`


@dataclass(frozen=True)
class Command:
    """A command. ``usage`` is what follows its name; ``words`` how many arguments it takes.

    ``verbatim`` commands get the rest of the line as it was typed. ``options`` None leaves
    options among the words, for commands with a grammar of their own. ``more`` is told by ``help``
    about the command besides its docstring.
    """

    name: str
    usage: str
    summary: str
    run: Run
    group: Group
    node: NodeUse = NodeUse.NONE
    words: tuple[int, int | None] = (0, None)
    options: Mapping[str, Option] | None = None
    verbatim: bool = False
    examples: tuple[str, ...] = ()
    completes: tuple[Completer, ...] = field(default=())
    more: Callable[[], str] | None = None

    @property
    def synopsis(self) -> str:
        """Name and usage as help shows them."""
        prefix = {NodeUse.PREFIX: "NODE ", NodeUse.MAYBE: "[NODE] "}.get(self.node, "")
        return f"{prefix}{self.name} {self.usage}".rstrip()

    def parse(self, words: Sequence[str], text: str = "", node: str | None = None) -> Arguments:
        """Check what was typed. Raises :class:`UsageError`."""
        options: Mapping[str, object] = {}
        arguments: tuple[str, ...] = tuple(words)
        if self.options is not None:
            arguments, options = take_options(self.name, words, self.options)
        least, most = self.words
        hint = f"usage: {self.synopsis}"
        if len(arguments) < least:
            raise UsageError(f"{self.name}: something is missing", hint)
        if most is not None and len(arguments) > most:
            raise UsageError(f"{self.name}: too many words: {arguments[most]!r}", hint)
        return Arguments(arguments, options, text, node)


class Registry:
    """Commands by name."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}

    def add(self, command: Command) -> None:
        """Take in a command. A second claim to a name raises ``ValueError``."""
        if command.name in self._commands:
            raise ValueError(f"the command {command.name!r} is declared twice")
        self._commands[command.name] = command

    def get(self, name: str) -> Command | None:
        """The command called ``name``, or None."""
        return self._commands.get(name)

    @property
    def names(self) -> list[str]:
        """Every name, in the order of help."""
        return [command.name for command in self]

    def __iter__(self) -> Iterator[Command]:
        """By group, and in the order of declaration within each."""
        groups = list(Group)
        return iter(sorted(self._commands.values(), key=lambda c: groups.index(c.group)))


COMMANDS = Registry()
"""The shell's commands; :mod:`vnet.shell.commands` fills it when it is imported."""


def command(
    name: str,
    usage: str,
    summary: str,
    *,
    group: Group,
    node: NodeUse = NodeUse.NONE,
    words: tuple[int, int | None] = (0, 0),
    options: Mapping[str, Option] | None = None,
    verbatim: bool = False,
    examples: Iterable[str] = (),
    completes: Iterable[Completer] = (),
    more: Callable[[], str] | None = None,
    registry: Registry = COMMANDS,
) -> Callable[[Run], Run]:
    """Declare a command; see :class:`Command` for what the arguments mean."""

    def declare(run: Run) -> Run:
        registry.add(
            Command(
                name,
                usage,
                summary,
                run,
                group,
                node,
                words,
                options,
                verbatim,
                tuple(examples),
                tuple(completes),
                more,
            )
        )
        return run

    return declare
