"""``neigh_suppress``: a bridge answers ARP and ND for stations behind a port, instead of flooding
the questions to it (net/bridge/br_arp_nd_proxy.c).

What it answers with is the host's neighbour entry on the bridge, and where the station is, the
forwarding database says: without both nothing is answered, and the question is flooded as any
other. What asks for nobody else (a check for duplicates, an announcement) is kept from such ports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vnet.base.ids import Mac
from vnet.sim.frame import Frame
from vnet.wire import arp, icmpv6, ipv6, nd
from vnet.wire.ether import HEADER_BYTES, TYPE_ARP, TYPE_IPV6
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.bridge.bridge import Bridge
    from vnet.linux.bridge.port import BridgePort
    from vnet.linux.bridge.vlan import Passage

_RARP = 0x8035
_LEAST_ND_BYTES = HEADER_BYTES + ipv6.HEADER_BYTES + 24


class HostNeighbors(Protocol):
    """What the host behind a bridge knows of its stations, by VLAN; 0 is the bridge itself."""

    def has_vlan(self, vid: int) -> bool:
        """Whether the host has a device for that VLAN of the bridge."""

    def does_arp(self) -> bool:
        """Whether the bridge's own device speaks ARP."""

    def owns(self, ip: bytes, vid: int) -> bool:
        """Whether an address is the host's own there."""

    def mac_of(self, ip: bytes, vid: int) -> tuple[Mac, bool] | None:
        """The MAC of a neighbour, if its entry is valid, and whether it is a router."""


class NeighborSuppression:
    """Looks at what is about to be flooded, while a port of the bridge has ``neigh_suppress``."""

    def __init__(self, bridge: Bridge, neighbors: HostNeighbors) -> None:
        self._bridge = bridge
        self._neighbors = neighbors

    def consider(self, port: BridgePort | None, frame: Frame, passage: Passage | None) -> bool:
        """Answer a question if that can be done; True keeps it from ports that suppress.

        ``port`` is where it came in, None for the host.
        """
        if port is not None and port.neigh_suppress:
            return False
        data = frame.data if passage is None else passage.bare.data
        kind = data[12] << 8 | data[13]
        if kind in (TYPE_ARP, _RARP):
            return self._consider_arp(port, data, passage)
        if kind == TYPE_IPV6 and len(data) >= _LEAST_ND_BYTES and data[20] == icmpv6.PROTOCOL:
            return self._consider_nd(port, data, passage)
        return False

    # -- ARP

    def _consider_arp(self, port: BridgePort | None, data: bytes, passage: Passage | None) -> bool:
        query = arp.parse(data, HEADER_BYTES)
        if query is None or not self._neighbors.does_arp():
            return False
        target, sender = query.target_ip, query.sender_ip
        if target[0] == 127 or target[0] >> 4 == 0xE:
            return False
        if not data[0] & 1 and query.operation == arp.REQUEST:
            return False
        if query.operation in (arp.REQUEST, arp.REPLY) and (sender[0] == 0 or sender == target):
            return True
        if query.operation != arp.REQUEST:
            return False
        found = self._found(target, passage)
        if not isinstance(found, tuple):
            return found
        mac, _is_router = found
        answer = arp.Arp(arp.REPLY, mac, target, query.sender_mac, sender)
        reply = ether_frame(query.sender_mac, mac, TYPE_ARP, arp.emit(answer))
        return self._answer(port, reply, passage)

    # -- ND

    def _consider_nd(self, port: BridgePort | None, data: bytes, passage: Passage | None) -> bool:
        header = ipv6.parse(data[HEADER_BYTES:])
        if header is None or len(header.payload) < 24 or header.payload[1] != 0:
            return False
        kind, message = header.payload[0], header.payload
        if not data[0] & 1 and kind == icmpv6.NEIGHBOR_SOLICITATION:
            return False
        if kind == icmpv6.NEIGHBOR_ADVERTISEMENT:
            return not message[4] & nd.SOLICITED
        if kind != icmpv6.NEIGHBOR_SOLICITATION:
            return False
        if header.source == bytes(16) or header.source == header.target:
            return True
        target = message[8:24]
        found = self._found(target, passage)
        if not isinstance(found, tuple):
            return found
        mac, is_router = found
        options = nd.options(message[24:])
        sender = None if options is None else nd.link_address(nd.SOURCE_LINK_ADDRESS, options)
        to = data[6:12] if sender is None or sender.mac is None else sender.mac
        flags = nd.SOLICITED | nd.OVERRIDE | (nd.ROUTER if is_router else 0)
        body = nd.advertisement(flags, target, mac)
        answer = icmpv6.Icmpv6(icmpv6.NEIGHBOR_ADVERTISEMENT, 0, body)
        payload = icmpv6.emit(target, header.source, answer)
        packet = ipv6.emit(target, header.source, icmpv6.PROTOCOL, payload, hop_limit=255)
        return self._answer(port, ether_frame(to, mac, TYPE_IPV6, packet), passage)

    # -- both

    def _found(self, target: bytes, passage: Passage | None) -> tuple[Mac, bool] | bool:
        """Who is to be answered for; else whether the question is kept from suppressing ports."""
        vid = 0 if passage is None else passage.vid
        if vid and not self._neighbors.has_vlan(vid):
            return False
        if self._neighbors.owns(target, vid):
            return True
        neighbor = self._neighbors.mac_of(target, vid)
        if neighbor is None:
            return False
        entry = self._bridge.fdb.get(neighbor[0], vid)
        if entry is None:
            return False
        return neighbor if entry.port.neigh_suppress else True

    def _answer(self, port: BridgePort | None, reply: bytes, passage: Passage | None) -> bool:
        out = self._bridge.own_port if port is None else port
        if passage is not None and out.vlans.pvid != passage.vid:
            tag = passage.tagged.data[12:16]
            reply = reply[:12] + tag + reply[12:]
        device = out.device
        made = Frame(reply, device.follow("answered for a neighbour", reply))
        if port is None:
            self._bridge.scheduler.after(0, device.receive, made)
        else:
            device.transmit(made)
        return True
