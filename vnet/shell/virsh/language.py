"""How virsh(1) is spoken to: options of its own, a command, and what that takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from vnet.base.errors import UsageError
from vnet.shell.virsh.host import Host

SOME = ("--inactive", "--all", "--persistent", "--transient", "--autostart", "--no-autostart")
"""The flags that choose among what a list shows."""


@dataclass(frozen=True)
class Given:
    """What followed a command: its argument, if it takes one, and options."""

    argument: str = ""
    flags: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """What does it, what help says of it, and what it takes."""

    run: Callable[[Host, Given], str]
    about: str
    argument: str = ""
    flags: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def synopsis(self, name: str) -> str:
        """``net-info <network>``."""
        words = [name, *([f"<{self.argument}>"] if self.argument else [])]
        words += [f"[{option} <string>]" for option in self.options]
        return " ".join([*words, *(f"[{flag}]" for flag in self.flags)])


def take_connection(words: Sequence[str], uri: str) -> list[str]:
    """The words behind virsh's own options; the one host that can be asked is at ``uri``."""
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] not in ("-h", "--help"):
        option, joined, value = rest.pop(0).partition("=")
        if option in ("-q", "--quiet", "-r", "--readonly"):
            continue
        if option not in ("-c", "--connect"):
            raise UsageError(f"error: unsupported option '{option}'. See --help.")
        if not joined:
            if not rest:
                raise UsageError(f"error: option '{option}' requires an argument")
            value = rest.pop(0)
        if value not in (uri, uri.replace("///", "://localhost/")):
            why = f"the libvirt here is {uri}"
            raise UsageError(f"error: failed to connect to the hypervisor at '{value}'", why)
    return rest


def read(name: str, known: Command, words: Sequence[str]) -> Given:
    """Part the words behind a command as virsh does, with its complaints."""
    flags, values = set(), {}
    free = [f"--{known.argument}"] * bool(known.argument) + list(known.options)
    takes_value = list(free)
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        option, joined, value = word.partition("=")
        if not word.startswith("--"):
            if not free:
                raise UsageError(f"error: unexpected data '{word}'")
            values[free.pop(0)] = word
        elif option in takes_value:
            if not joined:
                if not waiting:
                    raise UsageError(f"error: expected syntax: {option} <string>")
                value = waiting.pop(0)
            values[option] = value
            free = [each for each in free if each != option]
        elif word in known.flags:
            flags.add(word)
        else:
            raise UsageError(f"error: command '{name}' doesn't support option {word}")
    if known.argument and f"--{known.argument}" not in values:
        raise UsageError(f"error: command '{name}' requires <{known.argument}> option")
    return Given(values.get(f"--{known.argument}", ""), frozenset(flags), values)
