"""Switches of Open vSwitch in a file: what they become, and what is said of bad ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vnet.base.errors import TopologyError
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.messages import FlowMod, GroupMod, MeterMod
from vnet.ovs.openflow.ofpacts import Output
from vnet.ovs.vswitchd.config import FlowTableConfig, MirrorConfig, QosConfig, QueueConfig
from vnet.topology.load import load_topology, parse_topology
from vnet.topology.model import OvsBridge, Topology
from vnet.topology.scenario.ovs_steps import (
    Changes,
    FlowsStep,
    GroupsStep,
    MegaflowsStep,
    MetersStep,
    TablesStep,
)
from vnet.topology.steps import Step

LAB = """\
version: 1
hosts:
  h1:
    nics: {eth0: , eth1: }
    switches:
      br0: {type: ovs%s}
      br1: {uplink: none}
vms:
  vm1: {host: h1, vnics: [{switch: br0}, {switch: br1}]}
  vm2: {host: h1, vnics: [{switch: br0}]}
"""


def lab_with(more: str) -> Topology:
    """A host with an OVS bridge, which has more keys."""
    return parse_topology(LAB % f", {more}" if more else LAB % "")


def bridge_of(topology: Topology, host: str = "h1") -> OvsBridge:
    ovs = topology.hosts[host].switches["br0"].ovs
    assert ovs is not None
    return ovs


def numbers_of(topology: Topology) -> dict[str, int | None]:
    ports = bridge_of(topology).ports
    return {name: port.interfaces[0].ofport_request for name, port in ports.items()}


def flows_of(topology: Topology, label: str = "h1:br0") -> list[FlowMod]:
    return [mod for mod in topology.openflow[label] if isinstance(mod, FlowMod)]


# -- what they become


def test_a_bridge_says_nothing_and_is_what_ovs_vsctl_makes_of_it() -> None:
    topology = lab_with("")
    ovs = bridge_of(topology)
    assert (ovs.config.name, ovs.config.fail_mode, ovs.config.ports) == ("br0", None, ())
    assert (dict(ovs.config.other_config), dict(ovs.ports)) == ({}, {})
    assert topology.hosts["h1"].switches["br1"].ovs is None
    assert topology.openflow == {}


def test_settings_go_to_the_tables_of_the_database() -> None:
    topology = lab_with(
        "fail_mode: secure, ageing: 60s, other_config: {mac-table-size: 20, forward-bpdu: true}, "
        "ports: {vnet0: {tag: 10}, vnet2: {trunks: '10,20-22', vlan_mode: native-tagged, "
        "protected: true, other_config: {priority-tags: always}}, br0: {tag: 7}}"
    )
    ovs = bridge_of(topology)
    assert ovs.config.is_secure
    assert dict(ovs.config.other_config) == {
        "mac-aging-time": "60",
        "mac-table-size": "20",
        "forward-bpdu": "true",
    }
    vnet0, vnet2, local = (ovs.ports[name] for name in ("vnet0", "vnet2", "br0"))
    assert (vnet0.tag, vnet0.trunks, vnet0.protected) == (10, (), False)
    assert (vnet2.tag, vnet2.trunks, vnet2.vlan_mode) == (None, (10, 20, 21, 22), "native-tagged")
    assert (vnet2.protected, dict(vnet2.other_config)) == (True, {"priority-tags": "always"})
    assert (local.tag, local.interfaces[0].type) == (7, "internal")


def test_protocols_of_a_bridge_are_off_unless_wanted() -> None:
    config = bridge_of(lab_with("")).config
    assert (config.stp_enable, config.rstp_enable, config.mcast_snooping_enable) == (False,) * 3
    config = bridge_of(lab_with("rstp: true, mcast_snooping: true")).config
    assert (config.rstp_enable, config.mcast_snooping_enable) == (True, True)
    assert bridge_of(lab_with("stp: true")).config.stp_enable


def test_controllers_and_versions_are_those_of_ovs_vsctl() -> None:
    assert bridge_of(lab_with("")).config.controller == ()
    config = bridge_of(lab_with("controller: 'tcp:127.0.0.1:6653', protocols: OpenFlow13")).config
    assert ([row.target for row in config.controller], config.protocols) == (
        *(["tcp:127.0.0.1:6653"], ("OpenFlow13",)),
    )
    several = "controller: ['ptcp:6653', 'unix:/tmp/c'], protocols: [OpenFlow10, OpenFlow15]"
    config = bridge_of(lab_with(several)).config
    assert [row.target for row in config.controller] == ["ptcp:6653", "unix:/tmp/c"]
    assert config.protocols == ("OpenFlow10", "OpenFlow15")


def test_qos_goes_to_its_tables() -> None:
    topology = lab_with(
        "ports: {vnet0: {ingress_policing_rate: 1000, ingress_policing_burst: 100, qos: "
        "{other_config: {max-rate: 1000000}, queues: {1: {dscp: 46, other_config: {min-rate: 5}}, "
        "2: }}}}"
    )
    port = bridge_of(topology).ports["vnet0"]
    assert port.qos == QosConfig(
        "linux-htb",
        {1: QueueConfig(46, {"min-rate": "5"}), 2: QueueConfig()},
        {"max-rate": "1000000"},
    )
    (interface,) = port.interfaces
    assert (interface.ingress_policing_rate, interface.ingress_policing_burst) == (1000, 100)


def test_who_asks_for_no_number_gets_none_that_another_asks_for() -> None:
    topology = lab_with("ports: {vnet0: {tag: 1}, vnet2: {ofport: 1}}")
    assert numbers_of(topology) == {"eth0": 2, "vnet0": 3, "vnet2": 1}
    assert bridge_of(topology).ports["vnet0"].tag == 1
    assert numbers_of(lab_with("ports: {vnet0: {tag: 1}}")) == {"vnet0": None}


def test_the_links_of_a_bond_are_ports_one_after_the_other() -> None:
    topology = lab_with(
        "ports: {bond0: {bond: {eth0: , eth1: {other_config: {lacp-port-id: 9}}}, bond_mode: "
        "balance-slb, bond_updelay: 100, lacp: passive, tag: 7}, vnet2: {ofport: 1}}"
    )
    bond = bridge_of(topology).ports["bond0"]
    assert (bond.bond_mode, bond.bond_updelay, bond.lacp, bond.tag) == (
        *("balance-slb", 100, "passive"),
        7,
    )
    links = {link.name: (link.ofport_request, dict(link.other_config)) for link in bond.interfaces}
    assert links == {"eth0": (2, {}), "eth1": (3, {"lacp-port-id": "9"})}
    assert numbers_of(topology) == {"bond0": 2, "vnet0": 4, "vnet2": 1}
    assert topology.hosts["h1"].switches["br0"].bonded_cards == ["eth0", "eth1"]


def test_mirrors_tables_and_vlans_go_to_the_database() -> None:
    topology = lab_with(
        "mirrors: {all: {select_all: true, output_port: vnet2}, some: {select_src_port: eth0, "
        "select_dst_port: [br0, vnet0], select_vlan: '5,7', output_vlan: 9, snaplen: 60}}, "
        "flow_tables: {0: {name: first, flow_limit: 5, overflow_policy: evict}, 3: {prefixes: "
        "[nw_dst, nw_src], groups: in_port}}, flood_vlans: [10, 20]"
    )
    config = bridge_of(topology).config
    assert config.mirrors == (
        MirrorConfig("all", select_all=True, output_port="vnet2"),
        MirrorConfig("some", False, ("eth0",), ("br0", "vnet0"), (5, 7), None, 9, 60),
    )
    assert config.flow_tables == {
        0: FlowTableConfig("first", 5, "evict"),
        3: FlowTableConfig(groups=("in_port",), prefixes=("nw_dst", "nw_src")),
    }
    assert config.flood_vlans == (10, 20)


def test_meters_come_before_the_flows_that_name_them() -> None:
    topology = lab_with(
        "flows: ['actions=meter:7,NORMAL'], "
        "meters: ['meter=7 kbps stats bands=type=drop rate=1000']"
    )
    meter, flow = topology.openflow["h1:br0"]
    assert isinstance(meter, MeterMod)
    assert isinstance(flow, FlowMod)
    assert (meter.meter_id, meter.bands[0].rate) == (7, 1000)


def test_meters_may_do_more_where_the_bridge_is_told_to() -> None:
    meter = "meters: ['meter=1 kbps bands=type=dscp_remark rate=5 prec_level=1']"
    topology = lab_with(f"{meter}, other_config: {{openflow-full: true}}")
    assert len(topology.openflow["h1:br0"]) == 1
    with pytest.raises(TopologyError, match="OFPMMFC_BAD_BAND"):
        lab_with(meter)


def test_flows_may_say_more_where_the_bridge_is_told_to() -> None:
    flows = "flows: ['dl_type=0x88e7,pbb_isid=5,actions=pop_pbb,NORMAL']"
    topology = lab_with(f"{flows}, other_config: {{openflow-full: true}}")
    assert len(topology.openflow["h1:br0"]) == 1
    with pytest.raises(TopologyError, match="unknown keyword pbb_isid"):
        lab_with(flows)


LISTED = """flows: ['in_port=vnet2,actions=eth0', 'priority=7,arp,actions=NORMAL']"""
BLOCK = """flows: |
    # who may talk

    in_port=vnet2,actions=eth0   # up
      priority=7,arp,actions=NORMAL"""


def test_flows_are_a_list_a_block_or_a_file(tmp_path: Path) -> None:
    listed = lab_with(LISTED)
    (tmp_path / "flows.txt").write_text(BLOCK.removeprefix("flows: |"))
    (tmp_path / "lab.yaml").write_text(LAB % ", flows: {file: flows.txt}")
    in_file = load_topology(tmp_path / "lab.yaml")
    wire = "version: 1\nswitches:\n  h1:\n    type: ovs\n    "
    links = "\nrouters: {r: {nics: {a: , b: , c: }}}\nlinks:\n" + "".join(
        f"- {{ends: ['h1:{port}', 'r:{card}']}}\n"
        for port, card in zip(("eth0", "vnet0", "vnet2"), "abc", strict=True)
    )
    block = parse_topology(wire + BLOCK.replace("\n", "\n    ") + links)
    assert flows_of(listed) == flows_of(in_file) == flows_of(block, "h1")
    first, second = flows_of(listed)
    assert (first.match.value, second.priority) != (0, 7)
    assert second.priority == 7


def test_ports_have_the_numbers_of_their_order() -> None:
    by_name = lab_with("flows: ['in_port=vnet2,actions=LOCAL', 'in_port=br0,actions=eth0']")
    by_number = lab_with("flows: ['in_port=3,actions=LOCAL', 'in_port=LOCAL,actions=output:1']")
    assert flows_of(by_name) == flows_of(by_number)


def test_groups_come_before_the_flows_that_name_them() -> None:
    topology = lab_with(
        "flows: ['actions=group:1'], groups: ['group_id=1,type=all,bucket=actions=vnet0']"
    )
    assert [type(mod) for mod in topology.openflow["h1:br0"]] == [GroupMod, FlowMod]


def test_each_switch_of_a_template_is_sent_the_flows() -> None:
    text = "version: 1\nswitches: {s: {count: 3, type: ovs, flows: ['actions=drop']}}"
    topology = parse_topology(text)
    assert list(topology.openflow) == ["s1", "s2", "s3"]
    names = [switch.ovs.config.name for switch in topology.switches.values() if switch.ovs]
    assert names == ["s1", "s2", "s3"]


def test_hosts_of_a_template_know_their_own_guests() -> None:
    text = """version: 1
