"""QoS of ports: what the rows ask for is what their queues do."""

from __future__ import annotations

import pytest

from tests.ovs.databases import empty_database
from vnet.base.chance import Chance
from vnet.base.ids import Mac
from vnet.base.units import NS_PER_S
from vnet.netdev.device import NO_HANDLER, NetDevice
from vnet.netdev.pair import PairDevice, pair_up
from vnet.ovs.datapath.datapath import Datapath
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.ofproto.dump.queues import qos_show, queue_stats
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowModCommand
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.vsctl.run import run_vsctl
from vnet.ovs.vswitchd.appctl.table import appctl
from vnet.ovs.vswitchd.config import BridgeConfig, InterfaceConfig
from vnet.ovs.vswitchd.daemon import Daemon
from vnet.ovs.vswitchd.policing import POLICED
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler

FRAME = bytes.fromhex("0200000000020200000000010800") + bytes(986)


class Veths:
    """A switch whose ports are veths; ``arrived`` has the far end of each frame that left."""

    def __init__(self) -> None:
        self.scheduler = Scheduler()
        self.far: dict[str, PairDevice] = {}
        self.arrived: list[str] = []
        self.view = empty_database()
        datapath = Datapath(self.scheduler, "ovs-netdev", Chance(1))
        self.vswitchd = Daemon(self.scheduler, datapath, self, self.view).vswitchd
        self.vsctl("add-br br0 -- set bridge br0 fail-mode=secure")
        for number in (1, 2):
            name = f"p{number}"
            self.vsctl(f"add-port br0 {name} -- set interface {name} ofport_request={number}")

    def open(self, _bridge: BridgeConfig, interface: InterfaceConfig) -> NetDevice:
        near, far = (
            PairDevice(self.scheduler, name, Mac(bytes(6)))
            for name in (interface.name, f"far-{interface.name}")
        )
        pair_up(near, far)
        for device in (near, far):
            device.set_admin(True)
        far.rx_handler = lambda _frame: self.arrived.append(interface.name)
        self.far[interface.name] = far
        return near

    def close(self, _device: NetDevice, interface: InterfaceConfig) -> None:
        del self.far[interface.name]

    def configure(self, device: NetDevice, interface: InterfaceConfig) -> None:
        """There is nothing to set on them."""

    def vsctl(self, words: str) -> None:
        run_vsctl(self.view, words.split())

    def add_flow(self, text: str) -> None:
        self.vswitchd.bridges["br0"].flow_mod(parse_flow(text, FlowModCommand.ADD))

    def port(self, number: int) -> OfPort:
        return self.vswitchd.bridges["br0"].ports[OfpPort(number)]

    def send(self, n_frames: int, frame: bytes = FRAME) -> None:
        for _ in range(n_frames):
            self.far["p1"].transmit(Frame(frame))

    def run(self, seconds: float) -> int:
        """Let time pass; how many frames arrived."""
        before = len(self.arrived)
        self.scheduler.run(self.scheduler.now_ns + int(seconds * NS_PER_S))
        return len(self.arrived) - before


@pytest.fixture
def switch() -> Veths:
    switch = Veths()
    switch.vsctl(
        "set port p2 qos=@q -- --id=@q create qos type=linux-htb other_config:max-rate=8000000 "
        "queues:0=@q0 queues:1=@q1 "
        "-- --id=@q0 create queue other_config:min-rate=800000 "
        "-- --id=@q1 create queue other_config:max-rate=400000 other_config:priority=3"
    )
    return switch


def test_set_queue_and_enqueue_send_by_the_queue(switch: Veths) -> None:
    switch.add_flow("dl_src=02:00:00:00:00:01,actions=set_queue:1,output:2")
    switch.send(100)
    assert 49 <= switch.run(1) <= 54
    switch.run(10)
    switch.add_flow("dl_src=02:00:00:00:00:01,actions=enqueue:2:1")
    switch.send(100)
    assert 49 <= switch.run(1) <= 54


def test_frames_of_a_cached_flow_go_by_their_queue_as_the_first_does(switch: Veths) -> None:
    switch.add_flow("actions=set_queue:1,output:2")
    switch.send(1)
    switch.run(1)
    switch.send(6)
    switch.run(3)
    assert switch.vswitchd.backer.dpif.stats().n_hit == 6
    queues = switch.port(2).queues
    assert queues is not None
    assert queues.stats()[1].tx_packets == 7


def test_the_queue_survives_recirculation(switch: Veths) -> None:
    switch.add_flow("table=0,ip,actions=set_queue:1,ct(table=1)")
    switch.add_flow("table=1,actions=output:2")
    ip = bytes.fromhex("4500001c00010000401166ce0a0000010a000002000100020008ebd8")
    switch.send(3, FRAME[:14] + ip)
    switch.run(1)
    queues = switch.port(2).queues
    assert queues is not None
    assert queues.stats()[1].tx_packets == 3


def test_frames_without_a_queue_go_by_queue_0(switch: Veths) -> None:
    switch.add_flow("actions=output:2")
    switch.send(5)
    switch.run(1)
    assert list(queue_stats(switch.vswitchd.bridges["br0"])) == [
        "2 queues",
        "  port 2 queue 0: bytes=5000, pkts=5, errors=0, duration=1s",
        "  port 2 queue 1: bytes=0, pkts=0, errors=0, duration=1s",
    ]


