"""Ports come and go, flows are installed and removed, and both are told of."""

from __future__ import annotations

import pytest

from benchmarks.dummy_device import RememberingDevice
from tests.ovs.datapath.kit import EXACT, IN_PORT, SAME_TYPE, Table, output
from tests.ovs.flow.frames import ARP, ICMP, TCP, UDP, ethernet, ipv4
from vnet.base.ids import MAC_BROADCAST, Mac
from vnet.netdev.pair import PairDevice
from vnet.ovs.datapath.datapath import FLOW_LIMIT
from vnet.ovs.datapath.internal import internal_pair
from vnet.ovs.dpif.actions import KeyPart, Set
from vnet.ovs.dpif.dpif import DatapathFullError, DatapathPort, FlowStats
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.sim.frame import Frame

UDP_FRAME = ethernet(0x0800, ipv4(17, UDP))
TCP_FRAME = ethernet(0x0800, ipv4(6, TCP))
PING = ethernet(0x0800, ipv4(1, ICMP))
ARP_FRAME = ethernet(0x0806, ARP)
MS = 1_000_000

KINDS = [
    pytest.param(UDP_FRAME, id="udp"),
    pytest.param(TCP_FRAME, id="tcp"),
    pytest.param(PING, id="icmp"),
    pytest.param(ARP_FRAME, id="arp"),
]
"""Of each way to be in the exact-match cache."""


def test_a_frame_follows_the_flow_that_it_matches() -> None:
    table = Table()
    table.put(UDP_FRAME, output(2, 3), SAME_TYPE)
    table.put(ARP_FRAME, output(4), SAME_TYPE)
    table.send(UDP_FRAME, ARP_FRAME)
    assert table.sent() == {2: [UDP_FRAME], 3: [UDP_FRAME], 4: [ARP_FRAME]}


def test_ports_get_the_lowest_free_number_but_zero() -> None:
    table = Table(3)
    table.dpif.port_del(OdpPort(2))
    add = [
        table.dpif.port_add(RememberingDevice(table.scheduler, f"q{n}", Mac(bytes(6))), "dummy")
        for n in range(2)
    ]
    assert add == [2, 4]
    local = RememberingDevice(table.scheduler, "dp", Mac(bytes(6)))
    assert table.dpif.port_add(local, "internal", OdpPort(0)) == 0
    assert list(table.dpif.ports()) == [
        DatapathPort(OdpPort(0), "dp", "internal"),
        DatapathPort(OdpPort(1), "p1", "dummy"),
        DatapathPort(OdpPort(2), "q0", "dummy"),
        DatapathPort(OdpPort(3), "p3", "dummy"),
        DatapathPort(OdpPort(4), "q1", "dummy"),
    ]


def test_a_port_number_is_given_once() -> None:
    table = Table(1)
    with pytest.raises(ValueError, match="has a port 1 already"):
        table.dpif.port_add(
            RememberingDevice(table.scheduler, "q", Mac(bytes(6))), "dummy", OdpPort(1)
        )


def test_unknown_ports_and_flows_are_key_errors() -> None:
    table = Table(1)
    for ask in (
        lambda: table.dpif.port_del(OdpPort(9)),
        lambda: table.dpif.flow_del(0, IN_PORT),
        lambda: table.dpif.flow_get(0, IN_PORT),
        lambda: table.dpif.meter_del(1),
        lambda: table.dpif.meter_get(1),
    ):
        with pytest.raises(KeyError):
            ask()


def test_a_flow_outlives_the_port_that_it_names() -> None:
    table = Table(2)
    table.put(UDP_FRAME, output(2), SAME_TYPE)
    table.dpif.port_del(OdpPort(2))
    table.send(UDP_FRAME)
    assert table.drops() == {"ovs-no-such-datapath-port": 1}
    table.add_port(2)
    table.send(UDP_FRAME)
    assert table.sent() == {2: [UDP_FRAME]}


