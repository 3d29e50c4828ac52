"""A switch with caches does what one does that decides about every frame anew.

Both get the same random flows, frames and changes. Some things differ on purpose, here as in
Open vSwitch, and are kept out: a label stack entry of which only a part is looked at is written
as a whole, and frames that a cache forwards teach when their statistics are fetched, so that
frames do not meet in the same instant what they taught.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.dummy_switch import BRIDGE
from benchmarks.fuzzing.flow_tables import GROUPS, FlowTables
from tests.examples import examples
from tests.ovs.command_switch import Switch
from tests.ovs.whole_switch import flow_lines, frame_of, run_until_ms, switch_with
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ofproto.dump.fdb import dump_fdb
from vnet.ovs.ofproto.dump.groups import dump_group_stats
from vnet.ovs.ofproto.dump.ports import dump_ports
from vnet.ovs.openflow.errors import OpenFlowError

_T = TypeVar("_T")

_PAUSE_MS = 20
"""Longer than changes take to be in force."""

_WRITES_LABELS = re.compile(r"dec_mpls_ttl|set_mpls|->mpls_label")
_LEARNS = re.compile(r"learn\(")
_LOOKS_UP_AGAIN = re.compile(r"ct\(|pop_mpls|group:4")

CHANGES = (
    *(["del-flows", BRIDGE, text] for text in ("table=0,ip", "table=1", "table=2,out_port=2")),
    *(["mod-flows", BRIDGE, text] for text in ("ip,actions=output:4", "table=1,actions=drop")),
    *(["mod-port", BRIDGE, port, what] for port, what in (("p2", "no-flood"), ("p3", "down"))),
    ["-OOpenFlow15", "mod-group", BRIDGE, "group_id=2,type=indirect,bucket=output:4"],
    ["-OOpenFlow15", "mod-group", BRIDGE, "group_id=3,type=ff,bucket=watch_port:4,output:4"],
)


def _made(make: Callable[[FlowTables], _T]) -> st.SearchStrategy[_T]:
    return st.integers(0, 0xFFFFF).map(lambda seed: make(FlowTables(Random(seed))))


FLOWS = st.tuples(
    st.lists(_made(FlowTables.flow), min_size=1, max_size=12),
    st.just([]) | _made(FlowTables.conjunction),
).map(lambda drawn: drawn[0] + drawn[1])

ARRIVALS = _made(lambda tables: (tables.port(), tables.packet()))
"""A port and a packet that comes in by it."""


@st.composite
def traffic(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Few different packets, most of them several times."""
    kinds = draw(st.lists(ARRIVALS, min_size=1, max_size=8))
    return draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=25))


def without(flows: Sequence[str], *words: re.Pattern[str]) -> list[str]:
    return [flow for flow in flows if not any(word.search(flow) for word in words)]


class Pair:
    """A switch that remembers and one that does not, treated alike."""

    def __init__(self, flows: Sequence[str]) -> None:
        self.caching, self.forgetful = self.both = [switch_with(groups=GROUPS) for _ in range(2)]
        for flow in flows:
            self.ofctl(["-OOpenFlow15", "add-flow", BRIDGE, flow])

    def ofctl(self, words: list[str]) -> None:
        """Change both. Some random flows are there to be refused."""
        for switch in self.both:
            with suppress(OvsTextError, OpenFlowError):
                switch.ofctl(words)

    def inject(self, port: str, packet: str) -> None:
        """Both must send the same, hand the same to the controller, and count the same."""
        frame = frame_of(packet)
        for switch in self.both:
            switch.inject(port, frame)
        self.forgetful.vswitchd.backer.revalidator.purge()
        self.caching.vswitchd.backer.revalidator.push_stats()
        # Copies that had to be looked up again leave late where the lookup took a decision.
        assert sorted(self.caching.take_sent()) == sorted(self.forgetful.take_sent())
        assert self.caching.packet_ins == self.forgetful.packet_ins
        for switch in self.both:
            run_until_ms(switch, switch.scheduler.now_ns // 1_000_000 + _PAUSE_MS)

    def assert_same_state(self) -> None:
        for one, other in zip(state(self.caching), state(self.forgetful), strict=True):
            assert one == other


def state(switch: Switch) -> list[list[str]]:
    bridge = switch.bridge(BRIDGE)
    dumps = (dump_fdb, dump_group_stats, dump_ports)
    connections = sorted(switch.datapath.ct_dump())
    return [flow_lines(switch), connections, *(list(dump(bridge)) for dump in dumps)]


@given(FLOWS, traffic(), st.booleans())
@settings(max_examples=examples(40))
def test_caches_change_nothing(
    flows: list[str], frames: list[tuple[str, str]], learns: bool
) -> None:
    kept_out = _LOOKS_UP_AGAIN if learns else _LEARNS
    pair = Pair(without(flows, _WRITES_LABELS, kept_out))
    for port, packet in frames:
        pair.inject(port, packet)
    pair.assert_same_state()


@given(FLOWS, traffic(), st.lists(_made(FlowTables.flow), max_size=4), st.randoms())
@settings(max_examples=examples(40))
def test_a_change_is_in_force_for_the_next_frame(
    flows: list[str], frames: list[tuple[str, str]], more_flows: list[str], random: Random
) -> None:
    """However many cached flows the change concerns."""
    pair = Pair(without(flows, _WRITES_LABELS, _LEARNS))
    added = (["-OOpenFlow15", "add-flow", BRIDGE, flow] for flow in more_flows)
    changes = without_learning([*CHANGES, *added])
    for number, (port, packet) in enumerate(frames):
        if number % 4 == 3:
            pair.ofctl(random.choice(changes))
        pair.inject(port, packet)
    pair.assert_same_state()


def without_learning(commands: Sequence[list[str]]) -> list[list[str]]:
    return [words for words in commands if without(words[-1:], _WRITES_LABELS, _LEARNS)]


@given(FLOWS, traffic())
@settings(max_examples=examples(20))
def test_tracing_leaves_no_trace(flows: list[str], frames: list[tuple[str, str]]) -> None:
    switch = switch_with(groups=GROUPS)
    for flow in flows:
        with suppress(OvsTextError, OpenFlowError):
            switch.ofctl(["-OOpenFlow15", "add-flow", BRIDGE, flow])
    for port, packet in frames:
        switch.inject(port, frame_of(packet))
    before = state(switch)
    for port, packet in frames:
        switch.appctl(["ofproto/trace", BRIDGE, f"in_port={port},{packet}"])
    switch.settle()
    assert state(switch) == before
