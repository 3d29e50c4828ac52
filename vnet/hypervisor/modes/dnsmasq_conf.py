"""What libvirt 9.0 tells the dnsmasq of a network: its settings, and who has an address kept."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.ids import IpAddress, ip_text, mac_text
from vnet.hypervisor.modes.virtual_network import Forward, VirtualNetwork
from vnet.linux.services.dhcp_server.settings import DhcpServing, Reservation

FOLDER = "/var/lib/libvirt/dnsmasq"


def conf_lines(network: VirtualNetwork, dhcp: DhcpServing | None) -> Iterator[str]:
    """The lines of NAME.conf, but for the comment at its top."""
    yield "strict-order"
    if dhcp is not None and dhcp.domain:
        yield f"domain={dhcp.domain}"
        yield "expand-hosts"
    yield f"pid-file=/run/libvirt/network/{network.name}.pid"
    yield "except-interface=lo"
    yield "bind-dynamic"
    yield f"interface={network.bridge}"
    if network.forward is Forward.ISOLATED:
        yield "dhcp-option=3"
        yield "no-resolv"
        yield "ra-param=*,0,0"
    if dhcp is not None:
        netmask = ip_text(network.netmask)
        for each in dhcp.ranges:
            yield f"dhcp-range={ip_text(each.start)},{ip_text(each.end)},{netmask}"
        yield "dhcp-no-override"
        yield "dhcp-authoritative"
        yield f"dhcp-lease-max={dhcp.most_leases}"
        yield f"dhcp-hostsfile={FOLDER}/{network.name}.hostsfile"
    yield f"addn-hosts={FOLDER}/{network.name}.addnhosts"


def host_lines(dhcp: DhcpServing | None) -> Iterator[str]:
    """The lines of NAME.hostsfile: a client each, with its address and its name."""
    for each in () if dhcp is None else dhcp.reservations:
        yield ",".join(_words_of(each))


def _words_of(reservation: Reservation) -> Iterator[str]:
    if reservation.mac is not None:
        yield mac_text(reservation.mac)
    elif reservation.client_id is not None:
        yield f"id:{reservation.client_id.hex(':')}"
    if reservation.ip is not None:
        yield ip_text(IpAddress(reservation.ip))
    if reservation.name:
        yield reservation.name
