"""Open vSwitch in a host: what ovs-vsctl is told, and whose devices it takes and gives back."""

from __future__ import annotations

import shlex

import pytest

from tests.ovs.databases import empty_database
from vnet.base.chance import Chance
from vnet.base.errors import UsageError
from vnet.base.ids import Mac, mac_from_text, mac_text, prefix_from_text
from vnet.hypervisor.backend import BackEnd, FrontEnd
from vnet.hypervisor.host_devices import HostDevices
from vnet.hypervisor.modes.bridge import BridgeMode
from vnet.hypervisor.openvswitch import OpenVSwitch
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.nic import Nic
from vnet.netdev.pair import pair_up
from vnet.ovs.flow.ports import OFPP_LOCAL
from vnet.ovs.vsctl.run import run_vsctl
from vnet.ovs.vswitchd.config import (
    BridgeConfig,
    BridgePortConfig,
    InterfaceConfig,
    QosConfig,
    QueueConfig,
)
from vnet.ovs.vswitchd.from_rows import ConfigReader
from vnet.sim.link import Link
from vnet.sim.scheduler import Scheduler

CARD = mac_from_text("00:1b:21:00:00:01")
GUEST = mac_from_text("52:54:00:00:00:01")


class Host:
    """A namespace with a plugged card that has an address, and Open vSwitch."""

    def __init__(self, mac: Mac = CARD) -> None:
        self.scheduler = Scheduler()
        self.namespace = Namespace(self.scheduler, "h1", Chance(1))
        nic = Nic(self.scheduler, "eth0", mac, 1400)
        self.namespace.add_device(nic)
        nic.plug(Link(self.scheduler, ("h1:eth0", "sw:p1")).ends[0])
        self.namespace.set_up("eth0")
        self.namespace.add_address("eth0", *prefix_from_text("192.0.2.1/24"))
        self.mode = BridgeMode(self.namespace)
        self.devices = HostDevices(self.namespace)
        self.machine = OpenVSwitch(self.scheduler, "h1", self.devices, Chance(1))

    def start(self, name: str = "br0", **settings: BridgePortConfig) -> None:
        self.add(BridgeConfig(name), **settings)
        self.mode.enslave(name, "eth0")

    def add(self, config: BridgeConfig, **settings: BridgePortConfig) -> None:
        command = self.machine.add_bridge(config, settings)
        self.mode.take_up(config.name, self.machine, [command], "ifup")

    def guest(self, bridge: str, name: str) -> BackEnd:
        """A guest's card is plugged in."""
        front = FrontEnd(self.scheduler, "eth0", GUEST)
        back = BackEnd(self.scheduler, name, Mac(b"\xfe" + GUEST[1:]))
        pair_up(front, back)
        front.set_admin(True)
        self.mode.attach(bridge, back, "ovs-ifup")
        return back

    @property
    def commands(self) -> list[str]:
        return [step.command for step in self.mode.log.steps]

    def mac(self, name: str) -> str:
        return mac_text(self.namespace.interface(name).device.mac)

    def numbers(self, bridge: str = "br0") -> dict[str, int]:
        return {port.name: port.number for port in self.machine.bridge(bridge).ports.values()}


@pytest.fixture
def host() -> Host:
    return Host()


def test_a_card_goes_behind_a_bridge_step_by_step(host: Host) -> None:
    host.start()
    host.guest("br0", "vnet0")
    assert host.commands == [
        "ovs-vsctl add-br br0",
        "ip addr add 192.0.2.1/24 dev br0",
        "ovs-vsctl add-port br0 eth0",
        "ip link set eth0 up",
        "ip link set br0 up",
        "ovs-vsctl add-port br0 vnet0",
        "ip link set vnet0 up",
    ]
    assert host.mode.log.steps[-1].script == "ovs-ifup"
    assert host.numbers() == {"br0": OFPP_LOCAL, "eth0": 1, "vnet0": 2}
    assert {route.nexthops[0].device.name for route in host.namespace.routing4.main} == {"br0"}
    assert host.namespace.interface("eth0").addresses == []


def test_what_the_steps_say_is_what_there_is(host: Host) -> None:
    settings = {
        "eth0": BridgePortConfig(
            "eth0",
            (InterfaceConfig("eth0", ofport_request=7),),
            trunks=(10, 20),
            vlan_mode="trunk",
            other_config={"priority-tags": "always"},
        ),
        "vnet0": BridgePortConfig(
            "vnet0",
            (InterfaceConfig("vnet0", ingress_policing_rate=100),),
            tag=10,
            protected=True,
            qos=QosConfig(
                "linux-htb",
                {1: QueueConfig(46, {"max-rate": "800000"}), 7: QueueConfig()},
                {"max-rate": "1000000"},
            ),
        ),
    }
    host.add(
        BridgeConfig(
            "br0",
            fail_mode="secure",
            other_config={"mac-table-size": "20", "dp-desc": "the 'first', of two: \"a\" & b"},
        ),
        **settings,
    )
    host.mode.enslave("br0", "eth0")
    host.guest("br0", "vnet0")
    host.add(BridgeConfig("br1"))
    again = empty_database()
    reader = ConfigReader(again, in_order=True)
    again.on_commit(reader.note)
    for command in host.commands:
        program, *words = shlex.split(command)
        if program == "ovs-vsctl":
            run_vsctl(again, words)
    assert reader.config() == host.machine.vswitchd.config


