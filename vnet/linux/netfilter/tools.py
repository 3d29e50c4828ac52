"""The programs that show and change a machine's netfilter, by their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.units import time_of_day
from vnet.linux.netfilter.conntrack_tool.tool import ConntrackTool
from vnet.linux.netfilter.iptables.restore import Restore
from vnet.linux.netfilter.nft.tool import Nft
from vnet.linux.netfilter.ruleset import Ruleset
from vnet.linux.netfilter.tables import TABLES
from vnet.linux.netfilter.xtables.errors import FAILED, VERSION, Answer, XtablesError

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace

PROGRAMS = {
    "iptables": 4,
    "ip6tables": 6,
}


class ToolError(UsageError):
    """What a program wrote when it did not do what it was asked; ``status`` is its exit code."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text.rstrip("\n"))
        self.status = status


class NetfilterTools:
    """iptables, nft and conntrack on one machine."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    def rules(self, family: int) -> Ruleset:
        """The rules of a family."""
        return self._namespace.make_netfilter().rules(family)

    def iptables(self, family: int, words: Sequence[str]) -> Answer:
        """``iptables`` (4) or ``ip6tables`` (6)."""
        ruleset = self.rules(family)
        try:
            return Answer(ruleset.command(words))
        except XtablesError as error:
            return Answer(error.printed, error.told_by(ruleset.program), error.status)

    def save(self, family: int, words: Sequence[str] = ()) -> Answer:
        """``iptables-save [-c] [-t TABLE]``."""
        program = f"{'iptables' if family == 4 else 'ip6tables'}-save"
        counters, table = False, None
        given = list(words)
        while given:
            word = given.pop(0)
            if word in ("-c", "--counters"):
                counters = True
            elif word in ("-t", "--table") and given:
                table = given.pop(0)
            else:
                complaint = f"{program}: invalid option -- '{word.lstrip('-')}'\n"
                complaint += f"Look at manual page `{program}.8' for more information.\n"
                return Answer(err=complaint, status=FAILED)
        if table is not None and table not in TABLES:
            return Answer(err=f"Table `{table}' does not exist\n", status=FAILED)
        return Answer(self.rules(family).save(table, counters=counters, when=self._date()))

    def _date(self) -> str:
        return time_of_day(self._namespace.epoch_ns + self._namespace.scheduler.now_ns)

    def restore(self, family: int, text: str, words: Sequence[str] = ()) -> Answer:
        """``iptables-restore [-c] [-n] [-t] [-T TABLE]``, with the text that it reads."""
        ruleset = self.rules(family)
        program = f"{ruleset.program}-restore"
        flags: set[str] = set()
        only, given = None, list(words)
        while given:
            word = given.pop(0)
            if word in ("-T", "--table") and given:
                only = given.pop(0)
            elif word in _RESTORE_FLAGS:
                flags.add(_RESTORE_FLAGS[word])
            else:
                complaint = f"{program}: unrecognized option '{word}'\n"
                complaint += f"Try `{program} -h' for more information.\n"
                return Answer(err=complaint, status=FAILED)
        if "version" in flags:
            return Answer(f"{program} v{VERSION}\n")
        reading = Restore(
            ruleset,
            flush="noflush" not in flags,
            counters="counters" in flags,
            only=only,
            test="test" in flags,
        )
        try:
            reading.run(text)
        except XtablesError as error:
            return Answer(err=error.told_by(program, reading.line), status=error.status)
        return Answer()

    def nft(self, words: Sequence[str]) -> Answer:
        """``nft``, which lists."""
        return Nft([self.rules(4), self.rules(6)]).run(words)

    def conntrack(self, words: Sequence[str]) -> Answer:
        """``conntrack``."""
        return self.connections.run(words)

    @property
    def connections(self) -> ConntrackTool:
        """The connections that the machine knows."""
        netfilter = self._namespace.netfilter
        conntrack = None if netfilter is None else netfilter.conntrack
        return ConntrackTool(conntrack, self._namespace.scheduler.now_ns)

    def run(self, program: str, words: Sequence[str], text: str = "") -> Answer:
        """A program by its name; ``text`` is what it reads. Raises :class:`UsageError` for a name
        that is none of theirs."""
        base, _, action = program.partition("-")
        if base in PROGRAMS and action in ("", "save", "restore"):
            family = PROGRAMS[base]
            if action == "restore":
                return self.restore(family, text, words)
            return self.save(family, words) if action else self.iptables(family, words)
        if program == "nft":
            return self.nft(words)
        if program == "conntrack":
            return self.conntrack(words)
        raise UsageError(f"there is no program {program!r} here")


_RESTORE_FLAGS = {
    "-c": "counters",
    "--counters": "counters",
    "-n": "noflush",
    "--noflush": "noflush",
    "-t": "test",
    "--test": "test",
    "-v": "verbose",
    "--verbose": "verbose",
    "-V": "version",
    "--version": "version",
    "-w": "wait",
    "--wait": "wait",
}


def printed(answer: Answer) -> str:
    """What a program printed, on either channel; raises :class:`ToolError` where it failed."""
    if answer.status:
        raise ToolError(answer.err or answer.out, answer.status)
    return answer.out + answer.err
