"""``ip link add``, ``del`` and ``set``, with the answers of the real tool."""

from __future__ import annotations

import pytest

from tests.shell.conftest import Shell
from vnet.lab.lab import Lab
from vnet.netdev.vlan_device import VlanDevice
from vnet.wire.ether import TYPE_QINQ


@pytest.fixture
def lab() -> Lab:
    return Lab.load("@two-hosts")


def did(shell: Shell, lab: Lab, *commands: str) -> None:
    """Each command works and prints nothing."""
    for command in commands:
        ran = shell(lab, f"h1 ip link {command}")
        assert (ran.code, ran.out, ran.err) == (0, "", ""), command


def test_a_vlan_is_made_and_taken_away(shell: Shell, lab: Lab) -> None:
    did(shell, lab, "add link eth0 name eth0.10 mtu 1400 type vlan id 10", "set eth0.10 up")
    device = lab.host("h1").namespace.interface("eth0.10").device
    assert isinstance(device, VlanDevice)
    assert (device.vid, device.mtu_bytes, device.running) == (10, 1400, True)
    did(shell, lab, "add link eth0.10 inner type vlan protocol 802.1ad id 20")
    inner = lab.host("h1").namespace.interface("inner").device
    assert isinstance(inner, VlanDevice)
    assert (inner.lower, inner.protocol) == (device, TYPE_QINQ)
    did(shell, lab, "del eth0.10")
    assert not {"eth0.10", "inner"} & lab.host("h1").namespace.interfaces.keys()


def test_a_vlan_without_a_name_is_called_after_its_link(shell: Shell, lab: Lab) -> None:
    did(shell, lab, "add link eth0 type vlan id 7")
    assert "eth0.7" in lab.host("h1").namespace.interfaces


def test_a_bridge_is_made_with_settings_which_can_be_changed(shell: Shell, lab: Lab) -> None:
    did(
        shell,
        lab,
        "add br9 type bridge vlan_default_pvid 5 vlan_filtering 1 vlan_protocol 802.1ad",
        "set br9 type bridge group_fwd_mask 0x4000 ageing_time 500 stp_state 1",
        "set br9 up",
    )
    bridge = lab.host("h1").namespace.bridges["br9"]
    assert (bridge.vlan_filter.is_on, bridge.vlan_filter.default_pvid) == (True, 5)
    assert bridge.vlan_filter.protocol == TYPE_QINQ
    assert (bridge.group_fwd_mask, bridge.fdb.ageing_ns) == (0x4000, 5_000_000_000)
    assert bridge.tree.is_on
    did(shell, lab, "del br9")
    assert "br9" not in lab.host("h1").namespace.interfaces


def test_master_moves_a_port_and_bridge_slave_sets_it(shell: Shell, lab: Lab) -> None:
    did(
        shell,
        lab,
        "add br9 type bridge",
        "set vif1.0 master br9",
        "set vif1.0 type bridge_slave hairpin on cost 9 group_fwd_mask 0x4",
    )
    namespace = lab.host("h1").namespace
    (port,) = namespace.bridges["br9"].ports
    assert (port.device.name, port.hairpin, port.path_cost) == ("vif1.0", True, 9)
    assert port.group_fwd_mask == 4
    did(shell, lab, "set vif1.0 nomaster", "set vif1.0 nomaster")
    assert namespace.master_of("vif1.0") is None


def test_a_veth_pair_comes_and_goes_together(shell: Shell, lab: Lab) -> None:
    did(shell, lab, "add va type veth peer name vb", "set va up", "set vb up")
    namespace = lab.host("h1").namespace
    assert namespace.interface("va").device.running
    did(shell, lab, "del va")
    assert not {"va", "vb"} & namespace.interfaces.keys()


def test_a_device_is_changed(shell: Shell, lab: Lab) -> None:
    did(
        shell,
        lab,
        "add va type veth peer name vb",
        "set dev va address 02:00:00:00:00:aa mtu 1400 arp off multicast off",
        "set va name vc",
        "set vc up",
    )
    interface = lab.host("h1").namespace.interface("vc")
    assert interface.device.mac.hex() == "0200000000aa"
    assert (interface.device.mtu_bytes, interface.arp, interface.multicast) == (1400, False, False)
    assert interface.device.admin_up


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("add foo", 'Not enough information: "type" argument is required'),
        ("add foo type nope", "Error: Unknown device type."),
        ("add xenbr0 type bridge", "RTNETLINK answers: File exists"),
        ("add link nope name foo type vlan id 1", 'Cannot find device "nope"'),
        ("add link eth0 name foo type vlan id x", 'Error: argument "x" is wrong: id is invalid'),
        ("add link eth0 name foo type vlan id 4095", "Error: 8021q: Invalid VLAN id."),
        ("add name foo type vlan id 1", "Error: 8021q: VLAN properties not specified."),
        ("add va type veth", "veth: which peer?"),
        ("add va type veth peer name eth0", "RTNETLINK answers: File exists"),
        ("add br9 type bridge vlan_filter 1", "ip link: unknown option 'vlan_filter'"),
        ("set", 'Not enough information: "dev" argument is required.'),
        ("set nope up", 'Cannot find device "nope"'),
        ("set peth0 mtu 10", "Error: mtu less than device minimum."),
        ("set peth0 mtu 100000", "Error: mtu greater than device maximum."),
        ("set peth0 mtu x", 'Error: argument "x" is wrong: Invalid "mtu" value'),
        ("set peth0 mtu", 'Command line is not complete. Try option "help"'),
        ("set peth0 address xx", "Invalid mac address xx"),
        (
            "set peth0 address 01:00:00:00:00:01",
            "RTNETLINK answers: Cannot assign requested address",
        ),
        ("set peth0 name eth0", "RTNETLINK answers: File exists"),
        ("set peth0 master nope", 'Error: argument "nope" is wrong: Device does not exist'),
        ("set eth0 master peth0", "RTNETLINK answers: Operation not supported"),
        ("set lo master xenbr0", "RTNETLINK answers: Invalid argument"),
        ("set xenbr0 master xenbr0", "Error: Can not enslave a bridge to a bridge."),
        ("set peth0 foo", 'Error: either "dev" is duplicate, or'),
        ("set eth0 type bridge vlan_filtering 1", "RTNETLINK answers: Operation not supported"),
        ("set eth0 type bridge_slave hairpin on", "RTNETLINK answers: Operation not supported"),
        (
            "set peth0 type bridge_slave hairpin maybe",
            'Error: argument of "hairpin" must be one of "off", "on", not "maybe"',
        ),
        ("set peth0 type bridge_slave group_fwd_mask 2", "RTNETLINK answers: Invalid argument"),
        ("set peth0 type bridge_slave cost 0", "RTNETLINK answers: Numerical result out of range"),
        ("set xenbr0 type bridge group_fwd_mask 1", "RTNETLINK answers: Invalid argument"),
        ("del lo", "RTNETLINK answers: Operation not supported"),
        ("del nope", 'Cannot find device "nope"'),
    ],
)
def test_what_is_wrong_is_said_as_the_tool_says_it(
    shell: Shell, lab: Lab, command: str, message: str
) -> None:
    ran = shell(lab, f"h1 ip link {command}")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(message)
