"""A pair of devices: carrier, counters, sniffers, mtu, and the moment of arrival."""

from __future__ import annotations

import pytest

from vnet.base.drops import DropReason
from vnet.base.ids import Mac
from vnet.netdev.device import DEVICE_DOWN, NO_HANDLER, NetDevice
from vnet.netdev.loopback import Loopback
from vnet.netdev.pair import OVER_PEER_MTU, PairDevice, pair_up
from vnet.sim.frame import Frame, Meta
from vnet.sim.scheduler import Scheduler
from vnet.sim.trace import Trace, TraceNode

FRAME = Frame(bytes(12) + b"\x88\xb5" + bytes(46))


class Notes:
    """A sniffer that writes down what it is shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, bytes, bool]] = []
        self.lost: list[tuple[int, bytes, DropReason]] = []

    def capture(self, time_ns: int, data: bytes, outbound: bool) -> None:
        self.seen.append((time_ns, data, outbound))

    def note_drop(self, time_ns: int, data: bytes, reason: DropReason, *_notes: object) -> None:
        self.lost.append((time_ns, data, reason))


class Cable:
    def __init__(self) -> None:
        self.scheduler = Scheduler()
        self.one = PairDevice(self.scheduler, "one", Mac(bytes(5) + b"\1"), owner="a")
        self.two = PairDevice(self.scheduler, "two", Mac(bytes(5) + b"\2"), owner="b")
        pair_up(self.one, self.two)
        self.got: list[Frame] = []
        self.two.rx_handler = self.got.append

    def up(self) -> Cable:
        self.one.set_admin(True)
        self.two.set_admin(True)
        return self


@pytest.fixture
def cable() -> Cable:
    return Cable()


@pytest.mark.parametrize(
    ("one_up", "two_up", "carrier"),
    [(False, False, False), (True, False, False), (False, True, False), (True, True, True)],
)
def test_both_ends_have_a_carrier_while_both_are_up(
    cable: Cable, one_up: bool, two_up: bool, carrier: bool
) -> None:
    cable.one.set_admin(one_up)
    cable.two.set_admin(two_up)
    assert cable.one.carrier is cable.two.carrier is carrier
    assert cable.one.running is cable.two.running is carrier


def test_setting_one_end_down_takes_the_carrier_from_the_other(cable: Cable) -> None:
    cable.up()
    changes: list[str] = []
    cable.two.state_changed = lambda: changes.append("two")
    cable.one.set_admin(False)
    assert changes == ["two"]
    assert not cable.two.running
    cable.one.set_admin(False)
    assert changes == ["two"]


def test_a_frame_arrives_later_in_the_same_instant(cable: Cable) -> None:
    cable.up()
    cable.one.transmit(FRAME)
    assert cable.got == []
    cable.scheduler.run(0)
    assert cable.got == [FRAME]
    assert cable.scheduler.now_ns == 0


def test_frames_arrive_in_the_order_they_were_sent(cable: Cable) -> None:
    cable.up()
    frames = [Frame(FRAME.data + bytes((n,))) for n in range(5)]
    for frame in frames:
        cable.one.transmit(frame)
    cable.scheduler.run(0)
    assert cable.got == frames


def test_counters_count_frames_and_bytes(cable: Cable) -> None:
    cable.up()
    for _ in range(3):
        cable.one.transmit(FRAME)
    cable.scheduler.run(0)
    assert (cable.one.tx_packets, cable.one.tx_bytes) == (3, 180)
    assert (cable.two.rx_packets, cable.two.rx_bytes) == (3, 180)
    assert (cable.one.rx_packets, cable.two.tx_packets) == (0, 0)


def test_a_device_that_is_down_sends_and_receives_nothing(cable: Cable) -> None:
    cable.one.transmit(FRAME)
    cable.two.receive(FRAME)
    assert cable.one.drops == {DEVICE_DOWN: 1}
    assert cable.two.drops == {DEVICE_DOWN: 1}
    assert cable.got == []


def test_a_frame_on_its_way_is_lost_when_the_far_end_goes_down(cable: Cable) -> None:
    cable.up()
    cable.one.transmit(FRAME)
    cable.two.set_admin(False)
    cable.scheduler.run(0)
    assert cable.two.drops == {DEVICE_DOWN: 1}


def test_a_frame_over_the_far_ends_mtu_is_dropped(cable: Cable) -> None:
    cable.up()
    cable.two.mtu_bytes = 40
    cable.one.transmit(FRAME)
    cable.scheduler.run(0)
    assert cable.one.drops == {OVER_PEER_MTU: 1}
    assert (cable.one.tx_packets, cable.one.tx_bytes) == (0, 0)
    assert cable.got == []


def test_a_device_without_an_owner_names_the_loss(cable: Cable) -> None:
    cable.up()
    cable.two.transmit(FRAME)
    cable.scheduler.run(0)
    assert cable.one.drops == {NO_HANDLER: 1}


def test_sniffers_see_both_directions_and_drops(cable: Cable) -> None:
    cable.up()
    notes, more = Notes(), Notes()
    cable.one.add_sniffer(notes)
    cable.one.add_sniffer(more)
    cable.one.transmit(FRAME)
    cable.two.transmit(FRAME)
    cable.scheduler.run(0)
    assert notes.seen == more.seen == [(0, FRAME.data, True), (0, FRAME.data, False)]
    assert notes.lost == more.lost == [(0, FRAME.data, NO_HANDLER)]
    cable.one.remove_sniffer(notes)
    cable.one.transmit(FRAME)
    assert (len(notes.seen), len(more.seen)) == (2, 3)
    cable.one.remove_sniffer(more)
    assert cable.one.sniffers is None


def test_a_followed_frame_leaves_a_trace(cable: Cable) -> None:
    cable.up()
    root = TraceNode(0, "test", "made")
    cable.one.transmit(Frame(FRAME.data, Meta(Trace(root))))
    cable.scheduler.run(0)
    assert [(node.place, node.event) for node in root.walk()] == [
        ("test", "made"),
        ("a:one", "sent"),
        ("b:two", "received"),
    ]
    cable.two.drop(cable.got[0], DEVICE_DOWN)
    assert [node.drop for node in root.drops] == [DEVICE_DOWN]


def test_an_ends_link_is_the_other_ends_index(cable: Cable) -> None:
    cable.one.ifindex, cable.two.ifindex = 3, 7
    assert (cable.one.iflink, cable.two.iflink) == (7, 3)


def test_loopback_hears_itself_in_an_event_of_its_own() -> None:
    scheduler = Scheduler()
    loopback: NetDevice = Loopback(scheduler, "a")
    got: list[Frame] = []
    loopback.rx_handler = got.append
    loopback.set_admin(True)
    loopback.transmit(FRAME)
    assert got == []
    scheduler.run(0)
    assert got == [FRAME]
    assert loopback.iflink == loopback.ifindex
