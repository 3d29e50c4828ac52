"""Who has an address twice: in one VLAN of Open vSwitch it is told, in two it is a lab."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vnet.topology.load import parse_topology

Problems = Callable[[str], list[str]]


def one_host(switch: str) -> str:
    """Two guests with one address at a bridge."""
    return f"""\
version: 1
hosts: {{h: {{switches: {{br0: {{type: ovs, uplink: none, {switch}}}}}}}}}
vms:
  a: {{host: h, vnics: [{{ip: 10.0.0.1/24, mac: '52:54:00:00:00:01'}}]}}
  b: {{host: h, vnics: [{{ip: 10.0.0.1/24, mac: '52:54:00:00:00:01'}}]}}
"""


def two_hosts(one: str, other: str, cable: str = "['h1:eth0', 'h2:eth0']", more: str = "") -> str:
    """A guest each with the same address; settings of ports of their bridges."""
    return f"""\
version: 1
hosts:
  h1: {{nics: {{eth0: }}, switches: {{br0: {{type: ovs, ports: {{{one}}}}}}}}}
  h2: {{nics: {{eth0: }}, switches: {{br0: {{type: ovs, ports: {{{other}}}}}}}}}
vms:
  a: {{host: h1, vnics: [{{ip: 10.0.0.1/24}}]}}
  b: {{host: h2, vnics: [{{ip: 10.0.0.1/24}}]}}
links: [{{ends: {cable}}}{more or "]"}
"""


CLASH = "address '10.0.0.1' of b:eth0 is also that of a:eth0 (they are in one segment)"


@pytest.mark.parametrize(
    "switch",
    [
        "ports: {vnet0: {tag: 10}, vnet1: {tag: 20}}",
        "ports: {vnet0: {tag: 10}}",
        "ports: {vnet0: {tag: 10, vlan_mode: native-untagged}}",
        "ports: {vnet0: {trunks: 10}}",
        "ports: {vnet0: {vlan_mode: dot1q-tunnel, tag: 10}}",
        "mirrors: {m0: {select_all: true, output_port: vnet1}}",
        "fail_mode: secure",
        "flows: ['in_port=vnet0,actions=drop']",
        'flows: "# some\\nin_port=1 actions=2"',
    ],
)
def test_what_is_kept_apart_may_have_the_same_addresses(switch: str) -> None:
    assert parse_topology(one_host(switch)).vms.keys() == {"a", "b"}


@pytest.mark.parametrize(
    "switch",
    [
        "ports: {}",
        "ports: {vnet0: {tag: 10}, vnet1: {tag: 10}}",
        "ports: {vnet0: {tag: 10}, vnet1: {tag: 10, vlan_mode: native-untagged}}",
        "flows: ['priority=5,actions=NORMAL']",
    ],
)
def test_what_is_not_kept_apart_may_not(switch: str, problems: Problems) -> None:
    mac, address = problems(one_host(switch))
    assert "MAC '52:54:00:00:00:01' of b:eth0 is also that of a:eth0" in mac + address
    assert CLASH in mac + address


def test_steps_that_change_flows_decide_as_flows_do(problems: Problems) -> None:
    step = "scenario: [{flows: {switch: 'h:br0'%s}}]"
    text = one_host("ports: {}")
    assert parse_topology(text + step % ", add: ['in_port=1,actions=drop']").vms
    assert len(problems(text + step % "")) == 2


def test_vlans_reach_other_hosts_over_trunks(problems: Problems) -> None:
    assert parse_topology(two_hosts("vnet0: {tag: 10}", "vnet0: {tag: 20}")).vms
    assert parse_topology(two_hosts("vnet0: {tag: 10}", "")).vms
    narrow = "vnet0: {tag: 10}, eth0: {trunks: 20}"
    assert parse_topology(two_hosts(narrow, "vnet0: {tag: 10}")).vms
    (said,) = problems(two_hosts("vnet0: {tag: 10}", "vnet0: {tag: 10}"))
    assert said.endswith(CLASH)
    wide = "vnet0: {tag: 10}, eth0: {trunks: 10-20}"
    assert len(problems(two_hosts(wide, wide))) == 1


def test_an_access_port_to_another_switch_joins_the_vlan_to_its_untagged_frames(
    problems: Problems,
) -> None:
    access = "vnet0: {tag: 10}, eth0: {tag: 10}"
    assert len(problems(two_hosts(access, ""))) == 1
    assert parse_topology(two_hosts(access, "vnet0: {tag: 10}")).vms
    assert len(problems(two_hosts(access, "vnet0: {tag: 20}, eth0: {tag: 20}"))) == 1


def test_a_plain_switch_between_two_trunks_passes_tags(problems: Problems) -> None:
    cable, more = "['h1:eth0', 's:1']", ", {ends: ['h2:eth0', 's:2']}]\nswitches: {s: }"
    text = two_hosts("vnet0: {tag: 10}", "vnet0: {tag: 10}", cable, more)
    assert len(problems(text)) == 1
    text = two_hosts("vnet0: {tag: 10}", "vnet0: {tag: 20}", cable, more)
    assert parse_topology(text).vms


def test_ports_of_a_switch_on_the_wire_keep_hosts_apart(problems: Problems) -> None:
    cable = "['h1:eth0', 's:p1']"
    more = ", {ends: ['h2:eth0', 's:p2']}]\nswitches: {s: {type: ovs, ports: {p1: {tag: 1}%s}}}"
    assert parse_topology(two_hosts("", "", cable, more % ", p2: {tag: 2}")).vms
    assert len(problems(two_hosts("", "", cable, more % ", p2: {tag: 1}"))) == 1


def test_a_vlan_goes_on_behind_a_patch(problems: Problems) -> None:
    text = """\
version: 1
hosts:
  h:
    switches:
      br0:
        type: ovs
        ports: {vnet0: {tag: 10}, p0: {type: patch, options: {peer: p1}}}
      br1:
        type: ovs
        ports: {vnet1: {tag: %d}, p1: {type: patch, options: {peer: p0}}}
vms:
  a: {host: h, vnics: [{switch: br0, ip: 10.0.0.1/24}]}
  b: {host: h, vnics: [{switch: br1, ip: 10.0.0.1/24}]}
"""
    assert parse_topology(text % 20).vms
    assert len(problems(text % 10)) == 1


def test_a_bridge_speaks_for_its_host_in_the_vlan_of_its_own_port(problems: Problems) -> None:
    text = """\
version: 1
hosts:
  h:
    nics: {eth0: {ip: 10.0.0.1/24}}
    switches: {br0: {type: ovs, ports: {vnet0: {tag: 10}%s}}}
vms: {a: {host: h, vnics: [{ip: 10.0.0.1/24}]}}
"""
    assert parse_topology(text % "").vms
    assert len(problems(text % ", br0: {tag: 10}")) == 1
