"""802.1D-1998: trees, timers, topology changes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.l2.network import Socket, StpNetwork, has_loop, is_connected, wirings
from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.l2.stp.bridge import Stp
from vnet.l2.stp.clock import HOLD_NS
from vnet.l2.stp.offer import StpTimes
from vnet.l2.stp.port import StpRole, StpState
from vnet.wire import bpdu
from vnet.wire.bpdu import TIME_UNIT_NS, Bpdu, BpduFlags, BpduType

MS = NS_PER_MS


def states(network: StpNetwork, lan: list[Socket]) -> list[StpState]:
    return [network.state(socket) for socket in lan]


def flags_heard_from(network: StpNetwork, socket: Socket) -> list[int]:
    return [said.flags for sender, said in network.heard if sender == socket]


@settings(max_examples=examples(30), deadline=None)
@given(wirings())
def test_any_wiring_ends_without_loops_and_in_one_piece(
    wiring: tuple[int, list[tuple[int, ...]]],
) -> None:
    n_bridges, lans = wiring
    network = StpNetwork(n_bridges)
    for bridges in lans:
        network.connect(*bridges)
    network.run(120)
    graph = network.forwarding_graph()
    assert is_connected(graph)
    assert not has_loop(graph)
    assert {stp.root_id for stp in network.bridges} == {network.bridges[0].bridge_id}


@pytest.mark.slow
@settings(max_examples=examples(20), deadline=None)
@given(wirings(), st.data())
def test_a_lan_that_goes_dark_leaves_no_loop_behind(
    wiring: tuple[int, list[tuple[int, ...]]], data: st.DataObject
) -> None:
    n_bridges, lans = wiring
    network = StpNetwork(n_bridges)
    for bridges in lans:
        network.connect(*bridges)
    network.run(120)
    gone = network.lans.pop(data.draw(st.integers(0, len(lans) - 1)))
    network.cut(gone)
    for _ in range(60):
        network.run(2)
        edges = network.forwarding_graph()
        pieces = _pieces(edges)
        assert sum(map(len, edges.values())) // 2 == len(edges) - pieces, "a loop, meanwhile"


def _pieces(graph: dict[str, set[str]]) -> int:
    left, n_pieces = dict(graph), 0
    while left:
        n_pieces += 1
        waiting = [next(iter(left))]
        while waiting:
            waiting += left.pop(waiting.pop(), set()) & set(left)
    return n_pieces


@given(st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 5_000))))
def test_no_bytes_do_any_harm(messages: list[tuple[bytes, int]]) -> None:
    stp, now_ns = Stp(0x111, StpTimes(), 0), 0
    for number in (1, 2):
        stp.enable(stp.add_port(number, 0x8000 | number, 10))
    for data, wait_ms in messages:
        read = bpdu.parse(b"\0\0\0" + data)
        if read is not None:
            stp.receive(stp.ports[1], read)
        now_ns += wait_ms * NS_PER_MS
        stp.run(now_ns)
        stp.take()


def test_a_port_listens_and_learns_for_a_forward_delay_each() -> None:
    network = StpNetwork(2)
    lan = network.connect(0, 1)
    assert states(network, lan) == [StpState.LISTENING] * 2
    network.run_until(15_000 * MS - 1)
    assert states(network, lan) == [StpState.LISTENING] * 2
    network.run_until(15_000 * MS)
    assert states(network, lan) == [StpState.LEARNING] * 2
    network.run_until(30_000 * MS - 1)
    assert states(network, lan) == [StpState.LEARNING] * 2
    network.run_until(30_000 * MS)
    assert states(network, lan) == [StpState.FORWARDING] * 2


def test_times_of_the_root_hold_everywhere() -> None:
    network = StpNetwork(2)
    quick = StpTimes(max_age=6 * 256, hello_time=256, forward_delay=4 * 256)
    network.bridges[0].set_times(quick)
    lan = network.connect(0, 1)
    network.run_until(8_000 * MS)
    assert network.bridges[1].times == quick
    assert states(network, lan) == [StpState.FORWARDING] * 2


def test_the_root_says_hello_every_two_seconds_and_others_pass_it_on() -> None:
    network = StpNetwork(3)
    first, second = network.connect(0, 1), network.connect(1, 2)
    network.run(100)
    network.heard.clear()
    network.run(10)
    ages = [(sender, said.message_age) for sender, said in network.heard]
    assert ages == [(first[0], 0), (second[0], 1)] * 5


def test_a_port_waits_a_second_between_two_configurations() -> None:
    stp = Stp(0x222, StpTimes(), 0)
    port = stp.add_port(1, 0x8001, 10)
    stp.enable(port)
    worse = Bpdu(BpduType.CONFIG, 0, 0x333, 0, 0x333, 0x8001, 0, 5120, 512, 3840)
    for time_ns in (0, 1, HOLD_NS - 1):
        stp.run(time_ns)
        stp.receive(port, worse)
    assert len(stp.take().sent) == 1
    assert stp.next_due_ns == HOLD_NS
    stp.run(HOLD_NS)
    assert len(stp.take().sent) == 1


def test_a_lost_root_is_missed_after_the_maximum_age() -> None:
    network = StpNetwork(2)
    lan = network.connect(0, 1)
    network.run(60)
    last_hello_ns = network.now_ns
    network.lans.clear()
    believes = []
    for until_ns in (last_hello_ns + 20_000 * MS - 1, last_hello_ns + 20_000 * MS):
        network.run_until(until_ns)
        believes.append(network.bridges[1].is_root)
    assert believes == [False, True]
    assert network.bridges[1].role(network.bridges[1].ports[lan[1].port]) is StpRole.DESIGNATED


def test_age_grows_on_the_way() -> None:
    stp = Stp(0x222, StpTimes(), 0)
    up, down = (stp.add_port(number, 0x8000 | number, 10) for number in (1, 2))
    stp.run(0)
    stp.enable(up)
    stp.enable(down)
    stp.receive(up, Bpdu(BpduType.CONFIG, 0, 0x111, 4, 0x111, 0x8001, 256, 5120, 512, 3840))
    assert [(port, said.message_age, said.root_path_cost) for port, said, _ in stp.take().sent] == [
        (down, 257, 14)
    ]
    later_ns = HOLD_NS + 10 * TIME_UNIT_NS
    stp.run(later_ns)
    stp.receive(down, Bpdu(BpduType.CONFIG, 0, 0x333, 0, 0x333, 0x8001, 0, 5120, 512, 1))
    assert [sent.bpdu.message_age for sent in stp.take().sent] == [256 + 256 + 10 + 1]


def test_a_topology_change_is_told_to_the_root_which_tells_all() -> None:
    network = StpNetwork(3)
    first, second = network.connect(0, 1), network.connect(1, 2)
    network.run(100)
    network.heard.clear()
    for stp in network.bridges:
        stp.take()
    network.bridges[2].detect_topology_change()
    network.settle()
    assert [sender for sender, said in network.heard if said == bpdu.TOPOLOGY_CHANGE_NOTICE] == [
        second[1],
        first[1],
    ]
    network.run(4)
    both = BpduFlags.TOPOLOGY_CHANGE | BpduFlags.TOPOLOGY_CHANGE_ACK
    assert flags_heard_from(network, first[0])[0] == both
    assert flags_heard_from(network, second[0])[0] & BpduFlags.TOPOLOGY_CHANGE_ACK
    # The root goes on saying so for maximum age and forward delay.
    network.run(36)
    network.heard.clear()
    network.run(4)
    assert set(flags_heard_from(network, first[0])) == {0}


def test_stations_are_forgotten_when_the_topology_changes() -> None:
    network = StpNetwork(2)
    network.connect(0, 1)
    assert not network.bridges[0].take().must_flush
    network.now_ns = 30 * NS_PER_S
    for stp in network.bridges:
        stp.run(15 * NS_PER_S)
        stp.take()
        stp.run(30 * NS_PER_S)
    assert network.bridges[0].take().must_flush


def test_a_better_identifier_makes_another_root() -> None:
    network = StpNetwork(2)
    network.connect(0, 1)
    network.run(60)
    network.bridges[1].set_bridge_id(1)
    network.run(2)
    assert [stp.is_root for stp in network.bridges] == [False, True]


def test_of_two_ways_to_the_root_the_cheaper_counts() -> None:
    network = StpNetwork(2)
    first, second = network.connect(0, 1), network.connect(0, 1)
    network.run(60)
    assert [network.forwards(lan[1]) for lan in (first, second)] == [True, False]
    stp = network.bridges[1]
    stp.set_path_cost(stp.ports[first[1].port], 100)
    network.run(60)
    assert [network.forwards(lan[1]) for lan in (first, second)] == [False, True]
    assert stp.root_path_cost == 10


def test_a_port_whose_priority_rises_is_preferred_by_those_behind_it() -> None:
    network = StpNetwork(2)
    first, second = network.connect(0, 1), network.connect(0, 1)
    network.run(60)
    root = network.bridges[0]
    root.set_port_id(root.ports[second[0].port], 0x1002)
    network.run(60)
    assert [network.forwards(lan[1]) for lan in (first, second)] == [False, True]


def test_a_port_that_takes_no_part_hears_nothing() -> None:
    stp = Stp(0x222, StpTimes(), 0)
    port = stp.add_port(1, 0x8001, 10)
    stp.receive(port, Bpdu(BpduType.CONFIG, 0, 0x111, 0, 0x111, 0x8001, 0, 5120, 512, 3840))
    assert stp.is_root
    assert port.n_received == 0


def test_a_port_that_leaves_takes_its_way_to_the_root_along() -> None:
    network = StpNetwork(2)
    lan = network.connect(0, 1)
    network.run(60)
    stp = network.bridges[1]
    stp.remove_port(lan[1].port)
    assert stp.is_root
    assert not stp.ports


def test_a_timer_that_another_s_end_starts_may_count_ahead() -> None:
    worse = Bpdu(BpduType.CONFIG, 0, 0x333, 0, 0x333, 0x8001, 0, 5120, 512, 3840)
    for counts_ahead, n_sent in ((False, 1), (True, 2)):
        stp = Stp(0x222, StpTimes(), 0)
        port = stp.add_port(1, 0x8001, 10)
        stp.enable(port)
        stp.run(NS_PER_S, counts_ahead=counts_ahead)
        stp.receive(port, worse)
        assert len(stp.take().sent) == n_sent, "the hold timer began with the hello"


def test_nothing_is_due_where_a_bridge_follows_and_nothing_runs() -> None:
    stp = Stp(0x222, StpTimes(), 0)
    stp.run(0)
    assert stp.next_due_ns == 2 * NS_PER_S
