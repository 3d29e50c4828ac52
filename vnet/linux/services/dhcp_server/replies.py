"""How a DHCP server's answer is made up, and where it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vnet.base.ids import IPV4_ANY, IPV4_BROADCAST, IpAddress
from vnet.linux.services.dhcp_server.options import OptionWriter
from vnet.linux.services.dhcp_server.pools import Pool
from vnet.linux.services.dhcp_server.reply import OptionSpace, room_for
from vnet.linux.services.dhcp_server.request import Arrival, Request
from vnet.linux.services.dhcp_server.settings import FOREVER_S, DhcpServing
from vnet.wire import dhcp, dhcp_options
from vnet.wire.dhcp import BROADCAST_FLAG, Dhcp

_LEAST_ASKED_S = 120
_BOOTP_ROOM = 60


class Answer(NamedTuple):
    """A message, where it goes, and ``client_mac`` where that address is nobody's yet: the kernel
    has to be told who will have it."""

    data: bytes
    target: IpAddress
    port: int
    client_mac: bytes | None = None


class Replies:
    """Builds the answers of one server."""

    def __init__(self, serving: DhcpServing, log: Callable[[str], None]) -> None:
        self._writer = OptionWriter(serving)
        self._log = log

    def lease(
        self,
        request: Request,
        kind: int,
        ip: IpAddress,
        pool: Pool,
        name: str,
        *,
        fuzz: int = 0,
        is_rapid: bool = False,
    ) -> Answer:
        """OFFER or ACK of an address."""
        lease_s = length_of(request, pool)
        space = self._space(request, kind, pool)
        space.put(dhcp_options.LEASE_TIME, lease_s.to_bytes(4, "big"))
        if is_rapid:
            space.put(dhcp_options.RAPID_COMMIT, b"")
        self._writer.fill(space, request, pool, name, lease_s, fuzz)
        return self._send(request, space, ip, pool)

    def bootp(self, request: Request, ip: IpAddress, pool: Pool | None) -> Answer:
        """BOOTREPLY (RFC 951): what finds room in the few bytes that BOOTP has for it."""
        space = OptionSpace(_BOOTP_ROOM)
        request.requested, request.agent = None, None
        request.fqdn_flags, request.ends_text_with_nul = 0, False
        self._writer.fill(space, request, pool, request.name, FOREVER_S)
        return self._send(request, space, ip, pool)

    def settings(self, request: Request, pool: Pool | None, left_s: int | None) -> Answer:
        """ACK of an INFORM: everything but an address."""
        space = self._space(request, dhcp.ACK, pool)
        if left_s is not None:
            space.put(dhcp_options.LEASE_TIME, left_s.to_bytes(4, "big"))
        self._writer.fill(space, request, pool, request.name, FOREVER_S)
        return self._send(request, space, IPV4_ANY, pool, is_inform=True)

    def refusal(self, request: Request, pool: Pool | None, why: str) -> Answer:
        """NAK: mostly to everybody, for the client's address is not to be relied on."""
        message = request.message
        nearest = pool or (request.pools[0] if request.pools else None)
        space = self._space(request, dhcp.NAK, nearest)
        ending = b"\0" if request.ends_text_with_nul else b""
        space.put(dhcp_options.MESSAGE, why.encode() + ending)
        is_near = nearest is not None and nearest.shares_network(message.ciaddr)
        is_unicast = request.arrival.was_unicast and any(message.ciaddr)
        if not is_unicast or any(message.giaddr) or is_near:
            message = message._replace(flags=message.flags | BROADCAST_FLAG, ciaddr=IPV4_ANY)
            request.message = message
        return self._send(request, space, IPV4_ANY, None)

    def _space(self, request: Request, kind: int, pool: Pool | None) -> OptionSpace:
        largest = request.message.option(dhcp_options.MAX_MESSAGE_SIZE, 2)
        room = room_for(None if largest is None else int.from_bytes(largest[:2], "big"))
        agent = None
        if request.agent is not None:
            agent = dhcp_options.emit(((dhcp_options.AGENT_INFORMATION, request.agent),))
        space = OptionSpace(room, agent)
        space.put(dhcp_options.MESSAGE_TYPE, bytes((kind,)))
        space.put(dhcp_options.SERVER_ID, server_id(request, pool))
        return space

    def _send(
        self,
        request: Request,
        space: OptionSpace,
        ip: IpAddress,
        pool: Pool | None,
        *,
        is_inform: bool = False,
    ) -> Answer:
        for code in space.left_out:
            self._log(f"cannot send DHCP/BOOTP option {code}: no space left in packet")
        message = request.message._replace(
            op=dhcp.BOOT_REPLY,
            yiaddr=ip,
            siaddr=IPV4_ANY if pool is None else pool.local,
            sname=b"",
            file=b"",
        )
        data = space.packet(message)
        return _addressed(message, data, request.arrival, is_inform=is_inform)


def length_of(request: Request, pool: Pool) -> int:
    """How long a lease is: as the client asks, but no longer than it may be."""
    reservation = request.reservation
    lease_s = pool.lease_s
    if reservation is not None and reservation.lease_s is not None:
        lease_s = reservation.lease_s
    asked = request.message.option(dhcp_options.LEASE_TIME, 4)
    if asked is not None:
        asked_s = max(int.from_bytes(asked[:4], "big"), _LEAST_ASKED_S)
        if lease_s == FOREVER_S or asked_s < lease_s:
            lease_s = asked_s
    return lease_s


def server_id(request: Request, pool: Pool | None) -> bytes:
    """By which address the client is to know this server."""
    if request.server_id:
        return request.server_id
    if pool is not None and any(pool.local):
        return pool.local
    return request.arrival.networks[0].ip


def _addressed(message: Dhcp, data: bytes, arrival: Arrival, *, is_inform: bool) -> Answer:
    """Where a reply goes: to the relay, to the address the client has, to everybody, or to the
    address that it will have."""
    if any(message.giaddr):
        return Answer(data, IpAddress(message.giaddr), dhcp.SERVER_PORT)
    if any(message.ciaddr):
        believed = is_inform or arrival.source == message.ciaddr
        if believed and arrival.source_port and any(arrival.source):
            return Answer(data, IpAddress(arrival.source), arrival.source_port)
        return Answer(data, IpAddress(message.ciaddr), dhcp.CLIENT_PORT)
    if message.flags & BROADCAST_FLAG or not message.chaddr or not message.htype:
        return Answer(data, IPV4_BROADCAST, dhcp.CLIENT_PORT)
    # Of what is no Ethernet the kernel does not take the address.
    mac = message.chaddr if message.htype == dhcp.ETHERNET else b""
    return Answer(data, IpAddress(message.yiaddr), dhcp.CLIENT_PORT, mac)
