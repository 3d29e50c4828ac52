"""VLANs of devices, and veth pairs between switches, as a file says them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vnet.lab.lab import Lab
from vnet.linux.netns.vlan_devices import vlans_on
from vnet.topology.load import parse_topology
from vnet.topology.model import VlanDevice

HEAD = "version: 1\n"

FAULTS = {
    "a name that says neither link nor VLAN": (
        "routers: {r: {nics: {eth0: }, vlans: {^blue: }}}",
        "'blue' does not say the link of the VLAN (write link, or call it eth0.10)",
    ),
    "a link without a VLAN": (
        "routers: {r: {nics: {eth0: }, vlans: {^blue: {link: eth0}}}}",
        "'blue' does not say the id of the VLAN (write id, or call it eth0.10)",
    ),
    "a device that is not there": (
        "routers: {r: {nics: {eth0: }, vlans: {^eth1.10: }}}",
        "there is no device 'eth1' for 'eth1.10' to stand on (did you mean 'eth0'?)",
    ),
    "a VLAN that is not there": (
        "routers: {r: {nics: {eth0: }, vlans: {^eth0.4095: }}}",
        "there is no VLAN 4095 (1 to 4094)",
    ),
    "the same VLAN twice": (
        "routers: {r: {nics: {eth0: }, vlans: {eth0.10: , ^blue: {link: eth0, id: 10}}}}",
        "'eth0.10' is VLAN 10 of eth0 already",
    ),
    "a name that is taken": (
        "routers: {r: {nics: {eth0: }, vlans: {^eth0: {link: eth0, id: 10}}}}",
        "there is a device 'eth0' already",
    ),
    "the same address twice in a VLAN": (
        "routers: {a: {nics: {eth0: }, vlans: {eth0.10: {ip: 10.0.0.1/24}}}, "
        "b: {nics: {eth0: }, vlans: {eth0.10: {ip: ^10.0.0.1/24}}}}\n"
        "links: [{ends: ['a:eth0', 'b:eth0']}]",
        "address '10.0.0.1' of b:eth0.10 is also that of a:eth0.10 (they are in one segment)",
    ),
    "an address that an access port's station has": (
        "hosts: {h: {switches: {br0: {vlan_filtering: true, ports: {br0: {tagged: 10}, "
        "vnet0: {pvid: 10}}}}, vlans: {br0.10: {ip: 10.0.0.1/24}}}}\n"
        "vms: {v: {host: h, vnics: [{ip: ^10.0.0.1/24}]}}",
        "address '10.0.0.1' of v:eth0 is also that of h:br0.10 (they are in one segment)",
    ),
    "a pair to a switch that is not there": (
        "hosts: {h: {switches: {br0: , br1: }, veths: [{a: ^br9, b: br1}]}}",
        "the host has no switch 'br9' (did you mean 'br1'?)",
    ),
    "a pair of one": (
        "hosts: {h: {switches: {br0: }, veths: [^{a: br0}]}}",
        "veths has 1 entry (at least 2)",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_told_at_its_place(
    case: str, assert_problem: Callable[[str, str], None]
) -> None:
    text, message = FAULTS[case]
    assert_problem(f"{HEAD}{text}\n", message)


def test_the_name_says_link_and_vlan_unless_the_file_does() -> None:
    text = (
        "routers: {r: {nics: {eth0: }, vlans: {eth0.10: {ip: 10.0.0.1/24}, eth0.10.20: , "
        "s: {link: eth0, id: 7, protocol: 802.1ad, mtu: 1400, mac: '02:00:00:00:00:09'}}}}\n"
    )
    found = parse_topology(HEAD + text).routers["r"].vlans
    assert [(v.name, v.link, v.vid, v.protocol, v.mtu_bytes) for v in found] == [
        ("eth0.10", "eth0", 10, 0x8100, 0),
        ("eth0.10.20", "eth0.10", 20, 0x8100, 0),
        ("s", "eth0", 7, 0x88A8, 1400),
    ]


def test_the_same_address_may_be_in_two_vlans() -> None:
    text = (
        "routers: {a: {nics: {eth0: }, vlans: {eth0.10: {ip: 10.0.0.1/24}, eth0.20: "
        "{ip: 10.0.1.1/24}}}, b: {nics: {eth0: }, vlans: {eth0.20: {ip: 10.0.0.1/24}}}}\n"
        "links: [{ends: ['a:eth0', 'b:eth0']}]\n"
    )
    assert isinstance(parse_topology(HEAD + text).routers["b"].vlans[0], VlanDevice)


ROUTER_ON_A_STICK = """
version: 1
hosts:
  h1:
    nics: {eth0: }
    switches:
      br0:
        vlan_filtering: true
        ports:
          br0: {pvid: none}
          eth0: {pvid: none, tagged: [10, 20]}
          vnet0: {pvid: 10}
          vnet1: {pvid: 20}
vms:
  red: {host: h1, gateway: 10.0.10.1, vnics: [{ip: 10.0.10.2/24}]}
  blue: {host: h1, gateway: 10.0.20.1, vnics: [{ip: 10.0.20.2/24}]}
