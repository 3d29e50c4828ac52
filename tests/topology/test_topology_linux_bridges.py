"""Switches of type 'linux': VLANs and flags of ports, as a file says them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vnet.lab.lab import Lab
from vnet.linux.bridge.config import LinuxBridgeConfig, PortConfig
from vnet.topology.load import parse_topology

FAULTS = {
    "a VLAN too many": (
        "switches: {s: {vlan_filtering: true, ports: {s: {pvid: ^4095}}}}",
        "there is no VLAN 4095 (1 to 4094)",
    ),
    "VLAN 0 tagged": (
        "switches: {s: {vlan_filtering: true, ports: {s: {tagged: ^0}}}}",
        "there is no VLAN 0 (1 to 4094)",
    ),
    "a range that runs backwards": (
        "switches: {s: {vlan_filtering: true, ports: {s: {tagged: ^'20-10'}}}}",
        "20-10 is no range of VLANs (the lower one comes first)",
    ),
    "a VLAN by name": (
        "switches: {s: {vlan_filtering: true, ports: {s: {tagged: ^red}}}}",
        "there is no VLAN red (1 to 4094)",
    ),
    "a map of VLANs": (
        "switches: {s: {vlan_filtering: true, ports: {s: {tagged: ^{}}}}}",
        "tagged wants VLANs, not a map ([10, 20], or '10,20-29')",
    ),
    "a pvid that is a truth value": (
        "switches: {s: {vlan_filtering: true, ports: {s: {pvid: ^false}}}}",
        "pvid wants a VLAN, not false (1 to 4094, or none)",
    ),
    "tagged and untagged at once": (
        "switches: {s: {vlan_filtering: true, ports: {s: {tagged: 10, ^untagged: 10}}}}",
        "VLAN 10 cannot leave both tagged and untagged (leave it out of one of the two)",
    ),
    "VLANs of a bridge that does not filter": (
        "switches: {s: {ports: {s: {^pvid: 10}}}}",
        "pvid of 's' does nothing in a bridge that does not filter VLANs "
        "(write vlan_filtering: true)",
    ),
    "a protocol without filtering": (
        "switches: {s: {^vlan_protocol: 802.1ad}}",
        "vlan_protocol is for bridges that filter VLANs (write vlan_filtering: true)",
    ),
    "an unknown protocol": (
        "switches: {s: {vlan_filtering: true, vlan_protocol: ^802.1x}}",
        "vlan_protocol cannot be '802.1x' (did you mean '802.1Q'?)",
    ),
    "a mask that the kernel refuses": (
        "switches: {s: {group_fwd_mask: ^0x4001}}",
        "the kernel refuses group_fwd_mask 0x4001 (STP, pause and LACP cannot be let through: 0x7)",
    ),
    "a mask of a port that the kernel refuses": (
        "switches: {s: {ports: {s: {group_fwd_mask: ^2}}}}",
        "the kernel refuses group_fwd_mask 0x2 (pause frames cannot be let through: 0x2)",
    ),
    "a mask of 17 bits": (
        "switches: {s: {group_fwd_mask: ^0x10000}}",
        "group_fwd_mask wants a mask of 16 bits, not the number 65536 (write 0x4000)",
    ),
    "filtering in Open vSwitch": (
        "switches: {s: {type: ovs, ^vlan_filtering: true}}",
        "vlan_filtering is for Linux bridges (write type: linux)",
    ),
    "a flag of a Linux port in Open vSwitch": (
        "switches: {s: {type: ovs, ports: {s: {^hairpin: true}}}}",
        "hairpin is for Linux bridges (write type: linux)",
    ),
    "a misspelt flag": (
        "switches: {s: {ports: {s: {^hairpn: true}}}}",
        "unknown key 'hairpn' (did you mean 'hairpin'?)",
    ),
    "a flag that is no truth value": (
        "switches: {s: {ports: {s: {hairpin: ^on}}}}",
        "hairpin wants true or false, not the text 'on' (in YAML 1.2 yes, no, on and off are text)",
    ),
    "a port that no link ends at": (
        "switches: {s: {ports: {^a: {cost: 1}}}}",
        "s has no port 'a' (it has none)",
    ),
    "a port that no machine is at": (
        "hosts: {h: {nics: {eth0: }, switches: {b: {ports: {^eth1: {cost: 1}}}}}}",
        "h:b has no port 'eth1' (did you mean 'eth0'?)",
    ),
    "a cost of nothing": (
        "switches: {s: {ports: {a: {cost: ^0}}}}",
        "cost is too small: 0 (at least 1)",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_told_at_its_place(
    case: str, assert_problem: Callable[[str, str], None]
) -> None:
    text, message = FAULTS[case]
    assert_problem(f"version: 1\n{text}\n", message)


def bridge_of(text: str) -> LinuxBridgeConfig:
    links = "[{ends: ['s:p1', 'r:a']}, {ends: ['s:p2', 'r:b']}]"
    rest = f"routers: {{r: {{nics: {{a: , b: }}}}}}\nlinks: {links}\n"
    return parse_topology(f"version: 1\nswitches: {{s: {text}}}\n{rest}").switches["s"].linux


def test_what_is_left_out_is_as_the_kernel_has_it() -> None:
    assert bridge_of("{}") == LinuxBridgeConfig()


def test_every_setting_is_read() -> None:
    found = bridge_of(
        "{vlan_filtering: true, vlan_protocol: 802.1ad, default_pvid: none, vlan_stats: true, "
        "group_fwd_mask: '0x4000', ports: {p1: {pvid: 10, tagged: '20,30-32', untagged: [40], "
        "isolated: true, flood: false, cost: 9, priority: 3, group_fwd_mask: 0x4}, p2: }}"
    )
    port = PortConfig(10, (20, 30, 31, 32), (40,), {"isolated": True, "flood": False}, 9, 3, 4)
    assert found == LinuxBridgeConfig(
        True, 0x88A8, 0, True, 0x4000, {"p1": port, "p2": PortConfig()}
    )


HOST = """
version: 1
hosts:
  h1:
    hypervisor: kvm
    nics: {eth0: }
    switches:
      br0:
        vlan_filtering: true
        ports:
          br0: {tagged: 10}
          eth0: {pvid: none, tagged: [10, 20]}
          vnet0: {pvid: 10, isolated: true}
          vnet1: {pvid: 20, tagged: 20}
