"""The rules of iptables in a file: tried out, so that mistakes are told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vnet.base.text import did_you_mean, quote
from vnet.linux.netfilter.iptables.getopt import LONG_OPTIONS
from vnet.linux.netfilter.iptables.restore import CommitExpectedError, Restore
from vnet.linux.netfilter.matches.table import find_match, match_names
from vnet.linux.netfilter.ruleset import RefusalError, Ruleset
from vnet.linux.netfilter.tables import TABLES
from vnet.linux.netfilter.targets.table import POLICIES, find_target, target_names
from vnet.linux.netfilter.xtables.errors import INVALID_ARGUMENT, TOO_MANY_LINKS, XtablesError
from vnet.linux.netfilter.xtables.names import PROTOCOL_NUMBERS
from vnet.linux.netfilter.xtables.quoting import split_words
from vnet.topology.model import Firewall
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.topology import MachineFile
from vnet.topology.schema.values import kind_of

_KEYS = {"iptables": 4, "ip6tables": 6}
_FIRST = ("protocol", "source", "destination", "in-interface", "out-interface", "fragments")
_SPELT = {"proto": "protocol", "src": "source", "dst": "destination", "in": "in-interface"}
_SPELT |= {"out": "out-interface", "p": "protocol", "s": "source", "d": "destination"}
_SPELT |= {"i": "in-interface", "o": "out-interface", "f": "fragments"}
_SPELT |= {"m": "match", "j": "jump", "g": "goto"}
"""Keys of a rule that are short for others, iptables' letters among them."""


def firewall_of(path: Path, file: MachineFile, report: Report) -> Firewall:
    """The rules of the machine at ``path``."""
    texts = {}
    for key, family in _KEYS.items():
        value = getattr(file, key)
        reader = _Reader((*path, key), Ruleset(family), report)
        texts[key] = reader.text(value) if isinstance(value, str) else reader.tables(value or {})
    return Firewall(*texts.values())


