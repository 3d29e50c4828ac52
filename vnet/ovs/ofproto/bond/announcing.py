"""Announcing the stations behind a switch by the link of a bond that has become the right one.

The other switch does not know of the bond, and would go on sending to the link that failed until
it hears the stations from elsewhere. So each is announced, by a reverse ARP that nobody answers.
"""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.ids import MAC_BROADCAST
from vnet.l2.lacp.aggregation import Negotiation
from vnet.ovs.flow.flow import Flow
from vnet.ovs.ofproto.bond.bond import Bond
from vnet.ovs.ofproto.bond.settings import BondMode
from vnet.ovs.ofproto.bond.verdict import choose_member
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.ofproto.switching.mac_learning import MacLearning
from vnet.wire import arp, ether, vlan

TYPE_RARP = 0x8035
OPERATION_RARP = 3
_NO_IP = bytes(4)


def should_announce(bond: Bond) -> bool:
    """Whether announcing is due and helps: a partner of LACP needs no telling. Asks once."""
    is_due, bond.must_announce = bond.must_announce, False
    is_alone = (bond.negotiation is Negotiation.OFF and bond.mode is not BondMode.BALANCE_TCP) or (
        bond.settings.fallback and bond.negotiation is Negotiation.CONFIGURED
    )
    return is_due and is_alone and bond.active is not None


def announcements(
    bond: Bond, bundle: Bundle, stations: MacLearning[Bundle]
) -> Iterator[tuple[OfPort, bytes]]:
    """A frame for each station that is not behind the bond itself, and the link it leaves by."""
    for station in [entry for entry in stations if entry.port is not bundle]:
        key = station.mac << Flow.dl_src.shift
        member = choose_member(bond, key, station.vlan)
        if member is not None:
            yield member.port, announcement(station.mac.to_bytes(6, "big"), station.vlan)


def announcement(mac: bytes, vid: int) -> bytes:
    """A reverse ARP (RFC 903) from and about ``mac``, with a tag where it is in a VLAN."""
    packet = arp.emit(arp.Arp(OPERATION_RARP, mac, _NO_IP, mac, _NO_IP))
    frame = ether.frame(MAC_BROADCAST, mac, TYPE_RARP, packet)
    return vlan.push(frame, vlan.Tag(ether.TYPE_VLAN, 0, False, vid)) if vid else frame
