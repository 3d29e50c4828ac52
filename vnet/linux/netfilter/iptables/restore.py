"""iptables-restore(8): tables from the text that iptables-save writes."""

from __future__ import annotations

import re

from vnet.linux.netfilter.iptables import changes
from vnet.linux.netfilter.iptables.command import step_of
from vnet.linux.netfilter.iptables.reading import CommandReader
from vnet.linux.netfilter.iptables.request import check_chain_name
from vnet.linux.netfilter.ruleset import Ruleset, Step
from vnet.linux.netfilter.tables import TABLES, Table
from vnet.linux.netfilter.targets.table import POLICIES
from vnet.linux.netfilter.xtables.errors import MissingError, XtablesError
from vnet.linux.netfilter.xtables.quoting import split_words
from vnet.linux.netfilter.xtables.values import decimal

_COUNTERS = re.compile(r"\[\s*(\d+):\s*(\d+)\]")


class NotUnderstoodError(XtablesError):
    """A line that is none of iptables-save's."""

    def __init__(self) -> None:
        super().__init__("failed", 1)

    def told_by(self, program: str, line: int | None = None) -> str:
        return f"{program}: line {line} failed\n"


class CommitExpectedError(XtablesError):
    """The text ends inside of a table."""

    def __init__(self, line: int) -> None:
        super().__init__(f"COMMIT expected at line {line}", 1)

    def told_by(self, program: str, line: int | None = None) -> str:  # noqa: ARG002
        return f"{program}: {self.message}\n"


class Restore:
    """Reads a text line by line. ``flush`` False (-n) keeps what is there; ``counters`` (-c)
    takes over what was counted; ``only`` (-T) is the one table that is meant."""

    def __init__(
        self,
        ruleset: Ruleset,
        *,
        flush: bool = True,
        counters: bool = False,
        only: str | None = None,
        test: bool = False,
    ) -> None:
        self._ruleset = ruleset
        self._flush = flush
        self._counters = counters
        self._only = only
        self._test = test
        self._table: str | None = None
        self._draft = Table("")
        self._steps: list[Step] = []
        self.line = 0
        self.column = 0
        """Where the reading has got to: lines count from 1, columns from 0."""

    def run(self, text: str) -> None:
        """Raises :class:`XtablesError`; tables that were committed before stay."""
        for line in text.splitlines():
            self.read_line(line)
        self.end()

    def end(self) -> None:
        """The text is at its end; it must not be inside of a table."""
        if self._table is not None:
            raise CommitExpectedError(self.line + 1)

    def read_line(self, line: str) -> None:
        """The next line. One that is wrong is left out, and more may follow."""
        self.line += 1
        self.column = 0
        if not line or line.startswith("#"):
            return
        if self._table is None:
            if not line.startswith("*"):
                raise NotUnderstoodError
            self._begin(line[1:].split())
        elif line == "COMMIT":
            self._commit()
        elif line.startswith(":"):
            self._chain(line[1:].split())
        else:
            self._rule(line)

    def _program(self) -> str:
        return f"{self._ruleset.program}-restore"

    def _begin(self, words: list[str]) -> None:
        where = f"{self._program()}: line {self.line} table name"
        if not words:
            raise XtablesError(f"{where} invalid")
        if words[0] not in TABLES:
            raise XtablesError(f"{where} '{words[0]}' invalid")
        self._table, self._steps = words[0], []
        self._draft = Table(words[0])
        if not self._flush:
            self._draft = self._ruleset.table(words[0]).copy()

    def _chain(self, words: list[str]) -> None:
        where = f"{self._program()}: line {self.line}"
        if not words:
            raise XtablesError(f"{where} chain name invalid")
        check_chain_name(words[0], self._ruleset.family)
        if len(words) < 2:
            raise XtablesError(f"{where} policy invalid")
        name, policy = words[:2]
        if self._draft.is_builtin(name):
            counters = self._policy_counters(name, words[2:])
            if policy == "-":
                return
            if policy not in POLICIES:
                raise MissingError("Bad policy name")
            self._add(Step(changes.set_policy(name, policy, counters), "CHAIN_UPDATE", name))
        elif name in self._draft.chains:
            self._add(Step(changes.flush(name), "CHAIN_FLUSH", f"chain {name}"))
        else:
            self._add(Step(changes.add_chain(name), "CHAIN_USER_ADD", f"chain {name}"))

    def _policy_counters(self, name: str, words: list[str]) -> tuple[int, int] | None:
        if not self._counters:
            return (0, 0)
        found = _COUNTERS.match(words[0]) if words else None
        if found is None:
            raise XtablesError(f"invalid policy counters for chain '{name}'")
        return decimal(found[1]), decimal(found[2])

    def _rule(self, line: str) -> None:
        counted, rest, start = self._counted(line)
        words = split_words(rest)
        columns = [start + column for _, column in words]
        front = ["-c", *counted] if self._counters and counted else []
        reader = CommandReader(
            self._ruleset.family, [*front, *(word for word, _ in words)], in_restore=True
        )
        try:
            command = reader.read()
        except XtablesError:
            at = reader.at - len(front)
            if columns:
                self.column = columns[min(max(at, 0), len(columns) - 1)]
            raise
        command.table = self._table or ""
        step, _ = step_of(self._ruleset, command, self.line)
        if step is not None:
            self._add(step)

    def _counted(self, line: str) -> tuple[list[str], str, int]:
        """The counters in front of a rule, the rule, and where it begins."""
        if not line.startswith("["):
            return [], line, 0
        inside, closed, rest = line[1:].partition("]")
        if not closed:
            raise XtablesError(f"Bad line {self.line}: need ]")
        packets, colon, octets = inside.partition(":")
        if not packets or not colon:
            raise XtablesError(f"Bad line {self.line}: need :")
        if not octets:
            raise XtablesError(f"Bad line {self.line}: need ]")
        return [packets, octets], rest, len(line) - len(rest)

    def _add(self, step: Step) -> None:
        """Try a change on the draft, so that its complaint is about this line."""
        step.change(self._draft)
        self._steps.append(step)

    def _commit(self) -> None:
        name, steps = self._table or "", self._steps
        self._table = None
        if not self._test and self._only in (None, name):
            self._ruleset.apply(name, steps, afresh=self._flush)
