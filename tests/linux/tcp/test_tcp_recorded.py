"""The same conversations as the real kernel had, segment by segment; see ``record.py``."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.linux.tcp.kit import MS, Pump, Sink, Wire, lose_data
from tests.linux.tcp.scenarios import SCENARIOS, Scenario
from vnet.wire.tcp import Tcp

DATA = Path(__file__).parents[2] / "data" / "linux" / "tcp"
_WINDOW = re.compile(r" win \d+")


def play(scenario: Scenario) -> Wire:
    """Have the conversation here."""
    lose_numbered = lose_data(*scenario.lose)

    def lose(end: int, segment: Tcp, wire: Wire) -> bool:
        lost = lose_numbered(end, segment, wire)
        return lost or scenario.is_deaf((wire.scheduler.now_ns - wire.counted_from_ns) / MS)

    wire = Wire(lose=lose, mtu_bytes=scenario.mtu_bytes, ns_per_byte=1)
    client, server = wire.connect(family=scenario.family)
    sockets = {"client": client, "server": server}
    for verb, who, number in scenario.steps:
        one = sockets.get(who, client)
        other = server if who == "client" else client
        if verb == "write":
            Pump(one, bytes(number))
        elif verb == "pump":
            Sink(other)
            Pump(one, bytes(number))
        elif verb == "read":
            one.receive(number)
        elif verb == "wait":
            wire.run(number * MS)
        elif verb == "close":
            one.close()
        elif verb == "shutdown":
            one.shutdown()
        elif verb == "abort":
            one.abort()
        elif verb == "nodelay":
            one.set_nodelay()
        elif verb == "cork":
            one.set_cork(bool(number))
        elif verb == "keepalive":
            one.set_keepalive(idle_s=number, interval_s=1, probes=3)
        wire.run(0)
    return wire


def judged(lines: list[str], scenario: Scenario) -> list[str]:
    """What is compared of the lines."""
    if scenario.one_way:
        # How many segments make a chunk, whose last is pushed, depends on the measured rate.
        lines = [line.replace(" P.", " .") for line in lines if line.startswith(">")]
    return [_WINDOW.sub("", line) for line in lines]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_segments_are_the_kernels(scenario: Scenario) -> None:
    recorded = (DATA / f"{scenario.name}.txt").read_text().splitlines()
    assert judged(play(scenario).lines(), scenario) == judged(
        [line[10:] for line in recorded], scenario
    )


LONG_MS = 100.0


@pytest.mark.parametrize("name", ["silence", "keepalive", "window-closes", "tail-lost"])
def test_timers_go_off_when_the_kernels_do(name: str) -> None:
    scenario = next(one for one in SCENARIOS if one.name == name)
    recorded = (DATA / f"{name}.txt").read_text().splitlines()
    there = _pauses([(float(line[:9]), line[10:]) for line in recorded])
    here = _pauses(play(scenario).timed_lines())
    assert here == pytest.approx(there, rel=0.05, abs=15)


def _pauses(lines: list[tuple[float, str]]) -> list[float]:
    """How long the client was silent, wherever that was long."""
    times_ms = [time_ms for time_ms, line in lines if line.startswith(">")]
    gaps = [later - earlier for earlier, later in pairwise(times_ms)]
    return [gap for gap in gaps if gap > LONG_MS]