def test_a_bridge_has_the_lowest_address_that_a_maker_gave_and_the_lowest_mtu(host: Host) -> None:
    host.add(BridgeConfig("br0"))
    alone = host.mac("br0")
    assert int(alone[:2], 16) & 3 == 2
    host.guest("br0", "vnet0")
    assert host.mac("br0") == alone
    host.mode.enslave("br0", "eth0")
    bridge = host.namespace.interface("br0").device
    assert (host.mac("br0"), bridge.mtu_bytes) == (mac_text(CARD), 1400)
    assert host.machine.bridge("br0").datapath_id == int.from_bytes(CARD, "big")
    host.machine.remove_port("br0", "eth0")
    assert (host.mac("br0"), bridge.mtu_bytes) == (alone, 1500)


def test_a_card_of_a_lab_lends_its_address_though_no_maker_gave_it() -> None:
    host = Host(mac_from_text("02:00:00:00:00:05"))
    host.start()
    assert host.mac("br0") == "02:00:00:00:00:05"


def test_an_address_that_is_asked_for_is_kept(host: Host) -> None:
    asked = {"hwaddr": "00:00:5e:00:00:01", "datapath-id": "00000000000000ab"}
    host.add(BridgeConfig("br0", other_config=asked))
    host.mode.enslave("br0", "eth0")
    assert host.mac("br0") == "00:00:5e:00:00:01"
    assert host.machine.bridge("br0").datapath_id == 0xAB


def test_a_device_has_one_master(host: Host) -> None:
    host.start()
    host.add(BridgeConfig("br1"))
    host.mode.create_bridge("br2", "ifup", ageing_ns=300 * 10**9)
    with pytest.raises(UsageError, match="a port named eth0 already exists on bridge br0"):
        host.machine.add_port("br1", "eth0")
    with pytest.raises(UsageError, match="eth0 is already a member of a bridge"):
        host.namespace.enslave("eth0", "br2")
    host.machine.remove_port("br0", "eth0")
    host.namespace.enslave("eth0", "br2")
    with pytest.raises(UsageError, match="could not add network device eth0 to ofproto"):
        host.machine.add_port("br0", "eth0")
    assert "eth0" not in host.numbers()
    with pytest.raises(UsageError, match='device "eth7" does not exist'):
        host.machine.add_port("br0", "eth7")


def test_each_kind_knows_its_own_ports(host: Host) -> None:
    host.start()
    host.mode.create_bridge("br2", "ifup", ageing_ns=300 * 10**9)
    host.guest("br2", "vnet0")
    host.guest("br0", "vnet1")
    assert [host.mode.bridge_of(name) for name in ("eth0", "vnet0", "vnet1", "lo")] == [
        "br0",
        "br2",
        "br0",
        None,
    ]
    assert list(host.namespace.bridges) == ["br2"]


def test_a_back_end_that_goes_says_what_its_port_was_set_to(host: Host) -> None:
    interface = InterfaceConfig("vnet0", ofport_request=9)
    host.start(vnet0=BridgePortConfig("vnet0", (interface,), tag=10))
    back = host.guest("br0", "vnet0")
    assert host.numbers()["vnet0"] == 9
    settings = host.mode.detach(back, "ovs-ifup")
    assert host.commands[-2:] == ["ovs-vsctl del-port br0 vnet0", "ip link set vnet0 down"]
    assert "vnet0" not in host.namespace.interfaces
    assert settings is not None
    front = FrontEnd(host.scheduler, "eth0", GUEST)
    again = BackEnd(host.scheduler, "vnet5", GUEST)
    pair_up(front, again)
    host.mode.attach("br0", again, "ovs-ifup", settings)
    assert host.commands[-2] == "ovs-vsctl add-port br0 vnet5 tag=10"
    assert host.numbers() == {"br0": OFPP_LOCAL, "eth0": 1, "vnet5": 2}


def test_a_thousand_ports_that_come_together_are_numbered_as_they_came(host: Host) -> None:
    host.start()
    with host.machine.together():
        for number in range(1000):
            host.guest("br0", f"vnet{number}")
    numbers = host.numbers()
    assert (len(numbers), numbers["vnet0"], numbers["vnet999"]) == (1002, 2, 1001)


def test_a_card_that_is_let_go_is_the_host_s_again(host: Host) -> None:
    host.start()
    host.machine.remove_port("br0", "eth0")
    interface = host.namespace.interface("eth0")
    assert interface.device.rx_handler == interface.handle


def test_a_back_end_takes_its_limits_along_to_another_bridge(host: Host) -> None:
    interface = InterfaceConfig("vnet0", ofport_request=9, ingress_policing_rate=80)
    host.start(vnet0=BridgePortConfig("vnet0", (interface,), tag=10))
    settings = host.mode.detach(host.guest("br0", "vnet0"), "ovs-ifup")
    host.add(BridgeConfig("br1"))
    host.guest("br1", "vnet3")
    host.machine.remove_port("br1", "vnet3")
    host.machine.add_port("br1", "vnet3", settings)
    moved = host.machine.settings_of("vnet3")
    assert moved is not None
    assert moved.tag == 10
    assert moved.interfaces == (InterfaceConfig("vnet3", ingress_policing_rate=80),)
