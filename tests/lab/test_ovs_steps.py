"""Steps that change a bridge of Open vSwitch while the lab runs, and look at what it counts."""

from __future__ import annotations

import pytest

from vnet.lab.lab import Lab

LAB = """\
version: 1
name: steps
hosts:
  h1: {nics: {eth0: }, switches: {br0: {type: ovs}}}
  h2: {nics: {eth0: }, switches: {br0: {type: ovs}}}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  vm2: {host: h1, vnics: [{ip: 10.0.0.2/24}]}
  vm3: {host: h2, vnics: [{ip: 10.0.0.3/24}]}
switches: {sw1: {ports: 2}, sw2: {type: ovs}}
links:
  - {ends: ['h1:eth0', 'sw1:p1'], latency: 1ms, loss: 0%%}
  - {ends: ['h2:eth0', 'sw1:p2'], latency: 1ms}
captures: ['vm1:eth0']
scenario:
%s
"""


def lab_with(*steps: str) -> Lab:
    return Lab.from_text(LAB % "".join(f"  - {step}\n" for step in steps))


def holds(*steps: str) -> None:
    with lab_with(*steps) as lab:
        report = lab.run()
        assert report.held, report


def ping(target: str, received: int, more: str = "") -> str:
    return (
        f"{{ping: {{from: vm1, to: {target}, count: 2, timeout: 1s{more}}}, "
        f"expect: {{received: {received}}}}}"
    )


def test_flows_come_change_and_go() -> None:
    at = "switch: 'h1:br0'"
    holds(
        ping("vm2", 2),
        f"{{flows: {{{at}, add: ['priority=9,icmp,in_port=vnet0,actions=drop'], match: icmp}}, "
        "expect: {flows: 1, n_packets: 0}}",
        ping("vm2", 0),
        f"{{flows: {{{at}, match: 'icmp,in_port=vnet0'}}, expect: {{n_packets: 2, n_bytes: 196}}}}",
        f"{{megaflows: {{{at}, matching: 'actions:drop'}}, "
        "expect: {megaflows: 1, packets: 1, bytes: 98}}",
        f"flows: {{{at}, modify: ['icmp,actions=NORMAL']}}",
        ping("vm2", 2),
        f"{{flows: {{{at}, strict: true, delete: [icmp, 'priority=9,icmp,in_port=vnet0']}}, "
        "expect: {flows: 1}}",
        f"{{flows: {{{at}, delete: ['']}}, expect: {{flows: 0, n_packets: 0}}}}",
        ping("vm2", 0),
        "{flows: {switch: sw2}, expect: {flows: 1}}",
    )


def test_groups_come_change_and_go() -> None:
    at = "switch: 'h1:br0'"
    holds(
        f"groups: {{{at}, add: ['group_id=1,type=indirect,bucket=vnet1']}}",
        f"flows: {{{at}, add: ['priority=9,icmp,in_port=vnet0,actions=group:1']}}",
        ping("vm2", 2),
        f"{{groups: {{{at}, group: 1}}, expect: {{groups: 1, packet_count: 2, byte_count: 196, "
        "'bucket0:packet_count': 2, 'bucket0:byte_count': 196}}",
        f"groups: {{{at}, modify: ['group_id=1,type=all']}}",
        ping("vm2", 0),
        f"{{groups: {{{at}, delete: ['']}}, expect: {{groups: 0}}}}",
        f"{{flows: {{{at}}}, expect: {{flows: 1}}}}",
    )


def test_meters_come_change_and_go() -> None:
    at = "switch: 'h1:br0'"
    holds(
        f"meters: {{{at}, add: ['meter=1 pktps bands=type=drop rate=1']}}",
        f"flows: {{{at}, add: ['priority=9,icmp,in_port=vnet0,actions=meter:1,NORMAL']}}",
        "{wait: 2s}",
        ping("vm2", 1, ", interval: 1ms"),
        f"{{meters: {{{at}, meter: 1}}, expect: {{meters: 1, flow_count: 1, packet_in_count: 2, "
        "byte_in_count: 196, 'band0:packet_count': 1, 'band0:byte_count': 98}}",
        f"meters: {{{at}, modify: ['meter=1 pktps bands=type=drop rate=100']}}",
        "{wait: 2s}",
        ping("vm2", 2, ", interval: 1ms"),
        f"{{meters: {{{at}, delete: ['meter=1']}}, expect: {{meters: 0}}}}",
    )


def test_tables_count_lookups() -> None:
    holds(
        "flows: {switch: 'h1:br0', add: ['icmp,actions=resubmit(,1)', "
        "'table=1,in_port=vnet0,actions=NORMAL']}",
        ping("vm2", 0),
        "{tables: {switch: 'h1:br0', table: 1}, expect: {active: 1, lookup: 4, matched: 2}}",
        "{tables: {switch: 'h1:br0'}, expect: {active: 3, lookup: '>= 8'}}",
    )


