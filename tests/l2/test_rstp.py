"""802.1D-2004: trees, proposals and agreements, topology changes, neighbours that are older."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.l2.network import RstpNetwork, Socket, has_loop, is_connected, wirings
from vnet.l2.rstp.bridge import STP_COMPATIBILITY, Rstp
from vnet.l2.rstp.port import PointToPoint, RstpPort, RstpRole, RstpState
from vnet.l2.rstp.vector import Comparison, Vector
from vnet.wire import bpdu
from vnet.wire.bpdu import Bpdu, BpduFlags, BpduRole, BpduType

WORSE_ID = 32768 << 48 | 0x333


def port_at(network: RstpNetwork, socket: Socket) -> RstpPort:
    port = network.bridges[socket.bridge].port(socket.port)
    assert port is not None
    return port


def roles(network: RstpNetwork, *sockets: Socket) -> list[RstpRole]:
    return [port_at(network, socket).role for socket in sockets]


def states(network: RstpNetwork, *sockets: Socket) -> list[RstpState]:
    return [port_at(network, socket).state for socket in sockets]


@settings(max_examples=examples(20), deadline=None)
@given(wirings())
def test_any_wiring_ends_without_loops_and_in_one_piece(
    wiring: tuple[int, list[tuple[int, ...]]],
) -> None:
    n_bridges, lans = wiring
    network = RstpNetwork(n_bridges)
    for bridges in lans:
        network.connect(*bridges)
    network.run(60)
    graph = network.forwarding_graph()
    assert is_connected(graph)
    assert not has_loop(graph)


@pytest.mark.slow
@settings(max_examples=examples(20), deadline=None)
@given(wirings(), st.data())
def test_what_a_cut_leaves_ends_without_loops(
    wiring: tuple[int, list[tuple[int, ...]]], data: st.DataObject
) -> None:
    n_bridges, lans = wiring
    network = RstpNetwork(n_bridges)
    for bridges in lans:
        network.connect(*bridges)
    network.run(60)
    gone = network.lans.pop(data.draw(st.integers(0, len(lans) - 1)))
    network.cut(gone)
    network.run(90)
    whole: dict[str, set[str]] = {f"bridge {n}": set() for n in range(n_bridges)}
    for number, lan in enumerate(network.lans):
        for socket in lan:
            whole[f"bridge {socket.bridge}"].add(f"lan {number}")
            whole.setdefault(f"lan {number}", set()).add(f"bridge {socket.bridge}")
    if is_connected(whole):
        graph = network.forwarding_graph()
        assert is_connected(graph)
        assert not has_loop(graph)


@given(st.lists(st.one_of(st.binary(max_size=40), st.just(b""))))
def test_no_bytes_do_any_harm(messages: list[bytes]) -> None:
    rstp = Rstp(0x111)
    ports = [rstp.add_port() for _ in range(2)]
    for port in ports:
        rstp.set_operational(port, True)
    for data in messages:
        rstp.receive(ports[0], bpdu.parse(b"\0\0\2" + data))
        rstp.tick()
        rstp.take()


def test_two_bridges_forward_at_once() -> None:
    network = RstpNetwork(2)
    lan = network.connect(0, 1)
    assert roles(network, *lan) == [RstpRole.DESIGNATED, RstpRole.ROOT]
    assert states(network, *lan) == [RstpState.FORWARDING] * 2
    sent = [(sender, BpduFlags(said.flags & ~0x0C), said.role) for sender, said in network.heard]
    proposal, agreement = BpduFlags.PROPOSAL, BpduFlags.AGREEMENT
    assert (lan[0], proposal, BpduRole.DESIGNATED) in sent
    assert any(s == lan[1] and r is BpduRole.ROOT and f & agreement for s, f, r in sent)


def test_a_port_with_nobody_behind_it_is_an_edge_after_the_migrate_time() -> None:
    rstp = Rstp(0x111)
    port = rstp.add_port()
    rstp.set_operational(port, True)
    for _ in range(3):
        assert port.state is RstpState.DISCARDING
        rstp.tick()
    assert port.oper_edge
    assert port.state is RstpState.FORWARDING


def test_without_auto_edge_a_port_waits_as_of_old() -> None:
    rstp = Rstp(0x111)
    port = rstp.add_port()
    port.auto_edge = False
    rstp.set_operational(port, True)
    seen = []
    for _ in range(40):
        rstp.tick()
        seen.append(port.state)
    assert seen.count(RstpState.DISCARDING) == 19  # its maximum age, 20 s, was there first
    assert seen[-1] is RstpState.FORWARDING


def test_an_administrator_says_that_only_stations_are_there() -> None:
    rstp = Rstp(0x111)
    port = rstp.add_port()
    port.admin_edge = True
    rstp.set_operational(port, True)
    rstp.set_operational(port, False)
    rstp.set_operational(port, True)
    assert port.state is RstpState.FORWARDING


def test_in_a_ring_one_port_blocks_and_takes_over_when_the_ring_is_cut() -> None:
    network = RstpNetwork(3)
    sides = [network.connect(0, 1), network.connect(1, 2), network.connect(2, 0)]
    network.run(10)
    blocked = [s for lan in sides for s in lan if not network.forwards(s)]
    assert roles(network, *blocked) == [RstpRole.ALTERNATE]
    assert blocked == [sides[1][1]]
    gone = network.lans.pop(2)
    network.cut(gone)
    assert network.forwards(blocked[0])
    assert roles(network, *blocked) == [RstpRole.ROOT]


def test_stations_behind_the_old_root_port_move_to_the_alternate_one() -> None:
    network = RstpNetwork(2)
    first, second = network.connect(0, 1), network.connect(0, 1)
    network.run(10)
    old, new = port_at(network, first[1]), port_at(network, second[1])
    assert (old.role, new.role) == (RstpRole.ROOT, RstpRole.ALTERNATE)
    rstp = network.bridges[1]
    rstp.take()
    rstp.set_operational(old, False)
    assert rstp.take().moved == (old, new)
    assert rstp.take().moved is None


def test_two_ports_on_one_lan_are_designated_and_backup() -> None:
    network = RstpNetwork(1)
    lan = network.connect(0, 0)
    network.run(10)
    assert roles(network, *lan) == [RstpRole.DESIGNATED, RstpRole.BACKUP]


def test_a_silent_neighbour_is_missed_after_three_hellos() -> None:
    network = RstpNetwork(2)
    network.connect(0, 1)
    network.run(10)
    network.lans.clear()
    network.run(5)
    assert not network.bridges[1].is_root
    network.run(1)
    assert network.bridges[1].is_root


def test_no_more_than_the_hold_count_is_sent_in_a_second() -> None:
    rstp = Rstp(0x222)
    port = rstp.add_port()
    rstp.set_operational(port, True)
    rstp.set_transmit_hold_count(3)
    n_sent = []
    for round_ in range(6):
        for n in range(10):
            cost = n + 10 * round_
            rstp.receive(port, Bpdu(BpduType.RAPID, 0x0C, WORSE_ID, cost, WORSE_ID, 1, 0, 5120))
            port.new_info = True
            rstp.poke()
        n_sent.append(len(rstp.take().sent))
        rstp.tick()
    assert n_sent[1:] == [1] * 5, "the count sinks by one a second"


def test_a_neighbour_that_knows_only_the_old_protocol_is_spoken_to_in_it() -> None:
    rstp = Rstp(0x222)
    port = rstp.add_port()
    rstp.set_operational(port, True)
    for _ in range(4):
        rstp.tick()
    rstp.take()
    old = Bpdu(BpduType.CONFIG, 0, WORSE_ID, 0, WORSE_ID, 0x8001, 0, 5120, 512, 3840)
    rstp.receive(port, old)
    for _ in range(4):
        rstp.tick()
    types = [said.type for _, said in rstp.take().sent]
    assert types[-1] is BpduType.CONFIG
    port.set_mcheck()
    for _ in range(2):
        rstp.tick()
    assert rstp.take().sent[-1][1].type is BpduType.RAPID


def test_a_bridge_that_is_forced_to_the_old_protocol_begins_anew() -> None:
    network = RstpNetwork(2)
    lan = network.connect(0, 1)
    assert network.forwards(lan[0])
    for rstp in network.bridges:
        rstp.set_priority(4096)
        rstp.set_force_version(STP_COMPATIBILITY)
        assert rstp.priority == 32768
    for socket in lan:
        network.set_link(socket, up=True)
    network.settle()
    network.heard.clear()
    network.run(25)
    assert states(network, *lan) != [RstpState.FORWARDING] * 2
    network.run(25)
    assert states(network, *lan) == [RstpState.FORWARDING] * 2
    assert {said.type for _, said in network.heard} <= {
        BpduType.CONFIG,
        BpduType.TOPOLOGY_CHANGE_NOTICE,
    }


def test_a_port_that_begins_to_forward_has_all_others_forget_their_stations() -> None:
    network = RstpNetwork(3)
    first = network.connect(0, 1)
    network.run(10)
    network.flushed.clear()
    network.connect(0, 2)
    network.run(2)
    assert first[0] in network.flushed


@pytest.mark.parametrize(
    ("wanted", "set_to"), [(0, 0), (4095, 0), (4096, 4096), (61440, 61440), (65535, 61440)]
)
def test_a_priority_is_a_multiple_of_4096(wanted: int, set_to: int) -> None:
    rstp = Rstp(0x111)
    rstp.set_priority(wanted)
    assert rstp.id == set_to << 48 | 0x111


def test_times_must_fit_each_other() -> None:
    rstp = Rstp(0x111)
    rstp.set_max_age(40)
    assert rstp.times.max_age == 20, "more than twice the forward delay less a second"
    rstp.set_forward_delay(30)
    rstp.set_max_age(40)
    assert (rstp.times.max_age, rstp.times.forward_delay) == (40, 30)
    rstp.set_forward_delay(15)
    rstp.set_max_age(5)
    assert (rstp.times.max_age, rstp.times.forward_delay) == (40, 30)


def test_ports_take_the_lowest_free_number() -> None:
    rstp = Rstp(0x111)
    first, second = rstp.add_port(), rstp.add_port()
    assert (first.number, second.number) == (1, 2)
    rstp.remove_port(first)
    rstp.set_port_number(second, 0)
    assert second.number == 1
    third = rstp.add_port()
    rstp.set_port_number(third, 1)
    assert third.number == 2, "taken"
    rstp.set_port_number(third, 9)
    assert third.id == 0x8009


def test_a_link_of_many_is_not_agreed_on() -> None:
    network = RstpNetwork(2)
    sockets = [network.add_port(n) for n in range(2)]
    network.lans.append(sockets)
    for socket in sockets:
        port_at(network, socket).set_point_to_point(PointToPoint.TRUE)
        port_at(network, socket).set_point_to_point(PointToPoint.FALSE)
        network.set_link(socket, up=True)
    network.settle()
    network.run(5)
    assert not network.forwards(sockets[0])
    network.run(60)
    assert network.forwards(sockets[0])


def test_a_bpdu_that_is_too_old_or_our_own_is_an_error() -> None:
    rstp = Rstp(0x222)
    port = rstp.add_port()
    rstp.set_operational(port, True)
    aged = Bpdu(BpduType.CONFIG, 0, 0x111, 0, 0x111, 0x8001, 5120, 5120, 512, 3840)
    own = Bpdu(BpduType.CONFIG, 0, 0x111, 0, rstp.id, port.id, 0, 5120, 512, 3840)
    for bad in (aged, own, None):
        rstp.receive(port, bad)
    assert (port.n_errors, port.n_received) == (3, 0)
    assert rstp.is_root


def test_what_one_port_says_is_better_than_what_it_said_before() -> None:
    said = Vector(0x111, 10, 0x222, 1)
    assert said.compare(said) is Comparison.SAME
    assert said._replace(root_path_cost=20).compare(said) is Comparison.BETTER
    assert said._replace(port_id=2).compare(said) is Comparison.WORSE
    assert not said._replace(bridge_port_id=1).compare(said)