hosts: {h: {count: 3, hypervisor: vmware, switches: {br0: {type: ovs, flows: [%s]}}}}
vms: {vm: {count: 3, host: 'h*', vnics: [{}]}}
"""
    topology = parse_topology(text % "'actions=drop'")
    assert list(topology.openflow) == ["h1:br0", "h2:br0", "h3:br0"]
    with pytest.raises(TopologyError) as caught:
        parse_topology(text % "'actions=vm2.eth0'")
    assert "vm2.eth0" in str(caught.value)


def test_ports_of_a_switch_on_the_wire_are_a_number_or_settings() -> None:
    text = """version: 1
switches: {s: {type: ovs, ports: {a: {tag: 3}}}, t: {type: ovs, ports: 3, flows: ['actions=p3']}}
links: [{ends: ['s:a', 't:p2']}, {ends: ['s:b', 't:p1']}]
"""
    topology = parse_topology(text)
    ovs = topology.switches["s"].ovs
    assert topology.switches["s"].ports == ("a", "b")
    assert ovs is not None
    assert ovs.ports["a"].tag == 3
    assert topology.switches["t"].ports == ("p1", "p2", "p3")
    assert parse_topology(text.replace("p3", "3")).openflow == topology.openflow


PATCHED = """\
version: 1
hosts:
  h:
    count: 2
    nics: {eth0: }
    switches:
      br0: {type: ovs, ports: {patch0: {type: patch, options: {peer: patch1}, trunks: 5}}}
      br1: {type: ovs, ports: {patch1: {type: patch, options: {peer: patch0}, ofport: 9}},
            flows: ['in_port=patch1,actions=vnet1']}
