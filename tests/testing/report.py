"""Reading pytest's output: the sections that vnet's plug-in adds to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vnet.wire.pcapng import read_pcapng


def section(result: pytest.RunResult, number: int = 0) -> list[str]:
    """The lines of a report's section ``vnet``, to the next line of dashes or signs."""
    lines = result.outlines
    starts = [at for at, line in enumerate(lines) if re.fullmatch(r"-+ vnet -+", line)]
    shown = []
    for line in lines[starts[number] + 1 :]:
        if re.match(r"(-{10}|={10}|_{10})", line):
            break
        shown.append(line)
    return shown


def sections(result: pytest.RunResult) -> int:
    return sum(bool(re.fullmatch(r"-+ vnet -+", line)) for line in result.outlines)


def captured(lines: list[str]) -> Path:
    (line,) = (line for line in lines if line.startswith("captured:"))
    return Path(line.split(maxsplit=1)[1])


def frames(path: Path) -> list[bytes]:
    with path.open("rb") as stream:
        return [packet.data for packet in read_pcapng(stream)]
