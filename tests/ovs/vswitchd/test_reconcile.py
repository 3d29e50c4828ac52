"""A running switch becomes what its configuration says."""

from __future__ import annotations

import shlex

import pytest

from benchmarks.dummy_device import RememberingDevice
from tests.ovs.databases import empty_database
from tests.ovs.whole_switch import frame_of
from vnet.base.ids import MAC_ZERO
from vnet.netdev.device import NetDevice
from vnet.ovs.datapath.datapath import Datapath
from vnet.ovs.flow.ports import OFPP_LOCAL, OfpPort
from vnet.ovs.ofproto.switching.vlan_mode import VlanMode
from vnet.ovs.openflow.messages import (
    FlowModCommand,
    GroupMod,
    GroupModCommand,
    MeterModCommand,
)
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.text.meter import parse_meter
from vnet.ovs.vsctl.run import run_vsctl
from vnet.ovs.vswitchd.config import (
    BridgeConfig,
    BridgePortConfig,
    InterfaceConfig,
    SwitchConfig,
)
from vnet.ovs.vswitchd.daemon import Daemon
from vnet.sim.scheduler import Scheduler

BROADCAST = bytes.fromhex("ffffffffffff0200000000011234" + 46 * "00")


class Switch:
    """vswitchd with dummy devices; a name that begins with ``no`` has none."""

    def __init__(self, *command_lines: str) -> None:
        self.scheduler = Scheduler()
        self.devices: dict[str, RememberingDevice] = {}
        self.view = empty_database()
        datapath = Datapath(self.scheduler, "dp")
        self.vswitchd = Daemon(self.scheduler, datapath, self, self.view).vswitchd
        for line in command_lines:
            self.vsctl(line)

    def open(self, _: BridgeConfig, interface: InterfaceConfig) -> NetDevice | None:
        if interface.name.startswith("no"):
            return None
        device = RememberingDevice(self.scheduler, interface.name, MAC_ZERO)
        self.devices[interface.name] = device
        return device

    def close(self, device: NetDevice, interface: InterfaceConfig) -> None:
        assert self.devices.pop(interface.name) is device

    def configure(self, device: NetDevice, interface: InterfaceConfig) -> None:
        """There is nothing to set on them."""

    def vsctl(self, line: str) -> None:
        run_vsctl(self.view, shlex.split(line))

    def numbers(self, bridge: str = "br0") -> dict[str, int]:
        return {port.name: port.number for port in self.vswitchd.bridges[bridge].ports.values()}

    def flood(self, source: str) -> set[str]:
        """Which devices send when a broadcast comes in by ``source``."""
        self.vswitchd.backer.revalidator.settle()
        self.devices[source].deliver(BROADCAST)
        self.scheduler.run(self.scheduler.now_ns)
        return {name for name, device in self.devices.items() if device.take_sent()}


def test_a_bridge_comes_with_its_local_port_and_forwards() -> None:
    switch = Switch("add-br br0 -- add-port br0 p1 -- add-port br0 p2")
    assert switch.numbers()["br0"] == OFPP_LOCAL
    assert switch.flood("p1") == {"br0", "p2"}


def test_a_secure_bridge_waits_for_flows() -> None:
    switch = Switch("add-br br0 -- set bridge br0 fail_mode=secure", "add-port br0 p1")
    assert switch.flood("p1") == set()
    bridge = switch.vswitchd.bridges["br0"]
    bridge.flow_mod(parse_flow("actions=in_port", FlowModCommand.ADD))
    assert switch.flood("p1") == {"p1"}


def test_changing_the_fail_mode_starts_the_flows_anew() -> None:
    switch = Switch("add-br br0 -- add-port br0 p1 -- add-port br0 p2")
    bridge = switch.vswitchd.bridges["br0"]
    bridge.flow_mod(parse_flow("priority=9,actions=drop", FlowModCommand.ADD))
    assert switch.flood("p1") == set()
    switch.vsctl("set bridge br0 fail_mode=secure -- set-fail-mode br0 secure")
    assert switch.flood("p1") == set()
    switch.vsctl("del-fail-mode br0")
    assert switch.flood("p1") == {"br0", "p2"}


def test_ports_come_and_go() -> None:
    switch = Switch("add-br br0 -- add-port br0 p1 -- add-port br0 p2")
    switch.vsctl("del-port p2 -- add-port br0 p3")
    assert set(switch.devices) == {"br0", "p1", "p3"}
    assert switch.flood("p1") == {"br0", "p3"}


def test_a_deleted_bridge_lets_go_of_everything() -> None:
    switch = Switch("add-br br0 -- add-port br0 p1", "add-br br1", "del-br br0")
    assert set(switch.devices) == {"br1"}
    assert set(switch.vswitchd.bridges) == {"br1"}


def test_the_datapath_goes_with_the_last_bridge() -> None:
    both = "add-br br0 -- add-br br1 -- add-port br0 p1 -- add-port br0 p2"
    switch = Switch(both, "set-fail-mode br0 secure")
    bridge, dpif = switch.vswitchd.bridges["br0"], switch.vswitchd.backer.dpif
    bridge.flow_mod(parse_flow("ip,actions=ct(commit),output:1", FlowModCommand.ADD))
    switch.vswitchd.backer.revalidator.settle()
    switch.devices["p1"].deliver(
        frame_of("udp,nw_src=10.0.0.1,nw_dst=10.0.0.2,udp_src=5,udp_dst=53")
    )
    switch.scheduler.run(switch.scheduler.now_ns)
    assert list(dpif.ct_dump())
    dpif.tracker.store.max_conns = 7
    switch.vsctl("del-br br0")
    assert list(dpif.ct_dump()), "a bridge is left"
    switch.vsctl("del-br br1")
    assert not list(dpif.ct_dump())
    assert dpif.tracker.store.max_conns != 7
    assert (dpif.stats().n_hit, dpif.stats().n_missed) == (0, 0)


