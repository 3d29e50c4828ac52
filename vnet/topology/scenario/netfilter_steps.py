"""Steps that look at the rules and connections of a machine, once they are checked."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.base.text import did_you_mean
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.netfilter_step import ConntrackFile
from vnet.topology.steps import Step


@dataclass(frozen=True, slots=True)
class RulesStep(Step):
    """Reads the counters of a table, of one ``chain`` of it, or of one ``rule`` (from 1)."""

    machine: str
    family: int
    table: str
    chain: str | None
    rule: int | None

    @property
    def title(self) -> str:
        program = "iptables" if self.family == 4 else "ip6tables"
        where = f"{self.chain or ''} {self.rule or ''}".strip()
        return f"{self.machine} {program} -t {self.table} -L {where}".rstrip()


@dataclass(frozen=True, slots=True)
class ConntrackStep(Step):
    """Looks at connections of ``machine``, those that ``words`` choose; or deletes them."""

    machine: str
    words: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.machine} conntrack {' '.join(self.words)}".rstrip()


def words_of_conntrack(given: ConntrackFile, path: Path, report: Report) -> tuple[str, ...] | None:
    """The words that choose connections; what is wrong with them is reported."""
    # Files without rules do without all that reads them.
    from vnet.linux.netfilter.conntrack_tool.reading import ConntrackError, Reader

    words = given.args.split()
    try:
        command = Reader(words).read()
    except ConntrackError as error:
        report.add((*path, "args"), f"conntrack: {error.message}")
        return None
    if command.action not in ("", "L", "D", "F"):
        what = f"-{command.action} is nothing for a step"
        report.add((*path, "args"), what, did_you_mean("", ["-L", "-D", "-F"], "it has"))
        return None
    return tuple(words)
