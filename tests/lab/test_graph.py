"""The lab as a graph: paths, islands, loops, pictures."""

from __future__ import annotations

import pytest

from vnet.lab.graph import (
    build_graph,
    folded,
    islands,
    kind_of,
    mermaid,
    open_loops,
    path,
    switching_loops,
)
from vnet.lab.shipped import resolve
from vnet.topology.load import load_topology, parse_topology

RING = """\
version: 1
name: ring
hosts:
  h1: {hypervisor: kvm, nics: {eth0: }, switches: {br0: }}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
switches: {s1: , s2: , s3: }
links:
  - {ends: ['h1:eth0', 's1:up']}
  - {ends: ['s1:a', 's2:b'], latency: 5ms}
  - {ends: ['s2:a', 's3:b']}
  - {ends: ['s3:a', 's1:b']}
"""


def test_a_path_leads_from_guest_to_guest_over_the_cable() -> None:
    graph = build_graph(load_topology(resolve("@two-hosts")))
    way = path(graph, "vm1", "vm2")
    assert way == [
        "vm1",
        "vm1:eth0",
        "h1:vif1.0",
        "h1:xenbr0",
        "h1:eth0",
        "h2:eth0",
        "h2:xenbr0",
        "h2:vif1.0",
        "vm2:eth0",
        "vm2",
    ]
    assert [kind_of(graph, node) for node in way[:4]] == ["vm", "device", "device", "bridge"]
    assert graph.edges["h1:eth0", "h2:eth0"]["kind"] == "link"


def test_a_ring_of_switches_is_a_loop_and_no_island() -> None:
    graph = build_graph(parse_topology(RING))
    assert [sorted(loop) for loop in switching_loops(graph)] == [["s1", "s2", "s3"]]
    assert islands(graph) == [["h1", "s1", "s2", "s3", "vm1"]]
    assert graph.edges["s1:a", "s2:b"]["latency_ns"] == 5_000_000


@pytest.mark.parametrize(
    ("s1", "s2", "s3", "is_open"),
    [
        ("", "", "", True),
        ("stp: true", "stp: true", "stp: true", False),
        ("", "stp: true", "", False),
        ("type: ovs, stp: true", "stp: true", "", False),
        ("type: ovs, rstp: true", "", "", False),
        ("type: ovs", "stp: true", "stp: true", True),
        ("type: ovs, other_config: {forward-bpdu: true}", "stp: true", "", False),
        ("type: ovs, stp: true", "type: ovs", "type: ovs", True),
    ],
)
def test_a_spanning_tree_opens_the_loops_of_those_who_pass_it_on(
    s1: str, s2: str, s3: str, is_open: bool
) -> None:
    switches = f"switches: {{s1: {{{s1}}}, s2: {{{s2}}}, s3: {{{s3}}}}}"
    graph = build_graph(parse_topology(RING.replace("switches: {s1: , s2: , s3: }", switches)))
    assert [sorted(loop) for loop in open_loops(graph)] == [["s1", "s2", "s3"]] * is_open
    assert switching_loops(graph), "the cables are what they are"


def test_a_tree_beside_a_loop_does_not_open_it() -> None:
    links = "  - {ends: ['s2:x', 's3:x']}\n"
    ring = RING.replace("s1: ,", "s1: {stp: true},") + links
    graph = build_graph(parse_topology(ring))
    assert [sorted(loop) for loop in open_loops(graph)] == [["s2", "s3"]]


def test_tenants_are_islands_of_their_own() -> None:
    graph = build_graph(load_topology(resolve("@three-tenants")))
    assert ["green1", "green2"] in islands(graph)
    assert path(graph, "red1", "green1") is not None, "by way of their common host"
    assert switching_loops(graph) == []


def test_the_picture_names_every_node_once() -> None:
    graph = build_graph(load_topology(resolve("@two-hosts")))
    picture = mermaid(graph)
    assert picture.startswith("flowchart LR\n")
    for node in graph:
        assert picture.count(f'"{node}"') == 1
    assert picture.count(" === ") == 1


RACK = """\
version: 1
hosts:
  h: {{count: 4, hypervisor: {hypervisor}, nics: {{eth0: }}, switches: {{br0: }}}}
vms:
  vm: {{host: 'h*', count: 8, vnics: [{{}}]}}
  one: {{host: h1, vnics: [{{}}]}}
switches: {{tor2: {{count: 2, ports: 3}}, spine: }}
links:
  - {{ends: ['h*:eth0', 'tor2*:p*'], latency: 5us}}
  - {{ends: ['tor2*:p3', 'spine:down*']}}
"""


@pytest.mark.parametrize(
    ("hypervisor", "back_ends"),
    [
        ("xen", ["h*:vif*.0 ×8", "h*:vif3.0"]),
        ("kvm", ["h*:vnet* ×8", "h*:vnet2"]),
        ("vmware", ["h*:vm*.eth0 ×8", "h*:one.eth0"]),
        ("hyperv", ["h*:vm*-eth0 ×8", "h*:one-eth0"]),
    ],
)
def test_instances_of_a_template_fold_into_one(hypervisor: str, back_ends: list[str]) -> None:
    topology = parse_topology(RACK.format(hypervisor=hypervisor))
    graph = folded(build_graph(topology), topology.templates)
    assert [node for node in graph if kind_of(graph, node) != "device"] == [
        *("h* ×4", "h*:br0 ×4", "vm* ×8", "one", "tor2* ×2", "spine")
    ]
    fronts = ["h*:eth0 ×4", "vm*:eth0 ×8", "one:eth0"]
    ports = ["tor2*:p* ×4", "tor2*:p3 ×2", "spine:down* ×2"]
    devices = {node for node in graph if kind_of(graph, node) == "device"}
    named = {node.replace("h1:", "h*:") for node in devices}
    assert named == {*fronts, *ports, *back_ends}
    assert graph.edges["h*:eth0 ×4", "tor2*:p* ×4"]["latency_ns"] == 5_000


def test_a_graph_without_templates_does_not_fold() -> None:
    topology = load_topology(resolve("@two-hosts"))
    graph = build_graph(topology)
    same = folded(graph, topology.templates)
    assert (list(same), list(same.edges)) == (list(graph), list(graph.edges))


def test_a_host_that_routes_for_its_guests_joins_them_to_the_world() -> None:
    text = """
version: 1
hosts:
  h1:
    nics: {eth0: {ip: 203.0.113.1/24}}
    switches:
      virbr0: {mode: nat}
      virbr1: {mode: isolated, ip: 10.1.0.1/24}
  dom0: {hypervisor: xen, mode: route, nics: {eth0: {ip: 203.0.113.2/24}}}
vms:
  out: {host: h1, vnics: [{switch: virbr0}]}
  kept: {host: h1, vnics: [{switch: virbr1}]}
  routed: {host: dom0, vnics: [{ip: 203.0.113.9/24}]}
links: [{ends: ['h1:eth0', 'dom0:eth0']}]
"""
    groups = islands(build_graph(parse_topology(text)))
    assert groups == [["dom0", "h1", "out", "routed"], ["kept"]]
