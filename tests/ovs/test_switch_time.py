"""What a whole switch does by itself as time passes, to the millisecond of the virtual clock.

Frames go through the datapath's caches, so what is seen there has to reach the rules in time.
"""

from __future__ import annotations

import pytest

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from tests.ovs.whole_switch import (
    flow_lines,
    frame_of,
    outputs,
    run_before_ms,
    run_until_ms,
    switch_with,
)
from vnet.base.units import NS_PER_MS
from vnet.ovs.ofproto.dump.fdb import dump_fdb

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
DATAGRAM = frame_of(f"udp,dl_src={A},dl_dst={B},nw_src=10.0.0.1,nw_dst=10.0.0.2,udp_dst=53")
ANSWER = frame_of(f"udp,dl_src={B},dl_dst={A},nw_src=10.0.0.2,nw_dst=10.0.0.1,udp_src=53")


def segment(flags: str) -> bytes:
    return frame_of(f"tcp,dl_src={A},dl_dst={B},nw_src=10.0.0.1,tcp_dst=80,tcp_flags={flags}")


def n_megaflows(switch: Switch) -> int:
    return switch.datapath.stats().n_flows


# -- flows


@pytest.mark.parametrize(("timeout", "frames_ms", "gone_ms"), [
    ("hard_timeout=5", (), 5_001),
    ("hard_timeout=5", (0, 1_000, 4_999), 5_001),
    ("idle_timeout=5", (), 5_001),
    ("idle_timeout=5", (0, 2_000, 3_000), 8_001),
    ("idle_timeout=5", (0, 5_000), 10_001),
    ("idle_timeout=3,hard_timeout=5", (0, 2_000, 4_000), 5_001),
])  # fmt: skip
def test_a_flow_goes_in_the_millisecond_after_its_timeout(
    timeout: str, frames_ms: tuple[int, ...], gone_ms: int
) -> None:
    switch = switch_with([f"{timeout},in_port=1,actions=output:2", "priority=0,actions=output:3"])
    for time_ms in frames_ms:
        run_until_ms(switch, time_ms)
        assert outputs(switch, "p1", DATAGRAM) == ["p2"]
    run_before_ms(switch, gone_ms)
    assert len(flow_lines(switch)) == 2
    run_until_ms(switch, gone_ms)
    assert len(flow_lines(switch)) == 1


def test_a_megaflow_survives_its_flow_for_less_than_five_milliseconds() -> None:
    """As long as rounds are apart, if there was one just before."""
    flows = ["hard_timeout=5,in_port=1,actions=output:2", "priority=0,actions=output:3"]
    switch = switch_with(flows)
    run_until_ms(switch, 5_000)
    for _ in range(2):
        assert outputs(switch, "p1", DATAGRAM) == ["p2"]
        run_before_ms(switch, 5_005)
    run_until_ms(switch, 5_005)
    assert outputs(switch, "p1", DATAGRAM) == ["p3"]


def test_a_busy_megaflow_keeps_the_rules_of_all_its_tables_from_idling() -> None:
    flows = ["idle_timeout=2,actions=resubmit(,1)", "table=1,idle_timeout=2,actions=output:2"]
    switch = switch_with(flows)
    for time_ms in range(0, 20_000, 1_900):
        run_until_ms(switch, time_ms)
        assert outputs(switch, "p1", DATAGRAM) == ["p2"]
    assert switch.datapath.stats().n_missed == 1
    run_before_ms(switch, 19_000 + 2_001)
    assert len(flow_lines(switch)) == 2
    run_until_ms(switch, 19_000 + 2_001)
    assert flow_lines(switch) == []


# -- megaflows


def test_a_megaflow_goes_at_the_first_round_that_finds_it_idle_for_more_than_ten_seconds() -> None:
    switch = switch_with(["actions=output:2"])
    outputs(switch, "p1", DATAGRAM)
    run_until_ms(switch, 10_000)
    assert n_megaflows(switch) == 1
    run_before_ms(switch, 10_500)
    assert n_megaflows(switch) == 1
    run_until_ms(switch, 10_500)
    assert n_megaflows(switch) == 0


