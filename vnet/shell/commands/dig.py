"""dig: a DNS question, with dig's own grammar and output."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from vnet.base.errors import UsageError
from vnet.base.ids import ip_from_text
from vnet.guest.apps.dns.dig_text import Shown, dig_text
from vnet.guest.apps.dns.names import class_number, type_number
from vnet.linux.services.dns_server.records import reverse_name
from vnet.shell.context import ShellContext, machines
from vnet.shell.options import Arguments
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command

_SECTIONS = {
    "cmd": "command",
    "comments": "comments",
    "question": "question",
    "answer": "answer",
    "authority": "authority",
    "additional": "additional",
    "stats": "stats",
    "short": "short",
    "identify": "identify",
}
_ALL = ("comments", "question", "answer", "authority", "additional", "stats")
_FLAGS = {
    "recurse": "recurse",
    "rdflag": "recurse",
    "adflag": "authentic",
    "ad": "authentic",
    "dnssec": "dnssec",
    "do": "dnssec",
    "edns": "edns",
    "cookie": "cookie",
    "tcp": "tcp",
    "vc": "tcp",
    "ignore": "ignore",
    "search": "search",
}
_NUMBER = re.compile("[0-9]{1,5}", re.ASCII)


class _Words:
    """What was typed, word by word, as it becomes options."""

    def __init__(self, words: Sequence[str]) -> None:
        self.name: str | None = None
        self.server: str | None = None
        self.search = False
        self.shown = Shown()
        self.options: dict[str, Any] = {}
        self.warnings: list[str] = []
        self._words = iter(words)
        for word in self._words:
            self._take(word)
        if self.name is None:
            self.name = "."
            self.options.setdefault("kind", "NS")

    def _take(self, word: str) -> None:
        if word.startswith("@"):
            self.server = word[1:]
        elif word.startswith("+"):
            self._plus(word)
        elif word.startswith("-") and len(word) > 1:
            self._minus(word)
        elif type_number(word) is not None:
            if "kind" in self.options:
                self.warnings.append(";; Warning, extra type option")
            self.options["kind"] = word
        elif class_number(word) is not None:
            self.options["klass"] = word
        elif self.name is None:
            self.name = word
        else:
            raise UsageError(f"dig: {word}: one name at a time", "type dig again for another")

    def _value(self, word: str) -> str:
        value = word[2:] or next(self._words, None)
        if value is None:
            raise UsageError(f"dig: {word} wants a value")
        return value

    def _minus(self, word: str) -> None:
        flag = word[:2]
        if flag in ("-4", "-6"):
            return
        if flag not in ("-x", "-t", "-q", "-c", "-p"):
            raise UsageError(f"Invalid option: {word}")
        value = self._value(word)
        if flag == "-x":
            self._reverse(value)
        elif flag == "-t" and type_number(value) is None:
            self.warnings.append(f";; Warning, ignoring invalid type {value}")
        elif flag == "-c" and class_number(value) is None:
            self.warnings.append(f";; Warning, ignoring invalid class {value}")
        elif flag == "-p":
            self.options["port"] = _number("port number", value, 1, 65_535)
        else:
            key = {"-t": "kind", "-c": "klass"}.get(flag)
            if key is None:
                self.name = value
            else:
                self.options[key] = value

    def _reverse(self, text: str) -> None:
        try:
            self.name = reverse_name(ip_from_text(text))
        except ValueError:
            raise UsageError(f"Invalid IP address {text}") from None
        self.options["kind"] = "PTR"

    def _plus(self, word: str) -> None:
        name, equals, value = word[1:].partition("=")
        negated = name.startswith("no")
        key = name.removeprefix("no") if negated else name
        if equals and name in _NUMBERS:
            option, read = _NUMBERS[name]
            self.options[option] = read(value)
        elif key == "all":
            self.shown = replace(self.shown, **dict.fromkeys((*_ALL, "command"), not negated))
        elif key in _SECTIONS:
            self.shown = replace(self.shown, **{_SECTIONS[key]: not negated})
        elif key == "search":
            self.search = not negated
        elif key in _FLAGS and not equals:
            self.options[_FLAGS[key]] = not negated
        else:
            raise UsageError(f"Invalid option: {word}")


def _number(what: str, text: str, least: int, most: int) -> int:
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise UsageError(f"Couldn't parse {what} '{text}'")
    return int(text)


def _tries(text: str) -> int:
    return max(_number("tries", text, 0, 65_535), 1)


def _retries(text: str) -> int:
    return _number("retries", text, 0, 65_535) + 1


def _time(text: str) -> str:
    return f"{max(_number('timeout', text, 0, 65_535), 1)}s"


def _size(text: str) -> int:
    return _number("buffer size", text, 0, 65_535)


_NUMBERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "tries": ("tries", _tries),
    "retry": ("tries", _retries),
    "time": ("timeout", _time),
    "timeout": ("timeout", _time),
    "bufsize": ("size", _size),
}


@command(
    "dig",
    "NODE [@SERVER] [NAME] [TYPE] [CLASS] [-x ADDRESS] [-t TYPE] [-p PORT] [+OPTION...]",
    "ask a DNS server, and show all that it says",
    group=Group.TRAFFIC,
    node=NodeUse.FIRST,
    words=(1, None),
    examples=["vm1 dig @10.0.0.1 www.example.test AAAA", "vm1 dig -x 10.0.0.2 +short"],
    completes=[machines],
)
def dig(context: ShellContext, arguments: Arguments) -> Output:
    """Of BIND's options: +[no]all, cmd, comments, question, answer, authority, additional,
    stats, short, identify, recurse, adflag, dnssec, edns, cookie, tcp, ignore, search, and +tries=,
    +retry=, +time=, +bufsize=.
    """
    node, *words = arguments.words
    machine = context.machine(node)
    asked = _Words(words)
    server = asked.server
    if server is not None:
        try:
            server = context.target(server, node)
        except UsageError:
            raise UsageError(f"dig: couldn't get address for '{server}': not found") from None
    result = None
    for name in _candidates(context, node, asked):
        result = machine.dig(name, server=server, **asked.options)
        if result.message is None or result.message.header.rcode != _NO_SUCH_NAME:
            break
    assert result is not None
    epoch_ns = context.lab.topology.epoch_ns
    text = dig_text(result, words, asked.shown, epoch_ns, named_server=server is not None)
    return "\n".join([*asked.warnings, text])


_NO_SUCH_NAME = 3


def _candidates(context: ShellContext, node: str, asked: _Words) -> Iterator[str]:
    """The name; with +search also those below the domains of the machine's search list."""
    name = asked.name or "."
    conf = context.namespace(node).resolv_conf
    below = [] if not asked.search or name.endswith(".") else [f"{name}.{d}" for d in conf.search]
    dotted = name.count(".") >= conf.ndots
    yield from [name, *below] if dotted or not below else [*below, name]
