"""How many packet-ins a controller gets, and when."""

from __future__ import annotations

from vnet.base.units import NS_PER_MS
from vnet.ovs.connmgr.packet_in_rate import PacketInRate
from vnet.ovs.connmgr.packet_ins import CONTROLLER_TOO_SLOW, PacketIns
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.messages import IN_PORT_MASK, PacketIn
from vnet.ovs.openflow.ofpacts import PacketInReason
from vnet.sim.scheduler import Scheduler

ONE, TWO = OfpPort(1), OfpPort(2)
MISS = PacketIn(b"", PacketInReason.NO_MATCH, pipeline=Match(1, IN_PORT_MASK))
ACTION = PacketIn(b"", PacketInReason.ACTION, pipeline=Match(1, IN_PORT_MASK))


class Controller:
    """Takes messages from a connection when it is told to."""

    def __init__(self) -> None:
        self.scheduler = Scheduler()
        self.got: list[bytes] = []
        self.n_sent = self.n_taken = self.n_overflows = 0
        self.packet_ins = PacketIns(
            self.scheduler, self._send, lambda: self.n_taken, self._overflowed
        )

    def _send(self, message: bytes) -> int:
        self.got.append(message)
        self.n_sent += len(message)
        return self.n_sent

    def _overflowed(self) -> None:
        self.n_overflows += 1


def rate(scheduler: Scheduler, got: list[bytes], a_second: int, burst: int) -> PacketInRate:
    return PacketInRate(scheduler, got.append, a_second, burst)


def run_ms(scheduler: Scheduler, time_ms: int) -> None:
    scheduler.run(time_ms * NS_PER_MS)


def test_a_burst_passes_and_then_one_a_token() -> None:
    scheduler, got = Scheduler(), list[bytes]()
    limit = rate(scheduler, got, 100, 25)
    for number in range(40):
        limit.send(ONE, bytes((number,)))
    assert len(got) == 25
    assert (limit.n_normal, limit.n_limited, limit.n_queued) == (25, 15, 15)
    run_ms(scheduler, 9)
    assert len(got) == 25
    run_ms(scheduler, 10)
    assert len(got) == 26
    run_ms(scheduler, 1000)
    assert got == [bytes((number,)) for number in range(40)]


def test_without_a_burst_a_quarter_of_the_rate_may_come_at_once() -> None:
    scheduler, got = Scheduler(), list[bytes]()
    limit = rate(scheduler, got, 100, 0)
    for _ in range(100):
        limit.send(ONE, b"")
    assert len(got) == 25
    assert (limit.n_queued, limit.n_dropped) == (25, 50)


def test_ports_are_served_in_turn_and_the_one_that_floods_loses() -> None:
    scheduler, got = Scheduler(), list[bytes]()
    limit = rate(scheduler, got, 100, 4)
    for number in range(4 + 10):
        limit.send(ONE, b"%d" % number)
    limit.send(TWO, b"two")
    limit.send(TWO, b"two again")
    assert limit.n_queued == 4
    run_ms(scheduler, 1000)
    assert got[4:] == [b"12", b"two", b"13", b"two again"]


def test_a_lower_limit_drops_what_is_above_it() -> None:
    scheduler, got = Scheduler(), list[bytes]()
    limit = rate(scheduler, got, 100, 10)
    for _ in range(20):
        limit.send(ONE, b"")
    limit.configure(100, 3)
    assert (limit.n_queued, limit.n_dropped) == (3, 7)


def test_misses_and_actions_have_a_rate_of_their_own() -> None:
    controller = Controller()
    controller.packet_ins.configure(100, 1, 100)
    for packet_in in (MISS, MISS, ACTION, ACTION):
        assert controller.packet_ins.send(packet_in, b"x") is None
    assert len(controller.got) == 2
    run_ms(controller.scheduler, 100)
    assert len(controller.got) == 4


def test_a_controller_that_does_not_read_costs_no_more_than_its_queue() -> None:
    controller = Controller()
    controller.packet_ins.configure(0, 0, 3)
    results = [controller.packet_ins.send(ACTION, b"four") for _ in range(5)]
    assert results == [None] * 3 + [CONTROLLER_TOO_SLOW] * 2
    assert (controller.packet_ins.n_dropped, controller.n_overflows) == (2, 2)
    controller.n_taken = 7
    assert controller.packet_ins.n_waiting == 2
    assert controller.packet_ins.send(ACTION, b"four") is None


def test_nothing_comes_any_more_once_the_connection_has_ended() -> None:
    controller = Controller()
    controller.packet_ins.configure(100, 1, 100)
    for _ in range(3):
        controller.packet_ins.send(ACTION, b"x")
    controller.packet_ins.close()
    run_ms(controller.scheduler, 1000)
    assert len(controller.got) == 1