def test_a_device_that_was_let_go_of_is_nobodys_unless_somebody_took_it() -> None:
    table = Table(2)
    table.put(UDP_FRAME, output(2), SAME_TYPE)
    table.dpif.port_del(OdpPort(1))
    table.send(UDP_FRAME)
    assert table.drops() == {"no-handler": 1}
    heard: list[Frame] = []
    table.ports[2].rx_handler = heard.append
    table.dpif.port_del(OdpPort(2))
    table.ports[2].deliver(UDP_FRAME)
    assert len(heard) == 1


def test_a_port_that_is_gone_forwards_nothing_and_its_number_begins_anew() -> None:
    table = Table(3)
    table.put(UDP_FRAME, output(2), SAME_TYPE)
    table.send(UDP_FRAME)
    table.dpif.port_del(OdpPort(1))
    table.add_port(1)
    table.send(UDP_FRAME)
    assert table.sent() == {2: [UDP_FRAME, UDP_FRAME]}
    assert table.dpif.stats().n_hit == 2


def test_a_port_that_is_down_drops_what_it_should_send() -> None:
    table = Table(1)
    device = PairDevice(table.scheduler, "vif1.0", Mac(bytes(6)))
    table.dpif.port_add(device, "system", OdpPort(2))
    table.put(UDP_FRAME, output(2), SAME_TYPE)
    table.send(UDP_FRAME)
    assert {reason.word: count for reason, count in device.drops.items()} == {"device-down": 1}


def test_a_frame_over_the_mtu_is_dropped_by_the_port() -> None:
    table = Table(2)
    table.ports[2].mtu_bytes = 100
    fits = ethernet(0x1234, bytes(100))
    table.put(fits, output(2), SAME_TYPE)
    table.send(fits, fits + b"\0")
    assert table.sent() == {2: [fits]}
    assert table.drops() == {"ovs-port-mtu": 1}


def test_a_frame_without_a_whole_ethernet_header_is_dropped() -> None:
    table = Table(1)
    table.put(UDP_FRAME, output(1), IN_PORT)
    table.send(b"", UDP_FRAME[:13])
    assert table.drops() == {"frame-too-short": 2}
    assert table.dpif.stats().n_hit == 0


def test_a_frame_may_leave_by_the_port_that_it_came_in_by() -> None:
    table = Table(1)
    table.put(UDP_FRAME, output(1), SAME_TYPE)
    table.send(UDP_FRAME)
    assert table.sent() == {1: [UDP_FRAME]}


def test_flows_count_what_they_see() -> None:
    table = Table()
    key, mask = table.put(TCP_FRAME, output(2), SAME_TYPE)
    table.send(TCP_FRAME)
    table.scheduler.run(5 * MS)
    fin = TCP_FRAME[:47] + b"\x01" + TCP_FRAME[48:]
    table.send(fin, PING)
    n_bytes = 2 * len(TCP_FRAME) + len(PING)
    stats = FlowStats(3, n_bytes, 5 * MS, 0x013)
    assert table.dpif.flow_get(key, mask).stats == stats
    assert table.dpif.flow_del(key, mask) == stats
    assert table.dpif.stats().n_hit == 3


def test_a_flow_that_never_saw_a_frame_was_never_used() -> None:
    table = Table()
    key, mask = table.put(TCP_FRAME, output(2))
    assert table.dpif.flow_get(key, mask).stats == FlowStats(0, 0, None, 0)


@pytest.mark.parametrize("frame", KINDS)
def test_new_actions_apply_to_the_next_frame_and_keep_the_counters(frame: bytes) -> None:
    table = Table()
    key, mask = table.put(frame, output(2))
    table.send(frame, frame)
    table.put(frame, output(3))
    table.send(frame)
    assert table.sent() == {2: [frame, frame], 3: [frame]}
    assert table.dpif.flow_get(key, mask).stats.n_packets == 3


