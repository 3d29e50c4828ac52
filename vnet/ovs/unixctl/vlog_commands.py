"""The commands about a daemon's log: ``vlog/set`` and its like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vnet.ovs.unixctl.table import Command, CommandError, answering
from vnet.ovs.vlog.level import Destination
from vnet.ovs.vlog.spec import SpecError, apply_spec
from vnet.ovs.vlog.vlog import Vlog


class LogFile(Protocol):
    """The file that a log goes to."""

    path: str | None
    """None where none was ever opened."""

    def reopen(self) -> None:
        """Open it again by its name. Raises OSError."""

    def close(self) -> None:
        """Write to it no more."""


def vlog_commands(vlog: Vlog, file: LogFile, syslog_prefix: str = "") -> list[Command]:
    """All of them, for one log and its file."""

    def set_levels(words: Sequence[str]) -> str:
        try:
            for spec in words or ("",):
                apply_spec(vlog, spec)
        except SpecError as error:
            raise CommandError(str(error)) from error
        return ""

    def reopen(_words: Sequence[str]) -> str:
        if file.path is None:
            raise CommandError("Logging to file not configured")
        try:
            file.reopen()
        except OSError as error:
            raise CommandError(error.strerror or str(error)) from error
        return ""

    def close(_words: Sequence[str]) -> str:
        file.close()
        return ""

    def honour_limits(honours: bool, words: Sequence[str]) -> str:
        for word in words or ("any",):
            name = word.lower()
            if name != "any" and name not in vlog.modules:
                raise CommandError("unknown module")
            for module in vlog.modules.values() if name == "any" else (vlog.modules[name],):
                module.honours_rate_limits = honours
        return ""

    usage = "{spec | PATTERN:destination:pattern}"
    return [
        Command("vlog/set", usage, 0, None, answering(set_levels)),
        Command("vlog/list", "", 0, 0, answering(lambda _words: list_levels(vlog))),
        Command(
            *("vlog/list-pattern", "", 0, 0),
            answering(lambda _words: list_patterns(vlog, syslog_prefix)),
        ),
        Command(
            *("vlog/enable-rate-limit", "[module]...", 0, None),
            answering(lambda words: honour_limits(True, words)),
        ),
        Command(
            *("vlog/disable-rate-limit", "[module]...", 0, None),
            answering(lambda words: honour_limits(False, words)),
        ),
        Command("vlog/reopen", "", 0, 0, answering(reopen)),
        Command("vlog/close", "", 0, 0, answering(close)),
    ]


def list_levels(vlog: Vlog) -> str:
    """A table of modules and what each says where."""
    lines = [
        f"{module.name:<16}  {module.levels[Destination.CONSOLE].name:>4}       "
        f"{module.levels[Destination.SYSLOG].name:>4}       "
        f"{module.levels[Destination.FILE].name:>4}"
        + ("" if module.honours_rate_limits else "    (rate limiting disabled)")
        for module in vlog.modules.values()
    ]
    heading = [
        "                 console    syslog    file",
        "                 -------    ------    ------",
    ]
    return "\n".join([*heading, *sorted(lines)])


def list_patterns(vlog: Vlog, syslog_prefix: str) -> str:
    """How lines are put together, for each destination."""
    lines = [
        "         prefix                            format",
        "         ------                            ------",
    ]
    for place in Destination:
        prefix = syslog_prefix if place is Destination.SYSLOG else "none"
        lines.append(f"{place.name:<7}  {prefix:<32}  {vlog.patterns[place]}")
    return "\n".join(lines)