def test_rounds_are_half_a_second_apart_whenever_the_last_frame_came() -> None:
    switch = switch_with(["actions=output:2"])
    outputs(switch, "p1", DATAGRAM)
    run_until_ms(switch, 1_234)
    outputs(switch, "p1", DATAGRAM)
    run_before_ms(switch, 11_500)
    assert n_megaflows(switch) == 1
    run_until_ms(switch, 11_500)
    assert n_megaflows(switch) == 0


def test_max_idle_is_what_the_configuration_says() -> None:
    switch = switch_with(["actions=output:2"])
    switch.run(["ovs-vsctl", "set", "open_vswitch", ".", "other_config:max-idle=2000"])
    outputs(switch, "p1", DATAGRAM)
    run_before_ms(switch, 2_500)
    assert n_megaflows(switch) == 1
    run_until_ms(switch, 2_500)
    assert n_megaflows(switch) == 0


def test_a_switch_at_rest_has_nothing_to_do() -> None:
    switch = switch_with(["actions=NORMAL"])
    outputs(switch, "p1", DATAGRAM)
    switch.scheduler.run(1_000_000 * NS_PER_MS)
    assert switch.scheduler.pending == 0


# -- stations


def stations(switch: Switch) -> list[str]:
    return list(dump_fdb(switch.bridge(BRIDGE)))[1:]


def test_a_station_is_forgotten_after_its_ageing_time_and_not_a_millisecond_earlier() -> None:
    switch = switch_with(["actions=NORMAL"])
    outputs(switch, "p1", DATAGRAM)
    run_before_ms(switch, 300_000)
    assert outputs(switch, "p2", ANSWER) == ["p1"]
    switch = switch_with(["actions=NORMAL"])
    outputs(switch, "p1", DATAGRAM)
    run_until_ms(switch, 300_000)
    assert sorted(outputs(switch, "p2", ANSWER)) == [BRIDGE, "p1", "p3", "p4"]


def test_frames_that_a_megaflow_forwards_keep_their_station_young() -> None:
    """From the round on that fetches the statistics in which they are."""
    switch = switch_with(["actions=NORMAL"], options=["other-config:mac-aging-time=15"])
    outputs(switch, "p1", DATAGRAM)
    run_until_ms(switch, 9_700)
    outputs(switch, "p1", DATAGRAM)
    assert switch.datapath.stats().n_missed == 1
    fetched_ms = 10_000  # rounds come every 500 milliseconds
    run_before_ms(switch, fetched_ms + 15_000)
    assert len(stations(switch)) == 1
    run_until_ms(switch, fetched_ms + 15_000)
    assert stations(switch) == []


def test_a_megaflow_to_a_station_floods_once_the_station_has_aged() -> None:
    switch = switch_with(["actions=NORMAL"], options=["other-config:mac-aging-time=15"])
    outputs(switch, "p2", ANSWER)
    for time_ms in range(0, 15_001, 1_000):
        run_before_ms(switch, time_ms)
        assert outputs(switch, "p1", DATAGRAM) == ["p2"]
    run_until_ms(switch, 15_000)
    assert sorted(outputs(switch, "p1", DATAGRAM)) == [BRIDGE, "p2", "p3", "p4"]


# -- failover

FAILOVER = "group_id=1,type=ff,bucket=watch_port:2,output:2,bucket=watch_port:3,output:3"


