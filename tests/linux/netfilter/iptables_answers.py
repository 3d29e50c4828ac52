"""The same rules given to iptables, the real one or ours, and all that they then say.

``python -m tests.linux.netfilter.iptables_answers --seeds 1-20`` compares both, as root;
``--record FILE`` keeps what the real one says.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from tests.linux.netfilter.rules_at_random import CHAINS, rules
from vnet.linux.netfilter.nft.tool import Nft
from vnet.linux.netfilter.ruleset import Ruleset
from vnet.linux.netfilter.xtables.errors import XtablesError

VIEWS = ("-S", "-S -v", "-L", "-L -v", "-L -n -v", "-L -n --line-numbers", "-L -v -x")


class Said(NamedTuple):
    """What a program printed, on both its channels."""

    out: str
    err: str = ""


class Tools(Protocol):
    """iptables and nft, of one machine."""

    def restore(self, text: str) -> Said: ...
    def show(self, *words: str) -> Said: ...
    def save(self) -> Said: ...
    def nft(self, *words: str) -> Said: ...


class RealTools:
    """The programs of this machine, in a namespace of their own."""

    def __init__(self, family: int) -> None:
        self._name = "iptables" if family == 4 else "ip6tables"
        self._namespace = f"vnet-rules-{os.getpid()}-{family}"

    def __enter__(self) -> RealTools:
        subprocess.run(["ip", "netns", "add", self._namespace], check=True)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["ip", "netns", "del", self._namespace], check=True)

    def _run(self, *words: str, text: str | None = None) -> Said:
        command = ["ip", "netns", "exec", self._namespace, *words]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        return Said(done.stdout, done.stderr)

    def restore(self, text: str) -> Said:
        return self._run(f"{self._name}-restore", "-n", text=text)

    def show(self, *words: str) -> Said:
        return self._run(self._name, *words)

    def save(self) -> Said:
        lines = self._run(f"{self._name}-save").out.splitlines(keepends=True)
        return Said("".join(line for line in lines if not line.startswith("#")))

    def nft(self, *words: str) -> Said:
        said = self._run("nft", *words)
        return Said(said.out, "".join(sorted(said.err.splitlines(keepends=True))))


class OurTools:
    """Ours, on a ruleset that no packet meets."""

    def __init__(self, family: int) -> None:
        self._ruleset = Ruleset(family)

    def restore(self, text: str) -> Said:
        try:
            self._ruleset.restore(text, flush=False)
        except XtablesError as error:
            return Said("", error.told_by(f"{self._ruleset.program}-restore", 2))
        return Said("")

    def show(self, *words: str) -> Said:
        try:
            return Said(self._ruleset.command(words))
        except XtablesError as error:
            return Said("", error.told_by(self._ruleset.program))

    def save(self) -> Said:
        return Said(self._ruleset.save())

    def nft(self, *words: str) -> Said:
        answer = Nft([self._ruleset]).run(words)
        return Said(answer.out, "".join(sorted(answer.err.splitlines(keepends=True))))


def answers(tools: Tools, lines: dict[str, list[str]]) -> dict[str, Said]:
    """Give the lines one by one; what each was answered, and what all views then show."""
    said: dict[str, Said] = {}
    for table, rules_of_table in lines.items():
        said[f"{table}: user"] = tools.restore(f"*{table}\n:user - [0:0]\nCOMMIT\n")
        for rule in rules_of_table:
            said[f"{table}: {rule}"] = tools.restore(f"*{table}\n{rule}\nCOMMIT\n")
    said["save"] = tools.save()
    for table in CHAINS:
        for view in VIEWS:
            said[f"-t {table} {view}"] = tools.show("-t", table, *shlex.split(view))
    said["nft"] = tools.nft("list", "ruleset")
    return said


def differences(real: dict[str, Said], ours: dict[str, Said]) -> list[str]:
    """Each line that is not the same, the real one's first."""
    found = []
    for name, said in real.items():
        for theirs, mine in zip(said, ours[name], strict=True):
            if theirs != mine:
                pairs = _unequal_lines(theirs, mine)
                found += [f"{name}:\n  {a!r}\n  {b!r}" for a, b in pairs]
    return found


def _unequal_lines(one: str, other: str) -> list[tuple[str, str]]:
    ones, others = one.splitlines(), other.splitlines()
    length = max(len(ones), len(others))
    ones += [""] * (length - len(ones))
    others += [""] * (length - len(others))
    return [(a, b) for a, b in zip(ones, others, strict=True) if a != b]


def compare(seed: int, family: int) -> list[str]:
    """What differs for the rules of a seed. Needs root."""
    lines = rules(seed, family)
    with RealTools(family) as real:
        return differences(answers(real, lines), answers(OurTools(family), lines))


def _record(path: Path, seeds: Sequence[int]) -> None:
    cases = []
    for seed in seeds:
        for family in (4, 6):
            lines = rules(seed, family)
            with RealTools(family) as real:
                cases.append({"family": family, "rules": lines, "said": answers(real, lines)})
    version = subprocess.run(["iptables", "--version"], capture_output=True, text=True, check=True)
    kept = {"version": version.stdout.strip(), "cases": cases}
    path.write_text(json.dumps(kept, indent=0) + "\n", encoding="utf-8")


def main(say: Callable[[str], object] = sys.stdout.write) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1-10")
    parser.add_argument("--record", type=Path)
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    if options.record:
        _record(options.record, seeds)
        return 0
    found = [(seed, line) for seed in seeds for family in (4, 6) for line in compare(seed, family)]
    for seed, line in found:
        say(f"seed {seed}: {line}\n")
    say(f"{len(found)} differences\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
