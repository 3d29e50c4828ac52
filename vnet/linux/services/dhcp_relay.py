"""A DHCP relay on one interface (RFC 1542 section 4), as dnsmasq's dhcp-relay works.

What clients broadcast goes on to the servers, with the interface's address in it (giaddr): by that
a server knows which network is meant, and there the answer comes back to. There is no option 82.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vnet.base.drops import drop_reason
from vnet.base.ids import IPV4_BROADCAST, IpAddress, ip_text
from vnet.linux.netns.sockets.udp import Datagram, UdpSocket
from vnet.linux.services.arp_injection import inject
from vnet.linux.services.daemon_log import DaemonLog
from vnet.linux.services.dhcp_server.drops import MALFORMED
from vnet.wire import dhcp
from vnet.wire.dhcp import BROADCAST_FLAG, Dhcp

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface

_CLASS_SELECTOR_6 = 0xC0
_MOST_HOPS = 20
_HOPS_AT, _GIADDR_AT = 3, 24

LOOPED = drop_reason(
    "dhcp-relay-loop",
    cause="a DHCP request has come through this relay before, or through too many",
    cure="look for relays that pass requests on to each other",
)


class DhcpRelay:
    """Passes requests from an interface on to servers, and their answers back to the clients."""

    def __init__(self, interface: Interface, servers: Sequence[IpAddress]) -> None:
        namespace = interface.namespace
        self.interface = interface
        self.servers = tuple(servers)
        self.log = DaemonLog(namespace.scheduler)
        own = next((a.ip for a in interface.addresses if len(a.ip) == 4), None)
        assert own is not None, "a relay has an address"
        self.address = own
        self._near = self._open(namespace.sockets.open_udp(self._heard, 67, device=interface))
        self._far = self._open(namespace.sockets.open_udp(self._heard, 67, address=own))
        namespace.dhcp_relays[own] = self

    def stop(self) -> None:
        """Pass on no more."""
        self._near.close()
        self._far.close()
        self.interface.namespace.dhcp_relays.pop(self.address, None)

    @staticmethod
    def _open(socket: UdpSocket) -> UdpSocket:
        socket.discovers_mtu, socket.tos = False, _CLASS_SELECTOR_6
        return socket

    def _heard(self, socket: UdpSocket, datagram: Datagram) -> None:
        message = dhcp.parse(datagram.data)
        if message is None:
            socket.refuse(MALFORMED)
        elif message.op == dhcp.BOOT_REQUEST:
            if datagram.interface is self.interface and not self._pass_on(message, datagram):
                socket.refuse(LOOPED)
        else:
            # It may have come in by the interface of another relay of this machine.
            relays = self.interface.namespace.dhcp_relays
            relay = relays.get(IpAddress(message.giaddr))
            if relay is not None:
                relay.give_back(message, datagram)

    def _pass_on(self, message: Dhcp, datagram: Datagram) -> bool:
        """A client asks: the message goes on as it is, but for hops and giaddr."""
        if message.hops > _MOST_HOPS or message.giaddr == self.address:
            return False
        data = bytearray(datagram.data)
        data[_HOPS_AT] = message.hops + 1
        if not any(message.giaddr):
            data[_GIADDR_AT : _GIADDR_AT + 4] = self.address
        for server in self.servers:
            self._far.send_to(server, dhcp.SERVER_PORT, bytes(data), self.address, datagram.meta)
            self.log.write(f"DHCP relay at {ip_text(self.address)} -> {ip_text(server)}")
        return True

    def give_back(self, message: Dhcp, datagram: Datagram) -> None:
        """A server answers: to the address that the client has, or is to have, or to everybody."""
        target = IpAddress(message.ciaddr)
        if not any(message.ciaddr):
            target = IpAddress(message.yiaddr)
            if message.flags & BROADCAST_FLAG or not message.chaddr or not message.htype:
                target = IPV4_BROADCAST
            else:
                inject(self.interface, target, message.chaddr, self.log)
        self._near.send_to(target, dhcp.CLIENT_PORT, datagram.data, meta=datagram.meta)
