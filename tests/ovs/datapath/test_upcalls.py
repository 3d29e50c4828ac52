"""What no flow matches goes up, in order, and not more than the queue holds."""

from __future__ import annotations

import pytest

from tests.ovs.datapath.kit import EXACT, SAME_TYPE, Table, output
from tests.ovs.flow.frames import ARP, TCP, UDP, ethernet, ipv4
from vnet.ovs.datapath.reasons import NO_ACTIONS
from vnet.ovs.dpif.actions import Recirc, Userspace
from vnet.ovs.dpif.cookies import SlowPath, SlowPathCookie
from vnet.ovs.dpif.dpif import Upcall
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.sim.frame import Frame

UDP_FRAME = ethernet(0x0800, ipv4(17, UDP))
TCP_FRAME = ethernet(0x0800, ipv4(6, TCP))
ARP_FRAME = ethernet(0x0806, ARP)
COOKIE = SlowPathCookie(SlowPath.ACTION)


def test_what_matches_no_flow_goes_up_with_its_flow() -> None:
    table = Table()
    table.send(TCP_FRAME, in_port=3)
    (upcall,) = table.upcalls
    assert (upcall.frame.data, upcall.key) == (TCP_FRAME, extract(TCP_FRAME, 3))
    assert (upcall.cookie, upcall.mru_bytes) == (None, 0)
    stats = table.dpif.stats()
    assert (stats.n_hit, stats.n_missed, stats.n_lost) == (0, 1, 0)


def test_upcalls_are_decided_later_in_the_same_instant_and_in_order() -> None:
    table = Table()
    for frame in (TCP_FRAME, ARP_FRAME, UDP_FRAME, TCP_FRAME):
        table.ports[1].deliver(frame)
    assert table.upcalls == []
    table.scheduler.run(0)
    assert [upcall.frame.data for upcall in table.upcalls] == [
        *(TCP_FRAME, ARP_FRAME, UDP_FRAME, TCP_FRAME)
    ]
    assert table.scheduler.now_ns == 0


def test_a_burst_of_one_new_flow_costs_one_decision() -> None:
    def decide(upcall: Upcall) -> None:
        table.dpif.flow_put(upcall.key, EXACT, output(2))
        table.dpif.execute(upcall.frame, upcall.key, output(2))

    table = Table(decide=decide)
    table.send(TCP_FRAME, TCP_FRAME, ARP_FRAME, TCP_FRAME)
    assert len(table.upcalls) == 2
    assert table.sent() == {2: [TCP_FRAME, TCP_FRAME, ARP_FRAME, TCP_FRAME]}
    stats = table.dpif.stats()
    assert (stats.n_hit, stats.n_missed) == (2, 2)
    assert next(table.dpif.flows()).stats.n_packets == 2


def test_frames_wait_behind_others_of_their_flow() -> None:
    """A frame that comes while others of its flow wait does not overtake them."""
    table = Table()
    later = TCP_FRAME + b"\0"
    table.ports[1].deliver(TCP_FRAME)
    table.scheduler.after(0, table.ports[1].deliver, later)
    table.send()
    assert [upcall.frame.data for upcall in table.upcalls] == [TCP_FRAME, later]


def test_what_the_queue_has_no_room_for_is_lost_by_name() -> None:
    table = Table(upcall_limit=2)
    table.send(TCP_FRAME, ARP_FRAME, UDP_FRAME)
    assert [upcall.frame.data for upcall in table.upcalls] == [TCP_FRAME, ARP_FRAME]
    assert table.dpif.stats().n_lost == 1
    assert table.drops() == {"ovs-upcall-queue-full": 1}
    table.send(UDP_FRAME)
    assert len(table.upcalls) == 3


def test_nobody_decides() -> None:
    table = Table(has_daemon=False)
    table.send(TCP_FRAME)
    assert table.drops() == {"ovs-nobody-decides": 1}


def test_decisions_may_lead_to_more_upcalls() -> None:
    def decide(upcall: Upcall) -> None:
        if not Flow.recirc_id.of(upcall.key):
            table.dpif.execute(upcall.frame, upcall.key, (Recirc(5),))

    table = Table(decide=decide)
    table.send(TCP_FRAME, ARP_FRAME)
    seen = [(upcall.frame.data, Flow.recirc_id.of(upcall.key)) for upcall in table.upcalls]
    assert seen == [(TCP_FRAME, 0), (ARP_FRAME, 0), (TCP_FRAME, 5), (ARP_FRAME, 5)]


def test_upcalls_by_actions_are_no_misses() -> None:
    table = Table()
    table.put(TCP_FRAME, (Userspace(COOKIE),))
    table.send(TCP_FRAME)
    assert [upcall.cookie for upcall in table.upcalls] == [COOKIE]
    stats = table.dpif.stats()
    assert (stats.n_hit, stats.n_missed) == (1, 0)


def test_an_error_in_a_decision_leaves_the_rest_to_be_decided() -> None:
    def decide(upcall: Upcall) -> None:
        if upcall.frame.data == TCP_FRAME:
            raise RuntimeError("no idea")

    table = Table(decide=decide)
    with pytest.raises(RuntimeError, match="no idea"):
        table.send(TCP_FRAME, ARP_FRAME)
    table.send()
    assert [upcall.frame.data for upcall in table.upcalls] == [TCP_FRAME, ARP_FRAME]


def test_the_daemon_may_send_what_never_came_in() -> None:
    table = Table()
    key = Flow.in_port.set(extract(TCP_FRAME), 0xFFFF)
    table.dpif.execute(Frame(TCP_FRAME), key, output(2))
    assert table.sent() == {2: [TCP_FRAME]}
    table.dpif.execute(Frame(TCP_FRAME), key, ())
    assert {reason.word: n for reason, n in table.datapath.drops.items()} == {"ovs-flow-drops": 1}


def test_executing_counts_for_no_flow() -> None:
    table = Table()
    key, mask = table.put(TCP_FRAME, output(2), SAME_TYPE)
    table.execute(TCP_FRAME, output(3))
    assert table.dpif.flow_get(key, mask).stats.n_packets == 0


def test_the_daemon_may_end_a_frame() -> None:
    table = Table()
    table.dpif.drop(Frame(TCP_FRAME), OdpPort(2), NO_ACTIONS)
    assert table.ports[2].drops == {NO_ACTIONS: 1}
    table.dpif.drop(Frame(TCP_FRAME), OdpPort(99), NO_ACTIONS)
    assert table.datapath.drops == {NO_ACTIONS: 1}


def test_a_frame_that_is_too_short_cannot_be_executed() -> None:
    table = Table()
    table.dpif.execute(Frame(b"short"), 1, output(2))
    assert table.sent() == {}
    assert table.drops() == {"frame-too-short": 1}
