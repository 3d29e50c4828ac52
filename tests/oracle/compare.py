"""Frames as text, by tshark's reading, and how two such texts differ."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Set
from difflib import SequenceMatcher
from pathlib import Path

from tests.oracle.recording import Counts, Frames

KNOWN_DIFFERENCES = Path(__file__).with_name("known_differences.json")

IDENTIFIERS = ("icmp.ident", "icmpv6.echo.identifier")
PORTS = ("udp.srcport", "udp.dstport", "tcp.srcport", "tcp.dstport")
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


class Labels:
    """Names for freely chosen values: the step in which they first appear, and their order there.

    Where a machine translates ports, more of them are chosen than programs' own; all are but the
    ``known_ports``, if those are told.
    """

    def __init__(self, known_ports: Set[int] = frozenset()) -> None:
        self._names: dict[str, str] = {}
        self._known_ports = known_ports
        self._step = self._count = 0

    def next_step(self) -> None:
        """Number afresh, so that what one step lacks gives no other name to what follows."""
        self._step, self._count = self._step + 1, 0

    def line(self, frame: dict[str, str]) -> str:
        """A frame as a line of text: its fields by name."""
        return " ".join(f"{key}={self._shown(key, frame[key])}" for key in sorted(frame))

    def _shown(self, key: str, value: str) -> str:
        if key in IDENTIFIERS:
            return self._name(key, value)
        if key in PORTS:
            return ",".join(
                self._name("port", part) if self._is_chosen(part) else part
                for part in value.split(",")
            )
        return value

    def _is_chosen(self, port: str) -> bool:
        if self._known_ports:
            return port.startswith("EPH") or int(port) not in self._known_ports
        return _is_ephemeral(port)

    def _name(self, kind: str, value: str) -> str:
        key = f"{kind} {value}"
        if key not in self._names:
            self._count += 1
            self._names[key] = f"label {self._step}.{self._count}"
        return self._names[key]


def _is_ephemeral(port: str) -> bool:
    """The recorder wrote ``EPH`` and a number; ours are what net.ipv4.ip_local_port_range has."""
    return port.startswith("EPH") or 32768 <= int(port) < 61000


def is_periodic(frame: dict[str, str]) -> bool:
    """Whether a kernel says this by itself, again and again: hellos, membership reports, RS.

    When they come depends on when a machine was started; their timers have tests of their own.
    A hello that acknowledges a topology change answers somebody, and is not one of them.
    """
    if frame.get("stp.type") == "0x00":
        return int(frame["stp.flags"], 16) & 0x80 == 0
    return frame.get("igmp.type") == "0x22" or frame.get("icmpv6.type") in ("133", "143")


def counted(frames: Frames) -> Counts:
    """Frames as the recorder counted those of a step that it summed up."""
    counts: Counts = {}
    for (at, way), seen in frames.items():
        for frame in seen:
            kind, code = _kind(frame)
            counts[at, way, kind, code] = counts.get((at, way, kind, code), 0) + 1
    return counts


def _kind(frame: dict[str, str]) -> tuple[str, str]:
    if "icmp.type" in frame:
        return frame["icmp.type"].split(",")[0], frame["icmp.code"].split(",")[0]
    return frame.get("ip.proto", frame.get("eth.type", "")).split(",")[0], ""


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
    entries = json.loads(KNOWN_DIFFERENCES.read_text()).get(scenario, [])
    assert all(entry["why"] for entry in entries)
    return {(e["step"], e["at"]): (e["missing"], e["extra"]) for e in entries}