class _Reader:
    """Reads what stands at one key into a ruleset that no packet meets."""

    def __init__(self, path: Path, ruleset: Ruleset, report: Report) -> None:
        self._path = path
        self._ruleset = ruleset
        self._report = report

    # -- a text

    def text(self, text: str) -> str:
        """The text itself; each line that is wrong is told."""
        restore = Restore(self._ruleset)
        for line in text.splitlines():
            try:
                restore.read_line(line)
            except RefusalError as error:
                self._tell_line(error.line or restore.line, 0, error, "")
            except XtablesError as error:
                words = [word for word, column in split_words(line) if column == restore.column]
                self._tell_line(restore.line, restore.column, error, words[0] if words else "")
        try:
            restore.end()
        except CommitExpectedError as error:
            self._tell_line(restore.line, 0, error, "")
        return text

    def _tell_line(self, line: int, column: int, error: XtablesError, word: str) -> None:
        what, hint = f"{self._path[-1]}: {_sentence(error)}", self._hint(error, word)
        node = self._report.root.find(self._path)
        if node is None or node.indent is None:
            # Of text that is no block nobody knows where its lines were.
            return self._report.add(self._path, what, hint)
        place = self._report.root.place(self._path)
        at = place[0] + line, node.indent + column + 1
        return self._report.add_at(self._report.file, *at, what, hint)

    def _hint(self, error: XtablesError, word: str) -> str:
        """What was probably meant."""
        family, text = self._ruleset.family, error.message
        if INVALID_ARGUMENT in text:
            return "a match or target of it may not stand in this table or chain, or needs a -p"
        if TOO_MANY_LINKS in text:
            return "chains lead in a circle"
        if text.startswith("Couldn't load match"):
            name = text.partition("`")[2].partition("'")[0]
            return did_you_mean(name, match_names(family), "there are")
        if text.startswith("Chain '"):
            return did_you_mean(text.split("'")[1], target_names(family), "targets are")
        if text.startswith("unknown protocol"):
            return did_you_mean(text.split('"')[1], list(PROTOCOL_NUMBERS), "")
        if text.startswith("unknown option"):
            known = [f"--{name}" for name in (*LONG_OPTIONS, *_option_names(family))]
            return did_you_mean(text.split('"')[1] or word, known, "")
        return ""

    # -- tables

    def tables(self, tables: Mapping[str, Any]) -> str:
        """What iptables-save would print of it."""
        for name, chains in tables.items():
            here = (*self._path, name)
            if name not in TABLES:
                hint = did_you_mean(name, list(TABLES), "tables are")
                self._report.add(here, f"there is no table {quote(name)}", hint, at_key=True)
            elif chains is not None and not isinstance(chains, Mapping):
                self._report.add(here, f"a table wants chains, not {kind_of(chains)}")
            else:
                self._table(here, name, chains or {})
        return self._ruleset.save() if tables else ""

    def _table(self, path: Path, table: str, chains: Mapping[str, Any]) -> None:
        for name in chains:
            if not self._ruleset.table(table).is_builtin(name):
                self._try((*path, name), ["-t", table, "-N", name], at_key=True)
        for name, value in chains.items():
            here = (*path, name)
            rules = value
            if isinstance(value, Mapping):
                self._policy(here, table, name, value)
                here, rules = (*here, "rules"), value.get("rules")
            if rules is not None and not isinstance(rules, list):
                self._report.add(here, f"a chain wants a list of rules, not {kind_of(rules)}")
                continue
            for number, rule in enumerate(rules or ()):
                self._rule((*here, number), table, name, rule)

    def _policy(self, path: Path, table: str, name: str, value: Mapping[str, Any]) -> None:
        for key in value:
            if key not in ("policy", "rules"):
                hint = did_you_mean(key, ["policy", "rules"], "it has")
                what = f"a chain has no {quote(key)}"
                self._report.add((*path, key), what, hint, at_key=True)
        policy = value.get("policy")
        if policy is None:
            return
        here = (*path, "policy")
        if not self._ruleset.table(table).is_builtin(name):
            self._report.add(here, f"{name} is no chain of its table's own and has no policy")
        elif policy not in POLICIES:
            self._report.add(here, f"{quote(policy)} is no policy", "ACCEPT or DROP")
        else:
            self._try(here, ["-t", table, "-P", name, policy])

    def _rule(self, path: Path, table: str, chain: str, rule: object) -> None:
        if isinstance(rule, str):
            words = [word for word, _ in split_words(rule)]
        elif isinstance(rule, Mapping):
            words = list(_words_of(rule))
        else:
            self._report.add(
                path,
                f"a rule is words of iptables or a map, not {kind_of(rule)}",
                "'-p tcp --dport 80 -j ACCEPT', or {protocol: tcp, dport: 80, jump: ACCEPT}",
            )
            return
        self._try(path, ["-t", table, "-A", chain, *words])

    def _try(self, path: Path, words: Sequence[str], *, at_key: bool = False) -> None:
        try:
            self._ruleset.command(words)
        except XtablesError as error:
            what = f"{self._path[-1]}: {_sentence(error)}"
            self._report.add(path, what, self._hint(error, ""), at_key=at_key)


def _words_of(rule: Mapping[str, Any]) -> Iterator[str]:
    """The words that a map stands for: what is common, matches, target, and their options."""
    given = {_SPELT.get(key, key): value for key, value in rule.items()}
    for key in _FIRST:
        if key in given:
            yield from _option(key, given.pop(key))
    matches = given.pop("match", None)
    for name in matches if isinstance(matches, list) else [] if matches is None else [matches]:
        yield from ("-m", str(name))
    for key in ("jump", "goto"):
        if key in given:
            yield from _option(key, given.pop(key))
    for key, value in given.items():
        yield from _option(key, value)


def _option(key: str, value: object) -> Iterator[str]:
    """``--KEY VALUE``; a value of true needs none, and one that begins with ``!`` negates."""
    if value is False:
        return
    if value is True or value is None:
        yield f"--{key}"
        return
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    if text.startswith("!"):
        yield "!"
        text = text[1:].strip()
    yield f"--{key}"
    # Two options take two words each: masks and flags of TCP.
    yield from text.split() if key == "tcp-flags" else (text,)


def _sentence(error: XtablesError) -> str:
    """The tool's words in one line."""
    return " ".join(error.message.split())


def _option_names(family: int) -> list[str]:
    """All options of matches and targets."""
    kinds = [find_match(name, family) for name in match_names(family)]
    targets = [find_target(name, family) for name in target_names(family)]
    found = {n for kind in (*kinds, *targets) if kind for o in kind.OPTIONS for n in o.names}
    return sorted(found)
