"""One machine's rules of one family: what iptables changes, and what packets meet.

Changes are made to a copy of a table, which takes the table's place when the kernel would take
it: all of a COMMIT, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.rule import Rule
from vnet.linux.netfilter.tables import TABLES, Chain, Table
from vnet.linux.netfilter.validity import complaint
from vnet.linux.netfilter.walk import Running, Walk
from vnet.linux.netfilter.xtables.errors import RefusedError, XtablesError


class Step(NamedTuple):
    """One change: what it does to a table, and how the kernel's refusal names it. ``before`` is the
    chain and the number of a rule in front of which another is put."""

    change: Callable[[Table], None]
    request: str
    about: str
    line: int | None = None
    before: tuple[str, int] | None = None

    def request_to(self, table: Table) -> str:
        """What the kernel is asked for: behind the last rule there is nothing to insert before."""
        if self.before is None:
            return self.request
        name, number = self.before
        chain = table.find(name)
        n_rules = 0 if chain is None else len(chain.rules)
        return "RULE_APPEND" if 1 < number == n_rules + 1 else self.request


class RefusalError(XtablesError):
    """A refusal with the line of the text that asked for what is refused."""

    def __init__(self, refused: RefusedError, line: int | None) -> None:
        super().__init__(refused.message, refused.status)
        self.refused = refused
        self.line = line

    def told_by(self, program: str, line: int | None = None) -> str:
        return self.refused.told_by(program, line if self.line is None else self.line)


class Ruleset:
    """Tables by name, in the order in which they were made.

    ``netfilter`` None is a ruleset that no packet meets: what a file wants, before it runs.
    """

    __slots__ = ("_judges", "_ready", "_table_handles", "_tracked", "family", "netfilter", "tables")

    def __init__(self, family: int, netfilter: Netfilter | None = None) -> None:
        self.family = family
        self.netfilter = netfilter
        self.tables: dict[str, Table] = {}
        self._table_handles = count(1) if netfilter is None else netfilter.table_handles
        self._ready: dict[str, dict[Rule, Running]] = {}
        self._judges: dict[str, list[tuple[Chain, Walk]]] = {}
        self._tracked: dict[str, bool] = {}

    @property
    def program(self) -> str:
        """What the tool of this family is called."""
        return "iptables" if self.family == 4 else "ip6tables"

    def table(self, name: str) -> Table:
        """A table as it stands; an empty one where nobody has asked for it."""
        return self.tables.get(name) or Table(name)

    def __iter__(self) -> Iterator[Table]:
        """The tables that are there, in the order of iptables-save."""
        return (self.tables[name] for name in TABLES if name in self.tables)

    # -- changing

    def apply(self, name: str, steps: Sequence[Step], *, afresh: bool = False) -> None:
        """Make changes to a table, all or none; ``afresh`` begins with an empty one.

        Raises :class:`XtablesError`.
        """
        draft = Table(name) if afresh else self.table(name).copy()
        for step in steps:
            step.change(draft)
        if complaint(draft) is not None:
            self._find_refused(name, steps, afresh=afresh)
        if afresh:
            self.tables.pop(name, None)
        elif not draft.chains and name not in self.tables:
            return
        if name not in self.tables:
            draft.handle = next(self._table_handles)
        self.tables[name] = draft
        self._run(draft)

    def _find_refused(self, name: str, steps: Sequence[Step], *, afresh: bool) -> None:
        """Raise for the first change after which the kernel would not take the table."""
        draft = Table(name) if afresh else self.table(name).copy()
        for step in steps:
            request = step.request_to(draft)
            step.change(draft)
            answer = complaint(draft)
            if answer is not None:
                raise RefusalError(RefusedError(request, answer, step.about), step.line)

    # -- running

    def _run(self, table: Table) -> None:
        """Put the table's chains where packets come by."""
        netfilter = self.netfilter
        if netfilter is None:
            return
        before = self._judges.get(table.name, [])
        old = self._ready.get(table.name, {})
        ready = {
            rule: old.get(rule) or Running(netfilter, rule)
            for chain in table.chains.values()
            for rule in chain.rules
        }
        self._track(netfilter, table)
        judges = [
            (chain, Walk(table, chain, ready))
            for chain in table.chains.values()
            if chain.hook is not None
        ]
        self._register(netfilter, table, before, judges)
        self._ready[table.name], self._judges[table.name] = ready, judges

    def _track(self, netfilter: Netfilter, table: Table) -> None:
        tracks = any(
            extension.TRACKS
            for chain in table.chains.values()
            for rule in chain.rules
            for extension in rule.description.extensions
        )
        if tracks and not self._tracked.get(table.name):
            netfilter.track(self.family)
        elif not tracks and self._tracked.get(table.name):
            netfilter.untrack(self.family)
        self._tracked[table.name] = tracks

    def _register(
        self,
        netfilter: Netfilter,
        table: Table,
        before: list[tuple[Chain, Walk]],
        now: list[tuple[Chain, Walk]],
    ) -> None:
        is_nat = table.name == "nat"
        # The new ones come first, so that nobody stops to look meanwhile.
        for chain, judge in now:
            assert chain.hook is not None
            if is_nat:
                netfilter.register_nat(self.family, chain.hook, judge)
            else:
                netfilter.register(self.family, chain.hook, table.hooks[chain.hook], judge)
        for chain, judge in before:
            assert chain.hook is not None
            if is_nat:
                netfilter.unregister_nat(self.family, chain.hook, judge)
            else:
                netfilter.unregister(self.family, chain.hook, judge)

    # -- the tools

    def command(self, words: Sequence[str]) -> str:
        """``iptables WORDS``. Returns what it prints; raises :class:`XtablesError`."""
        from vnet.linux.netfilter.iptables.command import run_command

        return run_command(self, words)

    def restore(self, text: str, *, flush: bool = True, counters: bool = False) -> None:
        """``iptables-restore``. Raises :class:`XtablesError`."""
        from vnet.linux.netfilter.iptables.restore import Restore

        Restore(self, flush=flush, counters=counters).run(text)

    def save(self, table: str | None = None, *, counters: bool = False, when: str = "") -> str:
        """``iptables-save``."""
        from vnet.linux.netfilter.iptables.save import save_text

        return save_text(self, table, counters=counters, when=when)