vms:
  vm1: {host: h1, vnics: [{}]}
  vm2: {host: h1, vnics: [{}]}
  vm3: {host: h1, vnics: [{}]}
"""


def test_a_hosts_bridge_is_set_up_as_its_ports_come() -> None:
    lab = Lab(parse_topology(HOST))
    bridge = lab.host("h1").namespace.bridges["br0"]
    found = {
        port.device.name: {vlan.vid: vlan.untagged for vlan in port.vlans}
        for port in (bridge.own_port, *bridge.ports)
    }
    assert found == {
        "br0": {1: True, 10: False},
        "eth0": {10: False, 20: False},
        "vnet0": {10: True},
        "vnet1": {20: False},
        "vnet2": {1: True},
    }
    assert [port.vlans.pvid for port in bridge.ports] == [0, 10, 20, 1]
    assert [port.isolated for port in bridge.ports] == [False, True, False, False]


def test_the_scripts_say_what_they_set() -> None:
    lab = Lab(parse_topology(HOST))
    said = [step.command for step in lab.network.script_steps]
    assert "ip link set br0 type bridge vlan_filtering 1" in said
    assert "bridge vlan add dev br0 vid 10 self" in said
    assert (
        "brctl addif br0 vnet0 && bridge vlan del dev vnet0 vid 1 && "
        "bridge vlan add dev vnet0 vid 10 pvid untagged && bridge link set dev vnet0 isolated on"
    ) in said


def test_br_netfilter_is_loaded_where_the_file_says_so() -> None:
    said = HOST.replace("hypervisor: kvm", "hypervisor: kvm\n    br_netfilter: true")
    for text, loaded in ((HOST, False), (said, True)):
        bridge = Lab(parse_topology(text)).host("h1").namespace.bridges["br0"]
        assert (bridge.netfilter is not None) is loaded
