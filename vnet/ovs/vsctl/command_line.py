"""From the words of a command line to options and commands, as ovs-vsctl(8) reads them.

Options stand before the first command, those of the program and those of the command in any
order; the options of later commands stand between ``--`` and the command's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vsctl.commands.numbers import c_integer
from vnet.ovs.vsctl.context import Command
from vnet.ovs.vsctl.listing import Style
from vnet.ovs.vsctl.table import COMMANDS, Syntax

Argument = Literal["none", "needed", "possible"]

_NO_COMMAND = "missing command name (use --help for help)"


@dataclass(frozen=True, slots=True)
class Options:
    """What the options of the program ask for."""

    waits: bool = True
    """Whether the switch must have taken up what changes."""
    is_dry_run: bool = False
    is_oneline: bool = False
    timeout_s: int | None = None
    shows_version: bool = False
    shows_help: bool = False
    style: Style = field(default_factory=Style)


def _dry_run(options: Options, _value: str) -> Options:
    return replace(options, is_dry_run=True)


def _timeout(options: Options, value: str) -> Options:
    if not value.isdigit() or not int(value):
        raise OvsTextError(f"value {value} on -t or --timeout is invalid")
    return replace(options, timeout_s=int(value))


def _bare(options: Options, _value: str) -> Options:
    style = replace(options.style, format="list", cells="bare", has_headings=False)
    return replace(options, style=style)


def _style(change: Callable[[Style, str], Style]) -> Callable[[Options, str], Options]:
    return lambda options, value: replace(options, style=change(options.style, value))


def _ignored(options: Options, _value: str) -> Options:
    """Of a connection, or a log, that is not there."""
    return options


_OWN: Mapping[str, tuple[Argument, Callable[[Options, str], Options]]] = {
    "db": ("needed", _ignored),
    "no-syslog": ("none", _ignored),
    "no-wait": ("none", lambda options, _: replace(options, waits=False)),
    "dry-run": ("none", _dry_run),
    "oneline": ("none", lambda options, _: replace(options, is_oneline=True)),
    "timeout": ("needed", _timeout),
    "retry": ("none", _ignored),
    "help": ("none", lambda options, _: replace(options, shows_help=True)),
    "leader-only": ("none", _ignored),
    "no-leader-only": ("none", _ignored),
    "shuffle-remotes": ("none", _ignored),
    "no-shuffle-remotes": ("none", _ignored),
    "version": ("none", lambda options, _: replace(options, shows_version=True)),
    "verbose": ("possible", _ignored),
    "log-file": ("possible", _ignored),
    "syslog-method": ("needed", _ignored),
    "syslog-target": ("needed", _ignored),
    "format": ("needed", _style(Style.with_format)),
    "data": ("needed", _style(Style.with_cells)),
    "no-headings": ("none", _style(lambda style, _: replace(style, has_headings=False))),
    "pretty": ("none", _style(lambda style, _: replace(style, is_pretty=True))),
    "bare": ("none", _bare),
    "max-column-width": (
        "needed",
        _style(lambda style, value: replace(style, max_width=max(c_integer(value), 0))),
    ),
    "private-key": ("needed", _ignored),
    "certificate": ("needed", _ignored),
    "ca-cert": ("needed", _ignored),
    "ssl-protocols": ("needed", _ignored),
    "ssl-ciphers": ("needed", _ignored),
    "bootstrap-ca-cert": ("needed", _ignored),
    "peer-ca-cert": ("needed", _ignored),
}
_SHORT = {
    "t": "timeout",
    "h": "help",
    "V": "version",
    "v": "verbose",
    "f": "format",
    "d": "data",
    "p": "private-key",
    "c": "certificate",
    "C": "ca-cert",
}
_OF_COMMANDS: dict[str, Argument] = {
    option.removeprefix("--").removesuffix("="): "needed" if option.endswith("=") else "none"
    for syntax in COMMANDS.values()
    for option in syntax.options
}


def parse_command_line(arguments: Sequence[str]) -> tuple[Options, list[Command]]:
    """What a command line, without the program's name, asks for."""
    options, local = Options(), dict[str, str | None]()
    rest = list(arguments)
    for name, value in _leading_options(rest):
        if name in _OWN:
            options = _OWN[name][1](options, value or "")
        else:
            local[f"--{name}"] = value
    if options.shows_version or options.shows_help:
        return options, []
    return options, _commands(rest, local)


