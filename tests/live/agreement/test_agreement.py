"""One file, run in virtual time and on the kernel: the captures mean the same.

What differs is listed in ``known_differences.json`` with the reason. A difference that is not
listed fails, and so does one that is listed and has not come, unless it comes ``sometimes`` only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import names_of
from tests.live.processes import wait_until
from vnet import Lab
from vnet.compare.capture import Reading, read_capture
from vnet.compare.diff import CaptureDiff, PointDiff, compare
from vnet.compare.matching import Match
from vnet.compare.report import lines
from vnet.compare.rules import Rules
from vnet.live.kernel import namespaces
from vnet.live.kernel.capabilities import OPTIONAL, lacking, needs
from vnet.live.kernel.lab import bring_down, bring_up, planned
from vnet.topology.load import parse_topology
from vnet.wire.filter import compile_filter

pytestmark = pytest.mark.kernel

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.yaml"))
KNOWN = json.loads((FOLDER / "known_differences.json").read_text())

WITHIN_NS = 20_000_000
DUPLICATE_ADDRESS_DETECTION = "icmp6 and src ::"
"""It waits for a time by chance, so that it comes in any order."""

QUIET = {"06", "0A"}
"""The states of sockets that wait for time to pass, or for others to come."""

LABELS = {"clash": ("*.srcport", "*.dstport")}
"""Which port the second of two gets is up to chance; that it is the same everywhere is not."""


def reading(name: str) -> Reading:
    return Reading(
        # How much a program has read when a segment leaves depends on how soon it reads.
        rules=Rules(skip=("tcp.window",), labels=LABELS.get(name, ())),
        ignored=(compile_filter(DUPLICATE_ADDRESS_DETECTION),),
        periodic=True,
    )


@dataclass
class Known:
    """A difference that is to be there, at any of ``points`` or at all."""

    entry: dict[str, Any]
    n_found: int = field(default=0)

    def covers(self, point: str, one: Match) -> bool:
        frame = one.first or one.second
        assert frame is not None
        ways = self.entry["how"]
        return (
            one.how.value in (ways if isinstance(ways, list) else [ways])
            and point in self.entry.get("points", [point])
            and compile_filter(self.entry["frames"])(frame.data)
            and {difference.name for difference in one.differing} <= set(self.entry["fields"])
        )


def in_virtual_time(text: str, folder: Path) -> None:
    with Lab.from_text(text, pcap_dir=folder) as lab:
        lab.run()


def on_the_kernel(text: str, folder: Path) -> None:
    topology = parse_topology(text)
    missing = [each.value for each in lacking(needs(planned(topology)[1])) if each not in OPTIONAL]
    if missing:
        pytest.skip(f"this machine lacks {', '.join(missing)}")
    try:
        with bring_up(topology, pcap_dir=folder) as lab:
            lab.play()
            wait_until(lambda: not any(map(connections, names_of(topology.name))))
            lab.finish()
    finally:
        bring_down(topology.name)


def connections(namespace: str) -> list[str]:
    """The TCP connections of a machine on which segments may still come or go."""
    with namespaces.inside(namespace):
        net = Path("/proc/thread-self/net")
        tables = [(net / name).read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    return [row for rows in tables for row in rows if row.split()[3] not in QUIET]


def unexpected(diff: CaptureDiff, known: list[Known]) -> Iterator[PointDiff]:
    """Points with the differences that nobody knows of; those that are known are counted."""
    for point in diff.points:
        left = []
        for one in point.differences:
            covering = next((entry for entry in known if entry.covers(point.name, one)), None)
            if covering is None:
                left.append(one)
            else:
                covering.n_found += 1
        if left:
            yield PointDiff(point.name, point.n_first, point.n_second, left)


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_kernel_sends_the_same_frames(path: Path, lab_name: str, tmp_path: Path) -> None:
    text = path.read_text().replace(f"name: {path.stem}\n", f"name: {lab_name}\n")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    in_virtual_time(text, ours)
    on_the_kernel(text, theirs)
    captures = [read_capture(folder, reading(path.stem)) for folder in (ours, theirs)]
    diff = compare(*captures, within_ns=WITHIN_NS)
    known = [Known(entry) for entry in (*KNOWN[path.stem], *KNOWN["everywhere"])]
    left = CaptureDiff(
        list(unexpected(diff, known)), diff.first_only, diff.second_only, diff.began_ns
    )
    assert left.is_same, "\n".join(lines(left, "vnet run", "vnet up --kernel", None))
    assert all(len(point.matches) > 4 for point in diff.points)
    for entry in known:
        assert entry.n_found or entry.entry.get("sometimes"), f"not there: {entry.entry['why']}"


def test_every_difference_that_is_known_has_a_reason() -> None:
    assert set(KNOWN) == {path.stem for path in FILES} | {"everywhere"}
    assert all(entry["why"] for entries in KNOWN.values() for entry in entries)
