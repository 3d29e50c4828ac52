"""What is in the lab: nodes, cables, ports; and what can be done to a cable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vnet.base.errors import UsageError
from vnet.base.ids import ip_text, mac_text
from vnet.base.text import did_you_mean, quote
from vnet.base.units import duration_text, rate_text
from vnet.lab.link_handle import LinkSettings
from vnet.lab.report import LinkRow, link_rows
from vnet.netdev.device import NetDevice
from vnet.shell.context import ShellContext, Words, link_ends, nodes
from vnet.shell.options import Arguments
from vnet.shell.output import Output, columns
from vnet.shell.registry import Group, NodeUse, command
from vnet.shell.views.link import state_of
from vnet.sim.link import Link
from vnet.topology.reading.explain import judge_wire
from vnet.topology.schema.wire import change_of


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
        # Back ends of Xen's route mode have their host's own address.
        addresses = [ip_text(ip) for ip in dict.fromkeys(machine.addresses)] if machine else []
        shown.append((name, kind, where, ", ".join(addresses)))
    return columns(("NODE", "KIND", "WHERE", "ADDRESSES"), shown)


@command(
    "links",
    "",
    "cables: state, delay and rate, frames and bytes each way, losses, impairments",
    group=Group.LAB,
    options={},
    examples=["links"],
)
def list_links(context: ShellContext, _arguments: Arguments) -> Output:
    """One line for each direction of each cable.

    Where a cable has impairments, what they are, and how many frames they changed.
    """
    links = context.lab.network.links
    if not links:
        return "this lab has no cables"
    rows = [_link_row(link, row) for link in links for row in link_rows([link.ends])]
    header = ["FROM", "TO", "STATE", "LATENCY", "RATE", "FRAMES", "BYTES", "LOST", "WHY"]
    if any(row[-2] or row[-1] for row in rows):
        header += ["IMPAIRMENTS", "IMPAIRED"]
    return columns(header, [row[: len(header)] for row in rows], numbers=(5, 6, 7))


def _link_row(link: Link, row: LinkRow) -> tuple[object, ...]:
    return (
        row.source,
        row.target,
        "up" if link.up else "down",
        duration_text(link.latency_ns),
        "-" if link.bandwidth_bps is None else rate_text(link.bandwidth_bps),
        row.frames,
        row.bytes,
        sum(row.drops.values()),
        _counts(row.drops),
        str(link.impairments),
        _counts(row.impaired),
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{word} {count}" for word, count in counts.items())


@command(
    "link",
    "NODE:DEVICE up|down|SETTING VALUE...",
    "plug in or unplug the cable at a device, or change what it does to frames",
    group=Group.LAB,
    words=(2, None),
    options={},
    examples=[
        "link h1:eth0 down",
        "link h1:eth0 up",
        "link h1:eth0 loss 5% jitter 2ms",
        "link h1:eth0 loss gemodel 1% 30%",
        "link h1:eth0 latency 20ms bandwidth none loss 0",
    ],
    completes=[link_ends, Words("up", "down", *LinkSettings.__annotations__)],
)
def set_link(context: ShellContext, arguments: Arguments) -> Output:
    """Settings are spelt as in a file, and loss in bursts as tc's: gemodel P [R [1-H [1-K]]].

    `bandwidth none` and `mtu none` take the limit away. What is on the wire when it goes down
    is lost; other changes are for frames sent from then on.
    """
    name, *words = arguments.words
    link = _link_at(context, name)
    if words in (["up"], ["down"]):
        link.set_up(words == ["up"])
        return f"{link.ends[0].name} - {link.ends[1].name} is {words[0]}"
    try:
        link.change(**change_of(judge_wire(_settings(words))))
    except UsageError as error:
        raise UsageError(f"link: {error.what}", error.hint) from None
    rate = "none" if link.bandwidth_bps is None else rate_text(link.bandwidth_bps)
    return (
        f"{link.ends[0].name} - {link.ends[1].name}: latency {duration_text(link.latency_ns)} "
        f"bandwidth {rate} {link.impairments}".rstrip()
    )


def _settings(words: Sequence[str]) -> dict[str, object]:
    """``loss 5% jitter 2ms`` as a file would have it. Raises :class:`UsageError`."""
    settings: dict[str, object] = {}
    waiting = list(reversed(words))
    while waiting:
        key = waiting.pop()
        if key not in LinkSettings.__annotations__:
            known = ["up", "down", *LinkSettings.__annotations__]
            raise UsageError(
                f"there is no setting {quote(key)}", did_you_mean(key, known, "it takes")
            )
        if not waiting:
            raise UsageError(f"{key} wants a value")
        value = waiting.pop()
        if key == "loss" and value == "gemodel":
            settings[key] = _gemodel(waiting)
        elif key in ("queue", "mtu") and value.isascii() and value.isdecimal() and len(value) < 20:
            settings[key] = int(value)
        elif key in ("bandwidth", "mtu") and value == "none":
            settings[key] = None
        else:
            settings[key] = value
    return settings


def _gemodel(waiting: list[str]) -> dict[str, str]:
    """Take up to four percentages from the end of ``waiting``, in tc's order."""
    shares: dict[str, str] = {}
    for letter in ("p", "r", "1-h", "1-k"):
        if waiting and waiting[-1] not in LinkSettings.__annotations__:
            shares[letter] = waiting.pop()
    return shares


def _link_at(context: ShellContext, name: str) -> Link:
    """The cable by an end as the file names it, or by the device that now holds the plug."""
    link = context.lab.network.link_at(name)
    if link is not None:
        return link
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
