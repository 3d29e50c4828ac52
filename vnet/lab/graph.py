"""The lab as a networkx graph: nodes, devices, and what joins them.

A graph node is a machine or switch (``h1``, ``vm1``, ``sw1``), a bridge in a host
(``h1:xenbr0``) or a device (``h1:eth0``, ``vm1:eth0``, ``h1:vif1.0``), with ``kind`` saying which.
An edge has ``kind`` ``has`` (a node and its device), ``port`` (a device and its bridge),
``vif`` (a vNIC and its back end), ``patch`` (two bridges of Open vSwitch in one host), ``tunnel``
(two of different hosts) or ``link`` (with the link's settings). Bridges and switches say what they
do with ``bpdus`` (:class:`Bpdus`). Cards are called what the file calls them, before Xen's script
renames one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import IntEnum

import networkx
import networkx.utils

from vnet.hypervisor.modes.virtual_network import Forward
from vnet.topology import model
from vnet.topology.devices import backend_names


class Bpdus(IntEnum):
    """What a bridge does with the messages of spanning trees; the worst for them comes last."""

    FORWARDS = 0
    SPEAKS = 1
    SWALLOWS = 2


def build_graph(topology: model.Topology) -> networkx.Graph[str]:
    """The graph of what the topology asks for."""
    graph: networkx.Graph[str] = networkx.Graph(name=topology.name)
    vms: dict[str, list[model.Vm]] = {name: [] for name in topology.hosts}
    for vm in topology.vms.values():
        vms[vm.host].append(vm)
    for host in topology.hosts.values():
        graph.add_node(
            host.name,
            kind="host",
            hypervisor=host.hypervisor.value,
            speaks=any(nic.addresses for nic in host.nics.values()),
        )
        _add_devices(graph, host.name, host.nics)
        for switch in host.switches.values():
            bridge = f"{host.name}:{switch.name}"
            graph.add_node(bridge, kind="bridge", bpdus=_bpdus(switch))
            graph.add_edge(host.name, bridge, kind="routes" if _is_routed(switch) else "has")
            if switch.uplink is not None:
                graph.add_edge(f"{host.name}:{switch.uplink}", bridge, kind="port")
            for card in switch.bonded_cards:
                graph.add_edge(f"{host.name}:{card}", bridge, kind="port")
        _add_patches(graph, host)
        _add_guests(graph, host, vms[host.name])
    _add_tunnels(graph, topology)
    for router in topology.routers.values():
        graph.add_node(router.name, kind="router")
        _add_devices(graph, router.name, router.nics)
    for wire_switch in topology.switches.values():
        graph.add_node(wire_switch.name, kind="switch", bpdus=_bpdus(wire_switch))
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


def _is_routed(switch: model.HostSwitch) -> bool:
    """Whether the host forwards for the guests there."""
    return switch.network is not None and switch.network.forward is not Forward.ISOLATED


def _bpdus(switch: model.HostSwitch | model.WireSwitch) -> Bpdus:
    if switch.ovs is None:
        # As 802.1D does not have it, but Linux: without STP a bridge is a cable to BPDUs.
        return Bpdus.SPEAKS if switch.linux.tree.stp else Bpdus.FORWARDS
    config = switch.ovs.config
    if config.stp_enable or config.rstp_enable:
        return Bpdus.SPEAKS
    return Bpdus.FORWARDS if config.forward_bpdu else Bpdus.SWALLOWS


def _add_tunnels(graph: networkx.Graph[str], topology: model.Topology) -> None:
    """Bridges of two hosts that a tunnel joins; labs without Open vSwitch have none."""
    if all(s.ovs is None for host in topology.hosts.values() for s in host.switches.values()):
        return
    from vnet.topology.tunnels import tunnel_pairs

    for one, other in tunnel_pairs(topology.hosts.values()):
        graph.add_edge(f"{one.host}:{one.bridge}", f"{other.host}:{other.bridge}", kind="tunnel")


def _add_patches(graph: networkx.Graph[str], host: model.Host) -> None:
    bridges = [switch.ovs.config for switch in host.switches.values() if switch.ovs is not None]
    interfaces = [
        (f"{host.name}:{bridge.name}", interface)
        for bridge in bridges
        for port in bridge.ports
        for interface in port.interfaces
    ]
    owners = {interface.name: bridge for bridge, interface in interfaces}
    for bridge, interface in interfaces:
        if interface.is_patch:
            graph.add_edge(bridge, owners[interface.peer], kind="patch")


def _add_guests(graph: networkx.Graph[str], host: model.Host, vms: list[model.Vm]) -> None:
    names = backend_names(host, vms)
    for vm in vms:
        graph.add_node(vm.name, kind="vm", host=vm.host)
        for index, vnic in enumerate(vm.vnics):
            front, back = f"{vm.name}:{vnic.name}", f"{host.name}:{names[vm.name, index]}"
            graph.add_node(front, kind="device")
            graph.add_node(back, kind="device")
            graph.add_edge(vm.name, front, kind="has")
            graph.add_edge(front, back, kind="vif")
            if vnic.switch:
                graph.add_edge(back, f"{host.name}:{vnic.switch}", kind="port")
            else:
                graph.add_edge(host.name, back, kind="routes")


def _add_devices(graph: networkx.Graph[str], node: str, names: Iterable[str]) -> None:
    for name in names:
        graph.add_node(f"{node}:{name}", kind="device")
        graph.add_edge(node, f"{node}:{name}", kind="has")


def islands(graph: networkx.Graph[str]) -> list[list[str]]:
    """The groups of machines that no cable or bridge joins to the others, sorted."""
    carried: networkx.Graph[str] = graph.copy()
    # A host joins its bridges in administration only, unless it routes for them: a guest bridge
    # without an uplink is an island of its own.
    carried.remove_edges_from(
        [
            (one, other)
            for one, other, data in graph.edges(data=True)
            if data.get("kind") != "routes"
            and "bridge" in (kind_of(graph, one), kind_of(graph, other))
            and "host" in (kind_of(graph, one), kind_of(graph, other))
        ]
    )
    groups = [
        sorted(n for n in part if kind_of(graph, n) in ("vm", "host", "router", "switch"))
        for part in networkx.connected_components(carried)
    ]
    # A host without an address has nothing to say to anybody: it is no island by itself.
    nodes = graph.nodes
    return sorted(group for group in groups if any(nodes[n].get("speaks", True) for n in group))


def switching_loops(graph: networkx.Graph[str]) -> list[list[str]]:
    """Rings of bridges and switches, in which broadcasts circle for ever without STP."""
    return _rings(_segment(graph))


def open_loops(graph: networkx.Graph[str]) -> list[list[str]]:
    """Those rings that no spanning tree cuts: nobody speaks it there, or cannot hear itself."""
    segment = _segment(graph)
    bpdus: dict[str, Bpdus] = {n: segment.nodes[n].get("bpdus", Bpdus.FORWARDS) for n in segment}
    left: networkx.Graph[str] = networkx.Graph()
    left.add_nodes_from(segment.nodes(data=True))
    joined = networkx.utils.UnionFind(segment)
    edges: dict[Bpdus, list[tuple[str, str]]] = {does: [] for does in Bpdus}
    for one, other in segment.edges:
        # At most one end is a bridge, or both are and a patch or tunnel joins them.
        edges[max(bpdus[one], bpdus[other])].append((one, other))
    for one, other in edges[Bpdus.FORWARDS]:
        joined.union(one, other)
    left.add_edges_from(edges[Bpdus.FORWARDS] + edges[Bpdus.SWALLOWS])
    for one, other in edges[Bpdus.SPEAKS]:
        # A port that leads to where another leads is the one to be blocked.
        if joined[one] != joined[other]:
            joined.union(one, other)
            left.add_edge(one, other)
    return _rings(left)


def _rings(segment: networkx.Graph[str]) -> list[list[str]]:
    return sorted(
        [n for n in ring if kind_of(segment, n) in ("bridge", "switch")]
        for ring in networkx.cycle_basis(segment)
    )


def looped_links(graph: networkx.Graph[str]) -> list[tuple[str, str]]:
    """The cables that are in such a ring, by their ends: without one, everything stays joined."""
    segment = _segment(graph)
    no_rings = {frozenset(edge) for edge in networkx.bridges(segment)}
    return [
        (one, other)
        for one, other in segment.edges
        if segment.edges[one, other]["kind"] == "link" and frozenset((one, other)) not in no_rings
    ]


def _segment(graph: networkx.Graph[str]) -> networkx.Graph[str]:
    """What frames cross without being routed."""
    segment: networkx.Graph[str] = graph.copy()
    segment.remove_nodes_from([n for n in graph if kind_of(graph, n) in ("vm", "host", "router")])
    return segment


def kind_of(graph: networkx.Graph[str], node: str) -> str:
    """``host``, ``vm``, ``router``, ``switch``, ``bridge`` or ``device``."""
    return str(graph.nodes[node]["kind"])


def path(graph: networkx.Graph[str], source: str, target: str) -> list[str] | None:
    """A shortest way from one graph node to another, or None if there is none."""
    try:
        return list(networkx.shortest_path(graph, source, target))
    except networkx.NetworkXNoPath:
        return None


def folded(graph: networkx.Graph[str], templates: Mapping[str, str]) -> networkx.Graph[str]:
    """``graph`` with all instances of a template in one place.

    ``templates`` is :attr:`Topology.templates <vnet.topology.model.Topology.templates>`. The
    20 hosts of h become ``h* ×20``, and the ports that a star counted, or the back ends of a
    template's VMs, ``tor:p* ×20``.
    """
    classes = {node: _class_of(graph, node, templates) for node in graph}
    sizes = Counter(classes.values())
    # A class of one keeps the name it has in the file.
    alone = {name: node for node, name in classes.items() if sizes[name] == 1}
    names = {name: alone.get(name, f"{name} ×{size}") for name, size in sizes.items()}
    smaller: networkx.Graph[str] = networkx.Graph(name=graph.name)
    for node in graph:
        smaller.add_node(names[classes[node]], **graph.nodes[node])
    for one, other in graph.edges:
        smaller.add_edge(names[classes[one]], names[classes[other]], **graph.edges[one, other])
    return smaller


def _class_of(graph: networkx.Graph[str], node: str, templates: Mapping[str, str]) -> str:
    """What ``node`` is called when the instances of templates are not told apart."""
    name, colon, device = node.partition(":")
    owner = f"{templates[name]}*" if name in templates else name
    if not colon:
        return owner
    peer = next((other for other in _plugged_in(graph, node) if other in templates), None)
    if peer is not None and kind_of(graph, name) == "switch":
        device = re.sub("[0-9]+$", "*", device)
    elif peer is not None and not graph.has_edge(name, node):
        # A guest's back end: vm7.eth0 is named after the guest, vif7.0 and vnet7 by number.
        if device.startswith(peer):
            device = f"{templates[peer]}*{device.removeprefix(peer)}"
        else:
            device = re.sub("[0-9]+", "*", device, count=1)
    return f"{owner}:{device}"


def _plugged_in(graph: networkx.Graph[str], device: str) -> list[str]:
    """The nodes at the other end of what joins ``device`` to another device."""
    return [
        other.partition(":")[0]
        for other in graph[device]
        if graph.edges[device, other]["kind"] in ("link", "vif")
    ]


_LINES = {"link": "===", "tunnel": "-.-"}
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
        line = _LINES.get(graph.edges[one, other]["kind"], "---")
        lines.append(f"    {names[one]} {line} {names[other]}")
    return "\n".join(lines)
