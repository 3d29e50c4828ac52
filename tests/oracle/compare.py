"""Frames as text, by tshark's reading, and how two such texts differ."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

from tests.oracle.recording import Frames, Place

KNOWN_DIFFERENCES = Path(__file__).with_name("known_differences.json")

LABELS = ("icmp.ident", "icmpv6.echo.identifier")
"""What the kernel chose freely; only which values are equal is compared."""

Lines = list[str]


def tshark_fields(path: Path, fields: list[str]) -> Iterator[dict[str, str]]:
    """Every frame of a pcap as the fields the recorder kept, reduced as it reduced them."""
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "occurrence=a"]
    command += ["-E", "aggregator=,", "-o", "udp.check_checksum:TRUE"]
    for name in fields:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        values = zip(fields, line.split("\t"), strict=True)
        yield {name: _reduced(name, value) for name, value in values if value}


def _reduced(name: str, value: str) -> str:
    if name in ("ip.id", "udp.checksum"):
        return ",".join("nz" if int(part, 16) else "0" for part in value.split(","))
    return value


def labelled(steps: dict[str, Frames]) -> dict[str, dict[Place, Lines]]:
    """Frames as lines of text, with labels numbered in the order in which they first appear."""
    labels: dict[str, str] = {}
    text: dict[str, dict[Place, Lines]] = {}
    for name, places in steps.items():
        text[name] = {}
        for place in sorted(places):
            lines = text[name][place] = []
            for frame in places[place]:
                shown = dict(frame)
                for key in LABELS:
                    if key in shown:
                        number = len(labels) + 1
                        shown[key] = labels.setdefault(shown[key], f"label {number}")
                lines.append(" ".join(f"{key}={shown[key]}" for key in sorted(shown)))
    return text


def sorted_within_ties(lines: Lines, times_ms: list[int], width_ms: int = 8) -> Lines:
    """The lines in order of time, those of one tick of the timer wheel sorted among themselves."""
    ordered: Lines = []
    tie: Lines = []
    began_ms = None
    for line, time_ms in zip(lines, times_ms, strict=True):
        if began_ms is None or time_ms - began_ms > width_ms:
            ordered += sorted(tie)
            tie, began_ms = [], time_ms
        tie.append(line)
    return ordered + sorted(tie)


def difference(ours: Lines, recorded: Lines) -> tuple[Lines, Lines]:
    """What is missing and what is extra in ours; a mere change of order shows as both."""
    matcher = SequenceMatcher(None, recorded, ours, autojunk=False)
    missing: Lines = []
    extra: Lines = []
    for tag, from_recorded, to_recorded, from_ours, to_ours in matcher.get_opcodes():
        if tag != "equal":
            missing += recorded[from_recorded:to_recorded]
            extra += ours[from_ours:to_ours]
    return missing, extra


def known_differences(scenario: str) -> dict[tuple[str, str], tuple[Lines, Lines]]:
    """What known_differences.json lists for a scenario: (missing, extra) by step and place.

    The comparison is with exactly this, so a difference that is listed and no longer there
    fails as one that is new does.
    """
    entries = json.loads(KNOWN_DIFFERENCES.read_text())[scenario]
    assert all(entry["why"] for entry in entries)
    return {(e["step"], e["at"]): (e["missing"], e["extra"]) for e in entries}
