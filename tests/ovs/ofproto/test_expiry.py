"""Idle and hard timeouts, to the millisecond of the virtual clock."""

from __future__ import annotations

import pytest

from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.openflow.messages import FlowMod, FlowModCommand, RemovedReason
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.sim.scheduler import Scheduler


class Bridge:
    """A bridge that writes down when which of its flows goes."""

    def __init__(self) -> None:
        self.scheduler = Scheduler()
        self.ofproto = Ofproto("br0", self.scheduler)
        self.gone: list[tuple[int, RemovedReason]] = []
        self.ofproto.flow_removed.append(self._note)

    def _note(self, _rule: Rule, reason: RemovedReason) -> None:
        self.gone.append((self.scheduler.now_ns // NS_PER_MS, reason))

    def add(self, text: str) -> Rule:
        mod = parse_flow(f"send_flow_rem,{text},actions=drop", FlowModCommand.ADD)
        self.ofproto.flow_mod(mod)
        rule = self.ofproto.find(0, mod.match, mod.priority)
        assert rule is not None
        return rule

    def used(self, rule: Rule, at_ns: int | None = None) -> None:
        now_ns = self.scheduler.now_ns if at_ns is None else at_ns
        self.ofproto.credit(rule, FlowStats(1, 60, now_ns))


@pytest.fixture
def bridge() -> Bridge:
    return Bridge()


def test_a_hard_timeout_counts_from_the_last_change(bridge: Bridge) -> None:
    rule = bridge.add("hard_timeout=5")
    bridge.scheduler.run(2 * NS_PER_S)
    bridge.used(rule)
    bridge.add("hard_timeout=5")
    bridge.scheduler.run()
    assert bridge.gone == [(7001, RemovedReason.HARD_TIMEOUT)]


def test_an_idle_timeout_counts_from_the_last_packet(bridge: Bridge) -> None:
    rule = bridge.add("idle_timeout=5")
    bridge.scheduler.run(3 * NS_PER_S)
    bridge.used(rule)
    bridge.scheduler.run()
    assert bridge.gone == [(8001, RemovedReason.IDLE_TIMEOUT)]


def test_a_packet_in_the_very_last_millisecond_keeps_a_flow(bridge: Bridge) -> None:
    rule = bridge.add("idle_timeout=5")
    bridge.scheduler.run(5 * NS_PER_S)
    bridge.used(rule)
    bridge.scheduler.run()
    assert bridge.gone == [(10001, RemovedReason.IDLE_TIMEOUT)]


def test_whichever_comes_first_is_the_reason(bridge: Bridge) -> None:
    bridge.add("in_port=1,idle_timeout=5,hard_timeout=5")
    bridge.add("in_port=2,idle_timeout=4,hard_timeout=5")
    bridge.scheduler.run()
    assert bridge.gone == [(4001, RemovedReason.IDLE_TIMEOUT), (5001, RemovedReason.HARD_TIMEOUT)]


def test_statistics_are_handed_in_before_a_flow_is_judged(bridge: Bridge) -> None:
    rule = bridge.add("idle_timeout=5")
    late = [4 * NS_PER_S]

    def hand_in() -> None:
        while late:
            bridge.used(rule, late.pop())

    bridge.ofproto.before_reading_stats = hand_in
    bridge.scheduler.run()
    assert bridge.gone == [(9001, RemovedReason.IDLE_TIMEOUT)]


def test_a_lab_whose_flows_stay_is_not_kept_awake(bridge: Bridge) -> None:
    bridge.add("in_port=1")
    assert bridge.scheduler.pending == 0


def test_flows_that_were_deleted_cost_at_most_one_wakening(bridge: Bridge) -> None:
    for port in range(1, 100):
        bridge.add(f"in_port={port},idle_timeout={port}")
    bridge.ofproto.flow_mod(FlowMod(FlowModCommand.DELETE))
    assert bridge.scheduler.pending <= 1
    bridge.scheduler.run()
    assert bridge.scheduler.now_ns <= 2 * NS_PER_S
    assert len(bridge.gone) == 99


def test_a_thousand_flows_with_one_timeout_need_one_event_at_a_time(bridge: Bridge) -> None:
    for port in range(1, 1000):
        bridge.add(f"in_port={port},hard_timeout=7")
    assert bridge.scheduler.pending == 1
    bridge.scheduler.run()
    assert [time_ms for time_ms, _ in bridge.gone] == [7001] * 999


def test_shorter_timeouts_take_effect_and_longer_ones_do_not(bridge: Bridge) -> None:
    rule = bridge.add("idle_timeout=60,hard_timeout=3")
    bridge.ofproto.reduce_timeouts(rule, 10, 20)
    assert (rule.idle_timeout_s, rule.hard_timeout_s) == (10, 3)


def test_a_flow_without_timeouts_may_get_some(bridge: Bridge) -> None:
    rule = bridge.add("in_port=1")
    bridge.scheduler.run(NS_PER_S)
    bridge.ofproto.reduce_timeouts(rule, 0, 2)
    bridge.scheduler.run()
    assert bridge.gone == [(2001, RemovedReason.HARD_TIMEOUT)]


def test_time_is_counted_by_whole_milliseconds(bridge: Bridge) -> None:
    bridge.scheduler.run(1_999_999)
    bridge.add("hard_timeout=1")
    bridge.scheduler.run()
    assert bridge.scheduler.now_ns == 1 * NS_PER_MS + NS_PER_S + NS_PER_MS
