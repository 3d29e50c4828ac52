"""Telling the kernel the MAC of a client that has no address yet, and so could not answer ARP
(SIOCSARP)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IpAddress
from vnet.linux.services.daemon_log import DaemonLog
from vnet.tables.neigh import Nud

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface


def inject(interface: Interface, ip: IpAddress, mac: bytes, log: DaemonLog) -> None:
    """Enter ``mac`` for ``ip``; what is no address of this kind of link goes to the log alone."""
    if len(mac) == len(interface.device.mac):
        interface.arp_cache.set(ip, mac, Nud.STALE)
    else:
        log.write("ARP-cache injection failed: Invalid argument")
