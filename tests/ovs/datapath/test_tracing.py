"""A frame that is followed leaves marks in the datapath."""

from __future__ import annotations

import pytest

from benchmarks.dummy_device import RememberingDevice
from tests.ovs.datapath.kit import Table, output
from tests.ovs.flow.frames import ICMP, TCP, UDP, ethernet, ipv4
from vnet.base.ids import Mac
from vnet.ovs.datapath.datapath import Datapath
from vnet.ovs.dpif.actions import Clone, OdpActions, PushVlan, Recirc
from vnet.ovs.dpif.dpif import Upcall
from vnet.sim.frame import Frame, Meta
from vnet.sim.scheduler import Scheduler
from vnet.sim.trace import Trace, TraceNode

FRAMES = [
    pytest.param(ethernet(0x0800, ipv4(protocol, payload)), id=name)
    for name, protocol, payload in (("udp", 17, UDP), ("tcp", 6, TCP), ("icmp", 1, ICMP))
]


def follow(table: Table, data: bytes) -> list[tuple[str, str]]:
    """Send a frame that is followed; place and event of every mark, in the order of the tree."""
    root = TraceNode(0, "test", "sent", data)
    table.ports[1].receive(Frame(data, Meta(Trace(root))))
    table.send()
    return [(node.place, node.event) for node in root.walk()][1:]


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_that_matches_is_followed_through(frame: bytes) -> None:
    table = Table()
    table.put(frame, (PushVlan(0x8100, 5), *output(2, 3)))
    expected = [(":p1", "received"), ("dp", "megaflow hit"), (":p2", "sent"), (":p3", "sent")]
    for _ in range(3):
        assert follow(table, frame) == expected


@pytest.mark.parametrize("frame", FRAMES)
def test_an_upcall_and_what_follows_from_it(frame: bytes) -> None:
    def decide(upcall: Upcall) -> None:
        table.dpif.execute(upcall.frame, upcall.key, output(2))

    table = Table(decide=decide)
    assert follow(table, frame) == [(":p1", "received"), ("dp", "upcall"), (":p2", "sent")]


@pytest.mark.parametrize("actions", [(), (Clone(()),), (Recirc(1),)], ids=str)
def test_a_drop_is_the_end(actions: OdpActions) -> None:
    table = Table(has_daemon=False)
    data = ethernet(0x0800, ipv4(17, UDP))
    table.put(data, actions)
    root = TraceNode(0, "test", "sent", data)
    table.ports[1].receive(Frame(data, Meta(Trace(root))))
    (leaf,) = root.drops
    assert leaf.drop is not None
    assert leaf.place == ":p1"
    assert leaf.drop.word == ("ovs-nobody-decides" if actions == (Recirc(1),) else "ovs-flow-drops")


def test_the_place_names_the_node() -> None:
    scheduler = Scheduler()
    datapath = Datapath(scheduler, "ovs-netdev", owner="h1")
    device = RememberingDevice(scheduler, "p1", Mac(bytes(6)), owner="h1")
    datapath.port_add(device, "dummy")
    datapath.set_upcall_handler(lambda upcall: None)
    root = TraceNode(0, "test", "sent", bytes(60))
    device.receive(Frame(bytes(60), Meta(Trace(root))))
    scheduler.run()
    assert [node.place for node in root.walk()] == ["test", "h1:p1", "h1:ovs-netdev"]