def _leading_options(rest: list[str]) -> Iterator[tuple[str, str | None]]:
    """Options and their values, which are taken off ``rest``."""
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            return
        if word.startswith("--"):
            yield _long_option(word, rest)
        else:
            yield from _short_options(word, rest)


def _long_option(word: str, rest: list[str]) -> tuple[str, str | None]:
    given, equals, value = word.removeprefix("--").partition("=")
    name = _full_name(given, word)
    argument = _OWN[name][0] if name in _OWN else _OF_COMMANDS[name]
    if argument == "none" and equals:
        raise OvsTextError(f"option '--{name}' doesn't allow an argument")
    if argument == "needed" and not equals:
        if not rest:
            raise OvsTextError(f"option '--{name}' requires an argument")
        return name, rest.pop(0)
    return name, value if equals else None


def _full_name(given: str, word: str) -> str:
    """The option that a name means, which may be cut short where that leaves no doubt."""
    known = [*_OWN, *_OF_COMMANDS]
    if given in known:
        return given
    matches = [name for name in known if name.startswith(given)]
    if not matches:
        raise OvsTextError(f"unrecognized option '{word}'")
    if len(matches) > 1:
        listed = " ".join(f"'--{name}'" for name in matches)
        raise OvsTextError(f"option '{word}' is ambiguous; possibilities: {listed}")
    return matches[0]


def _short_options(word: str, rest: list[str]) -> Iterator[tuple[str, str | None]]:
    letters = word.removeprefix("-")
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter not in _SHORT:
            raise OvsTextError(f"invalid option -- '{letter}'")
        name = _SHORT[letter]
        argument = _OWN[name][0]
        if argument == "none":
            yield name, None
            continue
        if not letters and argument == "needed":
            if not rest:
                raise OvsTextError(f"option requires an argument -- '{letter}'")
            letters = rest.pop(0)
        yield name, letters or None
        return


def _commands(rest: Sequence[str], local: dict[str, str | None]) -> list[Command]:
    groups: list[list[str]] = [[]]
    for word in rest:
        if word == "--":
            groups.append([])
        else:
            groups[-1].append(word)
    commands: list[Command] = []
    for group in groups:
        if group:
            commands.append(_command(group, local))
            local = {}
        elif local:
            raise OvsTextError(_NO_COMMAND)
    if not commands:
        raise OvsTextError(_NO_COMMAND)
    return commands


def _command(group: Sequence[str], local: Mapping[str, str | None]) -> Command:
    options = dict(local)
    for at, word in enumerate(group):
        if not word.startswith("-"):
            command = Command(options, group[at:])
            _check(command)
            return command
        option, equals, value = word.partition("=")
        if option in options:
            raise OvsTextError(f"'{word}' option specified multiple times")
        options[option] = value if equals else None
    raise OvsTextError(_NO_COMMAND)


def _check(command: Command) -> None:
    name = command.name
    syntax = COMMANDS.get(name)
    if syntax is None:
        raise OvsTextError(f"unknown command '{name}'; use --help for help")
    for option, value in command.options.items():
        _check_option(name, syntax, option, value)
    words = command.words[1:]
    if len(words) < syntax.least:
        raise OvsTextError(f"'{name}' command requires at least {syntax.least} arguments")
    if syntax.most is not None and len(words) > syntax.most:
        what = f"'{name}' command takes at most {syntax.most} arguments"
        if any(word.startswith("-") for word in words):
            what += ' (note that options must precede command names and follow a "--" argument)'
        raise OvsTextError(what)


def _check_option(name: str, syntax: Syntax, option: str, value: str | None) -> None:
    if f"{option}=" in syntax.options:
        if value is None:
            raise OvsTextError(f"missing argument to '{option}' option on '{name}' command")
    elif option not in syntax.options:
        raise OvsTextError(f"'{name}' command has no '{option}' option")
    elif value is not None:
        raise OvsTextError(f"'{option}' option on '{name}' does not accept an argument")
