"""Which DHCP servers and relays a file asks for: each needs a network to speak on."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from vnet.base.ids import ip_text
from vnet.linux.services.dhcp_server.settings import DhcpServing
from vnet.topology.model import Nic
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.dhcp import serving_of
from vnet.topology.schema.topology import HostSwitchFile, NicFile

_N = TypeVar("_N", bound=Nic)


def served(path: Path, file: NicFile, card: _N, count: int, report: Report) -> _N:
    """The card at ``path`` with its server or relay, if any; there are ``count`` of them."""
    if file.dhcp is not None and file.dhcp_relay:
        what = "a card serves addresses or passes requests on, not both"
        report.add((*path, "dhcp_relay"), what, "leave one of the two out", at_key=True)
    _check_relay(path, file, report)
    serving = None
    if file.dhcp is not None:
        serving = serving_of((*path, "dhcp"), file.dhcp, file.addresses, report, count)
    return replace(card, dhcp=serving, dhcp_relay=tuple(file.dhcp_relay))


def serving_on_bridge(path: Path, file: HostSwitchFile, report: Report) -> DhcpServing | None:
    """What the DHCP server on a host's bridge is told, if there is one."""
    if file.dhcp is None:
        return None
    return serving_of((*path, "dhcp"), file.dhcp, file.ip, report)


def _check_relay(path: Path, file: NicFile, report: Report) -> None:
    own = {address.ip for address in file.addresses if len(address.ip) == 4}
    if file.dhcp_relay and not own:
        what = "a DHCP relay on a card without an IPv4 address"
        report.add((*path, "dhcp_relay"), what, "servers answer to that address")
    for index, server in enumerate(file.dhcp_relay):
        here = (*path, "dhcp_relay", index)
        if len(server) != 4:
            report.add(here, f"{ip_text(server)} is not an IPv4 address")
        elif server in own:
            report.add(here, f"{ip_text(server)} is the relay itself, not a server")
