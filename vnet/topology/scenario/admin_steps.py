"""Steps that change a machine's settings and rules, once they are checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vnet.base.errors import UsageError
from vnet.topology.reading.report import Path, Report
from vnet.topology.steps import Step


@dataclass(frozen=True, slots=True)
class IptablesStep(Step):
    """Commands of iptables(8), or of ip6tables(8), on ``machine``: the words of each."""

    machine: str
    family: int
    commands: tuple[tuple[str, ...], ...]

    @property
    def title(self) -> str:
        program = "iptables" if self.family == 4 else "ip6tables"
        words = self.commands[0] if len(self.commands) == 1 else (f"×{len(self.commands)}",)
        return f"{self.machine} {program} {' '.join(words)}"


@dataclass(frozen=True, slots=True)
class SysctlStep(Step):
    """Sets ``values`` by name."""

    machine: str
    values: Mapping[str, str]

    @property
    def title(self) -> str:
        return f"{self.machine} sysctl {' '.join(f'{k}={v}' for k, v in self.values.items())}"


def iptables_words(
    commands: list[str], family: int, path: Path, report: Report
) -> tuple[tuple[str, ...], ...]:
    """The words of each command at ``path``; what iptables could not read is reported."""
    # Files without rules do without all that reads them.
    from vnet.linux.netfilter.iptables.reading import CommandReader
    from vnet.linux.netfilter.xtables.quoting import split_words

    found = []
    for index, command in enumerate(commands):
        try:
            words = tuple(word for word, _quoted in split_words(command))
            CommandReader(family, words).read()
        except UsageError as refused:
            report.add((*path, index), str(refused).strip().splitlines()[0])
            continue
        found.append(words)
    return tuple(found)
