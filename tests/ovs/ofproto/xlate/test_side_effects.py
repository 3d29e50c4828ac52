"""What a translation does outside the packet: at once, later, or not at all."""

from __future__ import annotations

import pytest

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from tests.ovs.ofproto.xlate.translating import actions_of, explained, translated
from tests.ovs.whole_switch import flow_lines, switch_with
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.xlate.cache import XlateCache

TCP = "in_port=1,tcp,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02"
STATS = FlowStats(n_packets=3, n_bytes=300, used_ns=7)
TCP_FIN = 0x01

FLOWS = [
    "table=0,tcp,actions=resubmit(,1),group:1,output:9",
    "table=0,priority=1,udp,actions=drop",
    "table=1,priority=5,tcp,tp_dst=80,actions=output:2",
    "table=1,actions=group:2",
]
GROUPS = [
    "group_id=1,type=all,bucket=output:2,bucket=output:3",
    "group_id=2,type=ff,bucket=watch_port:77,output:2,bucket=watch_port:3,output:3",
]


@pytest.fixture
def switch() -> Switch:
    """br0 with groups and a patch to br1."""
    switch = switch_with(FLOWS, groups=GROUPS)
    words = "add-br br1 -- set bridge br1 datapath_type=dummy fail-mode=secure"
    for bridge, port, peer in (("br0", "a", "b"), ("br1", "b", "a")):
        words += f" -- add-port {bridge} {port} -- set interface {port} type=patch"
        words += f" options:peer={peer} ofport_request=9"
    switch.run(["ovs-vsctl", *words.split()])
    switch.ofctl(["add-flow", "br1", "actions=drop"])
    return switch


def patch_port(switch: Switch, bridge: str, name: str) -> OfPort:
    port = switch.bridge(bridge).port_by_name(name)
    assert port is not None
    return port


def counters(switch: Switch) -> dict[str, object]:
    """All that a translation may count."""
    bridge = switch.bridge(BRIDGE)
    return {
        "flows": flow_lines(switch),
        "tables": [(t.n_matched, t.n_missed) for t in bridge.tables[:3]],
        "groups": [
            (g.n_packets, g.n_bytes, [(b.n_packets, b.n_bytes) for b in g.bucket_stats])
            for g in bridge.groups.values()
        ],
        "patch": [
            patch_port(switch, "br0", "a").stats.tx_packets,
            patch_port(switch, "br1", "b").stats.rx_bytes,
        ],
    }


def test_a_translation_that_nobody_wants_effects_of_has_none(switch: Switch) -> None:
    before = counters(switch)
    translated(switch, TCP)
    assert counters(switch) == before


def test_statistics_go_to_everything_on_the_way(switch: Switch) -> None:
    translated(switch, TCP, stats=STATS)
    after = counters(switch)
    assert after["tables"] == [(3, 0), (3, 0), (0, 0)]
    assert after["groups"] == [
        (3, 300, [(3, 300), (3, 300)]),
        (3, 300, [(0, 0), (3, 300)]),
    ]
    assert after["patch"] == [3, 300]
    flows = flow_lines(switch)
    assert [line for line in flows if "n_packets=3, n_bytes=300" in line] == [
        line for line in flows if "udp" not in line and "tp_dst=80" not in line
    ]


def test_a_miss_is_counted_by_the_table(switch: Switch) -> None:
    translated(switch, "in_port=1,arp", stats=STATS)
    assert counters(switch)["tables"] == [(0, 3), (0, 0), (0, 0)]


def test_a_cache_counts_later_what_statistics_count_at_once(switch: Switch) -> None:
    cache = XlateCache()
    before = counters(switch)
    translated(switch, TCP, cache=cache)
    assert counters(switch) == before
    cache.push(STATS)
    later = counters(switch)
    translated(switch, TCP, stats=FlowStats(-3, -300, 7))
    assert counters(switch) == before
    translated(switch, TCP, stats=STATS)
    assert counters(switch) == later


