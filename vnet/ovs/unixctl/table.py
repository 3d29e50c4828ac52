"""The commands of one daemon, by name, and how one of them is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from vnet.base.text import with_readable_numbers
from vnet.ovs.unixctl.request import Request

Run: TypeAlias = Callable[[Request, Sequence[str]], None]
"""Takes the words after the command's name. Answers now, or keeps the request for later; may
raise :class:`CommandError` instead of failing it."""


class CommandError(Exception):
    """The daemon's sentence about a command that cannot be done."""


_PACKET = re.compile(r"\s*(?:[0-9a-fA-F]{2}\s*)+")


def _always() -> bool:
    return True


class Command(NamedTuple):
    """A command. ``usage`` is what ``list-commands`` shows behind the name, None for a name that
    is not shown; ``most`` None is any number of words. Some are there only once something else
    is: ``is_there`` says whether that has come. With ``takes_packets`` a word of hexadecimal digits
    may be a packet, all of whose digits count."""

    name: str
    usage: str | None
    least: int
    most: int | None
    run: Run
    is_there: Callable[[], bool] = _always
    takes_packets: bool = False

    def readable(self, word: str) -> str:
        """A word as the command gets it."""
        if self.takes_packets and _PACKET.fullmatch(word):
            return word
        return with_readable_numbers(word)


def answering(function: Callable[[Sequence[str]], str]) -> Run:
    """A command out of a function that returns the answer, or raises :class:`CommandError`."""

    def run(request: Request, words: Sequence[str]) -> None:
        request.reply(function(words))

    return run


class CommandTable:
    """What a daemon can be told. ``version`` is its ``ovs-vswitchd (Open vSwitch) 3.1.0``."""

    def __init__(self, version: str) -> None:
        self.commands: dict[str, Command] = {}
        self._later: list[Callable[[], Iterable[Command]]] = []
        self.register(Command("list-commands", "", 0, 0, answering(self._list_commands)))
        self.register(Command("version", "", 0, 0, answering(lambda _words: version)))

    def register(self, *commands: Command) -> None:
        """Add commands; one that is there already is a mistake of ours (ValueError)."""
        for command in commands:
            if command.name in self.commands:
                raise ValueError(f"there is a command {command.name} already")
            self.commands[command.name] = command

    def register_later(self, made: Callable[[], Iterable[Command]]) -> None:
        """Add commands that are made when somebody first asks for one that is not here, or for
        all: a daemon that is in a hurry does without what they are made of."""
        self._later.append(made)

    def dispatch(self, name: str, words: Sequence[object], request: Request) -> None:
        """Call a command, or fail the request with the daemon's sentence."""
        try:
            self._call(name, words, request)
        except CommandError as error:
            request.fail(str(error))

    def _call(self, name: str, words: Sequence[object], request: Request) -> None:
        command = self.commands.get(name)
        if command is None:
            self._make()
            command = self.commands.get(name)
        if command is None or not command.is_there():
            raise CommandError(
                f'"{name}" is not a valid command '
                '(use "list-commands" to see a list of valid commands)'
            )
        if len(words) < command.least:
            raise CommandError(f'"{name}" command requires at least {command.least} arguments')
        if command.most is not None and len(words) > command.most:
            raise CommandError(f'"{name}" command takes at most {command.most} arguments')
        texts = [command.readable(word) for word in words if isinstance(word, str)]
        if len(texts) != len(words):
            raise CommandError(f'"{name}" command has non-string argument')
        command.run(request, texts)

    def _make(self) -> None:
        waiting, self._later = self._later, []
        for made in waiting:
            self.register(*made())

    def _list_commands(self, _words: Sequence[str]) -> str:
        self._make()
        lines = [
            f"  {command.name:<23} {command.usage}"
            for _, command in sorted(self.commands.items())
            if command.usage is not None and command.is_there()
        ]
        return "\n".join(["The available commands are:", *lines])
