"""Machines of every kind as topologies: what is said, what is only noted, and that it loads."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from ruamel.yaml import YAML

from vnet import Lab
from vnet.live.importing.document import Imported, imported, node_name
from vnet.live.importing.machine import (
    LOOPBACK,
    DeviceAddress,
    Hop,
    Link,
    Machine,
    Neighbor,
    Route,
    Rule,
)

LO = Link(1, "lo", hardware=LOOPBACK, mac="00:00:00:00:00:00", mtu_bytes=65_536)
ETH0 = Link(2, "eth0", mac="02:00:00:00:00:02")
IPV4, IPV6 = socket.AF_INET, socket.AF_INET6
BOOT, KERNEL, ADVERTISED = 3, 2, 9


def content(found: Imported) -> Any:
    with Lab.from_text(found.text):
        return YAML(typ="safe").load(found.text)


def host(*links: Link, **more: Any) -> Any:
    return content(imported(Machine("h", (LO, *links), **more)))["hosts"]["h"]


def notes(*links: Link, **more: Any) -> str:
    return "\n".join(imported(Machine("h", (LO, *links), **more)).notes)


def bridge(index: int, name: str, **data: Any) -> Link:
    return Link(index, name, "bridge", f"02:00:00:00:00:{index:02x}", data=data)


def tap(index: int, name: str, master: int, **more: Any) -> Link:
    return Link(index, name, "tun", f"fe:54:00:00:00:{index:02x}", master=master, **more)


def test_a_machine_with_nothing_but_its_loopback_is_a_host() -> None:
    found = imported(Machine("lonely.example.org", (LO,)))
    assert content(found) == {"version": 1, "hosts": {"lonely": {"hypervisor": "kvm"}}}
    assert found.notes == ()


@pytest.mark.parametrize(
    ("name", "fit"),
    [("a.b.c", "a"), ("-ü-x", "x"), ("", "host"), ("h_1", "h_1"), ("\x1b[1m", "1m")],
)
def test_any_name_of_a_machine_becomes_one_that_fits(name: str, fit: str) -> None:
    assert node_name(name) == fit


def test_a_card_has_its_addresses_and_a_wire() -> None:
    found = imported(
        Machine(
            "h",
            (LO, ETH0),
            (DeviceAddress(2, "192.0.2.2", 24), DeviceAddress(2, "2001:db8::2", 64)),
        )
    )
    said = content(found)
    assert said["hosts"]["h"]["nics"] == {
        "eth0": {"ip": ["192.0.2.2/24", "2001:db8::2/64"], "mac": "02:00:00:00:00:02"}
    }
    assert said["links"] == [{"ends": ["h:eth0", "wire-eth0:p1"]}]


def test_a_card_without_a_carrier_has_no_link() -> None:
    silent = Link(2, "eth0", mac="02:00:00:00:00:02", has_carrier=False)
    assert "links" not in content(imported(Machine("h", (LO, silent))))


def test_ipv6_is_on_where_there_is_a_link_local_address() -> None:
    local = DeviceAddress(2, "fe80::ff:fe00:2", 64, is_link_local=True)
    assert host(ETH0, addresses=(local,))["nics"]["eth0"]["ipv6"] is True
    other = DeviceAddress(2, "fe80::1", 64, is_link_local=True)
    assert "fe80::1/64 of eth0 is not made of its MAC address" in notes(ETH0, addresses=(other,))


def test_addresses_that_cannot_be_said_are_noted() -> None:
    said = notes(
        ETH0,
        addresses=(
            DeviceAddress(2, "192.0.2.2", 32, peer="192.0.2.1"),
            DeviceAddress(2, "192.0.2.3", 24, label="eth0:1"),
            DeviceAddress(2, "2001:db8::9", 64, is_by_itself=True),
            DeviceAddress(2, "192.0.2.4", 24, is_leased=True),
            DeviceAddress(1, "192.0.2.5", 32),
        ),
    )
    for words in (
        "has the peer 192.0.2.1",
        "has the label eth0:1",
        "made from a router's advertisement",
        "is leased",
        "192.0.2.5/32 of lo is not carried over",
    ):
        assert words in said


def test_a_bridge_has_its_settings_and_its_card() -> None:
    data = {
        "IFLA_BR_AGEING_TIME": 6_050,
        "IFLA_BR_STP_STATE": 1,
        "IFLA_BR_PRIORITY": 4_096,
        "IFLA_BR_FORWARD_DELAY": 400,
        "IFLA_BR_GROUP_FWD_MASK": 0x4000,
        "IFLA_BR_MCAST_SNOOPING": 0,
        "IFLA_BR_MCAST_QUERIER": 1,
        "IFLA_BR_MCAST_IGMP_VERSION": 3,
    }
    card = Link(2, "eth0", mac="02:00:00:00:00:02", master=5)
    said = host(card, bridge(5, "br0", **data))["switches"]["br0"]
    assert said == {
        "uplink": "eth0",
        "ageing": "60500ms",
        "stp": True,
        "priority": 4096,
        "forward_delay": "4s",
        "mcast_snooping": False,
        "multicast": {"querier": True, "igmp_version": 3},
        "group_fwd_mask": "0x4000",
    }


def test_a_bridge_filters_vlans_as_it_did() -> None:
    data = {"IFLA_BR_VLAN_FILTERING": 1, "IFLA_BR_VLAN_DEFAULT_PVID": 1}
    card = Link(
        2,
        "eth0",
        mac="02:00:00:00:00:02",
        master=5,
        vlans=((99, 99, True, True), (10, 10, False, False), (20, 29, False, False)),
    )
    own = Link(5, "br0", "bridge", "02:00:00:00:00:05", data=data, vlans=((10, 10, False, False),))
    usual = tap(6, "vnet0", 5, vlans=((1, 1, True, True),))
    said = host(card, own, usual)["switches"]["br0"]
    assert said["vlan_filtering"] is True
    assert said["ports"] == {
        "br0": {"pvid": "none", "tagged": "10"},
        "eth0": {"pvid": 99, "tagged": "10,20-29"},
    }


def test_ports_have_their_flags() -> None:
    port = {
        "IFLA_BRPORT_ISOLATED": 1,
        "IFLA_BRPORT_LEARNING": 0,
        "IFLA_BRPORT_COST": 77,
        "IFLA_BRPORT_PRIORITY": 8,
        "IFLA_BRPORT_PROXYARP": 1,
    }
    links = (bridge(5, "br0"), tap(6, "vnet0", 5, port=port))
    assert host(*links)["switches"]["br0"]["ports"] == {
        "vnet0": {"isolated": True, "learning": False, "cost": 77, "priority": 8}
    }
    assert "proxy_arp of the port vnet0 is on" in notes(*links)


def test_what_hangs_on_a_bridge_is_a_guest_with_what_is_known_of_it() -> None:
    machine = Machine(
        "h",
        (LO, bridge(5, "virbr0"), tap(6, "vnet7", 5), tap(7, "vnet3", 5)),
        (DeviceAddress(5, "192.168.122.1", 24),),
        neighbors=(Neighbor(5, "52:54:00:aa:bb:cc", "192.168.122.77"),),
        stations=(
            Neighbor(6, "52:54:00:aa:bb:cc"),
            Neighbor(6, "fe:54:00:00:00:06", is_permanent=True),
        ),
    )
    found = imported(machine)
    assert content(found)["vms"] == {
        "vm1": {"host": "h", "vnics": [{"switch": "virbr0", "mac": "52:54:00:00:00:07"}]},
        "vm2": {
            "host": "h",
            "vnics": [{"switch": "virbr0", "mac": "52:54:00:aa:bb:cc", "ip": "192.168.122.77/24"}],
        },
    }
    assert "vnet7 is called vnet1 in the lab" in found.notes
    assert "#   - vnet1 of vm2 is vnet7 on the machine" in found.text


def test_the_back_ends_of_xens_domains_make_machines_of_several_cards() -> None:
    links = (
        bridge(5, "xenbr0"),
        Link(6, "vif3.1", "", "fe:ff:ff:ff:ff:ff", master=5),
        Link(7, "vif3.0", "", "fe:ff:ff:ff:ff:ff", master=5),
        Link(8, "vif12.0", "", "fe:ff:ff:ff:ff:ff", master=5),
    )
    said = content(imported(Machine("h", (LO, *links))))
    assert said["hosts"]["h"]["hypervisor"] == "xen"
    assert [len(vm["vnics"]) for vm in said["vms"].values()] == [2, 1]


def test_a_veth_between_bridges_is_a_pair() -> None:
    links = (
        bridge(5, "br0"),
        bridge(6, "br1"),
        Link(7, "a", "veth", "02:00:00:00:00:07", master=5, link=8),
        Link(8, "b", "veth", "02:00:00:00:00:08", master=6, link=7),
    )
    assert host(*links)["veths"] == [{"a": "br0", "b": "br1"}]


def test_a_vlan_says_what_its_name_does_not() -> None:
    links = (
        ETH0,
        Link(3, "eth0.10", "vlan", ETH0.mac, link=2, data={"IFLA_VLAN_ID": 10}),
        Link(
            4,
            "outer",
            "vlan",
            "02:00:00:00:00:44",
            1400,
            link=2,
            data={"IFLA_VLAN_ID": 5, "IFLA_VLAN_PROTOCOL": 0x88A8},
        ),
    )
    vlans = host(*links, addresses=(DeviceAddress(3, "10.0.10.1", 24),))["vlans"]
    assert vlans == {
        "eth0.10": {"ip": "10.0.10.1/24"},
        "outer": {
            "link": "eth0",
            "id": 5,
            "protocol": "802.1ad",
            "mac": "02:00:00:00:00:44",
            "mtu": 1400,
        },
    }


def test_a_bond_becomes_a_card_and_its_members_are_noted() -> None:
    links = (
        Link(2, "eth0", mac="02:00:00:00:00:02", master=4),
        Link(4, "bond0", "bond", "02:00:00:00:00:02"),
    )
    assert list(host(*links)["nics"]) == ["bond0"]
    said = notes(*links)
    assert "bond0 is a bond, and becomes a card" in said
    assert "eth0: it belongs to bond0" in said


def test_devices_that_a_lab_has_not_are_noted_with_what_hangs_on_them() -> None:
    links = (ETH0, Link(3, "vx0", "vxlan", "02:00:00:00:00:03"), Link(4, "wg0", "wireguard"))
    said = notes(
        *links,
        addresses=(DeviceAddress(3, "10.0.0.1", 24),),
        routes=(Route(IPV4, "10.9.0.0/16", 254, 1, BOOT, (Hop(3, "10.0.0.2"),)),),
    )
    assert "vx0: a lab's machines have no device of the kind vxlan" in said
    assert "wg0: a lab's machines have no device of the kind wireguard" in said
    assert "10.0.0.1/24 of vx0 is not carried over" in said
    assert "the route to 10.9.0.0/16 goes by vx0, and is not carried over" in said


def test_routes_are_those_that_somebody_set() -> None:
    at_eth0 = (Hop(2, ""),)
    found = host(
        ETH0,
        addresses=(DeviceAddress(2, "192.0.2.2", 24), DeviceAddress(2, "2001:db8::2", 64)),
        routes=(
            Route(IPV4, "192.0.2.0/24", 254, 1, KERNEL, at_eth0),
            Route(IPV4, "192.0.2.2/32", 255, 2, KERNEL, at_eth0),
            Route(IPV4, "0.0.0.0/0", 254, 1, BOOT, (Hop(2, "192.0.2.1"),), metric=100),
            Route(IPV6, "::/0", 254, 1, BOOT, (Hop(2, "2001:db8::1"),), metric=1024),
            Route(IPV4, "10.1.0.0/16", 254, 1, BOOT, at_eth0, mtu_bytes=1400, tos=16),
            Route(IPV4, "10.2.0.0/16", 7, 6, BOOT),
            Route(
                IPV4,
                "10.3.0.0/16",
                254,
                1,
                BOOT,
                (Hop(2, "192.0.2.8", 2), Hop(2, "192.0.2.9")),
            ),
        ),
    )
    assert found["routes"] == [
        {"to": "10.1.0.0/16", "dev": "eth0", "tos": 16, "mtu": 1400},
        {"to": "10.2.0.0/16", "type": "blackhole", "table": 7},
        {"to": "default", "via": "192.0.2.1", "dev": "eth0", "metric": 100},
        {"to": "default", "via": "2001:db8::1", "dev": "eth0"},
        {
            "to": "10.3.0.0/16",
            "nexthops": [
                {"via": "192.0.2.8", "dev": "eth0", "weight": 2},
                {"via": "192.0.2.9", "dev": "eth0"},
            ],
        },
    ]


def test_routes_that_cannot_be_said_are_noted() -> None:
    said = notes(
        ETH0,
        addresses=(DeviceAddress(2, "192.0.2.2", 24),),
        routes=(
            Route(IPV6, "::/0", 254, 1, ADVERTISED, (Hop(2, "fe80::1"),)),
            Route(IPV4, "10.1.0.0/16", 254, 1, BOOT, (Hop(2, ""),), has_more=("encap", "rtt")),
            Route(IPV4, "10.2.0.0/16", 254, 10, BOOT, (Hop(2, ""),)),
        ),
    )
    assert "the route to default is a router's advertisement's" in said
    assert "of the route to 10.1.0.0/16 encap, rtt is not carried over" in said
    assert "the route to 10.2.0.0/16 is of a kind that a topology cannot say" in said


def test_a_route_whose_gateway_is_out_of_reach_is_noted_and_the_rest_loads() -> None:
    routes = (
        Route(IPV4, "10.1.0.0/16", 254, 1, BOOT, (Hop(2, "198.51.100.1"),)),
        Route(IPV4, "10.2.0.0/16", 254, 1, BOOT, (Hop(2, "192.0.2.1"),)),
    )
    machine = Machine("h", (LO, ETH0), (DeviceAddress(2, "192.0.2.2", 24),), routes)
    found = imported(machine)
    said = content(found)["hosts"]["h"]["routes"]
    assert [route["to"] for route in said] == ["10.2.0.0/16"]
    assert any("10.1.0.0/16" in note and "is not carried over" in note for note in found.notes)


USUAL = (
    Rule(IPV4, 0, 1, 255),
    Rule(IPV4, 32_766, 1, 254),
    Rule(IPV4, 32_767, 1, 253),
)


def test_rules_besides_the_usual_are_said() -> None:
    rules = (
        *USUAL,
        Rule(IPV4, 100, 1, 7, source="10.0.0.0/24", iif="tap9"),
        Rule(IPV4, 101, 6, 0, mark=16, mask=255, is_not=True),
        Rule(IPV6, 102, 2, 0, oif="eth0", goto=200),
        Rule(IPV6, 200, 1, 254, target="2001:db8::/32", suppressed_length=0),
    )
    assert host(ETH0, bridge(5, "br0"), tap(6, "tap9", 5), rules=rules)["rules"] == [
        {"priority": 100, "from": "10.0.0.0/24", "iif": "vnet0", "table": 7},
        {"priority": 101, "family": 4, "not": True, "fwmark": "0x10/0xff", "action": "blackhole"},
        {"priority": 102, "family": 6, "oif": "eth0", "goto": 200},
        {"priority": 200, "to": "2001:db8::/32", "table": 254, "suppress_prefixlength": 0},
    ]


def test_rules_that_cannot_be_said_or_are_gone_are_noted() -> None:
    rules = (*USUAL[:2], Rule(IPV4, 9, 1, 7, has_more=("uidrange",)))
    said = notes(ETH0, rules=rules)
    assert "the rule 9 is not carried over: a topology cannot say uidrange" in said
    assert "a rule of IPv4 that every machine begins with is gone" in said


def test_neighbours_and_stations_put_there_by_hand_are_noted() -> None:
    said = notes(
        ETH0,
        bridge(5, "br0"),
        tap(6, "vnet0", 5),
        neighbors=(Neighbor(2, "02:00:00:00:99:99", "192.0.2.77", is_permanent=True),),
        stations=(Neighbor(6, "02:00:00:00:77:77", is_permanent=True),),
    )
    assert "192.0.2.77 lladdr 02:00:00:00:99:99 dev eth0 is not carried over" in said
    assert "the station 02:00:00:00:77:77 was put behind vnet0 by hand" in said


def test_settings_are_those_that_the_lab_would_not_have_by_itself() -> None:
    settings = {
        "net/ipv4/ip_forward": "1",
        "net/ipv4/conf/all/forwarding": "1",
        "net/ipv4/conf/all/accept_redirects": "0",
        "net/ipv4/conf/eth0/forwarding": "1",
        "net/ipv4/conf/eth0/rp_filter": "2",
        "net/ipv4/icmp_ratelimit": "1000",
        "net/ipv4/tcp_rmem": "4096\t131072\t33554432",
        "net/ipv4/something_new": "7",
    }
    assert host(ETH0, settings=settings)["sysctls"] == {
        "net.ipv4.ip_forward": 1,
        "net.ipv4.tcp_rmem": "4096 131072 33554432",
        "net.ipv4.conf.eth0.rp_filter": 2,
    }


def test_a_device_with_a_dot_in_its_name_has_its_own_settings() -> None:
    links = (ETH0, Link(3, "eth0.10", "vlan", ETH0.mac, link=2, data={"IFLA_VLAN_ID": 10}))
    found = host(*links, settings={"net/ipv4/conf/eth0.10/rp_filter": "1"})
    assert found["sysctls"] == {"net.ipv4.conf.eth0/10.rp_filter": 1}


def test_a_setting_that_a_lab_refuses_is_noted() -> None:
    said = notes(ETH0, settings={"net/ipv4/tcp_congestion_control": "bbr"})
    assert "sysctl net.ipv4.tcp_congestion_control = bbr is not carried over" in said


def test_names_that_a_topology_refuses_are_noted_and_cannot_reach_a_terminal() -> None:
    found = imported(Machine("h", (LO, Link(2, "e\x1b[31m", mac="02:00:00:00:00:02"))))
    assert any(note.startswith(r"e\x1b[31m: ") for note in found.notes)
    assert "\x1b" not in found.text
    content(found)
