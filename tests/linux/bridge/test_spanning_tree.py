"""The spanning tree of Linux bridges: who is root, what ports do, what is said, and when."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.linux.bridge.bridges import S, Site, Wire, said, send
from vnet.base.drops import DropReason
from vnet.base.errors import UsageError
from vnet.l2.stp.port import StpState
from vnet.linux.bridge import tree_settings
from vnet.linux.bridge.bpdus import (
    BPDU_GUARDED,
    BPDU_MALFORMED,
    BPDU_TOO_OLD,
    BPDU_VERSION,
    BRIDGE_GROUP,
)
from vnet.linux.bridge.port import BAD_SOURCE_MAC, PORT_NOT_FORWARDING
from vnet.linux.bridge.settings import set_port_cost, set_port_priority, set_port_state
from vnet.linux.bridge.tree_port import path_cost
from vnet.linux.timer_wheel import JIFFY_NS
from vnet.netdev.device import NetDevice
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.wire import bpdu as wire
from vnet.wire.bpdu import Bpdu, BpduFlags, BpduType

SECOND = 256
"""A second in BPDUs."""

BEST = Bpdu(
    BpduType.CONFIG,
    root_id=1,
    bridge_id=1,
    port_id=0x8001,
    max_age=20 * SECOND,
    hello_time=2 * SECOND,
    forward_delay=15 * SECOND,
)
"""What a bridge says that beats every other."""

STRANGER = bytes((2, 0, 0, 0, 0, 9))


def ring(*, stp: bool = True) -> Site:
    """Three bridges, each joined to the others; b1 has the lowest MAC."""
    site = Site("b1", "b2", "b3")
    for one, other in (("b1", "b2"), ("b2", "b3"), ("b3", "b1")):
        site.cable(one, other)
    site.up(stp=stp)
    return site


def announce(bpdu: Bpdu) -> bytes:
    return wire.frame(STRANGER, wire.emit(bpdu))


def test_a_ring_blocks_the_way_that_is_farthest_from_the_root() -> None:
    site = ring()
    site.run(35)
    assert site.states() == {
        "b1:b2": "forwarding",
        "b1:b3": "forwarding",
        "b2:b1": "forwarding",
        "b2:b3": "forwarding",
        "b3:b2": "blocking",
        "b3:b1": "forwarding",
    }
    trees = [bridge.tree for bridge in site.bridges.values()]
    assert [tree.is_root for tree in trees] == [True, False, False]
    assert [tree.root_path_cost for tree in trees] == [0, 2, 2]


def test_ports_listen_and_learn_for_a_forward_delay_each() -> None:
    site = ring()
    seen: list[tuple[int, str]] = []
    for second in range(36):
        site.run(1)
        state = site.states()["b1:b2"]
        if not seen or seen[-1][1] != state:
            seen.append((second, state))
    assert [state for _, state in seen] == ["listening", "learning", "forwarding"]
    assert [second for second, _ in seen] == [0, 15, 30]


def test_a_cut_link_is_replaced_after_two_forward_delays() -> None:
    site = ring()
    site.run(40)
    site.nodes["b3"].set_down("b1")
    assert site.states()["b3:b2"] == "listening"
    site.run(31)
    assert site.states()["b3:b2"] == "forwarding"
    assert site.bridges["b3"].tree.root_path_cost == 4


def test_a_silent_root_is_believed_in_for_its_max_age() -> None:
    site = ring()
    site.run(40)
    site.bridges["b1"].tree.stop()
    believed = []
    for seconds in (17, 5):
        site.run(seconds)
        believed.append(not site.bridges["b2"].tree.is_root)
    assert believed == [True, False]
    lost = [text for text in said(site.bridges["b2"]) if "lost" in text]
    assert lost == ["br0: port 1(b1) neighbor 8000.06:00:00:00:00:01 lost"]


def test_priority_makes_the_root() -> None:
    site = ring()
    site.run(5)
    tree_settings.set_bridge_priority(site.bridges["b3"], 0x1000)
    site.run(5)
    assert [bridge.tree.is_root for bridge in site.bridges.values()] == [False, False, True]
    assert f"{site.bridges['b1'].tree.root_id:016x}" == "1000060000000004"


def test_cost_and_port_priority_choose_the_way() -> None:
    site = Site("b1", "b2")
    first = site.cable("b1", "b2")
    site.up(stp=True)
    site.run(5)
    tree = site.bridges["b2"].tree
    assert tree.root_port is first[1].tree
    set_port_cost(first[1], 50)
    assert tree.root_path_cost == 50


def test_what_stp_off_leaves_behind() -> None:
    """A port that was blocked stays so until something about the ports changes, be it only that
    what was heard there is too old."""
    site = ring()
    site.run(40)
    site.bridges["b3"].tree.stop()
    site.run(15)
    assert site.states()["b3:b2"] == "blocking"
    site.run(7)
    assert site.states()["b3:b2"] == "forwarding"


def test_the_kernels_words_about_a_port_that_comes_up() -> None:
    site = Site("b1")
    site.port("b1", "p1")
    site.up(stp=True)
    site.run(31)
    assert said(site.bridges["b1"]) == [
        "br0: port 1(p1) entered blocking state",
        "br0: port 1(p1) entered disabled state",
        "br0: port 1(p1) entered blocking state",
        "br0: port 1(p1) entered listening state",
        "br0: port 1(p1) entered learning state",
        "br0: port 1(p1) entered forwarding state",
        "br0: topology change detected, propagating",
    ]


def test_hellos_come_with_whole_seconds_by_every_port() -> None:
    site = Site("b1")
    _, far = site.port("b1", "p1")
    wire_seen = Wire(site.scheduler, far, outbound=False)
    site.up(stp=True)
    site.run(30)
    moments = [time_ns for time_ns, data in wire_seen.frames if data[:6] == BRIDGE_GROUP]
    gaps = [round((b - a) / S, 1) for a, b in pairwise(moments[2:])]
    assert set(gaps) == {2.0}
    # Whole seconds, but for the slots of the timer wheel.
    assert all(time_ns % S <= 32_000_000 for time_ns in moments[2:])


def test_a_configuration_bpdu_byte_for_byte() -> None:
    site = Site("b1")
    _, far = site.port("b1", "p1")
    seen = Wire(site.scheduler, far, outbound=False)
    site.up(stp=True)
    site.run(3)
    assert seen.take()[0].hex() == (
        "0180c2000000" + "060000000001" + "0026" + "424203"
        "0000" + "00" + "00" + "00"
        "8000060000000001" + "00000000" + "8000060000000001" + "8001"
        "0000" + "1400" + "0200" + "0f00"
    )


def test_a_change_is_told_to_the_root_which_tells_everybody() -> None:
    site = Site("b1")
    port, far = site.port("b1", "p1")
    seen = Wire(site.scheduler, far, outbound=False)
    site.up(stp=True)
    site.run(2.9)
    seen.take()
    send(far, wire.frame(STRANGER, wire.emit(wire.TOPOLOGY_CHANGE_NOTICE)))
    site.run(1)
    (answer,) = seen.take()
    flags = wire.parse(answer[17:])
    assert flags is not None
    assert flags.flags == BpduFlags.TOPOLOGY_CHANGE | BpduFlags.TOPOLOGY_CHANGE_ACK
    assert said(site.bridges["b1"])[-2:] == [
        "br0: port 1(p1) received tcn bpdu",
        "br0: topology change detected, propagating",
    ]
    assert port.tree.n_notices_received == 1


def test_after_a_change_stations_age_within_the_forward_delay() -> None:
    site = Site("b1")
    site.port("b1", "p1")
    site.up(stp=True)
    site.run(31)
    bridge = site.bridges["b1"]
    assert bridge.fdb.ageing_ns == 15 * S
    assert bridge.ageing.shown_ns == 30 * S
    site.run(40)
    assert bridge.fdb.ageing_ns == 300 * S


def test_what_is_too_old_after_a_change_counts_until_the_sweep_that_was_set_before() -> None:
    site = Site("b1")
    site.port("b1", "p1")
    site.up(stp=True)
    site.run(31)
    bridge = site.bridges["b1"]
    bridge.fdb.learn(STRANGER, bridge.ports[0], site.scheduler.now_ns)
    bridge.arm_ageing()
    site.run(30)
    assert bridge.fdb.get(STRANGER) is not None
    assert 235 * S < bridge.ageing.left_ns < 245 * S
    site.run(290)
    assert bridge.fdb.get(STRANGER) is None


def test_the_roots_times_are_everybodys_and_rounded_up_to_jiffies() -> None:
    site = Site("b1")
    _, far = site.port("b1", "p1")
    site.up(stp=True)
    send(far, announce(BEST._replace(max_age=1537, hello_time=257, forward_delay=1025)))
    site.run(0.1)
    times = site.bridges["b1"].tree.times
    assert (times.max_age, times.hello_time, times.forward_delay) == (1501, 251, 1001)


def test_forward_delay_zero_forwards_at_once_without_stp() -> None:
    site = Site("b1")
    bridge = site.bridges["b1"]
    tree_settings.set_forward_delay(bridge, 0)
    port, _ = site.port("b1", "p1")
    site.up(stp=False)
    assert port.state.name == "FORWARDING"
    assert not port.tree.forward_delay.is_running


def test_stp_raises_a_forward_delay_that_is_too_short() -> None:
    site = Site("b1")
    bridge = site.bridges["b1"]
    tree_settings.set_forward_delay(bridge, 0)
    tree_settings.set_stp(bridge, True)
    assert bridge.tree.own_times.forward_delay * JIFFY_NS == 2 * S


def test_a_timer_that_runs_is_not_changed_with_the_forward_delay() -> None:
    site = Site("b1")
    port, _ = site.port("b1", "p1")
    site.up(stp=True)
    site.run(1)
    tree_settings.set_forward_delay(site.bridges["b1"], 4 * S)
    site.run(13)
    assert port.state.name == "LISTENING"
    site.run(2)
    assert port.state.name == "LEARNING"
    site.run(4.1)
    assert port.state.name == "FORWARDING"


def test_times_out_of_range_are_refused_in_the_kernels_words() -> None:
    bridge = Site("b1").bridges["b1"]
    tree_settings.set_stp(bridge, True)
    for change, value_ns in (
        (tree_settings.set_hello_time, S - 1),
        (tree_settings.set_hello_time, 10 * S + 1),
        (tree_settings.set_max_age, 5 * S),
        (tree_settings.set_max_age, 41 * S),
        (tree_settings.set_forward_delay, S),
        (tree_settings.set_forward_delay, 31 * S),
    ):
        with pytest.raises(UsageError, match="Numerical result out of range"):
            change(bridge, value_ns)


def test_states_set_by_hand_without_stp() -> None:
    """Blocking is undone at once, since nobody would ever; STP keeps the states to itself."""
    site = Site("b1")
    port, _ = site.port("b1", "p1")
    site.up(stp=False)
    set_port_state(port, StpState.BLOCKING)
    assert port.state.name == "FORWARDING"
    set_port_state(port, StpState.LEARNING)
    assert port.state.name == "LEARNING"
    site.run(31)
    assert port.state.name == "FORWARDING", "its forward delay was running"
    site.bridges["b1"].tree.start()
    with pytest.raises(UsageError, match="Device or resource busy"):
        set_port_state(port, StpState.DISABLED)


def test_numbers_of_ports_are_taken_again() -> None:
    site = Site("b1")
    for name in ("p1", "p2", "p3"):
        site.port("b1", name)
    site.nodes["b1"].release("p2")
    port, _ = site.port("b1", "p4")
    assert port.number == 2
    assert port.tree.id == 0x8002


def test_port_priority_is_the_upper_six_bits_of_the_identifier() -> None:
    site = Site("b1")
    port, _ = site.port("b1", "p1")
    set_port_priority(port, 5)
    assert port.tree.id == 5 << 10 | 1
    with pytest.raises(UsageError, match="Numerical result out of range"):
        set_port_priority(port, 64)
    with pytest.raises(UsageError, match="Numerical result out of range"):
        set_port_cost(port, 65_536)


class Speedy(NetDevice):
    """A device of some speed."""

    speed: int | None = None

    @property
    def speed_mbps(self) -> int | None:
        return self.speed

    def _xmit(self, frame: Frame) -> None:
        raise AssertionError(f"nothing is sent here: {frame.data!r}")


@pytest.mark.parametrize(
    ("speed", "cost"),
    [(None, 100), (10, 100), (100, 19), (1000, 5), (2500, 4), (10_000, 2), (40_000, 1), (7, 100)],
)
def test_costs_by_speed(speed: int | None, cost: int) -> None:
    device = Speedy(Scheduler(), "x", Site("b1").mac())
    device.speed = speed
    assert path_cost(device) == cost


# -- guards


def test_a_guarded_port_is_disabled_by_a_bpdu() -> None:
    site = Site("b1")
    port, far = site.port("b1", "p1")
    port.bpdu_guard = True
    site.up(stp=True)
    send(far, announce(BEST))
    site.run(0.1)
    assert port.state.name == "DISABLED"
    assert port.device.drops[BPDU_GUARDED] == 1
    assert "br0: BPDU received on blocked port 1(p1)" in said(site.bridges["b1"])


def test_behind_a_root_blocking_port_there_is_never_the_root() -> None:
    site = Site("b1")
    port, far = site.port("b1", "p1")
    port.root_block = True
    site.up(stp=True)
    for _ in range(20):
        send(far, announce(BEST))
        site.run(2)
    assert site.bridges["b1"].tree.is_root
    assert port.state.name == "LISTENING"
    assert "br0: port 1(p1) tried to become root port (blocked)" in said(site.bridges["b1"])
    site.run(60)
    assert port.state.name == "FORWARDING"


# -- what cannot be read


def drops_of(data: bytes) -> dict[DropReason, int]:
    site = Site("b1")
    port, far = site.port("b1", "p1")
    site.up(stp=True)
    send(far, data)
    site.run(0.1)
    assert site.bridges["b1"].tree.is_root
    return dict(port.device.drops)


def test_bpdus_that_cannot_be_read_are_dropped_with_a_reason() -> None:
    good = announce(BEST)
    header, body = good[:14], good[17:]
    assert drops_of(header + b"\x42\x42\x03" + b"\0\1" + body[2:]) == {BPDU_MALFORMED: 1}
    assert drops_of(header + b"\xaa\xaa\x03" + body) == {BPDU_MALFORMED: 1}
    assert drops_of(good[:-1]) == {BPDU_MALFORMED: 1}, "shorter than its length says"
    cut = good[:12] + (3 + 20).to_bytes(2, "big") + good[14:40]
    assert drops_of(cut) == {BPDU_MALFORMED: 1}
    assert drops_of(good[:19] + b"\x02" + good[20:]) == {BPDU_VERSION: 1}
    assert drops_of(good[:20] + b"\x07" + good[21:]) == {BPDU_MALFORMED: 1}
    assert drops_of(announce(BEST._replace(message_age=21 * SECOND))) == {BPDU_TOO_OLD: 1}
    assert drops_of(good[:6] + b"\3" + good[7:]) == {BAD_SOURCE_MAC: 1}
    assert drops_of(BRIDGE_GROUP + STRANGER + b"\x88\xb5" + bytes(46)) == {BPDU_MALFORMED: 1}


def test_padding_behind_a_bpdu_is_no_fault() -> None:
    site = Site("b1")
    _, far = site.port("b1", "p1")
    site.up(stp=True)
    send(far, announce(BEST) + bytes(8))
    site.run(0.1)
    assert not site.bridges["b1"].tree.is_root


def test_frames_of_stations_pass_no_port_that_blocks_or_listens() -> None:
    site = Site("b1")
    port, far = site.port("b1", "p1")
    site.up(stp=True)
    send(far, b"\xff" * 6 + STRANGER + b"\x88\xb5" + bytes(46))
    site.run(1)
    assert port.device.drops[PORT_NOT_FORWARDING] == 1
    assert site.bridges["b1"].fdb.get(STRANGER) is None


def test_without_stp_bpdus_are_passed_on() -> None:
    site = Site("b1")
    _, far = site.port("b1", "p1")
    _, other = site.port("b1", "p2")
    seen = Wire(site.scheduler, other, outbound=False)
    site.up(stp=False)
    send(far, announce(BEST))
    site.run(0.1)
    assert announce(BEST) in seen.take()


@given(st.data())
@settings(max_examples=examples(60), deadline=None)
def test_no_bpdu_upsets_a_bridge(data: st.DataObject) -> None:
    site = Site("b1")
    ports = [site.port("b1", f"p{number}") for number in (1, 2)]
    site.up(stp=True)
    for _ in range(data.draw(st.integers(1, 6))):
        body = data.draw(st.one_of(st.binary(max_size=50), st.builds(_bpdu, _numbers)))
        length = data.draw(st.one_of(st.just(len(body) + 3), st.integers(0, 0xFFFF)))
        frame = BRIDGE_GROUP + STRANGER + length.to_bytes(2, "big") + b"\x42\x42\x03" + body
        send(data.draw(st.sampled_from(ports))[1], frame)
        site.run(data.draw(st.floats(0, 40)))
    assert site.bridges["b1"].tree.root_path_cost >= 0


_numbers = st.tuples(
    st.sampled_from(BpduType),
    st.integers(0, 255),
    *[st.integers(0, 2**bits - 1) for bits in (64, 32, 64, 16, 16, 16, 16, 16)],
)


def _bpdu(numbers: tuple[BpduType, int, int, int, int, int, int, int, int, int]) -> bytes:
    return wire.emit(Bpdu(*numbers))


def test_own_times_are_taken_up_when_the_bridge_becomes_root() -> None:
    site = ring()
    site.run(5)
    tree = site.bridges["b2"].tree
    tree.set_times(replace(tree.own_times, hello_time=250))
    in_force = [tree.times.hello_time]
    tree_settings.set_bridge_priority(site.bridges["b2"], 0)
    in_force.append(tree.times.hello_time)
    assert in_force == [500, 250]
