"""What is in the lab: nodes, cables, ports; and the plug to pull."""

from __future__ import annotations

from vnet.base.errors import UsageError
from vnet.base.ids import ip_text, mac_text
from vnet.base.text import did_you_mean, quote
from vnet.base.units import duration_text, rate_text
from vnet.netdev.device import NetDevice
from vnet.netdev.nic import Nic
from vnet.shell.context import ShellContext, Words, link_ends, nodes
from vnet.shell.options import Arguments
from vnet.shell.output import Output, columns
from vnet.shell.registry import Group, NodeUse, command
from vnet.shell.views.link import state_of
from vnet.sim.link import Link


@command(
    "nodes",
    "",
    "hosts, routers, VMs and switches, where they are and their addresses",
    group=Group.LAB,
    options={},
    examples=["nodes"],
)
def list_nodes(context: ShellContext, _arguments: Arguments) -> Output:
    """One line a node."""
    topology, network = context.lab.topology, context.lab.network
    rows: list[tuple[str, str, str, str]] = []
    for host in topology.hosts.values():
        switches = ", ".join(host.switches)
        rows.append((host.name, f"{host.hypervisor.value} host", switches, ""))
    rows += [(name, "router", "", "") for name in topology.routers]
    rows += [(vm.name, "VM", f"on {vm.host}", "") for vm in topology.vms.values()]
    rows += [(s.name, "switch", ", ".join(s.ports), "") for s in topology.switches.values()]
    shown = []
    for name, kind, where, _ in rows:
        machine = network.machine(name)
        addresses = [ip_text(ip) for ip in machine.addresses] if machine else []
        shown.append((name, kind, where, ", ".join(addresses)))
    return columns(("NODE", "KIND", "WHERE", "ADDRESSES"), shown)


@command(
    "links",
    "",
    "cables: state, delay and rate, frames and bytes each way, losses",
    group=Group.LAB,
    options={},
    examples=["links"],
)
def list_links(context: ShellContext, _arguments: Arguments) -> Output:
    """One line for each direction of each cable."""
    links = context.lab.network.links
    if not links:
        return "this lab has no cables"
    rows = []
    for link in links:
        rate = "-" if link.bandwidth_bps is None else rate_text(link.bandwidth_bps)
        for end in link.ends:
            lost = sum(end.drops.values())
            why = ", ".join(f"{r.word} {n}" for r, n in end.drops.items()) if lost else ""
            rows.append(
                (
                    end.name,
                    end.peer.name,
                    "up" if link.up else "down",
                    duration_text(link.latency_ns),
                    rate,
                    end.tx_frames,
                    end.tx_bytes,
                    lost,
                    why,
                )
            )
    header = ("FROM", "TO", "STATE", "LATENCY", "RATE", "FRAMES", "BYTES", "LOST", "WHY")
    return columns(header, rows, numbers=(5, 6, 7))


@command(
    "link",
    "NODE:DEVICE up|down",
    "plug in or unplug the cable at a device",
    group=Group.LAB,
    words=(2, 2),
    options={},
    examples=["link h1:eth0 down", "link h1:eth0 up"],
    completes=[link_ends, Words("up", "down")],
)
def set_link(context: ShellContext, arguments: Arguments) -> Output:
    """What is on the wire when it goes down is lost."""
    name, state = arguments.words
    if state not in ("up", "down"):
        raise UsageError(f"link: a cable is up or down, not {quote(state)}")
    link = _link_at(context, name)
    link.set_up(state == "up")
    return f"{link.ends[0].name} - {link.ends[1].name} is {state}"


def _link_at(context: ShellContext, name: str) -> Link:
    """The cable by an end as the file names it, or by the device that now holds the plug."""
    for link in context.lab.network.links:
        if name in (link.ends[0].name, link.ends[1].name):
            return link
    node, _, device_name = name.partition(":")
    device = context.lab.network.device(node, device_name)
    if isinstance(device, Nic) and device.end is not None:
        return device.end.link
    ends = list(link_ends(context, ()))
    hint = did_you_mean(name, ends, "ends are") if ends else "this lab has no cables"
    raise UsageError(f"there is no cable at {quote(name)}", hint)


@command(
    "ports",
    "[NODE]",
    "devices: state, MAC, mtu, master, counters and drops",
    group=Group.LAB,
    node=NodeUse.FIRST,
    words=(0, 1),
    options={},
    examples=["ports", "ports h1", "vm1 ports"],
    completes=[nodes],
)
def list_ports(context: ShellContext, arguments: Arguments) -> Output:
    """One line a device, of one node or of all."""
    chosen = arguments.words or tuple(context.node_names)
    rows = [
        _port_row(device, context.master_of(node, device))
        for node in chosen
        for device in context.devices(node)
    ]
    header = (
        "DEVICE",
        "KIND",
        "STATE",
        "MAC",
        "MTU",
        "MASTER",
        "RX",
        "RX-BYTES",
        "TX",
        "TX-BYTES",
        "DROPS",
    )
    return columns(header, rows, numbers=(4, 6, 7, 8, 9, 10))


def _port_row(device: NetDevice, master: str | None) -> tuple[object, ...]:
    return (
        device.label,
        device.kind,
        state_of(device),
        mac_text(device.mac),
        device.mtu_bytes,
        master or "-",
        device.rx_packets,
        device.rx_bytes,
        device.tx_packets,
        device.tx_bytes,
        sum(device.drops.values()),
    )