def test_qos_show_has_what_open_vswitch_made_of_the_settings(switch: Veths) -> None:
    assert list(qos_show(switch.port(2))) == [
        "QoS: p2 linux-htb",
        "max-rate: 8000000",
        "",
        "Default:",
        "  min-rate: 800000",
        "  max-rate: 8000000",
        "  burst: 12512",
        "  tx_packets: 0",
        "  tx_bytes: 0",
        "  tx_errors: 0",
        "",
        "Queue 1:",
        "  min-rate: 12000",
        "  max-rate: 400000",
        "  burst: 12512",
        "  priority: 3",
        "  tx_packets: 0",
        "  tx_bytes: 0",
        "  tx_errors: 0",
    ]
    assert list(qos_show(switch.port(1))) == ["QoS not configured on p1"]


def test_appctl_shows_them_by_interface(switch: Veths) -> None:
    assert appctl(switch.vswitchd, "qos/show", ["p2"]).startswith("QoS: p2 linux-htb\nmax-rate")
    assert appctl(switch.vswitchd, "qos/show-types", ["p1"]) == (
        "QoS type: linux-htb\nQoS type: linux-noop"
    )
    with pytest.raises(OvsTextError, match="no such interface"):
        appctl(switch.vswitchd, "qos/show", ["p9"])


def test_a_port_or_queue_that_is_not_there_is_refused(switch: Veths) -> None:
    bridge = switch.vswitchd.bridges["br0"]
    with pytest.raises(OpenFlowError, match="OFPQOFC_BAD_PORT"):
        list(queue_stats(bridge, OfpPort(9)))
    with pytest.raises(OpenFlowError, match="OFPQOFC_BAD_QUEUE"):
        list(queue_stats(bridge, OfpPort(2), 7))


def test_a_changed_rate_is_in_force_at_once_and_counters_stay(switch: Veths) -> None:
    switch.add_flow("actions=set_queue:1,output:2")
    switch.send(10)
    switch.run(1)
    switch.vsctl(
        "set port p2 qos=@q -- --id=@q create qos type=linux-htb other_config:max-rate=8000000 "
        "queues:1=@q1 -- --id=@q1 create queue other_config:max-rate=80000"
    )
    switch.send(30)
    assert 9 <= switch.run(1) <= 13
    queues = switch.port(2).queues
    assert queues is not None
    assert queues.stats()[1].tx_packets >= 19


def test_without_qos_nothing_waits(switch: Veths) -> None:
    switch.add_flow("actions=set_queue:1,output:2")
    switch.send(100)
    switch.run(0)
    switch.vsctl("clear port p2 qos")
    switch.send(100)
    assert switch.run(0) >= 198
    assert switch.port(2).queues is None


def test_a_port_that_goes_takes_its_queues_along(switch: Veths) -> None:
    switch.add_flow("actions=set_queue:1,output:2")
    switch.send(100)
    switch.run(0)
    device = switch.port(2).device
    assert device is not None
    switch.vsctl("del-port br0 p2")
    assert device.qdisc is None


@pytest.mark.parametrize("qos_type", ["linux-noop", "linux-sfq", "no-such-thing"])
def test_other_types_leave_the_device_as_it_is(switch: Veths, qos_type: str) -> None:
    switch.vsctl(f"set port p2 qos=@q -- --id=@q create qos type={qos_type}")
    assert switch.port(2).queues is None


def test_ingress_policing_lets_the_burst_and_then_the_rate_in() -> None:
    switch = Veths()
    switch.add_flow("actions=output:2")
    switch.vsctl("set interface p1 ingress_policing_rate=80 ingress_policing_burst=40")
    switch.send(30)
    assert switch.run(0) == 5  # 40 * 1024 / 8 bytes
    for _ in range(100):
        switch.send(1)
        switch.run(0.02)
    assert 19 <= len(switch.arrived) - 5 <= 21
    device = switch.port(1).device
    assert device is not None
    assert device.drops == {POLICED: 130 - len(switch.arrived)}


def test_ingress_policing_counts_no_ethernet_headers() -> None:
    switch = Veths()
    switch.add_flow("actions=output:2")
    switch.vsctl("set interface p1 ingress_policing_rate=80 ingress_policing_burst=78")
    switch.send(20)
    assert switch.run(0) == 10  # 10 * 986 of 78 * 128 bytes; with headers it were 9


def test_ingress_policing_counts_packets_too() -> None:
    switch = Veths()
    switch.add_flow("actions=output:2")
    switch.vsctl("set interface p1 ingress_policing_kpkts_rate=1 ingress_policing_kpkts_burst=1")
    switch.send(1500)
    assert switch.run(0) == 1000
    switch.run(0.1)
    switch.send(1500)
    assert switch.run(0) == 100


def test_without_ingress_policing_everything_comes_in_again() -> None:
    switch = Veths()
    switch.add_flow("actions=output:2")
    switch.vsctl("set interface p1 ingress_policing_rate=8 ingress_policing_burst=8")
    switch.send(3)
    assert switch.run(0) == 1
    switch.vsctl("set interface p1 ingress_policing_rate=0")
    switch.send(3)
    assert switch.run(0) == 3


def test_a_policed_port_that_goes_leaves_its_device_unpoliced() -> None:
    switch = Veths()
    switch.vsctl("set interface p1 ingress_policing_rate=8 ingress_policing_burst=8")
    device = switch.port(1).device
    assert device is not None
    switch.vsctl("del-port br0 p1")
    device.receive(Frame(FRAME))
    assert device.drops == {NO_HANDLER: 1}
