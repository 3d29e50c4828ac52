"""``-j LOG`` and ``-j TRACE``: the kernel writes down what passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.targets.log_line import LogFlags, log_line
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Act, Target
from vnet.linux.netfilter.xtables.option import Given, Option, Word
from vnet.linux.netfilter.xtables.quoting import quoted
from vnet.linux.netfilter.xtables.values import number

_LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
_READ = ("emerg", "alert", "crit", "error", "warning", "notice", "info", "debug")
"""Levels as they are shown, and as they are read."""
_DEFAULT_LEVEL = 4
_MOST_CHARACTERS = 29
_FLAGS = (
    ("log-tcp-sequence", "tcp-sequence", LogFlags.TCP_SEQUENCE),
    ("log-tcp-options", "tcp-options", LogFlags.TCP_OPTIONS),
    ("log-ip-options", "ip-options", LogFlags.IP_OPTIONS),
    ("log-uid", "uid", LogFlags.UID),
    ("log-macdecode", "macdecode", LogFlags.MAC_DECODE),
)


def _level(word: Word) -> int:
    found = number(word.text, 7)
    if found is None:
        names = {name: level for level, name in enumerate(_READ)} | {"panic": 0}
        found = names.get(word.text)
    if found is None:
        raise XtablesError(f'log level "{word.text}" unknown\n')
    return found


def _prefix(word: Word) -> str:
    if not word.text:
        raise XtablesError("Argument must have a minimum length of 1 characters\n")
    if "\n" in word.text:
        raise XtablesError("Newlines not allowed in --log-prefix")
    return word.text[:_MOST_CHARACTERS]


@dataclass(frozen=True, slots=True)
class LogTarget(Target):
    """A line in the kernel's log, and in the packet's trace."""

    NAME: ClassVar[str] = "LOG"
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("log-level", _level),
        Option("log-prefix", _prefix),
        *(Option(name) for name, _, _ in _FLAGS),
    )

    level: int
    prefix: str
    flags: LogFlags

    @classmethod
    def read(cls, given: Given) -> LogTarget:
        flags = LogFlags(0)
        for option, _, flag in _FLAGS:
            if option in given.values:
                flags |= flag
        return cls(given.get("log-level", _DEFAULT_LEVEL), given.get("log-prefix", ""), flags)

    def saved(self) -> str:
        parts = [f"--log-prefix {quoted(self.prefix)}"] if self.prefix else []
        if self.level != _DEFAULT_LEVEL:
            parts.append(f"--log-level {self.level}")
        parts += [f"--{option}" for option, _, flag in _FLAGS if self.flags & flag]
        return " ".join(parts)

    def shown(self, *, numeric: bool) -> str:
        parts = [f"LOG flags {self.flags.value} level {self.level}"]
        if not numeric:
            parts = [f"LOG level {_LEVELS[self.level]}"]
            parts += [name for _, name, flag in _FLAGS if self.flags & flag]
        if self.prefix:
            parts.append(f'prefix "{self.prefix}"')
        return " ".join(parts)

    def nft(self) -> str | None:
        parts = ["log"]
        if self.prefix:
            parts.append(f'prefix "{self.prefix}"')
        if self.level != _DEFAULT_LEVEL:
            parts.append(f"level {_LEVELS[self.level]}")
        if self.flags == LogFlags.ALL:
            return " ".join([*parts, "flags all"])
        tcp = (LogFlags.TCP_SEQUENCE, "sequence"), (LogFlags.TCP_OPTIONS, "options")
        named = ",".join(name for flag, name in tcp if self.flags & flag)
        parts += [f"flags tcp {named}"] if named else []
        others = (
            *((LogFlags.IP_OPTIONS, "ip options"), (LogFlags.UID, "skuid")),
            (LogFlags.MAC_DECODE, "ether"),
        )
        parts += [f"flags {name}" for flag, name in others if self.flags & flag]
        return " ".join(parts)

    def act(self, netfilter: Netfilter) -> Act:
        namespace, prefix, flags = netfilter.namespace, self.prefix, self.flags

        def write_down(packet: NfPacket) -> None:
            namespace.log.write(log_line(packet, prefix, flags))

        return write_down

    def noted(self, packet: NfPacket) -> str:
        return log_line(packet, self.prefix, self.flags).rstrip()


@dataclass(frozen=True, slots=True)
class TraceTarget(Target):
    """``-j TRACE``: have the packet's rules written down, as is done of all that are followed."""

    NAME: ClassVar[str] = "TRACE"
    TABLES: ClassVar[tuple[str, ...] | None] = ("raw",)

    @classmethod
    def read(cls, given: Given) -> TraceTarget:  # noqa: ARG003
        return cls()

    def saved(self) -> str:
        return ""

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return ""

    def nft(self) -> str | None:
        return "meta nftrace set 1"

    def act(self, netfilter: Netfilter) -> Act:  # noqa: ARG002
        return lambda _packet: None
