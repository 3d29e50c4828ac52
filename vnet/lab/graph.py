"""The lab as a networkx graph: nodes, devices, and what joins them.

A graph node is a machine or switch (``h1``, ``vm1``, ``sw1``), a bridge in a host
(``h1:xenbr0``) or a device (``h1:eth0``, ``vm1:eth0``, ``h1:vif1.0``), with ``kind`` saying which.
An edge has ``kind`` ``has`` (a node and its device), ``port`` (a device and its bridge),
``vif`` (a vNIC and its back end) or ``link`` (with the link's settings). Cards are called what
the file calls them, before Xen's script renames one.
"""

from __future__ import annotations

from collections.abc import Iterable

import networkx

from vnet.topology import model
from vnet.topology.devices import backend_names


def build_graph(topology: model.Topology) -> networkx.Graph[str]:
    """The graph of what the topology asks for."""
    graph: networkx.Graph[str] = networkx.Graph(name=topology.name)
    for host in topology.hosts.values():
        graph.add_node(host.name, kind="host", hypervisor=host.hypervisor.value)
        _add_devices(graph, host.name, host.nics)
        for switch in host.switches.values():
            bridge = f"{host.name}:{switch.name}"
            graph.add_node(bridge, kind="bridge")
            graph.add_edge(host.name, bridge, kind="has")
            if switch.uplink is not None:
                graph.add_edge(f"{host.name}:{switch.uplink}", bridge, kind="port")
        _add_guests(graph, topology, host)
    for router in topology.routers.values():
        graph.add_node(router.name, kind="router")
        _add_devices(graph, router.name, router.nics)
    for wire_switch in topology.switches.values():
        graph.add_node(wire_switch.name, kind="switch")
        _add_devices(graph, wire_switch.name, wire_switch.ports)
    for link in topology.links:
        graph.add_edge(
            str(link.ends[0]),
            str(link.ends[1]),
            kind="link",
            latency_ns=link.latency_ns,
            bandwidth_bps=link.bandwidth_bps,
            mtu_bytes=link.mtu_bytes,
        )
    return graph


def _add_guests(graph: networkx.Graph[str], topology: model.Topology, host: model.Host) -> None:
    names = backend_names(host, topology.vms.values())
    for vm in topology.vms.values():
        if vm.host != host.name:
            continue
        graph.add_node(vm.name, kind="vm", host=vm.host)
        for index, vnic in enumerate(vm.vnics):
            front, back = f"{vm.name}:{vnic.name}", f"{host.name}:{names[vm.name, index]}"
            graph.add_node(front, kind="device")
            graph.add_node(back, kind="device")
            graph.add_edge(vm.name, front, kind="has")
            graph.add_edge(front, back, kind="vif")
            graph.add_edge(back, f"{host.name}:{vnic.switch}", kind="port")


def _add_devices(graph: networkx.Graph[str], node: str, names: Iterable[str]) -> None:
    for name in names:
        graph.add_node(f"{node}:{name}", kind="device")
        graph.add_edge(node, f"{node}:{name}", kind="has")


def islands(graph: networkx.Graph[str]) -> list[list[str]]:
    """The groups of machines that no cable or bridge joins to the others, sorted."""
    carried: networkx.Graph[str] = graph.copy()
    # A host joins its bridges in administration only: a guest bridge without an uplink is
    # an island of its own.
    carried.remove_edges_from(
        [
            (one, other)
            for one, other in graph.edges
            if "bridge" in (kind_of(graph, one), kind_of(graph, other))
            and "host" in (kind_of(graph, one), kind_of(graph, other))
        ]
    )
    groups = [
        sorted(n for n in part if kind_of(graph, n) in ("vm", "host", "router", "switch"))
        for part in networkx.connected_components(carried)
    ]
    return sorted(group for group in groups if group)


def switching_loops(graph: networkx.Graph[str]) -> list[list[str]]:
    """Rings of bridges and switches, in which broadcasts circle for ever without STP."""
    segment: networkx.Graph[str] = graph.copy()
    segment.remove_nodes_from([n for n in graph if kind_of(graph, n) in ("vm", "host", "router")])
    return sorted(
        [n for n in ring if kind_of(graph, n) in ("bridge", "switch")]
        for ring in networkx.cycle_basis(segment)
    )


def kind_of(graph: networkx.Graph[str], node: str) -> str:
    """``host``, ``vm``, ``router``, ``switch``, ``bridge`` or ``device``."""
    return str(graph.nodes[node]["kind"])


def path(graph: networkx.Graph[str], source: str, target: str) -> list[str] | None:
    """A shortest way from one graph node to another, or None if there is none."""
    try:
        return list(networkx.shortest_path(graph, source, target))
    except networkx.NetworkXNoPath:
        return None


_SHAPES = {
    "host": ("[[", "]]"),
    "vm": ("([", "])"),
    "router": ("{{", "}}"),
    "switch": ("[/", "/]"),
    "bridge": ("[/", "/]"),
    "device": ("(", ")"),
}


def mermaid(graph: networkx.Graph[str]) -> str:
    """The graph as a Mermaid flowchart, which GitHub and most editors draw."""
    names = {node: f"n{number}" for number, node in enumerate(graph)}
    lines = ["flowchart LR"]
    for node, name in names.items():
        before, after = _SHAPES[kind_of(graph, node)]
        lines.append(f'    {name}{before}"{node}"{after}')
    for one, other in graph.edges:
        line = "===" if graph.edges[one, other]["kind"] == "link" else "---"
        lines.append(f"    {names[one]} {line} {names[other]}")
    return "\n".join(lines)