vms:
  vm: {count: 2, host: 'h*', vnics: [{switch: br0}, {switch: br1}]}
"""


def test_a_bridge_makes_patch_ports_before_devices_come() -> None:
    topology = parse_topology(PATCHED)
    (port,) = bridge_of(topology, "h2").config.ports
    assert (port.name, port.trunks, port.interfaces[0].peer) == ("patch0", (5,), "patch1")
    other = topology.hosts["h2"].switches["br1"].ovs
    assert other is not None
    assert other.config.ports[0].interfaces[0].ofport_request == 9
    assert other.ports["vnet1"].interfaces[0].ofport_request == 1
    (flow,) = flows_of(topology, "h2:br1")
    assert Flow.in_port.of(flow.match.value) == 9
    assert flow.actions == (Output(OfpPort(1)),)


# -- what is said of those that cannot be

HOST = "hosts: {h: {nics: {eth0: }, switches: {b: {type: ovs, ports: {%s}}, c: {type: ovs%s}}}}"
TO_Q = "p: {type: patch, options: {peer: %s}}"
OTHER = ", ports: {q: {type: patch, options: {peer: %s}}}"

BOND = (
    "hosts: {h: {nics: {eth0: , eth1: , eth2: , eth3: {ip: 10.0.0.1/24}}, switches: {"
    "b: {type: ovs, uplink: eth0, ports: {%s}}, c: {uplink: eth2}}}}"
)

TUNNEL = "hosts: {h: {switches: {b: {type: ovs, ports: {%s}}}}}"

FAULTS = {
    "keys at a Linux bridge": (
        "switches: {s: {^flows: ['actions=drop']}}",
        "flows is for switches of Open vSwitch (write type: ovs)",
    ),
    "ports of a Linux bridge": (
        "switches: {s: {ports: {a: {^tag: 1}}}}",
        "tag is for switches of Open vSwitch (write type: ovs)",
    ),
    "a tag": (
        "hosts: {h: {switches: {b: {type: ovs, ports: {b: {tag: ^5000}}}}}}",
        "constraint violation: 5000 is not in the valid range 0 to 4095 (inclusive)",
    ),
    "a tag that is no number": (
        "hosts: {h: {switches: {b: {type: ovs, ports: {b: {tag: ^ten}}}}}}",
        '"ten" is not a valid integer or range',
    ),
    "a tag that is true": (
        "hosts: {h: {switches: {b: {type: ovs, ports: {b: {tag: ^true}}}}}}",
        "tag wants a whole number, not true",
    ),
    "two tags": (
        "hosts: {h: {switches: {b: {type: ovs, ports: {b: {tag: ^[1, 2]}}}}}}",
        "set must have 0 to 1 members but 2 are present",
    ),
    "a VLAN mode": (
        "switches: {s: {type: ovs, ports: {a: {vlan_mode: ^acces}}}}\n"
        "routers: {r: {nics: {e: }}}\nlinks: [{ends: ['s:a', 'r:e']}]",
        "constraint violation: acces is not one of the allowed values "
        "([access, dot1q-tunnel, native-tagged, native-untagged, trunk])",
    ),
    "a number of a port": (
        "hosts: {h: {switches: {b: {type: ovs, ports: {b: {ofport: ^70000}}}}}}",
        "constraint violation: 70000 is not in the valid range 1 to 65279 (inclusive)",
    ),
    "a kind of QoS": (
        "hosts: {h: {switches: {b: {type: ovs, ports: {b: {qos: {type: ^linux-sfq}}}}}}}",
        "type cannot be 'linux-sfq' (did you mean 'linux-htb'?)",
    ),
    "a number of a queue": (
        "hosts: {h: {switches: {b: {type: ovs, ports: {b: {qos: {queues: {^61440: }}}}}}}}",
        "queues have numbers from 0 to 61439, not '61440'",
    ),
    "a rate": (
        "hosts: {h: {switches: {b: {type: ovs, ports: {b: {qos: "
        "{other_config: ^{max-rate: 10mbit}}}}}}}}",
        "max-rate wants a whole number, not '10mbit' (rates are in bit/s, bursts in bits)",
    ),
    "an unknown key of a port": (
        "hosts: {h: {switches: {b: {type: ovs, ports: {b: {^tags: 1}}}}}}",
        "unknown key 'tags' (did you mean 'tag'?)",
    ),
    "two spanning trees": (
        "switches: {s: {type: ovs, rstp: true, ^stp: true}}",
        "stp and rstp exclude each other (leave one of the two out)",
    ),
    "a protocol that is neither spoken nor not": (
        "switches: {s: {type: ovs, rstp: ^1}}",
        "rstp wants true or false, not the number 1",
    ),
    "a fail mode": (
        "switches: {s: {type: ovs, fail_mode: ^open}}",
        "constraint violation: open is not one of the allowed values ([secure, standalone])",
    ),
    "a controller that is an app": (
        "switches: {s: {type: ovs, controller: ^learning.py}}",
        "'learning.py' is not the target of a controller (such as tcp:127.0.0.1:6653; it begins "
        "with tcp:, ssl:, unix:, ptcp:, pssl:, punix:)",
    ),
    "a controller that is no text": (
        "switches: {s: {type: ovs, controller: ^['tcp:10.0.0.1', 6653]}}",
        "controller wants the target of a controller, not the number 6653",
    ),
    "a version that is none": (
        "switches: {s: {type: ovs, protocols: ^OpenFlow16}}",
        "constraint violation: OpenFlow16 is not one of the allowed values "
        "([OpenFlow10, OpenFlow11, OpenFlow12, OpenFlow13, OpenFlow14, OpenFlow15])",
    ),
    "settings that are none": (
        "switches: {s: {type: ovs, other_config: ^[1]}}",
        "other_config wants a map, not a list",
    ),
    "an ageing that is too short": (
        "switches: {s: {type: ovs, ageing: ^5s}}",
        "Open vSwitch cannot have an ageing of 5s (15s to 3600s, in whole seconds)",
    ),
    "an ageing in parts of a second": (
        "switches: {s: {type: ovs, ageing: ^20.5s}}",
        "Open vSwitch cannot have an ageing of 20.5s (15s to 3600s, in whole seconds)",
    ),
    "an ageing that is said twice": (
        "switches: {s: {type: ovs, ageing: ^60s, other_config: {mac-aging-time: 60}}}",
        "other_config says mac-aging-time too (leave one of the two out)",
    ),
    "a port that is not there": (
        "hosts: {h: {nics: {eth0: }, switches: {b: {type: ovs, ports: {^eht0: {tag: 1}}}}}}",
        "h:b has no port 'eht0' (did you mean 'eth0'?)",
    ),
    "a port without a cable": (
        "switches: {s: {type: ovs, ports: {^a: }}}",
        "s has no port 'a' (it has none)",
    ),
    "a number for two": (
        "hosts: {h: {nics: {e: }, switches: {b: {type: ovs, "
        "ports: {e: {ofport: 4}, v: {ofport: ^4}}}}}}",
        "port 'e' has ofport 4 already (a number is one port's)",
    ),
    "a port of the switch's own name": (
        "switches: {^s: {type: ovs}}\nrouters: {r: {nics: {e: }}}\nlinks: [{ends: ['s:s', 'r:e']}]",
        "s would have two ports named 's' (one is its own)",
    ),
    "a field": (
        "switches: {s: {type: ovs, flows: ['actions=drop', ^'nw_scr=10.0.0.1,actions=drop']}}",
        "unknown keyword nw_scr",
    ),
    "an action": (
        "switches: {s: {type: ovs, flows: [^'actions=frobnicate']}}",
        "unknown action frobnicate",
    ),
    "a prerequisite": (
        "switches: {s: {type: ovs, flows: [^'actions=set_field:80->tcp_dst']}}",
        "actions are invalid with specified match (OFPBAC_MATCH_INCONSISTENT)",
    ),
    "a port in a flow": (
        "switches: {s: {type: ovs, flows: [^'in_port=p1,actions=drop']}}",
        "p1: invalid or unknown port for in_port",
    ),
    "a group that is not there": (
        "switches: {s: {type: ovs, flows: [^'actions=group:1']}}",
        "OFPBAC_BAD_OUT_GROUP (the switch refuses it)",
    ),
    "a group": (
        "switches: {s: {type: ovs, groups: [^'group_id=1,type=some,bucket=drop']}}",
        "invalid group type some",
    ),
    "a group twice": (
        "switches: {s: {type: ovs, groups: ['group_id=1,type=all', ^'group_id=1,type=all']}}",
        "OFPGMFC_GROUP_EXISTS (the switch refuses it)",
    ),
    "a flow that is no text": (
        "switches: {s: {type: ovs, flows: [^3]}}",
        "an entry of flows wants text, not the number 3",
    ),
    "flows that are no lines": (
        "switches: {s: {type: ovs, flows: ^3}}",
        "flows wants lines of text, not the number 3 (a list of texts, a block, or {file: PATH})",
    ),
    "a file without a name": (
        "switches: {s: {type: ovs, flows: {file: ^7}}}",
        "file wants text, not the number 7",
    ),
    "an unknown key of a file": (
        "switches: {s: {type: ovs, flows: {file: x, ^path: y}}}",
        "unknown key 'path' (known here: file)",
    ),
    "the number of ports": (
        "switches: {s: {type: ovs, ports: ^0}}",
        "ports is too small: 0 (at least 1)",
    ),
    "a type of port": (
        HOST % ("p: {type: ^pach}", ""),
        "type cannot be 'pach' (did you mean 'patch'?)",
    ),
    "a patch whose peer stands beside its options": (
        HOST.replace("ports: {%s}", "flows: ['in_port=p,actions=drop'], ports: {%s}")
        % ("p: {type: patch, ^peer: q}", OTHER % "p"),
        "unknown key 'peer' (it is an option: write options: {peer: ...})",
    ),
    "a patch without a peer": (
        HOST % ("^p: {type: patch}", ""),
        "p: patch type requires valid 'peer' argument",
    ),
    "a patch that says more": (
        HOST % ("^p: {type: patch, options: {peer: q, key: 3}}", OTHER % "p"),
        "p: patch type takes only a 'peer' argument",
    ),
    "a patch to itself": (
        HOST % ("^" + TO_Q % "p", ""),
        "p: patch peer must not be self",
    ),
    "a patch to nowhere": (
        HOST % (TO_Q % "^qq" + ", p2: {type: patch, options: {peer: q}}", OTHER % "p2"),
        "h has no patch port 'qq' (did you mean 'q'?)",
    ),
    "a patch to a device": (
        HOST % (TO_Q % "^eth0", ""),
        "h has no patch port 'eth0' (it has no other)",
    ),
    "a patch whose peer has another": (
        HOST % (TO_Q % "^q" + ", p2: {type: patch, options: {peer: q}}", OTHER % "p2"),
        "the peer of q is 'p2' (the two ends of a patch name each other)",
    ),
    "a patch that is called as a card": (
        HOST % ("^eth0: {type: patch, options: {peer: q}}", OTHER % "eth0"),
        "h has a device named 'eth0' (a port that the bridge makes wants a name of its own)",
    ),
    "a patch of the name of another": (
        HOST
        % (
            TO_Q % "q",
            OTHER % "p" + "}, d: {type: ovs, ports: {^q: {type: patch, options: {peer: p}}}",
        ),
        "h:c has a port 'q' already (a name is one port's)",
    ),
    "a patch of a switch on the wire": (
        "switches: {s: {type: ovs, ports: {^p: {type: patch, options: {peer: q}}}}}",
        "s is a switch on the wire, which has no port of this type (bridges of hosts have)",
    ),
    "options without a type": (
        HOST % ("eth0: {^options: {peer: q}}", ""),
        "options are for ports with a type (write its type, such as patch)",
    ),
    "a meter": (
        "switches: {s: {type: ovs, meters: [^'meter=1 bands=type=drop rate=5']}}",
        "meter must specify either 'kbps' or 'pktps'",
    ),
    "a meter twice": (
        "switches: {s: {type: ovs, meters: ['meter=1 kbps bands=type=drop rate=5', "
        "^'meter=1 kbps bands=type=drop rate=6']}}",
        "OFPMMFC_METER_EXISTS (the switch refuses it)",
    ),
    "a meter that is not there": (
        "switches: {s: {type: ovs, flows: [^'actions=meter:1']}}",
        "OFPMMFC_INVALID_METER (the switch refuses it)",
    ),
    "a flow too many for its table": (
        "switches: {s: {type: ovs, fail_mode: secure, flow_tables: {0: {flow_limit: 1}}, "
        "flows: ['ip,actions=drop', ^'arp,actions=drop']}}",
        "OFPFMFC_TABLE_FULL (the switch refuses it)",
    ),
    "a table that cannot be": (
        "switches: {s: {type: ovs, flow_tables: {^255: {flow_limit: 1}}}}",
        "there is no table '255' (0 to 254)",
    ),
    "a policy": (
        "switches: {s: {type: ovs, flow_tables: {0: {overflow_policy: ^drop}}}}",
        "constraint violation: drop is not one of the allowed values ([evict, refuse])",
    ),
    "a mirror without output": (
        "switches: {s: {type: ovs, mirrors: {^m: {select_all: true}}}}",
        "mirror m does not specify output (say output_port, or output_vlan)",
    ),
    "a mirror with two outputs": (
        "switches: {s: {type: ovs, mirrors: {m: {select_all: true, output_port: s, "
        "^output_vlan: 3}}}}",
        "mirror m specifies both output port and output vlan (leave one of the two out)",
    ),
    "a mirror of nothing": (
        "switches: {s: {type: ovs, mirrors: {^m: {select_vlan: 3, output_vlan: 4}}}}",
        "mirror m selects no frames (say select_all, select_src_port or select_dst_port)",
    ),
    "a mirror to a port that is not there": (
        HOST % ("", ", mirrors: {m: {select_all: true, output_port: ^eth0}}"),
        "h:c has no port 'eth0' (it has: c)",
    ),
    "a mirror of a port that is not there": (
        HOST.replace(
            "type: ovs,",
            "type: ovs, mirrors: {m: {select_src_port: [eth0, ^eth1], output_port: b}},",
        )
        % ("", ""),
        "h:b has no port 'eth1' (did you mean 'eth0'?)",
    ),
    "a snaplen": (
        "switches: {s: {type: ovs, mirrors: {m: {select_all: true, output_port: s, snaplen: ^5}}}}",
        "constraint violation: 5 is not in the valid range 14 to 65535 (inclusive)",
    ),
    "a mirror's unknown key": (
        "switches: {s: {type: ovs, mirrors: {m: {select_all: true, ^sanplen: 50}}}}",
        "unknown key 'sanplen' (did you mean 'snaplen'?)",
    ),
    "a bond of one": (
        BOND % "bond0: {^bond: [eth0]}",
        "a bond has two devices at least, each once",
    ),
    "a bond of one device twice": (
        BOND % "bond0: {^bond: [eth0, eth0]}",
        "a bond has two devices at least, each once",
    ),
    "a bond's number": (
        BOND % "bond0: {bond: [eth0, eth1], ^ofport: 5}",
        "a bond has no ofport (each of its links may have one)",
    ),
    "a bond's mode without a bond": (
        BOND % "eth0: {^bond_mode: balance-slb}",
        "bond_mode is for bonds (write which devices it bonds, as in bond: [eth0, eth1])",
    ),
    "a mode that there is not": (
        BOND % "bond0: {bond: [eth0, eth1], bond_mode: ^balance-rr}",
        "constraint violation: balance-rr is not one of the allowed values "
        "([active-backup, balance-slb, balance-tcp])",
    ),
    "a link that is not there": (
        BOND % "bond0: {bond: [eth0, ^eth4]}",
        "h:b has no port 'eth4' (did you mean 'eth0'?)",
    ),
    "a link with settings that is not there": (
        BOND % "bond0: {bond: {eth0: , eth4: ^{ofport: 3}}}",
        "h:b has no port 'eth4' (did you mean 'eth0'?)",
    ),
    "a link that another switch has": (
        BOND % "bond0: {bond: [eth0, ^eth2]}",
        "card 'eth2' is a port of c (not of two)",
    ),
    "a link that another bond has": (
        BOND.replace("eth1: ,", "eth1: , eth4: ,")
        % "bond0: {bond: [eth0, eth1]}, bond1: {bond: [eth4, ^eth1]}",
        "'eth1' is already a link of bond0 (not of two bonds)",
    ),
    "a guest's card as a link": (
        BOND % "bond0: {bond: [eth0, ^vnet0]}" + "\nvms: {v: {host: h, vnics: [{switch: b}]}}",
        "'vnet0' is the card of a guest (a bond joins cards of the host)",
    ),
    "a link with addresses": (
        BOND % "bond0: {bond: [eth0, ^eth3]}",
        "card 'eth3' is a link of a bond, and has addresses "
        "(write them at the card that is the uplink)",
    ),
    "settings of a link": (
        BOND % "bond0: {bond: [eth0, eth1]}, ^eth1: {tag: 5}",
        "'eth1' is a link of bond0 (its settings are written there)",
    ),
    "a bond with a card's name": (
        BOND % "^eth1: {bond: [eth0, eth1]}",
        "h has a device named 'eth1' (a bond wants a name of its own)",
    ),
    "a step about a bond that is not there": (
        BOND % "bond0: {bond: [eth0, eth1]}"
        + "\nscenario: [{bond: {switch: 'h:b', port: ^bond1}}]",
        "h:b has no bond 'bond1' (did you mean 'bond0'?)",
    ),
    "an option of a tunnel": (
        TUNNEL % "t: {type: vxlan, options: {key: 5, ^remote_ip: 192.0.2.300}}",
        "t: bad vxlan 'remote_ip'",
    ),
    "an option of a tunnel that there is not": (
        TUNNEL % "t: {type: vxlan, options: {remote_ip: 192.0.2.3, ^colour: red}}",
        "t: unknown vxlan argument 'colour'",
    ),
    "options of a tunnel as a text": (
        TUNNEL % "t: {type: vxlan, options: ^'remote_ip=192.0.2.3,tos=3'}",
        "t: invalid TOS 3",
    ),
    "a tunnel to nowhere": (
        TUNNEL % "^t: {type: gre, options: {key: 5}}",
        "t: gre type requires valid 'remote_ip' argument",
    ),
    "a flow that YAML splits": (
        HOST.replace("type: ovs,", "type: ovs, flows: [^priority=5,actions=normal],", 1) % ("", ""),
        "must specify an action (YAML splits a list at commas; put the whole text in quotes)",
    ),
    "a flow that YAML does not split": (
        HOST.replace("type: ovs,", "type: ovs, flows: [^'tcp', actions=normal],", 1) % ("", ""),
        "must specify an action",
    ),
    "an output that YAML splits": (
        HOST.replace("type: ovs,", "type: ovs, flows: [actions=1,^2],", 1) % ("", ""),
        "an entry of flows wants text, not the number 2 "
        "(YAML splits a list at commas; put the whole text in quotes)",
    ),
    "ports that are text": (
        "switches: {s: {type: ovs, ports: ^many}}",
        "ports wants a whole number, not the text 'many'",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_told_at_its_place(
    case: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    assert_problem: Callable[[str, str], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_text("actions=drop\n")
    text, message = FAULTS[case]
    if case == "a number for two":
        text += "\nvms: {vm: {host: h, vnics: [{}]}}"
        text = text.replace("v: {", "vnet0: {")
    assert_problem(f"version: 1\n{text}\n", message)


def test_every_line_of_a_block_that_is_wrong_is_told_with_its_own_place(
    problems: Callable[[str], list[str]],
) -> None:
    text = """\
