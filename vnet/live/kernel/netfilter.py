"""What steps see of a machine's rules and connections, told by iptables(8) and conntrack(8)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from vnet.base.errors import VnetError
from vnet.lab.scenario import NotJudgedError
from vnet.live.kernel import namespaces
from vnet.live.kernel.machine import LiveMachine
from vnet.live.kernel.programs import has_program, run_program
from vnet.topology.scenario.netfilter_steps import ConntrackStep, RulesStep

_DELETING = frozenset(("-D", "--delete", "-F", "--flush"))
_LISTING = frozenset(("-L", "--dump"))
_BOTH_ENDS = (("src", "dst"), ("dst", "src"), ("sport", "dport"), ("dport", "sport"), ("id", "id"))
"""What an answer has the other way round."""


def read_rules(machine: LiveMachine, step: RulesStep) -> dict[str, Any]:
    """How many rules there are of those that are meant, and what they have counted together.

    Raises :class:`VnetError` where there is no such chain or rule.
    """
    program = "iptables" if step.family == 4 else "ip6tables"
    words = ["-w", "-t", step.table, "-v", "-S", *([] if step.chain is None else [step.chain])]
    lines = [shlex.split(line) for line in _run(machine, program, words).splitlines()]
    rules = [_counted(line) for line in lines if line[0] == "-A"]
    if step.rule is not None:
        rules = rules[step.rule - 1 : step.rule]
        if not rules:
            raise VnetError(f"chain {step.chain} of {machine.node} has no rule {step.rule}")
    return {
        "rules": len(rules),
        "packets": sum(packets for packets, _ in rules),
        "bytes": sum(size for _, size in rules),
        "policy_packets": sum(_counted(line)[0] for line in lines if line[0] == "-P"),
    }


def _counted(words: list[str]) -> tuple[int, int]:
    """Packets and bytes of a rule or a policy: ``-c PACKETS BYTES`` in it."""
    at = words.index("-c")
    return int(words[at + 1]), int(words[at + 2])


class Listed(NamedTuple):
    """A line of ``conntrack -L``: both ways, each by the words before ``=``, and its marks."""

    ways: tuple[dict[str, str], dict[str, str]]
    marks: frozenset[str]

    @property
    def is_translated(self) -> bool:
        """Whether answers are expected otherwise than from where the first packet went."""
        there, back = self.ways
        return any(there.get(one) != back.get(other) for one, other in _BOTH_ENDS)

    def sum_of(self, name: str) -> int:
        """A counter of both ways, where the kernel keeps any."""
        return sum(int(way.get(name, 0)) for way in self.ways)


def look_at_connections(machine: LiveMachine, step: ConntrackStep) -> dict[str, Any]:
    """How many connections there are, of those that are meant; then they may be deleted."""
    if not has_program("conntrack"):
        raise NotJudgedError("the program conntrack is not installed")
    chosen = [word for word in step.words if word not in _DELETING | _LISTING]
    found = list(read_connections(_run(machine, "conntrack", ["-L", *chosen])))
    # Where there is nothing to delete, conntrack says that it has failed.
    if found and _DELETING & set(step.words):
        _run(machine, "conntrack", step.words)
    return {
        "entries": len(found),
        "assured": sum("[ASSURED]" in entry.marks for entry in found),
        "unreplied": sum("[UNREPLIED]" in entry.marks for entry in found),
        "translated": sum(entry.is_translated for entry in found),
        "packets": sum(entry.sum_of("packets") for entry in found),
        "bytes": sum(entry.sum_of("bytes") for entry in found),
    }


def read_connections(text: str) -> Iterator[Listed]:
    """Each line that ``conntrack -L`` printed."""
    for line in text.splitlines():
        ways: tuple[dict[str, str], dict[str, str]] = ({}, {})
        words = line.split()
        for name, is_value, value in (word.partition("=") for word in words):
            if is_value:
                ways[name in ways[0]][name] = value
        yield Listed(ways, frozenset(word for word in words if word.startswith("[")))


def _run(machine: LiveMachine, program: str, words: Sequence[str]) -> str:
    with namespaces.inside(machine.namespace):
        done = run_program([program, *words])
    if done.returncode:
        raise VnetError(done.stderr.strip())
    return done.stdout