def test_a_port_may_move_to_another_bridge_in_one_step() -> None:
    switch = Switch("add-br br0 -- add-br br1 -- add-port br0 p1 -- add-port br1 p2")
    switch.vsctl("del-port p1 -- add-port br1 p1")
    assert "p1" in switch.numbers("br1")
    assert "p1" not in switch.numbers("br0")


def test_two_ports_may_swap_their_numbers() -> None:
    switch = Switch(
        "add-br br0 -- add-port br0 a -- set interface a ofport_request=1"
        " -- add-port br0 b -- set interface b ofport_request=2"
    )
    switch.vsctl("set interface a ofport_request=2 -- set interface b ofport_request=1")
    assert switch.numbers() == {"br0": OFPP_LOCAL, "a": 2, "b": 1}


def test_a_port_without_a_device_is_left_out_until_there_is_one() -> None:
    switch = Switch("add-br br0 -- add-port br0 none -- add-port br0 p1")
    assert set(switch.numbers()) == {"br0", "p1"}


def test_vlan_settings_take_effect_on_a_running_port() -> None:
    switch = Switch("add-br br0 -- add-port br0 p1 tag=10 -- add-port br0 p2 tag=10")
    assert "p2" in switch.flood("p1")
    switch.vsctl("set port p2 tag=20")
    assert "p2" not in switch.flood("p1")
    bundle = switch.vswitchd.bridges["br0"].switching.bundles["p2"]
    assert (bundle.vlan_mode, bundle.vlan) == (VlanMode.ACCESS, 20)


def test_a_mirror_copies_until_it_is_taken_away() -> None:
    switch = Switch(
        "add-br br0 -- add-port br0 p1 -- add-port br0 p2 -- add-port br0 spy"
        " -- set bridge br0 mirrors=@m -- --id=@spy get Port spy"
        " -- --id=@m create Mirror name=m select_all=true output_port=@spy"
    )
    assert switch.flood("p1") == {"br0", "p2", "spy"}
    bundles = switch.vswitchd.bridges["br0"].switching.bundles
    assert bundles["spy"].output_mirrors
    switch.vsctl("clear bridge br0 mirrors")
    assert not bundles["spy"].output_mirrors


def test_patch_ports_join_bridges_and_can_be_turned_to_others() -> None:
    switch = Switch(
        "add-br br0 -- add-br br1 -- add-br br2 -- add-port br0 p0 -- add-port br1 p1"
        " -- add-port br2 p2",
        "add-port br0 out -- set interface out type=patch options:peer=in1"
        " -- add-port br1 in1 -- set interface in1 type=patch options:peer=out"
        " -- add-port br2 in2 -- set interface in2 type=patch options:peer=out",
    )
    assert switch.flood("p0") == {"br0", "br1", "p1"}
    number = switch.numbers()["out"]
    switch.vsctl("set interface out options:peer=in2")
    assert switch.flood("p0") == {"br0", "br2", "p2"}
    assert switch.numbers()["out"] == number


@pytest.mark.parametrize(("limit", "size"), [("", 8192), ("other_config:mac-table-size=10", 10)])
def test_the_mac_table_has_its_configured_size(limit: str, size: int) -> None:
    switch = Switch("add-br br0" + (f" -- set bridge br0 {limit}" if limit else ""))
    assert switch.vswitchd.bridges["br0"].switching.mac_table.max_entries == size


def test_reconciling_with_the_same_configuration_changes_nothing() -> None:
    switch = Switch("add-br br0 -- add-port br0 p1 -- add-port br0 p2")
    bridge = switch.vswitchd.bridges["br0"]
    ports, bundles = dict(bridge.ports), dict(bridge.switching.bundles)
    switch.vswitchd.reconcile(switch.vswitchd.config)
    assert bridge.ports == ports
    assert bridge.switching.bundles == bundles
    assert bridge.ports[OfpPort(1)] is ports[OfpPort(1)]


def test_ports_that_come_together_can_be_numbered_in_their_order() -> None:
    names = [f"vnet{number}" for number in range(20)]
    ports = tuple(BridgePortConfig(name, (InterfaceConfig(name),)) for name in names)
    config = SwitchConfig((BridgeConfig("br0", ports=ports),))
    together, in_order = Switch(), Switch()
    together.vswitchd.reconcile(config)
    in_order.vswitchd.reconcile(config, in_order=True)
    one_by_one = Switch("add-br br0", *(f"add-port br0 {name}" for name in names))
    assert in_order.numbers() == one_by_one.numbers()
    assert list(in_order.numbers()) == list(one_by_one.numbers())
    assert in_order.numbers() != together.numbers()


def test_who_gets_controllers_begins_with_nothing() -> None:
    switch = Switch("add-br br0 -- set bridge br0 fail_mode=secure")
    bridge = switch.vswitchd.bridges["br0"]
    bridge.group_mod(GroupMod(GroupModCommand.ADD, 1))
    bridge.meter_mod(parse_meter("meter=1,pktps,band=type=drop,rate=1", MeterModCommand.ADD))
    bridge.flow_mod(parse_flow("actions=group:1", FlowModCommand.ADD))
    switch.vsctl("set-controller br0 tcp:192.0.2.1:6653")
    assert not bridge.groups
    assert not bridge.meters
    assert not list(bridge.flows())
