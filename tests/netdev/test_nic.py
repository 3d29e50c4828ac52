"""Cards on a cable: delay, serialisation, queue, mtu, and pulling the plug."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from vnet.base.ids import Mac
from vnet.netdev.device import DEVICE_DOWN
from vnet.netdev.nic import Nic
from vnet.sim.frame import Frame
from vnet.sim.link import LINK_DOWN, LINK_MTU, LINK_QUEUE_FULL, Link
from vnet.sim.scheduler import Scheduler

US = 1_000
MS = 1_000_000


class Wire:
    """Two cards on one cable; what the right one gets is kept with its time."""

    def __init__(self, **settings: Any) -> None:
        self.scheduler = Scheduler()
        self.link = Link(self.scheduler, ("left", "right"), **settings)
        self.cards = [
            Nic(self.scheduler, name, Mac(bytes(5) + bytes((n,)))) for n, name in enumerate("lr")
        ]
        self.got: list[tuple[int, Frame]] = []
        for card, end in zip(self.cards, self.link.ends, strict=True):
            card.plug(end)
            card.set_admin(True)
        self.cards[1].rx_handler = lambda frame: self.got.append((self.scheduler.now_ns, frame))

    def send(self, size: int = 1000, count: int = 1) -> None:
        for number in range(count):
            head = bytes(12) + b"\x88\xb5" + number.to_bytes(2, "big")
            self.cards[0].transmit(Frame(head + bytes(size - len(head))))

    def times(self) -> list[int]:
        self.scheduler.run()
        return [time_ns for time_ns, _ in self.got]


def test_without_settings_a_frame_arrives_in_the_same_instant() -> None:
    wire = Wire()
    wire.send()
    assert wire.times() == [0]


def test_latency_delays_every_frame_alike() -> None:
    wire = Wire(latency_ns=5 * MS)
    wire.send(count=3)
    assert wire.times() == [5 * MS] * 3


def test_bandwidth_is_serialisation_time() -> None:
    wire = Wire(bandwidth_bps=8_000_000)
    wire.send(1000, count=3)
    assert wire.times() == [1 * MS, 2 * MS, 3 * MS]


def test_an_idle_wire_starts_at_once() -> None:
    wire = Wire(bandwidth_bps=8_000_000)
    wire.send(1000)
    wire.scheduler.run(10 * MS)
    wire.send(1000)
    assert wire.times() == [1 * MS, 11 * MS]


def test_latency_comes_on_top_of_serialisation() -> None:
    wire = Wire(bandwidth_bps=8_000_000, latency_ns=7 * MS)
    wire.send(1000, count=2)
    assert wire.times() == [8 * MS, 9 * MS]


def test_the_two_directions_do_not_wait_for_each_other() -> None:
    wire = Wire(bandwidth_bps=8_000_000)
    back: list[int] = []
    wire.cards[0].rx_handler = lambda _frame: back.append(wire.scheduler.now_ns)
    wire.send(1000)
    wire.cards[1].transmit(Frame(bytes(1000)))
    assert wire.times() == back == [1 * MS]


def test_a_full_queue_drops_the_newcomer() -> None:
    wire = Wire(bandwidth_bps=8_000_000, queue_frames=2)
    wire.send(1000, count=5)
    assert wire.times() == [1 * MS, 2 * MS, 3 * MS]
    assert [frame.data[14:16] for _, frame in wire.got] == [b"\0\0", b"\0\1", b"\0\2"]
    assert wire.link.ends[0].drops == {LINK_QUEUE_FULL: 2}


def test_the_queue_has_room_again_once_a_frame_has_left() -> None:
    wire = Wire(bandwidth_bps=8_000_000, queue_frames=0)
    wire.send(1000)
    wire.scheduler.run(1 * MS)
    wire.send(1000)
    assert wire.times() == [1 * MS, 2 * MS]


@pytest.mark.parametrize(("size", "passes"), [(114, True), (115, False)])
def test_the_mtu_counts_without_the_ethernet_header(size: int, passes: bool) -> None:
    wire = Wire(mtu_bytes=100)
    wire.send(size)
    assert bool(wire.times()) is passes
    assert wire.link.ends[0].drops == ({} if passes else {LINK_MTU: 1})


def test_what_is_on_the_wire_when_it_goes_down_is_lost() -> None:
    wire = Wire(latency_ns=10 * MS)
    wire.send(count=2)
    wire.scheduler.run(5 * MS)
    wire.link.set_up(False)
    wire.link.set_up(True)
    wire.send()
    assert wire.times() == [15 * MS]
    assert wire.link.ends[0].drops == {LINK_DOWN: 2}


def test_a_pulled_plug_takes_the_carrier_from_both_cards() -> None:
    wire = Wire()
    wire.link.set_up(False)
    assert [card.running for card in wire.cards] == [False, False]
    wire.send()
    assert wire.cards[0].drops == {DEVICE_DOWN: 1}
    wire.link.set_up(True)
    assert [card.running for card in wire.cards] == [True, True]


def test_setting_a_card_down_leaves_the_others_carrier() -> None:
    wire = Wire()
    wire.cards[1].set_admin(False)
    assert wire.cards[0].running
    wire.send()
    wire.scheduler.run()
    assert wire.cards[1].drops == {DEVICE_DOWN: 1}


def test_a_card_without_a_cable_has_no_carrier() -> None:
    scheduler = Scheduler()
    card = Nic(scheduler, "eth0", Mac(bytes(6)))
    card.set_admin(True)
    assert not card.running
    link = Link(scheduler, ("a", "b"), up=False)
    card.plug(link.ends[0])
    assert not card.running
    link.set_up(True)
    assert card.running


def test_slow_and_fast_frames_keep_their_order() -> None:
    wire = Wire(bandwidth_bps=1_000_000_000, latency_ns=50 * US)
    wire.send(1500, count=50)
    times = wire.times()
    assert [frame.data[14:16] for _, frame in wire.got] == [n.to_bytes(2, "big") for n in range(50)]
    gaps = {later - earlier for earlier, later in itertools.pairwise(times)}
    assert gaps == {12 * US}
