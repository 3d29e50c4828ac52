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
        ("add link eth0 name foo type vlan foo 1", 'vlan: unknown command "foo"?'),
        ("add name foo type vlan id 1", "Error: 8021q: VLAN properties not specified."),
        ("add va type veth", "veth: which peer?"),
        ("add va type veth peer name eth0", "RTNETLINK answers: File exists"),
        ("add br9 type bridge vlan_filter 1", 'bridge: unknown command "vlan_filter"?'),
        (
            "add averyveryverylongname type bridge",
            "Error: Attribute failed policy validation.",
        ),
        ("add a/b type bridge", 'Error: argument "a/b" is wrong: "dev" not a valid ifname'),
        ("add a:b type bridge", "RTNETLINK answers: Invalid argument"),
        (
            "add name a16charactername type bridge",
            'Error: argument "a16charactername" is wrong: "name" not a valid ifname',
        ),
        (
            "add v0 type veth peer name a/b",
            'Error: argument "a/b" is wrong: "name" not a valid ifname',
        ),
        ("add v0 type veth peer name all", "RTNETLINK answers: Invalid argument"),
        ("set a/b up", 'Error: argument "a/b" is wrong: "dev" not a valid ifname'),
        ("set peth0 name a/b", 'Error: argument "a/b" is wrong: "name" not a valid ifname'),
        ("set peth0 name ..", "RTNETLINK answers: Invalid argument"),
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


def test_every_option_of_a_bridge_can_be_set_and_is_shown(shell: Shell, lab: Lab) -> None:
    wanted = (
        "forward_delay 400 hello_time 100 max_age 600 ageing_time 500 stp_state 1 priority 4096 "
        "vlan_filtering 1 vlan_protocol 802.1ad vlan_default_pvid 5 vlan_stats_enabled 1 "
        "vlan_stats_per_port 1 group_fwd_mask 0x4008 mcast_snooping 0 mcast_router 2 "
        "mcast_query_use_ifaddr 1 mcast_querier 1 mcast_hash_max 64 mcast_last_member_count 3 "
        "mcast_startup_query_count 3 mcast_last_member_interval 50 mcast_membership_interval 3000 "
        "mcast_querier_interval 2000 mcast_query_interval 200 mcast_query_response_interval 300 "
        "mcast_startup_query_interval 400 mcast_igmp_version 3 mcast_mld_version 2 "
        "nf_call_iptables 1 nf_call_ip6tables 1 nf_call_arptables 1"
    )
    did(shell, lab, f"add br9 type bridge {wanted}")
    shown = shell(lab, "h1 ip -d link show br9").out.splitlines()[2].split()
    words = wanted.split()
    for name, value in zip(words[::2], words[1::2], strict=True):
        assert shown[shown.index(name) + 1] == value, name


