"""Who is in a lab: every entry of a file signs on with its names, within the limits of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vnet.base.text import quote
from vnet.topology.expansion.templates import instance_names
from vnet.topology.reading.explain import Cut
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.topology import MAX_COUNT

MAX_DEVICES_AND_ADDRESSES = 1_000_000
_MAX_NAME = 63


class Roster:
    """The names that are taken, by which entry, and how much there is of everything.

    ``origin`` has the path of each node's entry in the file.
    """

    def __init__(self, report: Report, cut: Cut) -> None:
        self.origin: dict[str, Path] = {}
        self._report = report
        self._cut = cut
        self._nodes: Counter[str] = Counter()
        self._size = 0

    def sign_on(self, path: Path, count: int | None, size: int) -> list[tuple[int, str]]:
        """The instances of the entry at ``path``, numbered from 0, whose names are free.

        ``size`` is how many devices and addresses one instance has. There is none if a limit
        is passed. Whatever is wrong is reported, and for a whole template once.
        """
        section, name = str(path[0]), str(path[1])
        nodes = self._nodes[section] + (count or 1)
        total = self._size + (count or 1) * size
        last = f"{name}{count}" if count else name
        if nodes > MAX_COUNT:
            noun = "virtual machines" if section == "vms" else section
            self._refuse(path, f"more than {MAX_COUNT} {noun}")
        elif total > MAX_DEVICES_AND_ADDRESSES:
            self._refuse(path, f"more than {MAX_DEVICES_AND_ADDRESSES} devices and addresses")
        elif len(last) > _MAX_NAME:
            hint = f"names have up to {_MAX_NAME} characters"
            self._refuse(path, f"the name {quote(last)} is too long", hint)
        else:
            self._nodes[section], self._size = nodes, total
            return list(self._claim(path, instance_names(name, count)))
        return []

    def _refuse(self, path: Path, what: str, hint: str = "") -> None:
        self._report.add(path, what, hint, at_key=True)
        self._cut.nodes.add(str(path[1]))

    def _claim(self, path: Path, names: list[str]) -> Iterator[tuple[int, str]]:
        taken = ""
        for offset, name in enumerate(names):
            if self.origin.setdefault(name, path) is path:
                yield offset, name
            else:
                taken = taken or name
        if taken:
            first = self.origin[taken]
            line = self._report.root.place(first, at_key=True)[0]
            where = f"{first[0]} has it in line {line}"
            self._report.add(path, f"the name {quote(taken)} is used twice", where, at_key=True)
        like_ip = [n for n in names if n.count(".") == 3 and n.replace(".", "").isdigit()]
        if like_ip:
            what = f"{quote(like_ip[0])} is an IP address, not a name"
            self._report.add(path, what, at_key=True)
