"""Ports of a bridge: configuration, link, liveness, counters."""

from __future__ import annotations

import pytest

from vnet.base.ids import Mac
from vnet.netdev.pair import PairDevice
from vnet.ovs.flow.ports import OFPP_LOCAL, OfpPort
from vnet.ovs.ofproto.dump.ports import dump_ports, dump_ports_desc
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import PortConfig, PortMod, PortState
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler

ONE = OfpPort(1)


class Bridge:
    """A bridge with a veth as port 1; ``far`` is its other end."""

    def __init__(self) -> None:
        self.scheduler = Scheduler()
        self.ofproto = Ofproto("br0", self.scheduler)
        self.device = PairDevice(self.scheduler, "p1", Mac(bytes(5) + b"\x01"))
        self.far = PairDevice(self.scheduler, "far", Mac(bytes(5) + b"\x02"))
        self.device.peer, self.far.peer = self.far, self.device
        self.device.set_admin(True)
        self.far.set_admin(True)
        self.port = OfPort(ONE, "p1", self.device)
        self.ofproto.add_port(self.port)
        self.device.state_changed = lambda: self.ofproto.link_changed(ONE)

    def state(self) -> PortState:
        return self.port.state

    def is_live(self) -> bool:
        return self.port.is_live

    def is_up(self) -> bool:
        return self.device.admin_up


@pytest.fixture
def bridge() -> Bridge:
    return Bridge()


def test_a_port_whose_link_is_up_is_live(bridge: Bridge) -> None:
    assert bridge.is_live()
    assert PortState.LINK_DOWN not in bridge.port.state


def test_a_lost_link_is_seen_and_told(bridge: Bridge) -> None:
    told: list[OfPort] = []
    bridge.ofproto.port_changed.append(told.append)
    version = bridge.ofproto.version
    bridge.far.set_admin(False)
    assert bridge.state() == PortState.LINK_DOWN
    assert set(told) == {bridge.port}
    assert bridge.ofproto.version > version
    bridge.far.set_admin(True)
    assert bridge.state() == PortState.LIVE


def test_mod_port_down_sets_the_device_down(bridge: Bridge) -> None:
    bridge.ofproto.port_mod(PortMod(ONE, PortConfig.PORT_DOWN, PortConfig.PORT_DOWN))
    assert not bridge.is_up()
    assert bridge.port.config == PortConfig.PORT_DOWN
    assert not bridge.is_live()
    bridge.ofproto.port_mod(PortMod(ONE, PortConfig.NONE, PortConfig.PORT_DOWN))
    assert bridge.is_up()
    assert bridge.is_live()


def test_a_device_set_down_by_its_owner_shows_in_the_configuration(bridge: Bridge) -> None:
    bridge.device.set_admin(False)
    assert bridge.port.config == PortConfig.PORT_DOWN


def test_only_the_bits_of_the_mask_change(bridge: Bridge) -> None:
    both = PortConfig.NO_FLOOD | PortConfig.NO_FWD
    bridge.ofproto.port_mod(PortMod(ONE, both, both))
    bridge.ofproto.port_mod(PortMod(ONE, PortConfig.NO_RECV, PortConfig.NO_FLOOD))
    assert bridge.port.config == PortConfig.NO_FWD


def test_fault_detection_may_disagree_with_the_carrier(bridge: Bridge) -> None:
    assert bridge.port.set_may_enable(False)
    assert not bridge.is_live()
    assert not bridge.port.set_may_enable(False)


def test_a_port_that_there_is_not_is_refused(bridge: Bridge) -> None:
    with pytest.raises(OpenFlowError, match="OFPPMFC_BAD_PORT"):
        bridge.ofproto.port_mod(PortMod(OfpPort(9), PortConfig.NONE, PortConfig.NONE))


def test_a_patch_port_is_always_up_and_cannot_be_set_down() -> None:
    bridge = Ofproto("br0", Scheduler())
    patch = OfPort(ONE, "patch0", peer="patch1")
    bridge.add_port(patch)
    bridge.port_mod(PortMod(ONE, PortConfig.PORT_DOWN, PortConfig.PORT_DOWN))
    assert patch.config == PortConfig.NONE
    assert patch.is_live
    assert bridge.port_by_name("patch0") is patch
    assert bridge.remove_port(ONE) is patch


def test_lists_counters_as_ovs_ofctl_does(bridge: Bridge) -> None:
    bridge.ofproto.add_port(OfPort(OFPP_LOCAL, "br0"))
    bridge.device.rx_handler = lambda _frame: None
    bridge.far.transmit(Frame(bytes(60)))
    bridge.scheduler.run()
    bridge.device.transmit(Frame(bytes(100)))
    assert list(dump_ports(bridge.ofproto, version=OpenFlowVersion.OF13)) == [
        "2 ports",
        "  port  1: rx pkts=1, bytes=60, drop=?, errs=?, frame=?, over=?, crc=?",
        "           tx pkts=1, bytes=100, drop=?, errs=?, coll=?",
        "           duration=0s",
        "  port LOCAL: rx pkts=0, bytes=0, drop=?, errs=?, frame=?, over=?, crc=?",
        "           tx pkts=0, bytes=0, drop=?, errs=?, coll=?",
        "           duration=0s",
    ]


def test_lists_ports_as_ovs_ofctl_does(bridge: Bridge) -> None:
    both = PortConfig.NO_FLOOD | PortConfig.NO_RECV
    bridge.ofproto.port_mod(PortMod(ONE, both, both))
    assert list(dump_ports_desc(bridge.ofproto, OpenFlowVersion.OF13)) == [
        " 1(p1): addr:00:00:00:00:00:01",
        "     config:     NO_RECV",
        "     state:      LIVE",
        "     speed: 0 Mbps now, 0 Mbps max",
    ]
    assert list(dump_ports_desc(bridge.ofproto))[1:3] == [
        "     config:     NO_RECV NO_FLOOD",
        "     state:      0",
    ]


def test_ports_stand_in_the_order_of_a_hash_table() -> None:
    bridge = Ofproto("br0", Scheduler())
    for number in (OFPP_LOCAL, 1, 2, 3, 4):
        bridge.add_port(OfPort(OfpPort(number), f"p{number}"))
    labels = [line.split()[1] for line in dump_ports(bridge) if "port " in line]
    assert labels == ["4:", "LOCAL:", "1:", "2:", "3:"]
