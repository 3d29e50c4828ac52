"""What command lines of ovs-vsctl make of the configuration of a switch."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.ovs.databases import configured, empty_database
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vsctl.run import run_vsctl
from vnet.ovs.vswitchd.config import BridgeConfig, BridgePortConfig, MirrorConfig


def bridge(*command_lines: str) -> BridgeConfig:
    (only,) = configured(*command_lines).bridges
    return only


def port(*settings: str) -> BridgePortConfig:
    return bridge("add-br br0", "add-port br0 p1 " + " ".join(settings)).ports[1]


def test_a_new_bridge_has_its_local_port() -> None:
    made = bridge("add-br br0")
    assert made.name == "br0"
    (local,) = made.ports
    assert (local.name, local.interfaces[0].type) == ("br0", "internal")


def test_one_line_may_hold_several_commands() -> None:
    made = bridge(
        "--no-wait --timeout=5 -- add-br br0 -- set bridge br0 datapath-type=dummy fail-mode=secure"
        " other-config:datapath-id=fedcba9876543210 protocols=[OpenFlow10,OpenFlow15]"
        " -- add-port br0 p1 tag=10 -- set Interface p1 type=dummy ofport_request=7 --"
    )
    assert made.datapath_type == "dummy"
    assert made.is_secure
    assert made.datapath_id == 0xFEDCBA9876543210
    assert made.protocols == ("OpenFlow10", "OpenFlow15")
    (interface,) = made.ports[1].interfaces
    assert (made.ports[1].tag, interface.type, interface.ofport_request) == (10, "dummy", 7)


@pytest.mark.parametrize(
    ("setting", "trunks"),
    [
        ("trunks=1,2", (1, 2)),
        ("trunks=[1,2]", (1, 2)),
        ("'trunks=1 2'", (1, 2)),
        ("trunks=4-6,9", (4, 5, 6, 9)),
        ("trunks=[]", ()),
    ],
)
def test_sets_are_written_in_several_ways(setting: str, trunks: tuple[int, ...]) -> None:
    assert port(setting).trunks == trunks


@pytest.mark.parametrize(
    ("setting", "other_config"),
    [
        ("other_config:a=b", {"a": "b"}),
        ("other-config:a=b=c", {"a": "b=c"}),
        ("other_config={a=b,c=d}", {"a": "b", "c": "d"}),
        ("'other_config:a=\"x y\"'", {"a": "x y"}),
        ("other_config={}", {}),
    ],
)
def test_maps_are_set_whole_or_key_by_key(setting: str, other_config: dict[str, str]) -> None:
    assert port(setting).other_config == other_config


def test_add_remove_and_clear_change_parts_of_a_column() -> None:
    lines = ("add-br br0", "add-port br0 p1 tag=5 trunks=1,2 other_config={a=b,c=d}")
    assert bridge(*lines, "add port p1 trunks 3 2").ports[1].trunks == (1, 2, 3)
    assert bridge(*lines, "remove port p1 trunks 1").ports[1].trunks == (2,)
    assert bridge(*lines, "remove port p1 tag 5").ports[1].tag is None
    kept = bridge(*lines, "remove port p1 other_config a").ports[1].other_config
    assert kept == {"c": "d"}
    assert bridge(*lines, "remove port p1 other_config a=x").ports[1].other_config["a"] == "b"
    assert bridge(*lines, "add port p1 other_config a=z").ports[1].other_config["a"] == "z"
    early = "add port p1 other_config a=z -- list-br"
    assert bridge(*lines, early).ports[1].other_config["a"] == "b", "as by Open vSwitch 3.1"
    cleared = bridge(*lines, "clear port p1 tag trunks other_config").ports[1]
    assert (cleared.tag, cleared.trunks, cleared.other_config) == (None, (), {})


MIRROR = (
    "add-br br0 -- add-port br0 p1 -- add-port br0 p2",
    "-- set bridge br0 mirrors=@m -- --id=@p1 get Port p1 -- --id=@p2 get Port p2"
    " -- --id=@m create Mirror name=m select_src_port=@p1 output_port=@p2 snaplen=100",
)


def test_a_mirror_is_made_by_symbols_that_are_bound_later() -> None:
    (mirror,) = bridge(*MIRROR).mirrors
    assert mirror == MirrorConfig("m", select_src_port=("p1",), output_port="p2", snaplen=100)


def test_get_names_no_row_that_is_used_already() -> None:
    setup, creation = MIRROR
    late = creation.replace(" -- --id=@p1 get Port p1", "") + " -- --id=@p1 get Port p1"
    with pytest.raises(OvsTextError, match='"@p1" specified on "get" command was used before it'):
        bridge(setup, late)


def test_a_mirror_forgets_ports_that_go() -> None:
    (mirror,) = bridge(*MIRROR, "del-port p1", "del-port br0 p2").mirrors
    assert (mirror.select_src_port, mirror.output_port) == ((), None)


def test_a_bond_has_several_interfaces_and_settings() -> None:
    made = bridge("add-br br0", "--fake-iface add-bond br0 b0 p1 p2 bond_mode=active-backup")
    bond = made.ports[1]
    assert [interface.name for interface in bond.interfaces] == ["p1", "p2"]
    assert (bond.bond_mode, bond.bond_fake_iface) == ("active-backup", True)


def test_links_of_a_bond_come_and_go() -> None:
    lines = ("add-br br0", "add-bond br0 b0 p1 p2 lacp=active")
    changes = ("add-bond-iface b0 p3", "del-bond-iface b0 p1", "--may-exist add-bond-iface b0 p2")
    bond = bridge(*lines, *changes, "--if-exists del-bond-iface p9").ports[1]
    assert [interface.name for interface in bond.interfaces] == ["p2", "p3"]
    assert bond.lacp == "active"


def test_queues_hang_on_a_port() -> None:
    made = port(
        "-- set Port p1 qos=@q -- --id=@q create QoS type=linux-htb queues=1=@a,2=@b"
        " -- --id=@a create Queue dscp=10 -- --id=@b create Queue other_config:max-rate=9"
    )
    assert made.qos is not None
    assert {number: queue.dscp for number, queue in made.qos.queues.items()} == {1: 10, 2: None}


def test_flow_tables_and_options_of_the_whole_switch_are_set() -> None:
    config = configured(
        "add-br br0",
        "-- --id=@t create Flow_Table name=t0 prefixes=ip_src,ip_dst -- set bridge br0"
        " flow_tables:0=@t -- set Open_vSwitch . other_config:vlan-limit=2",
        "set Flow_Table t0 flow_limit=5",
    )
    assert config.vlan_limit == 2
    table = config.bridges[0].flow_tables[0]
    assert (table.name, table.prefixes, table.flow_limit) == ("t0", ("ip_dst", "ip_src"), 5)


def test_what_exists_or_is_missing_may_be_excused() -> None:
    lines = (
        "add-br br0 -- add-port br0 p1",
        "--may-exist add-br br0",
        "--may-exist add-port br0 p1",
    )
    gone = (*lines, "--if-exists del-port p9", "--if-exists set port p9 tag=1")
    assert len(bridge(*gone).ports) == 2
    assert configured(*gone, "del-br br0", "--if-exists del-br br0").bridges == ()


@pytest.mark.oracle
def test_every_recorded_command_line_is_understood() -> None:
    root = os.environ.get("VNET_ORACLE")
    if root is None:
        pytest.skip("VNET_ORACLE is not set")
    refused = []
    cases = json.loads(Path(root, "ovs-tests", "trace-cases.json").read_text())
    # Of a test's cases, each goes on from the one before.
    for setup in {case["source"]: case["setup"] for case in cases}.values():
        view = empty_database()
        for step in setup:
            program, *arguments = step["argv"]
            if program != "ovs-vsctl":
                continue
            try:
                run_vsctl(view, arguments)
            except OvsTextError as refusal:
                refused.append(refusal.what)
    # These are in the recordings to be refused.
    assert set(refused) == {
        "nw_dst,nw_src,tun_dst,tun_src: 4 value(s) specified but the maximum number is 3",
        "nw_dst,nw_dst: set contains duplicate value",
    }
