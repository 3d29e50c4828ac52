"""What kernels say by themselves, again and again, which depends on when they were started."""

from __future__ import annotations

from vnet.wire import arp, bpdu, icmpv6, ipv6, vlan
from vnet.wire.bpdu import BpduFlags, BpduType
from vnet.wire.ether import HEADER_BYTES, TYPE_ARP, TYPE_IPV4, TYPE_IPV6, type_of
from vnet.wire.ipv4 import IGMP

_MULTICAST_BIT = 1
_IGMPV3_REPORT = 0x22
_SAID_BY_ITSELF = (icmpv6.ROUTER_SOLICITATION, icmpv6.MLDV2_REPORT)


class Periodic:
    """Tells such frames at one point, which hears them in order.

    They are spanning tree's hellos (not those that acknowledge a change of topology), reports of
    group members, router solicitations, and the unicast questions by which ARP and neighbor
    discovery make sure of a neighbour, with the answers to them.
    """

    def __init__(self) -> None:
        self._asked: set[tuple[bytes, bytes]] = set()

    def is_periodic(self, data: bytes) -> bool:
        """Whether a frame, shown in the order of the capture, is one of them."""
        if len(data) < HEADER_BYTES:
            return False
        while vlan.parse(data) is not None:
            data = vlan.pop(data)
        kind = type_of(data)
        if kind == TYPE_ARP:
            return self._is_refresh_by_arp(data)
        if kind == TYPE_IPV6:
            return self._is_ipv6(data)
        if kind == TYPE_IPV4:
            at = HEADER_BYTES + (data[HEADER_BYTES] & 15) * 4 if len(data) > 33 else 0
            return data[23:24] == bytes([IGMP]) and data[at : at + 1] == bytes([_IGMPV3_REPORT])
        return _is_hello(data)

    def _is_refresh_by_arp(self, data: bytes) -> bool:
        packet = arp.parse(data, HEADER_BYTES)
        if packet is None:
            return False
        if packet.operation == arp.REQUEST:
            if data[0] & _MULTICAST_BIT:
                return False
            self._asked.add((packet.target_ip, packet.sender_ip))
            return True
        return self._is_answer(packet.sender_ip, packet.target_ip)

    def _is_ipv6(self, data: bytes) -> bool:
        header = ipv6.parse(data[HEADER_BYTES:], verify=False)
        upper = None if header is None else ipv6.upper_layer(header)
        if (
            header is None
            or upper is None
            or upper.protocol != icmpv6.PROTOCOL
            or not upper.payload
        ):
            return False
        kind, target = upper.payload[0], bytes(upper.payload[8:24])
        if kind == icmpv6.NEIGHBOR_SOLICITATION:
            if data[0] & _MULTICAST_BIT:
                return False
            self._asked.add((target, header.source))
            return True
        if kind == icmpv6.NEIGHBOR_ADVERTISEMENT:
            return self._is_answer(target, header.target)
        return kind in _SAID_BY_ITSELF

    def _is_answer(self, asked: bytes, asker: bytes) -> bool:
        question = asked, asker
        if question not in self._asked:
            return False
        self._asked.remove(question)
        return True


def _is_hello(data: bytes) -> bool:
    payload = bpdu.payload_of(data)
    hello = None if payload is None else bpdu.parse(payload)
    if hello is None or hello.type == BpduType.TOPOLOGY_CHANGE_NOTICE:
        return False
    return not hello.flags & BpduFlags.TOPOLOGY_CHANGE_ACK