def test_a_fast_failover_group_uses_the_next_bucket_within_five_milliseconds() -> None:
    switch = switch_with(["actions=group:1"], groups=[FAILOVER])
    assert outputs(switch, "p1", DATAGRAM) == ["p2"]
    run_until_ms(switch, 700)
    switch.devices["p2"].set_admin(False)
    switch.settle()
    assert outputs(switch, "p1", DATAGRAM) == ["p3"]
    run_until_ms(switch, 703)
    switch.devices["p2"].set_admin(True)
    switch.settle()
    run_before_ms(switch, 705)
    assert outputs(switch, "p1", DATAGRAM) == ["p3"], "a round was just made"
    run_until_ms(switch, 705)
    assert outputs(switch, "p1", DATAGRAM) == ["p2"]


def test_a_group_without_a_live_bucket_drops() -> None:
    switch = switch_with(["actions=group:1"], groups=[FAILOVER])
    assert outputs(switch, "p1", DATAGRAM) == ["p2"]
    for name in ("p2", "p3"):
        switch.devices[name].set_admin(False)
    run_until_ms(switch, 5)
    assert outputs(switch, "p1", DATAGRAM) == []


# -- learned flows

LEARN = (
    "table=0,in_port=1,actions=learn(table=1,{timeout},NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
    "output:NXM_OF_IN_PORT[]),output:2"
)
USE = "table=0,in_port=2,actions=resubmit(,1)"


def learned(switch: Switch) -> list[str]:
    return [line for line in flow_lines(switch) if line.startswith("table=1")]


def test_a_learned_flow_that_nobody_teaches_or_uses_goes_in_time() -> None:
    for timeout in ("idle_timeout=10", "hard_timeout=10"):
        switch = switch_with([LEARN.format(timeout=timeout), USE])
        outputs(switch, "p1", DATAGRAM)
        run_before_ms(switch, 10_001)
        assert outputs(switch, "p2", ANSWER) == ["p1"]
        switch = switch_with([LEARN.format(timeout=timeout), USE])
        outputs(switch, "p1", DATAGRAM)
        run_until_ms(switch, 10_001)
        assert learned(switch) == []
        assert outputs(switch, "p2", ANSWER) == []


def test_a_learned_flow_idles_from_the_last_frame_that_used_it() -> None:
    switch = switch_with([LEARN.format(timeout="idle_timeout=4"), USE])
    outputs(switch, "p1", DATAGRAM)
    for time_ms in range(3_000, 12_001, 3_000):
        run_until_ms(switch, time_ms)
        assert outputs(switch, "p2", ANSWER) == ["p1"]
    run_before_ms(switch, 16_001)
    assert len(learned(switch)) == 1
    run_until_ms(switch, 16_001)
    assert learned(switch) == []


def test_a_hard_timeout_starts_anew_with_each_round_that_saw_the_teacher() -> None:
    """Frames that a megaflow forwards teach when their statistics are fetched."""
    switch = switch_with([LEARN.format(timeout="hard_timeout=4"), USE])
    outputs(switch, "p1", DATAGRAM)
    run_until_ms(switch, 3_100)
    outputs(switch, "p1", DATAGRAM)
    assert switch.datapath.stats().n_missed == 1
    fetched_ms = 5 + 7 * 500
    run_before_ms(switch, fetched_ms + 4_001)
    assert len(learned(switch)) == 1
    run_until_ms(switch, fetched_ms + 4_001)
    assert learned(switch) == []


# -- fin_timeout


@pytest.mark.parametrize("flags", ["fin|ack", "rst"])
def test_the_end_of_a_connection_shortens_the_timeouts(flags: str) -> None:
    flow = "tcp,idle_timeout=60,hard_timeout=90,actions=fin_timeout(idle_timeout=2),output:2"
    switch = switch_with([flow])
    outputs(switch, "p1", segment("ack"))
    run_until_ms(switch, 30_000)
    assert "idle_timeout=60" in flow_lines(switch)[0]
    outputs(switch, "p1", segment(flags))
    assert "idle_timeout=2, hard_timeout=90" in flow_lines(switch)[0]
    run_before_ms(switch, 32_001)
    assert len(flow_lines(switch)) == 1
    run_until_ms(switch, 32_001)
    assert flow_lines(switch) == []
