"""The recording ``linux/a3_stp``: two bridges with two links between them, and their spanning tree.

How it comes up, what it says of a change, what happens when a link is cut and when the root falls
silent. The hellos are compared as well, with the moments at which the kernel sent them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.oracle.linux_kit import RecordedChance, Stage, station
from tests.oracle.recording import MS, Recording
from tests.oracle.replayed import FramesAgree, Recorded
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.timer_wheel import JIFFY_NS

RECORDED = Recorded("a3_stp")
COMPARED = {"periodic": True, "ties": True}
pytestmark = RECORDED.marks

EPOCH_NS = 152_620 * MS
"""Puts whole seconds and the wheel's slots where the recording has them."""

LAST_LINKWATCH_MS = 300
"""How long before the first step all carrier events had been served; b1's links to b2, which are
not urgent, wait for the rest of the second."""


DRAWS = {"h1:eth0 ipv4 reachable time": [0.1], "h2:eth0 ipv4 reachable time": [0.1]}

BRING_UP = "bring up with STP, defaults"
CUT = "root port link cut (b2 x1 peer down)"
SILENCE = "silent failure: b1 STP off (BPDUs stop; b1 forwards foreign BPDUs)"
PORTS = ("p1", "x1", "x2")


class Scenario:
    """The stage of a3, and its steps in order."""

    def __init__(self, folder: Path) -> None:
        self.stage = stage = Stage(Recording(folder), RecordedChance(DRAWS), EPOCH_NS)
        stage.namespace("b1", "b2", "h1", "h2")
        for number in (1, 2):
            macs = station(number), station(number, 6)
            stage.cable(f"h{number}/eth0", f"b{number}/p1", *macs)
        for name, ours, theirs in (("x1", 0x11, 0x21), ("x2", 0x12, 0x22)):
            macs = station(ours, 6), station(theirs, 6)
            stage.cable(f"b1/{name}", f"b2/{name}", *macs, up=False)
        self.bridges = {name: stage.bridge(name, list(PORTS)) for name in ("b1", "b2")}
        for bridge in self.bridges.values():
            bridge.tree.start()
        for number in (1, 2):
            stage.address(f"h{number}", "eth0", f"10.0.0.{number}/24")
        for name in ("x1", "x2"):
            stage.nodes["b2"].set_up(name)
            stage.capture("b2", name, "in", "out")
        stage.capture("b1", "p1", "out")
        stage.capture("h1", "eth0")

    def play(self) -> None:
        stage = self.stage
        looks = {"links": self.links, "br": self.standing}
        stage.run_to(0)
        stage.linkwatch.next_ns = stage.scheduler.now_ns + (1_000 - LAST_LINKWATCH_MS) * MS
        stage.step(BRING_UP, partial(self.watch, 37_000, self.up), state=looks)
        stage.step("ping across after forwarding", lambda: stage.ping("h1", "10.0.0.2"))
        stage.step("steady state hellos 6 s", lambda: stage.wait(6_000 * MS))
        cut = partial(stage.nodes["b1"].set_down, "x1")
        stage.step(CUT, partial(self.watch, 34_000, cut), state=looks)
        stage.step(
            "ping after failover", lambda: stage.ping("h1", "10.0.0.2", count=2, interval_ms=1_028)
        )
        silence = partial(self.watch, 26_000, self.bridges["b1"].tree.stop)
        stage.step(SILENCE, silence, state=looks)

    def up(self) -> None:
        for node, devices in (("b2", ("br0",)), ("b1", ("x1", "x2", "br0"))):
            for device in devices:
                self.stage.nodes[node].set_up(device)

    def watch(self, duration_ms: int, act: Callable[[], None]) -> list[list[object]]:
        """The ports' states whenever they have changed, looked at five times a second."""
        stage = self.stage
        log: list[list[object]] = []
        began_ns = stage.scheduler.now_ns
        act()
        stage.wait(20 * MS)  # the recorder's first look, too, took its time
        while stage.scheduler.now_ns - began_ns < duration_ms * MS:
            states = [
                f"{port.device.name}:{node}:{port.state.name.lower()}"
                for node, bridge in self.bridges.items()
                for port in bridge.ports
            ]
            if not log or log[-1][1] != states:
                log.append([round((stage.scheduler.now_ns - began_ns) / 1e9, 1), states])
            stage.wait(200 * MS)
        return log

    def links(self) -> dict[str, list[str]]:
        """``bridge link``, without flags and MTU."""
        return {
            node: [
                f"{port.device.name} state {port.state.name.lower()} "
                f"priority {port.priority} cost {port.path_cost}"
                for port in bridge.ports
            ]
            for node, bridge in self.bridges.items()
        }

    def standing(self) -> dict[str, str]:
        """What sysfs says of the two bridges."""
        return {node: _standing(bridge) for node, bridge in self.bridges.items()}


def _standing(bridge: Bridge) -> str:
    tree = bridge.tree
    times = tree.times
    hundredths = [
        time * JIFFY_NS // (10 * MS)
        for time in (times.forward_delay, times.hello_time, times.max_age)
    ]
    root_port = 0 if tree.root_port is None else tree.root_port.number
    return (
        f"id={_identifier(tree.bridge_id)} root={_identifier(tree.root_id)} rp={root_port} "
        f"cost={tree.root_path_cost} tc={tree.topology_change:d} "
        "fd={} ht={} ma={}".format(*hundredths)
    )


def _identifier(number: int) -> str:
    text = f"{number:016x}"
    return f"{text[:4]}.{text[4:]}"


class TestFrames(FramesAgree):
    """Each step's, place by place."""


def test_frames_come_when_the_kernel_sent_them(scenario: Scenario) -> None:
    """Hellos, hold times and the tree's timers are the kernel's: never off by more than a slot of
    256 ms, in which the wheel keeps what takes long, and hardly ever by more than one of 32 ms."""
    late = [
        abs(ours - seen)
        for step in RECORDED.steps
        for place, seen_ms in scenario.stage.recording.steps[step].times_ms.items()
        for ours, seen in zip(scenario.stage.times_ms(step)[place], seen_ms, strict=True)
    ]
    assert max(late) <= 260
    assert sum(time_ms <= 36 for time_ms in late) / len(late) > 0.9


@pytest.mark.parametrize("step", [BRING_UP, CUT, SILENCE])
def test_ports_change_when_the_kernels_did(step: str, scenario: Scenario) -> None:
    ours = scenario.stage.played[step].result
    seen = scenario.stage.recording.steps[step].result
    assert [states for _, states in ours] == [
        [state.split(" priority")[0] for state in states] for _, states in seen
    ]
    for (our_s, _), (seen_s, _) in zip(ours, seen, strict=True):
        assert abs(our_s - seen_s) <= 0.3


@pytest.mark.parametrize("step", [BRING_UP, CUT, SILENCE])
def test_where_the_bridges_stand(step: str, scenario: Scenario) -> None:
    ours = scenario.stage.played[step].state
    seen = scenario.stage.recording.steps[step].state
    assert ours["br"] == seen["br"]
    for node, lines in seen["links"].items():
        assert ours["links"][node] == [_without_flags(line) for line in lines]


def _without_flags(line: str) -> str:
    _, name, rest = line.split(": ", 2)
    return f"{name} {rest[rest.index('> ') + 2 :].strip()}"
