"""What ``virsh`` of libvirt 9.0 prints of networks and machines: its tables, its pairs, its XML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from vnet.base.ids import IpAddress, ip_text, mac_text
from vnet.hypervisor.modes.libvirt import StartedNetwork
from vnet.hypervisor.modes.virtual_network import Forward
from vnet.linux.services.dhcp_server.leases import Lease
from vnet.shell.virsh.host import Card

_PAIR_WIDTH = 16


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a rule below its header; the last column is not padded."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(header))]
    text = []
    for line in lines:
        padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        text.append("".join(f" {cell}  " for cell in padded[:-1]) + f" {line[-1]}")
    text.insert(1, "-" * sum(width + 3 for width in widths))
    return "\n".join(text)


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """``Name:           default``, a line each."""
    return "\n".join(f"{name + ':':<{_PAIR_WIDTH}}{value}" for name, value in rows)


def network_info(network: StartedNetwork) -> str:
    """``net-info``: what there is started by itself, and would again."""
    return pairs(
        (
            ("Name", network.wanted.name),
            ("UUID", network.uuid),
            ("Active", "yes"),
            ("Persistent", "yes"),
            ("Autostart", "yes"),
            ("Bridge", network.wanted.bridge),
        )
    )


def network_xml(network: StartedNetwork, connections: int) -> str:
    """``net-dumpxml``; ``connections`` is how many cards are plugged in."""
    return "\n".join(_network_lines(network, connections))


def _network_lines(network: StartedNetwork, connections: int) -> Iterator[str]:
    wanted = network.wanted
    used = f" connections='{connections}'" if connections else ""
    yield f"<network{used}>"
    yield f"  <name>{wanted.name}</name>"
    yield f"  <uuid>{network.uuid}</uuid>"
    if wanted.forward is Forward.NAT:
        yield "  <forward mode='nat'>"
        yield "    <nat>"
        yield "      <port start='1024' end='65535'/>"
        yield "    </nat>"
        yield "  </forward>"
    elif wanted.forward is not Forward.ISOLATED:
        yield f"  <forward mode='{wanted.forward.value}'/>"
    stp = "on" if wanted.stp else "off"
    yield f"  <bridge name='{wanted.bridge}' stp='{stp}' delay='{wanted.delay_s}'/>"
    yield f"  <mac address='{mac_text(wanted.mac)}'/>"
    if network.dhcp is not None and network.dhcp.domain:
        yield f"  <domain name='{network.dhcp.domain}'/>"
    netmask = ip_text(wanted.netmask)
    yield f"  <ip address='{ip_text(wanted.ip)}' netmask='{netmask}'>"
    yield from _dhcp_lines(network)
    yield "  </ip>"
    yield "</network>"


def _dhcp_lines(network: StartedNetwork) -> Iterator[str]:
    if network.dhcp is None:
        return
    yield "    <dhcp>"
    for each in network.dhcp.ranges:
        yield f"      <range start='{ip_text(each.start)}' end='{ip_text(each.end)}'/>"
    for known in network.dhcp.reservations:
        mac = "" if known.mac is None else f" mac='{mac_text(known.mac)}'"
        name = f" name='{known.name}'" if known.name else ""
        ip = "" if known.ip is None else f" ip='{ip_text(known.ip)}'"
        yield f"      <host{mac}{name}{ip}/>"
    yield "    </dhcp>"


def leases_table(leases: Iterable[Lease], prefix_length: int) -> str:
    """``net-dhcp-leases``, by MAC. The time is the lab's, in UTC."""
    header = ("Expiry Time", "MAC address", "Protocol", "IP address", "Hostname")
    rows = []
    for lease in sorted(leases, key=lambda lease: lease.hwaddr):
        expiry = f"{datetime.fromtimestamp(lease.expires_s, UTC):%Y-%m-%d %H:%M:%S}"
        ip = f"{ip_text(lease.ip)}/{prefix_length}"
        client = lease.client_id.hex(":") if lease.client_id else "-"
        rows.append((expiry, mac_text(lease.hwaddr), "ipv4", ip, lease.hostname or "-", client))
    return table((*header, "Client ID or DUID"), rows)


# -- machines


def domain_info(name: str, number: int, uuid: str) -> str:
    """``dominfo``, without processors and memory, which machines here have none of."""
    return pairs(
        (
            ("Id", str(number)),
            ("Name", name),
            ("UUID", uuid),
            ("OS Type", "hvm"),
            ("State", "running"),
            ("Persistent", "yes"),
            ("Autostart", "enable"),
            ("Managed save", "no"),
        )
    )


def addresses(rows: Iterable[tuple[Card, IpAddress, int]]) -> str:
    """``domifaddr``: a card's address and prefix length, a line each."""
    lines = [f" {'Name':<10} {'MAC address':<20} {'Protocol':<8}     Address", "-" * 79]
    for card, ip, prefix_length in rows:
        where = f"{'ipv4':<12} {ip_text(ip)}/{prefix_length}"
        lines.append(f" {card.back_end:<10} {mac_text(card.mac):<17}    {where}")
    return "\n".join(lines)


def domain_xml(name: str, kind: str, number: int | None, uuid: str, cards: Iterable[Card]) -> str:
    """``dumpxml``: what there is of a machine, which is its cards; ``number`` None is how it is
    written down."""
    return "\n".join(_domain_lines(name, kind, number, uuid, cards))


def _domain_lines(
    name: str, kind: str, number: int | None, uuid: str, cards: Iterable[Card]
) -> Iterator[str]:
    running = "" if number is None else f" id='{number}'"
    yield f"<domain type='{kind}'{running}>"
    yield f"  <name>{name}</name>"
    yield f"  <uuid>{uuid}</uuid>"
    yield "  <os>"
    yield "    <type>hvm</type>"
    yield "  </os>"
    yield "  <devices>"
    for card in cards:
        yield f"    <interface type='{card.kind}'>"
        yield f"      <mac address='{mac_text(card.mac)}'/>"
        if card.kind == "network":
            plugged = "" if number is None else f" bridge='{card.bridge}'"
            yield f"      <source network='{card.source}'{plugged}/>"
        elif card.kind == "bridge":
            yield f"      <source bridge='{card.bridge}'/>"
        if number is not None:
            yield f"      <target dev='{card.back_end}'/>"
        yield f"      <model type='{card.model}'/>"
        yield "    </interface>"
    yield "  </devices>"
    yield "</domain>"
