"""Six thousand hostile frames over twelve random fillings of a switch's tables, and floods.

``python -m benchmarks.fuzz_switch 1000000`` does the same on a larger scale, and watches the
memory.
"""

from __future__ import annotations

import re
from itertools import islice

import pytest

from benchmarks import fuzz_switch
from benchmarks.dummy_switch import BRIDGE
from benchmarks.fuzzing.mutate import Mutator
from benchmarks.fuzzing.seeds import captured
from benchmarks.fuzzing.switch_target import SwitchTarget
from tests.ovs.command_switch import Switch
from tests.ovs.whole_switch import flow_lines, frame_of, outputs, switch_with
from vnet.base.chance import Chance
from vnet.ovs.datapath.reasons import DROP_CAUSES
from vnet.ovs.dpif.actions import DropCause
from vnet.ovs.ofproto.dump.fdb import dump_fdb

FRAMES = 4_800
FILLINGS = 12

FRAMES_COMPARED = 600
TIMES = 3
"""A frame meets a decision, the megaflow that it left, and the exact-match cache."""

_DIFFERS_ON_PURPOSE = re.compile(r"learn\(|dec_mpls_ttl|set_mpls|->mpls_label|=slowpath")


@pytest.fixture(autouse=True)
def _without_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same frames everywhere, whatever the machine that tests has recorded."""
    monkeypatch.delenv("VNET_ORACLE", raising=False)


@pytest.mark.slow
def test_every_frame_is_accounted_for_and_nothing_is_left_behind() -> None:
    outcome = fuzz_switch.fuzz(FRAMES, seed=1, frames_per_filling=FRAMES // FILLINGS)
    assert outcome.faults == []
    fates = outcome.fates
    assert fates["(hits)"] + fates["(misses)"] + fates["frame-too-short"] >= FRAMES
    rare = {"ovs-flow-drops", "ovs-port-mtu", "ct-fragment-purged", "ovs-meter-exceeded"}
    assert rare | {"(frames sent)", "(messages to the controller)"} <= set(fates)


def test_caches_answer_hostile_frames_as_a_decision_would() -> None:
    def is_wanted(flow: str) -> bool:
        return not _DIFFERS_ON_PURPOSE.search(flow)

    both = [
        # Who moves is learned at once by a decision, and of the caches when they are asked.
        SwitchTarget(
            Chance(3), FRAMES_COMPARED // 2, is_wanted, forgetful=forgetful, nobody_moves=True
        )
        for forgetful in (False, True)
    ]
    seeds = [target.seeds() for target in both]
    assert seeds[0] == seeds[1]
    mutator = Mutator(seeds[0], captured(), both[0].stations, Chance(3).stream("frames"))
    for data in islice(mutator.frames(), FRAMES_COMPARED // TIMES):
        for _ in range(TIMES):
            for target in both:
                target.take(data)
                # Cached frames teach when their statistics are fetched: stations would move late.
                target.switch.bridge().before_reading_stats()
                target.switch.vswitchd.backer.revalidator.settle()
            assert sorted(both[0].sent) == sorted(both[1].sent), data.hex()
    assert both[0].fates()["(hits)"] > FRAMES_COMPARED // 2


# -- circles

DATAGRAM = frame_of("udp,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,nw_src=10.0.0.1")
DOUBLING = [f"table={n},actions=resubmit(,{n + 1}),resubmit(,{n + 1})" for n in range(13)]


@pytest.mark.parametrize(("flows", "cause", "sentence"), [
    (
        ["actions=output:2,resubmit(,0)"],
        DropCause.RECURSION_TOO_DEEP,
        "over max translation depth 64",
    ),
    (
        ["actions=group:1"],
        DropCause.RECURSION_TOO_DEEP,
        "over max translation depth 64",
    ),
    (
        [*DOUBLING, "table=13,actions=output:2"],
        DropCause.TOO_MANY_RESUBMITS,
        "over 4096 resubmit actions",
    ),
    (
        ["actions=push:NXM_NX_XXREG0[],push:NXM_NX_XXREG0[],resubmit(,1)",
         *(f"table={n},actions=" + "push:NXM_NX_XXREG0[]," * 600 + f"resubmit(,{n + 1})"
           for n in range(1, 9))],
        DropCause.STACK_TOO_DEEP,
        "resubmits yielded over 64 kB of stack",
    ),
])  # fmt: skip
def test_what_would_never_end_is_dropped_as_open_vswitch_does(
    flows: list[str], cause: DropCause, sentence: str
) -> None:
    switch = switch_with(groups=["group_id=1,type=all,bucket=resubmit(,0)"])
    switch.ofctl(["add-flows", BRIDGE, "-"], flows)
    assert outputs(switch, "p1", DATAGRAM) == []
    assert outputs(switch, "p1", DATAGRAM) == []
    assert switch.devices["p1"].drops == {DROP_CAUSES[cause]: 2}
    trace = switch.appctl(["ofproto/trace", BRIDGE, "in_port=1,udp"])
    assert sentence in trace
    assert "packet is dropped" in trace


# -- floods


def flood(switch: Switch, count: int) -> None:
    """Datagrams from strangers, each a millisecond after the one before."""
    for number in range(count):
        mac = f"02:01:00:00:{number >> 8:02x}:{number & 0xFF:02x}"
        address = f"10.1.{number >> 8}.{number & 0xFF}"
        ports = f"udp_src={1000 + number},udp_dst=53"
        switch.inject("p1", frame_of(f"udp,dl_src={mac},nw_src={address},{ports}"))
        switch.take_sent()
        switch.scheduler.run(switch.scheduler.now_ns + 1_000_000)


def test_a_learning_flow_stops_at_its_limit() -> None:
    learn = "learn(table=1,limit=20,NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])"
    switch = switch_with([f"actions={learn},output:2"])
    flood(switch, 100)
    assert len(flow_lines(switch)) == 1 + 20


def test_a_full_table_evicts_what_was_learned_first() -> None:
    learn = "learn(table=1,hard_timeout=60,NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])"
    switch = switch_with([f"actions={learn},output:2"])
    table = ("--id=@t", "create", "flow_table", "flow_limit=30", "overflow_policy=evict")
    switch.vsctl("set", "bridge", BRIDGE, "flow_tables:1=@t", "--", *table)
    flood(switch, 100)
    lines = flow_lines(switch)
    assert len(lines) == 1 + 30
    assert "02:01:00:00:00:63" in lines[-1]


def test_strangers_push_each_other_out_of_the_learning_table() -> None:
    switch = switch_with(["actions=NORMAL"], options=["other-config:mac-table-size=50"])
    switch.inject("p2", DATAGRAM)
    flood(switch, 100)
    stations = list(dump_fdb(switch.bridge()))[1:]
    assert len(stations) == 50
    assert any("02:00:00:00:00:01" in line for line in stations), "one of another port stays"


def test_connections_are_no_more_than_may_be() -> None:
    switch = switch_with(["udp,actions=ct(commit),output:2"])
    switch.datapath.tracker.store.max_conns = 25
    flood(switch, 100)
    assert len(list(switch.datapath.ct_dump())) == 25


def test_frames_are_forwarded_though_there_is_no_room_for_megaflows() -> None:
    switch = switch_with(["udp,nw_src=10.1.0.0/24,actions=output:2", "udp,actions=output:3"])
    backer = switch.vswitchd.backer
    backer.revalidator.flow_limit = 10
    for number in range(100):
        frame = frame_of(f"udp,nw_src=10.{number}.0.1")
        assert outputs(switch, "p1", frame) == ["p2" if number == 1 else "p3"]
        assert switch.datapath.stats().n_flows <= 10
