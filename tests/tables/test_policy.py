"""Rules and tables: who is asked, and in what order. What is expected was asked of Linux 6.18."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vnet.base.ids import ip_from_text, prefix_from_text
from vnet.tables.fib import Nexthop, Route, RouteType
from vnet.tables.policy import (
    TABLE_MAIN,
    Flow,
    Policy,
    Rule,
    RuleAction,
    RulePrefix,
)

TARGET = ip_from_text("192.0.2.1")


def route(text: str, device: str, table: int = TABLE_MAIN) -> Route[str]:
    network, length = prefix_from_text(text)
    return Route(network, length, (Nexthop(device),), table=table)


def prefix(text: str) -> RulePrefix:
    return RulePrefix(*prefix_from_text(text))


def policy(*routes: Route[str]) -> Policy[str]:
    made: Policy[str] = Policy(4)
    for each in routes:
        made.table(each.table).add(each)
    return made


def device_of(made: Policy[str], flow: Flow) -> str | None:
    found = made.lookup(flow, lambda _route, _flow: True)
    return None if found is None else found.device


def test_three_rules_are_there_from_the_start() -> None:
    assert [(rule.priority, rule.table) for rule in Policy[str](4).rules] == [
        (0, 255),
        (32766, 254),
        (32767, 253),
    ]
    assert [rule.table for rule in Policy[str](16).rules] == [255, 254]


def test_rules_without_a_priority_go_before_those_there_are() -> None:
    made = policy()
    for expected in (32765, 32764):
        assert made.next_priority() == expected
        made.add_rule(Rule(expected, table=100))


@pytest.mark.parametrize(
    ("rule", "flow"),
    [
        (Rule(100, source=prefix("10.0.0.0/8")), Flow(TARGET, ip_from_text("10.1.1.1"))),
        (Rule(100, target=prefix("192.0.2.0/24")), Flow(TARGET)),
        (Rule(100, iif="eth0"), Flow(TARGET, iif="eth0")),
        (Rule(100, iif="lo"), Flow(TARGET)),
        (Rule(100, oif="eth0"), Flow(TARGET, oif="eth0")),
        (Rule(100, tos=0x10), Flow(TARGET, tos=0x10)),
        (Rule(100, mark=0x11, mark_mask=0xFF), Flow(TARGET, mark=0x111)),
        (Rule(100, protocol=17), Flow(TARGET, protocol=17)),
        (Rule(100, tos=0x10, inverted=True), Flow(TARGET)),
    ],
)
def test_a_rule_chooses_the_table_of_the_packets_it_speaks_of(rule: Rule, flow: Flow) -> None:
    made = policy(route("0.0.0.0/0", "main"), route("0.0.0.0/0", "special", 100))
    made.add_rule(replace(rule, table=100))
    assert device_of(made, flow) == "special"
    other = Flow(ip_from_text("198.51.100.1"), ip_from_text("172.16.0.1"), iif="eth9", tos=0x10)
    if rule.tos != 0x10 or rule.inverted:
        assert device_of(made, other) == "main"


def test_a_source_that_is_not_chosen_yet_is_in_no_network() -> None:
    made = policy(route("0.0.0.0/0", "main"), route("0.0.0.0/0", "special", 100))
    made.add_rule(Rule(100, table=100, source=prefix("10.0.0.0/8")))
    assert device_of(made, Flow(TARGET)) == "main"


def test_a_table_that_knows_no_route_passes_the_question_on() -> None:
    made = policy(route("0.0.0.0/0", "main"), route("10.0.0.0/8", "special", 100))
    made.add_rule(Rule(100, table=100))
    made.add_rule(Rule(101, table=101))
    assert device_of(made, Flow(TARGET)) == "main"


def test_throw_ends_one_table_and_not_the_search() -> None:
    made = policy(route("0.0.0.0/0", "main"), route("0.0.0.0/0", "special", 100))
    made.table(100).add(Route(*prefix_from_text("192.0.2.0/24"), type=RouteType.THROW, table=100))
    made.add_rule(Rule(100, table=100))
    assert device_of(made, Flow(TARGET)) == "main"
    assert device_of(made, Flow(ip_from_text("198.51.100.1"))) == "special"


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (RuleAction.BLACKHOLE, RouteType.BLACKHOLE),
        (RuleAction.UNREACHABLE, RouteType.UNREACHABLE),
        (RuleAction.PROHIBIT, RouteType.PROHIBIT),
    ],
)
def test_a_rule_may_refuse_by_itself(action: RuleAction, kind: RouteType) -> None:
    made = policy(route("0.0.0.0/0", "main"))
    made.add_rule(Rule(100, action))
    found = made.lookup(Flow(TARGET), lambda _route, _flow: True)
    assert found is not None
    assert found.type is kind


def test_goto_goes_on_at_another_rule_and_nop_at_the_next() -> None:
    made = policy(route("0.0.0.0/0", "main"), route("0.0.0.0/0", "special", 100))
    made.add_rule(Rule(50, RuleAction.NOP))
    made.add_rule(Rule(60, RuleAction.GOTO, goto=32766))
    made.add_rule(Rule(100, table=100))
    assert device_of(made, Flow(TARGET)) == "main"


def test_a_rule_may_pass_over_short_prefixes() -> None:
    made = policy(
        route("0.0.0.0/0", "main"), route("192.0.2.0/24", "net"), route("0.0.0.0/0", "vpn", 100)
    )
    made.add_rule(Rule(10, table=TABLE_MAIN, suppress_length=0))
    made.add_rule(Rule(20, table=100))
    assert device_of(made, Flow(TARGET)) == "net"
    assert device_of(made, Flow(ip_from_text("198.51.100.1"))) == "vpn"


def test_what_cannot_be_used_now_gives_way_to_the_next() -> None:
    made = policy(route("0.0.0.0/0", "main"), route("192.0.2.0/24", "down"))
    found = made.lookup(Flow(TARGET), lambda each, _flow: each.device != "down")
    assert found is not None
    assert found.device == "main"