routers:
  r1:
    nics: {eth0: {mtu: 1400, mac: '02:00:00:00:00:aa'}}
    vlans:
      eth0.10: {ip: 10.0.10.1/24}
      eth0.20: {ip: 10.0.20.1/24}
links: [{ends: ['h1:eth0', 'r1:eth0']}]
captures: ['r1:eth0', 'r1:eth0.10', 'r1:eth0.20']
"""


def test_a_router_on_a_stick_leads_from_one_vlan_to_another() -> None:
    lab = Lab(parse_topology(ROUTER_ON_A_STICK))
    assert lab.vm("red").ping("blue", count=2).received == 2
    seen = {point: [bytes(p) for p in packets] for point, packets in lab.captures.items()}
    tags = {data[12:16].hex() for data in seen["r1:eth0"]}
    assert tags == {"8100000a", "81000014"}
    for point in ("r1:eth0.10", "r1:eth0.20"):
        assert {data[12:14].hex() for data in seen[point]} == {"0806", "0800"}


def test_vlans_take_mac_and_mtu_from_the_card_below() -> None:
    lab = Lab(parse_topology(ROUTER_ON_A_STICK))
    eth0 = lab.machine("r1").namespace.interface("eth0").device
    for vlan in vlans_on(eth0):
        assert (vlan.mac, vlan.mtu_bytes, vlan.running) == (eth0.mac, 1400, True)


A_BRIDGE_A_VLAN = """
version: 1
hosts:
  h1:
    nics: {eth0: }
    vlans: {eth0.10: , eth0.20: {ip: 10.0.20.9/24}}
    switches:
      br10: {uplink: eth0.10}
      br20: {uplink: eth0.20}
  h2:
    nics: {eth0: }
    vlans: {eth0.10: , eth0.20: }
    switches:
      br10: {uplink: eth0.10}
      br20: {uplink: eth0.20}
vms:
  a1: {host: h1, vnics: [{ip: 10.0.0.1/24, switch: br10}]}
  a2: {host: h2, vnics: [{ip: 10.0.0.2/24, switch: br10}]}
  b1: {host: h1, vnics: [{ip: 10.0.0.1/24, switch: br20}]}
  b2: {host: h2, vnics: [{ip: 10.0.20.2/24, switch: br20}]}
links: [{ends: ['h1:eth0', 'h2:eth0']}]
captures: ['h1:eth0']
"""


def test_a_bridge_may_have_a_vlan_of_a_card_for_its_uplink() -> None:
    """The same address in both VLANs is no clash, and the host's goes to the bridge."""
    lab = Lab(parse_topology(A_BRIDGE_A_VLAN))
    assert lab.vm("a1").ping("a2", count=1).received == 1
    assert {bytes(p)[12:16].hex() for p in lab.captures["h1:eth0"]} == {"8100000a"}
    assert lab.host("h1").ping("b2", count=1).received == 1
    assert lab.host("h1").namespace.interface("br20").addresses


OPENSTACK = """
version: 1
hosts:
  compute:
    nics: {eth0: }
    switches:
      qbr1: {uplink: none}
      br-int:
        type: ovs
        uplink: eth0
        ports: {qvo1: {tag: 10}, eth0: {trunks: 10}, br-int: {tag: 1}}
    veths:
      - {qvb1: qbr1, qvo1: br-int}
  gateway:
    nics: {eth0: }
    vlans: {eth0.10: {ip: 10.0.0.1/24}}
vms:
  vm1: {host: compute, vnics: [{ip: 10.0.0.2/24, switch: qbr1}]}
links: [{ends: ['compute:eth0', 'gateway:eth0']}]
captures: ['compute:qvb1', 'compute:qvo1', 'compute:eth0']
"""


def test_a_veth_pair_joins_a_linux_bridge_and_one_of_open_vswitch() -> None:
    lab = Lab(parse_topology(OPENSTACK))
    assert lab.vm("vm1").ping("gateway", count=2).received == 2
    for point in ("compute:qvb1", "compute:qvo1"):
        assert len(lab.captures[point]) == 6
        assert all(bytes(p)[12:14] != b"\x81\x00" for p in lab.captures[point])
    assert {bytes(p)[12:16].hex() for p in lab.captures["compute:eth0"]} == {"8100000a"}
    said = [step.command for step in lab.network.script_steps]
    assert "ip link add qvb1 type veth peer name qvo1" in said
    assert "brctl addif qbr1 qvb1" in said
    assert "ovs-vsctl add-port br-int qvo1 tag=10" in said


def test_neither_kind_of_bridge_knows_the_others_ports() -> None:
    lab = Lab(parse_topology(OPENSTACK))
    namespace = lab.host("compute").namespace
    assert list(namespace.bridges) == ["qbr1"]
    assert [port.device.name for port in namespace.bridges["qbr1"].ports] == ["qvb1", "vnet0"]
    switch = lab.network.switch("compute", "br-int")
    assert switch.ports().keys() == {"br-int", "eth0", "qvo1"}
