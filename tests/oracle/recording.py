"""A recorded scenario: its steps, their frames as tshark fields, and when each step began."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vnet.base.ids import mac_text
from vnet.wire.pcap import read_pcap

MS = 1_000_000
_QUIET_STEP_NS = 310 * MS

Place = tuple[str, str]
"""Where a capture stands and which way it looks: ``("br/p1", "in")``."""

Frames = dict[Place, list[dict[str, str]]]
"""Each place's frames, in order, as the tshark fields they have."""


def oracle_folder(name: str) -> Path | None:
    """The recording ``linux/<name>``, or None where there is no oracle."""
    root = os.environ.get("VNET_ORACLE")
    folder = Path(root, "linux", name) if root else None
    return folder if folder and folder.is_dir() else None


Counts = dict[tuple[str, str, str, str], int]
"""Frames by place, direction, kind (ICMP type, else IP protocol, else EtherType) and ICMP code."""


@dataclass
class RecordedStep:
    """``counts`` is set, and ``frames`` empty, where the recorder kept no more than that."""

    name: str
    start_ns: int
    frames: Frames
    times_ms: dict[Place, list[int]]
    state: dict[str, Any]
    result: Any
    counts: Counts | None = None


class Recording:
    """A scenario's steps. Times are relative to the first step's start."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.folder = folder
        document = json.loads((folder / "expected.json").read_text())
        begun = _step_starts(folder, document["steps"])
        self.steps = {
            raw["step"]: _recorded_step(raw, start_ns)
            for raw, start_ns in zip(document["steps"], begun, strict=True)
        }
        self.fields = sorted(
            {key for raw in document["steps"] for frame in raw.get("frames", ()) for key in frame}
            - {"at", "dir", "t_ms"}
        )


def _recorded_step(raw: dict[str, Any], start_ns: int) -> RecordedStep:
    frames: Frames = {}
    times: dict[Place, list[int]] = {}
    for frame in raw.get("frames", ()):
        place = (frame["at"], frame["dir"])
        seen = {key: value for key, value in frame.items() if key not in ("at", "dir", "t_ms")}
        frames.setdefault(place, []).append(seen)
        times.setdefault(place, []).append(frame["t_ms"])
    counts = {(at, way, kind, code): n for at, way, kind, code, n in raw.get("counts", ())}
    return RecordedStep(
        raw["step"],
        start_ns,
        frames,
        times,
        raw["state"],
        raw["result"],
        counts if "counts" in raw else None,
    )


def _step_starts(folder: Path, steps: list[dict[str, Any]]) -> list[int]:
    """When each step began: a frame's time in the pcap less its ``t_ms``.

    The pcaps also hold frames from between the steps, so a frame is found by its length and
    addresses, in order. A step without frames is taken to begin 310 ms after the one before,
    which is how long a step that only sends lasts, or when the one before is over.
    """
    begun: dict[int, int] = {}
    for path in sorted(folder.glob("*.pcap")):
        node, device, *way = path.stem.split(".")
        # br.p1.in.pcap looks one way, br.br0.pcap both; a device name may hold a dot itself.
        direction = way[-1] if way and way[-1] in ("in", "out") else "inout"
        packets = read_pcap(path.read_bytes())
        for number, step in enumerate(steps):
            for frame in step.get("frames", ()):
                if (frame["at"], frame["dir"]) != (f"{node}/{device}", direction):
                    continue
                wanted = (int(frame["frame.len"]), frame["eth.src"], frame["eth.dst"])
                for packet in packets:
                    data = packet.data
                    if (len(data), mac_text(data[6:12]), mac_text(data[:6])) == wanted:
                        begun.setdefault(number, packet.time_ns - frame["t_ms"] * MS)
                        break
    starts: list[int] = []
    for number in range(len(steps)):
        before_ns = starts[-1] if starts else min(begun.values()) - 2 * _QUIET_STEP_NS
        starts.append(begun.get(number, before_ns + _QUIET_STEP_NS))
    return [start - starts[0] for start in starts]