def test_a_cache_pushes_nothing_where_no_packet_came(switch: Switch) -> None:
    cache = XlateCache()
    translated(switch, TCP, cache=cache)
    before = counters(switch)
    cache.push(FlowStats(n_packets=0, n_bytes=5))
    assert counters(switch) == before


# -- learning flows

LEARN = (
    "table=0,tcp,actions=learn(table=1,hard_timeout=10,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
    "output:NXM_OF_IN_PORT[]),output:2"
)
LEARNED = (
    "table=1, n_packets=0, n_bytes=0, hard_timeout=10, dl_dst=00:00:00:00:00:01 actions=output:1"
)


def learned(switch: Switch) -> list[str]:
    return [line.strip() for line in flow_lines(switch) if line.strip().startswith("table=1,")]


def test_a_flow_is_learned_where_effects_are_allowed() -> None:
    switch = switch_with([LEARN])
    translated(switch, TCP)
    assert learned(switch) == []
    translated(switch, TCP, allow_side_effects=True)
    assert learned(switch) == [LEARNED]


def test_a_learned_flow_comes_back_while_packets_do() -> None:
    switch = switch_with([LEARN])
    cache = XlateCache()
    translated(switch, TCP, allow_side_effects=True, cache=cache)
    switch.ofctl(["del-flows", BRIDGE, "table=1"])
    cache.push(STATS)
    assert learned(switch) == [LEARNED]


def test_a_trace_says_what_would_be_learned_only_where_it_is() -> None:
    switch = switch_with([LEARN])
    ignored = ">> suppressing side effects, so learn action ignored"
    assert ignored in explained(switch, TCP)
    lines = explained(switch, TCP, allow_side_effects=True)
    assert ignored not in lines
    assert any(line.startswith("-> table=1 dl_dst=00:00:00:00:00:01") for line in lines)


def test_what_depends_on_whether_a_flow_can_be_learned_is_not_cached() -> None:
    switch = switch_with(
        [
            "table=0,tcp,actions=learn(table=1,limit=1,result_dst=NXM_NX_REG0[0],"
            "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]),resubmit(,2)",
            "table=2,reg0=1,actions=output:2",
            "table=2,reg0=0,actions=output:3",
        ]
    )
    assert translated(switch, TCP, cache=XlateCache()).avoid_caching
    assert actions_of(switch, TCP, allow_side_effects=True) == "2"
    other = TCP.replace("dl_src=00:00:00:00:00:01", "dl_src=00:00:00:00:00:09")
    assert actions_of(switch, other, allow_side_effects=True) == "3"
    assert not translated(switch, TCP, cache=XlateCache()).avoid_caching


# -- timeouts that shrink

FIN = (
    "table=0,tcp,idle_timeout=60,hard_timeout=90,"
    "actions=fin_timeout(idle_timeout=5,hard_timeout=200),output:2"
)


def timeouts(switch: Switch) -> tuple[int, int]:
    (rule,) = switch.bridge(BRIDGE).flows()
    return rule.idle_timeout_s, rule.hard_timeout_s


def test_timeouts_shrink_when_a_connection_ends() -> None:
    switch = switch_with([FIN])
    translated(switch, TCP, tcp_flags=TCP_FIN)
    translated(switch, TCP, allow_side_effects=True)
    assert timeouts(switch) == (60, 90)
    translated(switch, TCP, allow_side_effects=True, tcp_flags=TCP_FIN)
    assert timeouts(switch) == (5, 90)


def test_timeouts_shrink_later_by_what_the_datapath_has_seen() -> None:
    switch = switch_with([FIN])
    cache = XlateCache()
    translated(switch, TCP, cache=cache)
    cache.push(FlowStats(1, 60, 0))
    assert timeouts(switch) == (60, 90)
    cache.push(FlowStats(1, 60, 0, tcp_flags=TCP_FIN))
    assert timeouts(switch) == (5, 90)