version: 1
switches:
  s:
    type: ovs
    groups: |
      group_id=1,type=all,bucket=output:1
      group_id=2,typ=all            # line 7
    flows: |

      # a comment
      ip,actions=drop
        tcp,tp_dst=99999,actions=drop
      arp,actions=set_field:1->nw_ttl   # line 13
    ports: {s: {tag: 4096}}
"""
    assert problems(text) == [
        "7:7: unknown keyword typ",
        "12:9: 99999: value too large for 2-byte field tcp_dst",
        "13:7: actions are invalid with specified match (OFPBAC_MATCH_INCONSISTENT)",
        "14:22: constraint violation: 4096 is not in the valid range 0 to 4095 (inclusive)",
    ]


def test_a_file_of_flows_is_told_with_its_own_name_and_lines(tmp_path: Path) -> None:
    (tmp_path / "flows.txt").write_text("# one\nactions=drop\n\n  ipp=1,actions=drop\narp\n")
    (tmp_path / "lab.yaml").write_text(
        "version: 1\nswitches:\n  s: {type: ovs, flows: {file: flows.txt}}\n"
        "  t: {type: ovs, flows: {file: nothing}, groups: {file: latin}}\n"
        "  u: {type: ovs, flows: {file: folder}}\n"
    )
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin").write_bytes(b"\ngroup \xe4")
    with pytest.raises(TopologyError) as caught:
        load_topology(tmp_path / "lab.yaml")
    assert [str(p).replace(f"{tmp_path}/", "") for p in caught.value.problems] == [
        "flows.txt:4:3: unknown keyword ipp",
        "flows.txt:5:1: must specify an action",
        "lab.yaml:4:32: nothing: there is no such file",
        "lab.yaml:5:32: folder: this is a directory (name the file in it)",
        "latin:2:7: byte 0xe4 is not UTF-8 (save the file as UTF-8 text)",
    ]


def test_flows_are_not_blamed_for_guests_that_cannot_be(
    problems: Callable[[str], list[str]],
) -> None:
    text = (LAB % ", flows: ['in_port=vnet2,actions=eth0', 'actions=group:4']").replace(
        "vm2: {host: h1", "vm2: {hots: h1"
    )
    assert problems(text) == [
        "6:62: OFPBAC_BAD_OUT_GROUP (the switch refuses it)",
        "10:3: missing key 'host'",
        "10:9: unknown key 'hots' (did you mean 'host'?)",
    ]


# -- steps

STEPS = LAB % ", groups: ['group_id=1,type=all']" + "switches: {w: {type: ovs}, l: }\nscenario:\n"


def steps_of(*steps: str) -> tuple[Step, ...]:
    return parse_topology(STEPS + "".join(f"- {step}\n" for step in steps)).scenario


def test_steps_keep_the_texts_as_they_are_written() -> None:
    flows, groups, meters, tables, megaflows = steps_of(
        "flows: {switch: 'h1:br0', add: ['arp,actions=drop'], delete: [''], strict: true, "
        "match: ip}",
        "groups: {switch: 'h1:br0', modify: ['group_id=1,type=all,bucket=vnet2'], group: 1}",
        "meters: {switch: w, add: ['meter=1 kbps band=type=drop rate=1'], meter: 1}",
        "tables: {switch: w, table: 3}",
        "megaflows: {switch: 'h1:br0', matching: 'actions:drop'}",
    )
    where: dict[str, Any] = {"at_ns": None, "expect": (), "node": "h1", "bridge": "br0"}
    on_wire = where | {"node": "w", "bridge": None}
    changes = Changes(("",), (), ("arp,actions=drop",), is_strict=True)
    assert flows == FlowsStep(line=flows.line, **where, changes=changes, match="ip")
    assert flows.title == "flows h1:br0 -1 +1 ip"
    changes = Changes(modify=("group_id=1,type=all,bucket=vnet2",))
    assert groups == GroupsStep(line=groups.line, **where, changes=changes, group=1)
    assert groups.title == "groups h1:br0 ~1 1"
    changes = Changes(add=("meter=1 kbps band=type=drop rate=1",))
    assert meters == MetersStep(line=meters.line, **on_wire, changes=changes, meter=1)
    assert tables == TablesStep(line=tables.line, **on_wire, table=3)
    assert tables.title == "tables w 3"
    assert megaflows == MegaflowsStep(line=megaflows.line, **where, matching="actions:drop")
    assert megaflows.title == "megaflows h1:br0 actions:drop"


def test_what_steps_send_is_tried_after_what_was_sent_before() -> None:
    flow = "flows: {switch: 'h1:br0', add: ['table=1,actions=group:1,group:2']}"
    group = "groups: {switch: 'h1:br0', add: ['group_id=2,type=all']}"
    steps_of(group, f"repeat: {{count: 2, steps: [{{{flow}}}]}}")
    steps_of(f"{{at: 3s, {flow}}}", f"{{at: 1s, {group}}}")
    with pytest.raises(TopologyError, match="OFPBAC_BAD_OUT_GROUP"):
        steps_of(flow, group)
    with pytest.raises(TopologyError, match="OFPGMFC_GROUP_EXISTS"):
        steps_of(group, group)


def test_ports_of_machines_that_will_come_may_be_called_by_name() -> None:
    flow = "flows: {switch: 'h1:br0', add: ['in_port=vnet3,actions=drop']}"
    steps_of("move: {vm: vm2, to: h1}", flow)
    with pytest.raises(TopologyError, match="vnet3: invalid or unknown port for in_port"):
        steps_of(flow)


BAD_STEPS = {
    "a flow": (
        "flows: {switch: 'h1:br0', add: [^'nw_scr=10.0.0.1,actions=drop']}",
        "unknown keyword nw_scr",
    ),
    "a flow to delete": (
        "flows: {switch: 'h1:br0', delete: [ip, ^'actions=drop']}",
        "unknown keyword actions",
    ),
    "a group that a step deleted": (
        "groups: {switch: 'h1:br0', delete: ['group_id=1'], modify: [^'group_id=1,type=all']}",
        "OFPGMFC_UNKNOWN_GROUP (the switch refuses it)",
    ),
    "a meter": (
        "meters: {switch: w, add: [^'meter=1 band=type=drop rate=1']}",
        "meter must specify either 'kbps' or 'pktps'",
    ),
    "what flows to look at": (
        "flows: {switch: w, match: ^'in_prot=1'}",
        "unknown keyword in_prot",
    ),
    "a bridge of Linux": (
        "flows: {switch: ^'h1:br1', match: ip}",
        "br1 is a Linux bridge, which has no flows (write type: ovs)",
    ),
    "a switch of Linux": (
        "megaflows: {switch: ^l}",
        "l is a Linux bridge, which has no megaflows (write type: ovs)",
    ),
    "a switch that is not there": (
        "tables: {switch: ^'h1:br00'}",
        "h1 has no switch 'br00' (did you mean 'br0'?)",
    ),
    "a bridge without its host": (
        "flows: {switch: ^br0, match: ip}",
        "there is no node 'br0' (write h1:br0)",
    ),
    "a table": ("tables: {switch: w, table: ^254}", "table is too large: 254 (at most 253)"),
    "a key": (
        "flows: {switch: w, ^delte: [ip]}",
        "unknown key 'delte' (did you mean 'delete'?)",
    ),
    "no map": ("flows: ^3", "flows wants a map, not the number 3"),
    "a report": (
        "{groups: {switch: 'h1:br0', group: 1}, expect: {^bucket0: 3}}",
        "groups does not report 'bucket0' (it reports: groups, packet_count, byte_count)",
    ),
}


@pytest.mark.parametrize("case", BAD_STEPS)
def test_a_fault_of_a_step_is_told_at_its_place(
    case: str, assert_problem: Callable[[str, str], None]
) -> None:
    step, message = BAD_STEPS[case]
    assert_problem(f"{STEPS}- {step}\n", message)


def test_files_without_open_vswitch_do_without_all_that_it_is_made_of() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from vnet.topology.load import parse_topology;"
        "parse_topology('version: 1\\nswitches: {s: }');"
        "print([m for m in sys.modules if m.startswith('vnet.ovs')])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
