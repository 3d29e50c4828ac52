"""``nft list ruleset|tables|table|chain|chains``, as typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vnet.linux.netfilter.nft.show import (
    FAMILY_NAMES,
    base_line,
    chain_text,
    handle_text,
    is_managed,
    table_text,
)
from vnet.linux.netfilter.ruleset import Ruleset
from vnet.linux.netfilter.tables import Table
from vnet.linux.netfilter.xtables.errors import Answer

VERSION = "nftables v1.0.6 (Lester Gooch #5)"
_FAILED = 1
USAGE = "list ruleset | tables [FAMILY] | table [FAMILY] NAME | chains | chain [FAMILY] TABLE NAME"


class NftError(Exception):
    """What is wrong, with the words and which of them it is about (None: what follows them)."""

    def __init__(self, message: str, words: Sequence[str], about: int | None) -> None:
        super().__init__(message)
        self.message = message
        self._words = words
        self._about = about

    def __str__(self) -> str:
        line = " ".join(self._words)
        if self._about is None or self._about >= len(self._words):
            return f"Error: {self.message}\n{line}\n{' ' * len(line)}^\n"
        start = len(" ".join(self._words[: self._about])) + (self._about > 0)
        marks = "^" * len(self._words[self._about])
        return f"Error: {self.message}\n{line}\n{' ' * start}{marks}\n"


class Nft:
    """The tool on one machine; ``rulesets`` are those of both families."""

    def __init__(self, rulesets: Sequence[Ruleset]) -> None:
        self._rulesets = rulesets
        self._handles = False

    def run(self, words: Sequence[str]) -> Answer:
        """A whole command without ``nft``."""
        if list(words) in (["-v"], ["--version"]):
            return Answer(f"{VERSION}\n")
        rest = [word for word in words if not word.startswith("-")]
        self._handles = any(map(_asks_for_handles, words))
        try:
            return self._command(rest)
        except NftError as error:
            return Answer(err=str(error), status=_FAILED)

    def _command(self, words: list[str]) -> Answer:
        if not words or words[0] != "list":
            raise NftError("syntax error, unexpected word; vnet's nft lists: " + USAGE, words, 0)
        if len(words) < 2:
            raise NftError("syntax error, unexpected newline", words, None)
        kinds: dict[str, Callable[[list[str]], Answer]] = {
            "ruleset": self._ruleset,
            "tables": self._tables,
            "table": self._table,
            "chain": self._chain,
            "chains": self._chains,
        }
        kind = kinds.get(words[1])
        if kind is None:
            raise NftError(f"syntax error, unexpected {words[1]}", words, 1)
        return kind(words)

    def _family(self, words: list[str], at: int) -> int | None:
        """The family that a word names, if it names one."""
        named = [family for family, name in FAMILY_NAMES.items() if words[at : at + 1] == [name]]
        return named[0] if named else None

    def _all(self, family: int | None = None) -> list[tuple[int, Table]]:
        """The tables, the oldest first."""
        found = [
            (ruleset.family, table)
            for ruleset in self._rulesets
            for table in ruleset.tables.values()
            if family in (None, ruleset.family)
        ]
        return sorted(found, key=lambda entry: entry[1].handle)

    def _ruleset(self, words: list[str]) -> Answer:
        return self._shown(self._all(self._family(words, 2)))

    def _shown(self, tables: list[tuple[int, Table]]) -> Answer:
        warnings = [
            f"# Warning: table {FAMILY_NAMES[family]} {table.name} is managed by iptables-nft, "
            "do not touch!\n"
            for family, table in tables
            if is_managed(table)
        ]
        texts = [table_text(table, family, handles=self._handles) for family, table in tables]
        return Answer("".join(texts), "".join(warnings))

    def _tables(self, words: list[str]) -> Answer:
        lines = [
            f"table {FAMILY_NAMES[f]} {t.name}\n" for f, t in self._all(self._family(words, 2))
        ]
        return Answer("".join(lines))

    def _found(self, words: list[str]) -> tuple[int, Table, int]:
        """Family and table that the words name from the third on, and where they end."""
        family = self._family(words, 2)
        at = 2 if family is None else 3
        if at >= len(words):
            raise NftError("syntax error, unexpected newline, expecting string", words, None)
        for other, table in self._all(family or 4):
            if table.name == words[at]:
                return other, table, at + 1
        raise NftError("No such file or directory", words, at)

    def _table(self, words: list[str]) -> Answer:
        family, table, _ = self._found(words)
        return self._shown([(family, table)])

    def _chain(self, words: list[str]) -> Answer:
        family, table, at = self._found(words)
        if at >= len(words):
            raise NftError("syntax error, unexpected newline, expecting string", words, None)
        if words[at] not in table.chains:
            raise NftError("No such file or directory", words, at)
        body = chain_text(table, table.chains[words[at]], family, handles=self._handles)
        return Answer(f"table {FAMILY_NAMES[family]} {table.name} {{\n{body}}}\n")

    def _chains(self, words: list[str]) -> Answer:
        text = ""
        for family, table in self._all(self._family(words, 2)):
            text += f"table {FAMILY_NAMES[family]} {table.name} {{\n"
            for chain in table.chains.values():
                base = base_line(table, chain)
                hook = "" if base is None else f"\t\t{base}\n"
                handle = handle_text(chain, shown=self._handles)
                text += f"\tchain {chain.name} {{{handle}\n{hook}\t}}\n"
            text += "}\n"
        return Answer(text)


def _asks_for_handles(word: str) -> bool:
    return word == "--handle" or (word.startswith("-") and word[1:2] != "-" and "a" in word)