@pytest.mark.parametrize("frame", KINDS)
def test_a_removed_flow_matches_no_more(frame: bytes) -> None:
    table = Table()
    key, mask = table.put(frame, output(2))
    table.send(frame, frame)
    table.dpif.flow_del(key, mask)
    table.send(frame)
    assert table.sent() == {2: [frame, frame]}
    assert [upcall.key for upcall in table.upcalls] == [key]


def test_flows_are_dumped_in_the_order_of_their_installation() -> None:
    table = Table()
    frames = (TCP_FRAME, ARP_FRAME, UDP_FRAME)
    placed = [table.put(frame, output(2), SAME_TYPE, n) for n, frame in enumerate(frames, 1)]
    assert [(flow.key, flow.mask) for flow in table.dpif.flows()] == placed
    table.put(TCP_FRAME, output(3), SAME_TYPE, 1)
    assert [flow.actions for flow in table.dpif.flows()] == [output(3), output(2), output(2)]


def test_flush_removes_every_flow() -> None:
    table = Table()
    for frame in (TCP_FRAME, ARP_FRAME):
        table.put(frame, output(2))
    table.send(TCP_FRAME)
    table.dpif.flow_flush()
    table.send(TCP_FRAME)
    assert list(table.dpif.flows()) == []
    stats = table.dpif.stats()
    assert (stats.n_hit, stats.n_missed, stats.n_flows, stats.n_masks) == (1, 1, 0, 0)


def test_masks_are_counted_once_for_all_their_flows() -> None:
    table = Table()
    for frame in (TCP_FRAME, ARP_FRAME):
        table.put(frame, output(2), SAME_TYPE)
    table.put(UDP_FRAME, output(2), EXACT)
    assert table.dpif.stats().n_flows == 3
    assert table.dpif.stats().n_masks == 2


def test_a_full_table_takes_no_new_flow_but_changes_old_ones() -> None:
    table = Table(flow_limit=1)
    table.put(TCP_FRAME, output(2))
    with pytest.raises(DatapathFullError):
        table.put(UDP_FRAME, output(2))
    table.put(TCP_FRAME, output(3))
    table.send(TCP_FRAME)
    assert table.sent() == {3: [TCP_FRAME]}
    assert FLOW_LIMIT == 200_000


def test_a_flow_of_several_ports_is_refused() -> None:
    table = Table()
    with pytest.raises(ValueError, match="in_port exactly"):
        table.dpif.flow_put(extract(TCP_FRAME, 1), Flow.dl_type.mask, output(2))


@pytest.mark.parametrize("part", [KeyPart.VLAN, KeyPart.CT_MARK, KeyPart.IN_PORT])
def test_a_flow_that_sets_what_cannot_be_set_is_refused(part: KeyPart) -> None:
    table = Table()
    with pytest.raises(ValueError, match="cannot set"):
        table.put(TCP_FRAME, (Set(part, 0, 0),))
    assert list(table.dpif.flows()) == []


def test_an_internal_port_stands_between_datapath_and_host() -> None:
    table = Table(1)
    device, port = internal_pair(table.scheduler, "br0", Mac(b"\x02" + bytes(5)))
    heard: list[bytes] = []
    device.rx_handler = lambda frame: heard.append(frame.data)
    number = table.dpif.port_add(port, port.kind, OdpPort(0))
    table.put(UDP_FRAME, output(0), SAME_TYPE)
    table.dpif.flow_put(extract(PING, number), SAME_TYPE, output(1))
    table.send(UDP_FRAME)
    assert heard == []
    assert not device.running
    device.set_admin(True)
    assert device.carrier
    table.send(UDP_FRAME)
    device.transmit(Frame(PING))
    table.send()
    assert heard == [UDP_FRAME]
    assert table.sent() == {1: [PING]}
    assert device.mac != MAC_BROADCAST
    assert (device.rx_packets, device.tx_packets) == (1, 1)
    assert (port.rx_packets, port.tx_packets) == (1, 1)
