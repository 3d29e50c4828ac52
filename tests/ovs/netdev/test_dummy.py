"""Dummy devices, against what Open vSwitch's say of themselves (recorded from 3.1.0)."""

from __future__ import annotations

import pytest

from vnet.base.ids import mac_text, prefix_from_text
from vnet.netdev.route_source import HostAddress
from vnet.ovs.netdev.dummies import DummyDevices
from vnet.ovs.netdev.framing import FrameReader, FramingError, framed
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.wire import arp, ether

FRAME = bytes.fromhex("ffffffffffff020000000001123446464646")
ASKER = bytes.fromhex("020000000001")


def dummies() -> tuple[Scheduler, DummyDevices]:
    scheduler = Scheduler()
    return scheduler, DummyDevices(scheduler, n_before=1)


def arp_request(target: str) -> bytes:
    ip = prefix_from_text(f"{target}/32")[0]
    asked = arp.emit(arp.Arp(arp.REQUEST, ASKER, bytes((10, 0, 0, 9)), bytes(6), ip))
    return ether.frame(b"\xff" * 6, ASKER, ether.TYPE_ARP, asked)


def test_addresses_are_counted_up_and_not_given_twice() -> None:
    _, devices = dummies()
    first = devices.make("p1")
    devices.remove(first)
    assert [mac_text(devices.make(name).mac) for name in ("p1", "p2")] == [
        "aa:55:aa:55:00:02",
        "aa:55:aa:55:00:03",
    ]


def test_frames_pass_a_device_that_is_down() -> None:
    _, devices = dummies()
    device = devices.make("p1")
    sent: list[bytes] = []
    got: list[bytes] = []
    device.outlets = (sent.append,)
    device.rx_handler = lambda frame: got.append(frame.data)
    device.set_admin(False)
    device.transmit(Frame(FRAME))
    device.deliver(FRAME)
    assert (sent, got) == ([FRAME], [FRAME])
    assert (device.tx_packets, device.rx_bytes) == (1, len(FRAME))


def test_counters_are_told_by_queue() -> None:
    _, devices = dummies()
    device = devices.make("p1", "dummy-pmd")
    device.rx_handler = lambda _frame: None
    device.set_queues(2, 1)
    device.deliver(FRAME)
    device.deliver(FRAME, queue=1)
    device.deliver(FRAME, queue=1)
    size = len(FRAME)
    assert device.custom_statistics() == {
        "rx_custom_packets_1": 3,
        "rx_custom_packets_2": 3,
        "rx_q0_bytes": size,
        "rx_q0_packets": 1,
        "rx_q1_bytes": 2 * size,
        "rx_q1_packets": 2,
        "tx_q0_bytes": 0,
        "tx_q0_packets": 0,
    }
    device.set_queues(3, 1)
    assert device.rx_packets == 0, "other queues start all counters anew"


@pytest.mark.parametrize(("asked_for", "n_answers"), [("10.0.0.1", 1), ("10.0.0.2", 0)])
def test_who_asks_for_its_address_is_answered(asked_for: str, n_answers: int) -> None:
    scheduler, devices = dummies()
    device = devices.make("p1")
    heard: list[bytes] = []
    device.heard = heard.append
    device.rx_handler = lambda _frame: None
    devices.set_address(device, HostAddress(*prefix_from_text("10.0.0.1/24")))
    device.transmit(Frame(arp_request(asked_for)))
    scheduler.run(0)
    assert len(heard) == n_answers
    for answer in heard:
        reply = arp.parse(answer, 14)
        assert reply is not None
        assert reply.operation == arp.REPLY
        assert (reply.sender_mac, reply.target_mac) == (device.mac, ASKER)


def test_tunnels_learn_of_addresses_and_of_their_end() -> None:
    _, devices = dummies()
    changes: list[int] = []
    devices.changed = lambda: changes.append(1)
    device = devices.make("br0", "dummy-internal")
    devices.set_address(device, HostAddress(*prefix_from_text("10.0.0.1/24")))
    devices.set_address(device, HostAddress(*prefix_from_text("fc00::1/64")))
    devices.set_address(device, HostAddress(*prefix_from_text("10.0.0.2/16")))
    assert [(a.ip[-1], a.prefix_length) for a in devices.addresses("br0")] == [(2, 16), (1, 64)]
    devices.remove(device)
    assert not devices.addresses("br0")
    assert len(changes) == 4


def test_frames_on_a_stream_are_told_apart_however_they_come() -> None:
    stream = framed(FRAME) + framed(FRAME + b"x") + framed(FRAME)[:-1]
    for step in (1, 7, len(stream)):
        reader = FrameReader()
        frames: list[bytes] = []
        for start in range(0, len(stream), step):
            frames += reader.take(stream[start : start + step])
        assert frames == [FRAME, FRAME + b"x"]
        assert reader.is_inside_frame


def test_a_length_that_no_frame_has_ends_a_stream() -> None:
    reader = FrameReader()
    with pytest.raises(FramingError, match="13 bytes"):
        reader.take(b"\x00\x0d")
