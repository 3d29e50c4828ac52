"""Templates and stars: entries that stand for many nodes, and the names that mean all of them.

``h: {count: 20}`` makes ``h1`` to ``h20``, and elsewhere in the file ``h*`` stands for all
of them. Where stars meet, they are dealt out evenly and in order: of N things spread over
M, number i (from 0) goes to ``i * M // N``. A thousand VMs on ``h*`` fill h1 first, then
h2; the links of ``h*`` to ``tor*`` give each switch its block of hosts. A star behind a
device (``tor*:p*``) counts 1, 2, ... on each node, on from one link to the next.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from vnet.base.text import did_you_mean, quote
from vnet.topology.model import Endpoint
from vnet.topology.reading.explain import NODE_SECTIONS, Cut
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.step import every_step
from vnet.topology.schema.topology import LinkFile, TopologyFile

STAR = "*"

MAX_LINKS = 200_000

_T = TypeVar("_T")


def dealt(index: int, number: int, among: Sequence[_T]) -> _T:
    """The one of ``among`` that gets thing ``index`` (from 0) of ``number``: evenly, in order."""
    return among[index * len(among) // number]


def instance_names(name: str, count: int | None) -> list[str]:
    """``h1``, ``h2``, ... of a template; a plain entry's own name."""
    return [name] if count is None else [f"{name}{number}" for number in range(1, count + 1)]


class Templates:
    """The entries of a file that have a ``count``, by section and name."""

    def __init__(self, file: TopologyFile, report: Report, cut: Cut) -> None:
        self._report = report
        self._cut = cut
        self._counts: dict[str, dict[str, int]] = {section: {} for section in NODE_SECTIONS}
        self._names: dict[tuple[str, int], list[str]] = {}
        for section, counts in self._counts.items():
            for name, entry in (getattr(file, section) or {}).items():
                if entry is not None and entry.count is not None:
                    counts[name] = entry.count

    def made(self, origin: Mapping[str, Path]) -> dict[str, str]:
        """The template of each node that has one, given the entry of each node."""
        return {
            node: str(name)
            for node, (section, name) in origin.items()
            if name in self._counts[str(section)]
        }

    def hint(self, name: str, *sections: str) -> str:
        """What to write instead where ``name`` is a template without its star, else nothing."""
        found = self._count(name, sections or NODE_SECTIONS)
        return "" if found is None else f"did you mean {quote(name + STAR)}?"

    def instances_hint(self, name: str) -> str:
        """The same for a place where only a single node can stand."""
        count = self._count(name, NODE_SECTIONS)
        return "" if count is None else f"its template makes {name}1 to {name}{count}"

    def names(self, text: str, path: Path, *sections: str) -> list[str] | None:
        """The nodes that ``text`` stands for: all of a template if it ends in a star, else itself.

        None where there is no such template, which has then been reported at ``path``.
        """
        if not text.endswith(STAR):
            return [text]
        name = text.removesuffix(STAR)
        count = self._count(name, sections or NODE_SECTIONS)
        if count is not None:
            # Kept, because many entries may name one large template.
            if (name, count) not in self._names:
                self._names[name, count] = instance_names(name, count)
            return self._names[name, count]
        if self._cut.excuses(name):
            return None
        if any(name in self._report.keys(section) for section in sections or NODE_SECTIONS):
            what = f"{quote(name)} has no count, so there is no {quote(text)}"
            self._report.add(path, what, f"write {quote(name)}, or give it a count")
            return None
        known = [
            f"{template}{STAR}"
            for section in sections or NODE_SECTIONS
            for template in self._counts[section]
        ]
        hint = did_you_mean(text, known, "there are") or "no entry has a count"
        self._report.add(path, f"there is no template for {quote(text)}", hint)
        return None

    def _count(self, name: str, sections: Sequence[str]) -> int | None:
        found = (self._counts[section].get(name) for section in sections)
        return next((count for count in found if count is not None), None)


Wires = list[tuple[Endpoint, Endpoint]]


class Wiring:
    """Which device each entry of ``links`` joins to which, with all stars dealt out."""

    def __init__(self, file: TopologyFile, templates: Templates, report: Report, cut: Cut) -> None:
        self._templates = templates
        self._report = report
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._total = 0
        self.entries: list[tuple[Path, LinkFile, Wires]] = []
        """For each entry of the file that makes sense: its path, itself, what it joins."""
        for position, link in enumerate(file.links or ()):
            path: Path = ("links", cut.index("links", position))
            wires = self._deal(path, link)
            if wires is not None:
                self.entries.append((path, link, wires))
        self._later = [
            step.link.to
            for step in every_step(file.scenario or ())
            if step.link is not None and step.link.to is not None
        ]
        self.complete = len(self.entries) == len(file.links or ())

    def ports(self) -> dict[str, list[str]]:
        """The devices that links name, by node, in the order of the file; then those that links
        are moved to while the lab runs."""
        found: dict[str, dict[str, None]] = {}
        ends = [end for _, _, wires in self.entries for wire in wires for end in wire]
        for end in (*ends, *self._later):
            found.setdefault(end.node, {})[end.device] = None
        return {node: list(devices) for node, devices in found.items()}

    def _deal(self, path: Path, link: LinkFile) -> Wires | None:
        sides = []
        for index, end in enumerate(link.ends):
            nodes = self._templates.names(end.node, (*path, "ends", index))
            if nodes is None:
                return None
            sides.append((end, nodes))
        starred = [len(nodes) for end, nodes in sides if end.node.endswith(STAR)]
        number = max(starred, default=1)
        for index, (end, nodes) in enumerate(sides):
            if not self._fits((*path, "ends", index), end, len(nodes), number, bool(starred)):
                return None
        self._total += number
        if self._total > MAX_LINKS:
            self._report.add((*path, "ends"), f"more than {MAX_LINKS} links")
            return None
        one, other = (list(self._devices(end, nodes, number)) for end, nodes in sides)
        return list(zip(one, other, strict=True))

    def _fits(self, path: Path, end: Endpoint, nodes: int, number: int, starred: bool) -> bool:
        counts = end.device.endswith(STAR)
        if counts and not starred:
            what = f"the star in {quote(end)} has nothing to count: the link is a single one"
            hint = f"write {quote(Endpoint(end.node, end.device.removesuffix(STAR) + '1'))}"
            self._report.add(path, what, hint)
            return False
        if nodes < number and not counts:
            many = -(-number // nodes)
            stem = re.sub("[0-9]+$", "", end.device)
            hint = f"{quote(Endpoint(end.node, stem + STAR))} counts its devices"
            self._report.add(path, f"{many} links would end at one {quote(end)}", hint)
            return False
        return True

    def _devices(self, end: Endpoint, nodes: Sequence[str], number: int) -> Iterator[Endpoint]:
        for index in range(number):
            node = dealt(index, number, nodes)
            if not end.device.endswith(STAR):
                yield Endpoint(node, end.device)
                continue
            stem = end.device.removesuffix(STAR)
            self._numbers[node, stem] += 1
            yield Endpoint(node, f"{stem}{self._numbers[node, stem]}")
