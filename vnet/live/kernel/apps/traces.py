"""traceroute(8) and tracepath(8), the programs themselves, and what they print read back."""

from __future__ import annotations

import re
from typing import Any

from vnet.base.ids import ip_text
from vnet.base.units import NS_PER_S
from vnet.live.kernel.apps.program import LiveProgram
from vnet.live.kernel.machine import LiveMachine
from vnet.topology.steps import TracepathStep, TracerouteStep

_HOP = re.compile(r"^ *(\d+)  (.*)$")
_NOTE = re.compile(r"!\S+")
_ADDRESS = re.compile(r"(?<!\S)(?:\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f:.]+)(?!\S)")
_PATH_HOP = re.compile(r"^ *\d+\??: +(\S+)(.*)$")
_RESUME = re.compile(r"Resume: pmtu (\d+)(?: hops (\d+) back (\d+))?")


class LiveTraceroute(LiveProgram):
    """``traceroute -n``."""

    def __init__(self, machine: LiveMachine, target: bytes, step: TracerouteStep) -> None:
        words = ["traceroute", "-n", "-m", str(step.max_hops), "-q", str(step.queries)]
        words += ["-w", f"{step.wait_ns / NS_PER_S:g}", *(["-I"] if step.icmp else [])]
        words += ["-6" if len(target) == 16 else "-4", ip_text(target)]
        super().__init__(machine, words + ([str(step.size_bytes)] if step.size_bytes else []))
        self._target = ip_text(target)

    def seen(self) -> dict[str, Any]:
        hops = [found[2] for found in map(_HOP.match, self.text.splitlines()) if found]
        path = [(_ADDRESS.findall(hop) or ["*"])[0] for hop in hops]
        notes = [note for hop in hops for note in _NOTE.findall(hop)]
        return {
            "received": sum(hop.count(" ms") for hop in hops),
            "hops": len(hops),
            "reached": bool(hops) and self._target in _ADDRESS.findall(hops[-1]),
            "path": " ".join(path),
            "note": notes[0] if notes else "",
        }

    def remarks(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.startswith("connect:")]


class LiveTracepath(LiveProgram):
    """``tracepath -n``."""

    def __init__(self, machine: LiveMachine, target: bytes, step: TracepathStep) -> None:
        words = ["tracepath", "-n", "-m", str(step.max_hops)]
        words += ["-l", str(step.size_bytes)] if step.size_bytes else []
        super().__init__(machine, [*words, ip_text(target)])

    def seen(self) -> dict[str, Any]:
        return read_tracepath(self.text)

    def remarks(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.startswith("tracepath:")]


def read_tracepath(text: str) -> dict[str, Any]:
    """What tracepath printed, by the names of a scenario's ``expect``: ``path`` is who answered,
    each once."""
    path: list[str] = []
    reached = False
    for found in filter(None, map(_PATH_HOP.match, text.splitlines())):
        who, rest = found[1], found[2]
        if who not in ("[LOCALHOST]", "no"):
            path.append(who)
        reached = reached or "reached" in rest
    seen: dict[str, Any] = {"reached": reached, "path": " ".join(dict.fromkeys(path))}
    resume = _RESUME.search(text)
    if resume is not None:
        names = zip(("pmtu", "hops", "back"), resume.groups(), strict=True)
        seen |= {name: int(number or 0) for name, number in names}
    return seen