def test_a_bridge_and_its_port_are_shown_with_all_they_have(shell: Shell, lab: Lab) -> None:
    did(
        shell,
        lab,
        "add br9 address 02:00:00:00:00:09 type bridge",
        "add va address 02:00:00:00:00:0a type veth peer name vb",
        "set va master br9",
        "add link vb vb.10 type vlan id 10",
    )
    sizes = (
        "numtxqueues 1 numrxqueues 1 gso_max_size 65536 gso_max_segs 65535 "
        "tso_max_size 524280 tso_max_segs 65535 gro_max_size 65536 "
    )
    ids = "8000.02:00:00:00:00:09"
    assert shell(lab, "h1 ip -d link show br9").out.splitlines()[1:] == [
        "    link/ether 02:00:00:00:00:09 brd ff:ff:ff:ff:ff:ff "
        "promiscuity 0  allmulti 0 minmtu 68 maxmtu 65535 ",
        "    bridge forward_delay 1500 hello_time 200 max_age 2000 ageing_time 30000 stp_state 0 "
        f"priority 32768 vlan_filtering 0 vlan_protocol 802.1Q bridge_id {ids} "
        f"designated_root {ids} root_port 0 root_path_cost 0 topology_change 0 "
        "topology_change_detected 0 hello_timer    0.00 tcn_timer    0.00 "
        "topology_change_timer    0.00 gc_timer    0.00 vlan_default_pvid 1 "
        "vlan_stats_enabled 0 vlan_stats_per_port 0 group_fwd_mask 0 "
        "group_address 01:80:c2:00:00:00 mcast_snooping 1 no_linklocal_learn 0 "
        "mcast_vlan_snooping 0 mcast_router 1 mcast_query_use_ifaddr 0 mcast_querier 0 "
        "mcast_hash_elasticity 16 mcast_hash_max 4096 mcast_last_member_count 2 "
        "mcast_startup_query_count 2 mcast_last_member_interval 100 "
        "mcast_membership_interval 26000 mcast_querier_interval 25500 mcast_query_interval 12500 "
        "mcast_query_response_interval 1000 mcast_startup_query_interval 3124 "
        "mcast_stats_enabled 0 mcast_igmp_version 2 mcast_mld_version 1 nf_call_iptables 0 "
        f"nf_call_ip6tables 0 nf_call_arptables 0 {sizes}",
    ]
    did(shell, lab, "set va type bridge_slave group_fwd_mask 0xfffd mcast_fast_leave on")
    assert shell(lab, "h1 ip -d link show va").out.splitlines()[1:] == [
        "    link/ether 02:00:00:00:00:0a brd ff:ff:ff:ff:ff:ff "
        "promiscuity 1  allmulti 1 minmtu 68 maxmtu 65535 ",
        "    veth ",
        "    bridge_slave state disabled priority 32 cost 2 hairpin off guard off root_block off "
        "fastleave on learning on flood on port_id 0x8001 port_no 0x1 designated_port 32769 "
        f"designated_cost 0 designated_bridge {ids} designated_root {ids} hold_timer    0.00 "
        "message_age_timer    0.00 forward_delay_timer    0.00 topology_change_ack 0 "
        "config_pending 0 proxy_arp off proxy_arp_wifi off mcast_router 1 mcast_fast_leave on "
        "mcast_flood on bcast_flood on mcast_to_unicast off neigh_suppress off "
        "group_fwd_mask 0xfffd group_fwd_mask_str stp,lacp,0x8,0x10,0x20,0x40,0x80,0x100,0x200,"
        "0x400,0x800,0x1000,0x2000,lldp,0x8000 vlan_tunnel off isolated off "
        f"locked off {sizes}",
    ]
    assert shell(lab, "h1 ip -d link show vb.10").out.splitlines()[2] == (
        f"    vlan protocol 802.1Q id 10 <REORDER_HDR> {sizes}"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("hello_time 50", "RTNETLINK answers: Numerical result out of range"),
        ("max_age 4001", "RTNETLINK answers: Numerical result out of range"),
        ("forward_delay x", 'Error: argument "x" is wrong: invalid forward_delay'),
        ("priority 65536", 'Error: argument "65536" is wrong: invalid priority'),
        ("group_fwd_mask 1", "RTNETLINK answers: Invalid argument"),
        ("vlan_protocol x", 'Error: argument "x" is wrong: invalid vlan_protocol'),
        ("vlan_default_pvid 4095", "RTNETLINK answers: Invalid argument"),
        ("vlan_stats_enabled 2", "RTNETLINK answers: Invalid argument"),
        ("mcast_igmp_version 1", "RTNETLINK answers: Invalid argument"),
        ("nf_call_iptables x", 'Error: argument "x" is wrong: invalid nf_call_iptables'),
        ("foo 1", 'bridge: unknown command "foo"?'),
        ("forward_delay", 'Command line is not complete. Try option "help"'),
    ],
)
def test_a_bridge_with_a_wrong_option_is_not_made(
    shell: Shell, lab: Lab, options: str, message: str
) -> None:
    ran = shell(lab, f"h1 ip link add br9 type bridge {options}")
    assert ran.code != 0
    assert message in ran.err
    assert "br9" not in lab.host("h1").namespace.interfaces


def test_a_flush_forgets_what_was_learned(shell: Shell, lab: Lab) -> None:
    shell(lab, "vm1 ping -c 1 vm2")
    bridge = lab.host("h1").namespace.bridges["xenbr0"]
    assert any(entry.is_dynamic for entry in bridge.fdb)
    did(shell, lab, "set xenbr0 type bridge fdb_flush")
    assert not any(entry.is_dynamic for entry in bridge.fdb)
    assert list(bridge.fdb), "its own addresses stay"