def test_a_wrong_expectation_says_what_was_seen() -> None:
    with lab_with("{flows: {switch: 'h1:br0'}, expect: {flows: 7}}") as lab:
        (outcome,) = lab.run().steps
        assert outcome.verdict == "expected flows == 7, saw 1"
    with lab_with("{groups: {switch: sw2, group: 4}, expect: {'bucket2:packet_count': 1}}") as lab:
        (outcome,) = lab.run().steps
        assert outcome.verdict == "expected bucket2:packet_count == 1, saw None"


def test_what_the_bridge_refuses_at_its_time_fails_the_step() -> None:
    add = "{groups: {switch: sw2, add: ['group_id=1,type=all']}}"
    with lab_with(f"{{repeat: {{count: 2, steps: [{add}]}}}}") as lab:
        report = lab.run()
    assert [outcome.error for outcome in report.steps] == ["", "OFPGMFC_GROUP_EXISTS"]
    assert not report.held


def test_ports_are_those_of_the_moment() -> None:
    """vm3 comes to h1 as vnet2, which is there by another number then than at the start."""
    holds(
        "{move: {vm: vm2, to: h2}}",
        "{move: {vm: vm3, to: h1}}",
        "{flows: {switch: 'h1:br0', add: ['priority=9,icmp,in_port=vnet0,actions=vnet2']}}",
        ping("vm3", 2),
    )


# -- links that move


@pytest.mark.parametrize("target", ["sw2:x", "sw1:p2"])
def test_a_cable_goes_to_a_free_port_only(target: str) -> None:
    steps = [f"link: {{end: 'h1:eth0', to: '{target}'}}", "link: {end: 'h2:eth0', to: 'sw2:y'}"]
    with lab_with(*steps, ping("vm3", 2 if target == "sw2:x" else 0)) as lab:
        report = lab.run()
    taken = target == "sw1:p2"
    assert report.steps[0].error == ("sw1:p2 has a link already (write a free one)" * taken)
    assert report.steps[2].held


def test_a_cable_that_moved_carries_frames_there_and_is_known_by_its_new_end() -> None:
    with lab_with(
        ping("vm3", 2),
        "link: {end: 'h1:eth0', to: 'sw2:x'}",
        ping("vm3", 0),
        "link: {end: 'h2:eth0', to: 'sw2:y', latency: 5ms}",
        "{ping: {from: vm1, to: vm3, count: 2}, expect: {received: 2, rtt_min_ms: '>= 12'}}",
        "{fdb: {switch: sw2, mac: vm3}, expect: {port: y}}",
        "link: {end: 'sw2:y', state: down}",
        ping("vm3", 0),
        "link: {end: 'sw1:p1', state: down}",
    ) as lab:
        report = lab.run()
        assert lab.link("sw2:x").name == "h1:eth0--sw2:x"
    assert [outcome.held for outcome in report.steps] == [True] * 8 + [False]
    assert report.steps[-1].error == "no link ends at sw1:p1 now (its plug was moved)"
    rows = {(row.source, row.target): row.frames for row in report.links}
    assert list(rows)[:4] == [
        ("h1:eth0", "sw2:x"),
        ("sw2:x", "h1:eth0"),
        ("h2:eth0", "sw2:y"),
        ("sw2:y", "h2:eth0"),
    ]
    assert rows["h1:eth0", "sw1:p1"] == rows["sw1:p1", "h1:eth0"] == 3


def test_what_is_on_a_cable_when_its_plug_moves_is_lost_to_who_sent_it() -> None:
    with lab_with(
        "{at: 1s, ping: {from: vm1, to: vm3, count: 1, timeout: 1s}, expect: {received: 0}}",
        "{at: 1000500us, link: {end: 'h1:eth0', to: 'sw2:x'}}",
    ) as lab:
        report = lab.run()
    lost = [(row.place, row.reason.word, row.frames) for row in report.drops]
    assert ("link h1:eth0", "link-down", 1) in lost
    assert report.held


def test_a_cable_moves_back_and_forth_between_xen_s_cards() -> None:
    text = """\
version: 1
hosts:
  x1: {hypervisor: xen, nics: {eth0: {ip: 10.0.0.1/24}}, switches: {xenbr0: }}
  x2: {hypervisor: xen, nics: {eth0: {ip: 10.0.0.2/24}}, switches: {xenbr0: }}
  x3: {hypervisor: xen, nics: {eth0: {ip: 10.0.0.3/24}}, switches: {xenbr0: }}
links: [{ends: ['x1:eth0', 'x2:eth0']}]
scenario:
  - {ping: {from: x1, to: x2, count: 1}, expect: {received: 1}}
  - link: {end: 'x1:eth0', to: 'x3:eth0'}
  - {ping: {from: x1, to: x3, count: 1}, expect: {received: 1}}
  - link: {end: 'x3:eth0', to: 'x2:eth0'}
  - {ping: {from: x2, to: x3, count: 1}, expect: {received: 1}}
"""
    with Lab.from_text(text) as lab:
        report = lab.run()
        assert report.held, report
