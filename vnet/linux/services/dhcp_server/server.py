"""A DHCP server's decisions (RFC 2131), as dnsmasq makes them.

:meth:`DhcpService.answer` is told of a request and the time, and gives back what to send. It is a
generator, for before an address is offered somebody has to find out whether it is free: it yields
the address, waits to be sent whether somebody has it, and returns the answer at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeAlias

from vnet.base.chance import Stream
from vnet.base.ids import IPV4_ANY, IpAddress, ip_text
from vnet.linux.services.dhcp_server.known import (
    reservation_at,
    reservation_named,
    reservation_of,
)
from vnet.linux.services.dhcp_server.leases import Lease, LeaseTable
from vnet.linux.services.dhcp_server.networks import Networks
from vnet.linux.services.dhcp_server.offers import Offers
from vnet.linux.services.dhcp_server.pools import Pool, home_of, is_taken_by_server, pool_of
from vnet.linux.services.dhcp_server.replies import Answer, Replies, length_of, server_id
from vnet.linux.services.dhcp_server.request import Arrival, Request, hardware_of, name_of
from vnet.linux.services.dhcp_server.settings import FOREVER_S, DhcpServing
from vnet.wire import dhcp, dhcp_options
from vnet.wire.dhcp import Dhcp

_FUZZ = 1 << 16
_LINK_SELECTION = 5
_SERVER_ID_OVERRIDE = 11

Steps: TypeAlias = Generator[IpAddress, bool, Answer | None]


class DhcpService:
    """The server of one network. ``log`` takes its lines."""

    def __init__(
        self,
        serving: DhcpServing,
        now_s: Callable[[], int],
        chance: Callable[[], Stream],
        log: Callable[[str], None],
    ) -> None:
        self.serving = serving
        self.leases = LeaseTable(now_s, serving.most_leases, serving.domain)
        self.no_address = 0
        """How many clients went without, for there was nothing left."""
        self._now_s = now_s
        self._chance = chance
        self._log = log
        self._networks = Networks(serving)
        self._offers = Offers(serving, self.leases, now_s, log)
        self._replies = Replies(serving, log)

    def answer(self, message: Dhcp, arrival: Arrival) -> Steps:
        """Decide about a request that came in."""
        self.leases.prune()
        request = self._request(message, arrival)
        if request is None:
            return None
        kind = request.message.type
        if kind == dhcp.DISCOVER:
            return (yield from self._discover(request))
        if kind == dhcp.REQUEST:
            return self._requested(request)
        if kind == dhcp.INFORM:
            return self._inform(request)
        if kind == dhcp.DECLINE:
            self._decline(request)
        elif kind == dhcp.RELEASE:
            self._release(request)
        elif kind == 0:
            return (yield from self._bootp(request))
        return None

    # -- who asks

    def _request(self, message: Dhcp, arrival: Arrival) -> Request | None:
        """What is known of a client and its network; None if it is none of ours."""
        if message.op != dhcp.BOOT_REQUEST or (message.htype == 0 and message.chaddr):
            return None
        if message.type == dhcp.DISCOVER or message.option(dhcp_options.REQUESTED_ADDRESS, 4):
            # Some clients fill it in where they should not.
            message = message._replace(ciaddr=IPV4_ANY)
        request = Request(message, arrival, [])
        self._read_agent(request)
        request.client_id = message.option(dhcp_options.CLIENT_ID, 1)
        request.lease = self.leases.of_client(message.htype, message.chaddr, request.client_id)
        if request.lease is not None and request.client_id is None:
            request.client_id = request.lease.client_id
        request.hardware = hardware_of(message, request.client_id)
        request.requested = message.option(dhcp_options.PARAMETER_REQUEST)
        request.pools = self._networks.pools_for(request)
        if not request.pools:
            via = request.subnet or (message.giaddr if any(message.giaddr) else b"")
            how = "with subnet selector" if request.subnet else "via"
            where = ip_text(via) if via else arrival.interface
            self._log(f"no address range available for DHCP request {how} {where}")
            return None
        self._recognise(request)
        return request

    @staticmethod
    def _read_agent(request: Request) -> None:
        """What a relay says (RFC 3046): it wants its option back, as it was."""
        message = request.message
        request.agent = message.option(dhcp_options.AGENT_INFORMATION, 1)
        if request.agent is not None:
            for code, value in dhcp_options.parse(request.agent)[0]:
                if code == _LINK_SELECTION and len(value) >= 4 and not request.subnet:
                    request.subnet = value[:4]
                if code == _SERVER_ID_OVERRIDE and len(value) >= 4 and not request.server_id:
                    request.server_id = value[:4]
        if not request.subnet:
            selected = message.option(dhcp_options.SUBNET_SELECTION, 4)
            request.subnet = (selected or b"")[:4]

    def _recognise(self, request: Request) -> None:
        """Whose reservation this is, and what the client is called."""
        reservations = self.serving.reservations
        known = reservation_of(
            reservations, request.pools, request.message.chaddr, request.client_id
        )
        said = name_of(request.message)
        request.fqdn_flags, request.ends_text_with_nul = said.flags, said.ended_with_nul
        # Whoever gives its full name has it back in the offer already.
        request.offered_name = said.text if said.flags else ""
        own, _dot, domain = said.text.partition(".")
        if known is not None and known.name:
            request.name, request.name_is_given = known.name, True
            if said.flags or not said.text or said.text.lower() == known.name.lower():
                request.offered_name = known.name
        elif own:
            request.name = own
            request.offered_name = own if said.flags else ""
            request.said_domain = domain
            if known is None:
                known = reservation_named(reservations, request.pools, own)
        request.reservation = known

    # -- DISCOVER

    def _discover(self, request: Request) -> Steps:
        wish = request.message.option(dhcp_options.REQUESTED_ADDRESS, 4)
        ip: IpAddress | None = None
        trouble = ""
        if request.is_ignored:
            trouble, wish = "ignored", None
        else:
            ip = yield from self._offers.address_for(request, wish)
            if ip is None:
                trouble = "no address available" if request.hardware else "no unique-id"
                self.no_address += 1
        self._note("DHCPDISCOVER", request, wish and wish[:4], trouble)
        pool = None if ip is None else home_of(request.pools, ip)
        if ip is None or pool is None:
            return None
        if (
            self.serving.rapid_commit
            and request.message.option(dhcp_options.RAPID_COMMIT) is not None
        ):
            self._end_other_lease(request, ip)
            return self._grant(request, ip, fuzz=0, is_rapid=True)
        self._note("DHCPOFFER", request, ip)
        return self._replies.lease(request, dhcp.OFFER, ip, pool, request.offered_name)

    # -- REQUEST

    def _requested(self, request: Request) -> Answer | None:
        message, lease = request.message, request.lease
        if request.is_ignored:
            return None
        wish = message.option(dhcp_options.REQUESTED_ADDRESS, 4)
        trouble, fuzz, is_selecting = "", 0, False
        if wish is None:
            ip = IpAddress(message.ciaddr)
            is_stranger = lease is None and not self.serving.authoritative
            if is_stranger or (lease is not None and lease.ip != ip):
                if not request.arrival.was_unicast:
                    return None  # Another server's client, perhaps.
                trouble = "lease not found"
                request.arrival = request.arrival._replace(was_unicast=False)
            fuzz = self._chance().randrange(_FUZZ)
        else:
            ip = IpAddress(wish[:4])
            server = message.option(dhcp_options.SERVER_ID, 4)
            if server is not None:
                is_selecting = True
                if not self._is_meant(request, server[:4]):
                    if request.server_id or not self.serving.authoritative:
                        return None
                    trouble = "wrong server-ID"
                self._end_other_lease(request, ip)
            elif lease is None and not self.serving.authoritative:
                return None
            elif lease is not None and lease.ip != ip:
                trouble = "wrong address"
        self._note("DHCPREQUEST", request, ip)
        return self._grant(request, ip, fuzz=fuzz, trouble=trouble, is_selecting=is_selecting)

    def _is_meant(self, request: Request, server: bytes) -> bool:
        """Whether a client that chose ``server`` chose this one, by any of its addresses."""
        if request.server_id:
            return server == request.server_id
        for at, pool in enumerate(request.pools):
            if pool.local == server:
                request.pools = request.pools[at:]
                return True
        if any(network.ip == server for network in request.arrival.networks):
            request.server_id = server
            return True
        return False

    def _end_other_lease(self, request: Request, ip: bytes) -> None:
        if request.lease is not None and request.lease.ip != ip:
            self.leases.remove(request.lease)
            request.lease = None

    def _grant(
        self,
        request: Request,
        ip: IpAddress,
        *,
        fuzz: int,
        trouble: str = "",
        is_selecting: bool = False,
        is_rapid: bool = False,
    ) -> Answer | None:
        """Lease ``ip``, or say why not."""
        pool = None
        if not trouble:
            pool = home_of(request.pools, ip)
            trouble = self._objection(request, ip, pool, is_selecting)
        lease = None
        if not trouble:
            lease = request.lease or self.leases.at(ip) or self.leases.make(ip)
            trouble = "" if lease is not None else "no leases left"
        if lease is None or pool is None:
            if is_rapid:
                self._note("NOANSWER", request, ip, trouble)
                return None
            self._note("DHCPNAK", request, ip, trouble)
            return self._replies.refusal(request, pool, trouble)
        request.lease = lease
        self._write_down(request, lease, length_of(request, pool))
        self._note("DHCPACK", request, ip, name=request.name)
        return self._replies.lease(
            request, dhcp.ACK, ip, pool, request.name, fuzz=fuzz, is_rapid=is_rapid
        )

    def _objection(
        self, request: Request, ip: IpAddress, pool: Pool | None, is_selecting: bool
    ) -> str:
        """Why a client cannot have ``ip``; empty if it can."""
        if pool is None:
            request.arrival = request.arrival._replace(was_unicast=False)
            return "wrong network"
        reservation, reserved = request.reservation, request.reserved_ip
        if pool_of([pool], ip) is None and reserved != ip:
            return "address not available"
        if reservation is not None and reserved is not None and reserved != ip:
            is_possible = not is_selecting and not is_taken_by_server(request.pools, reserved)
            holder = self.leases.at(reserved)
            is_free = holder is None or holder is request.lease
            if is_possible and is_free and not self._offers.was_declined(reservation):
                return "static lease available"
        owner = reservation_at(self.serving.reservations, ip)
        if owner is not None and owner is not reservation:
            return "address reserved"
        holder = self.leases.at(ip)
        if request.lease is None and holder is not None:
            if reservation is None or reservation.mac is None or reservation.mac != holder.hwaddr:
                return "address in use"
            whose = holder.hwaddr.hex(":")
            self._log(f"abandoning lease to {whose} of {ip_text(ip)}")
        return "" if request.hardware else "no unique-id"

    def _write_down(self, request: Request, lease: Lease, lease_s: int) -> None:
        message = request.message
        self.leases.set_client(lease, message.htype, message.chaddr, request.client_id)
        domain = request.said_domain
        if domain and domain.lower() != self.serving.domain.lower():
            self._log(f"Ignoring domain {domain} for DHCP host name {request.name}")
        if request.name:
            self.leases.set_name(lease, request.name, given=request.name_is_given)
        self.leases.set_length(lease, lease_s)

    # -- the rest

    def _bootp(self, request: Request) -> Steps:
        """A client of BOOTP is given a reserved address, for ever, and no other.

        It is known by its MAC alone.
        """
        message, serving = request.message, self.serving
        request.client_id = None
        request.reservation = reservation_of(
            serving.reservations, request.pools, message.chaddr, None
        )
        ip, trouble = request.reserved_ip, "disabled" if request.is_ignored else ""
        shown = ip
        request.lease = self.leases.of_client(message.htype, message.chaddr, None)
        if not trouble and ip is not None:
            holder = self.leases.at(ip)
            if holder is not None and holder.hwaddr != message.chaddr:
                trouble = "address in use"
        elif not trouble:
            shown = None
            found = yield from self._offers.any_address(request.pools, message.chaddr)
            trouble = "no address available" if found is None else "no address configured"
        lease = None
        if not trouble and ip is not None:
            lease = self.leases.at(ip) or self.leases.make(ip)
            trouble = "" if lease is not None else "no leases left"
        if lease is None or ip is None:
            self._note("BOOTP", request, shown, trouble)
            return None
        reservation, pool = request.reservation, home_of(request.pools, ip)
        length_s = None if reservation is None else reservation.lease_s
        request.name = "" if reservation is None else reservation.name
        request.said_domain = ""
        self._write_down(request, lease, FOREVER_S if length_s is None else length_s)
        answer = self._replies.bootp(request, ip, pool)
        self._note("BOOTP", request, ip)
        return answer

    def _inform(self, request: Request) -> Answer | None:
        message = request.message
        ip = IpAddress(message.ciaddr)
        self._note("DHCPINFORM", request, ip, name="ignored" if request.is_ignored else "")
        if request.is_ignored or not any(ip):
            return None
        pool = home_of(request.pools, ip)
        lease = request.lease
        if lease is None:
            lease = self.leases.at(ip)
            request.name = request.name if lease is None else lease.hostname or request.name
        self._note("DHCPACK", request, ip, name=request.name)
        left_s = None
        asked = request.requested is not None and dhcp_options.LEASE_TIME in request.requested
        if lease is not None and (asked or request.requested is None):
            left_s = lease.expires_s - self._now_s() if lease.expires_s else FOREVER_S
        return self._replies.settings(request, pool, left_s)

    def _decline(self, request: Request) -> None:
        """Somebody else has the address, the client says."""
        message = request.message
        server = message.option(dhcp_options.SERVER_ID, 4)
        wish = message.option(dhcp_options.REQUESTED_ADDRESS, 4)
        if wish is None or server is None or server[:4] != server_id(request, request.pools[0]):
            return
        said = message.option(dhcp_options.MESSAGE, 1) or b""
        shown = "".join(chr(byte) for byte in said if 0x20 <= byte < 0x7F)
        ip, lease = wish[:4], request.lease
        self._note("DHCPDECLINE", request, ip, shown)
        if lease is not None and lease.ip == ip:
            self.leases.remove(lease)
        self._offers.declined(request, ip)

    def _release(self, request: Request) -> None:
        message, lease = request.message, request.lease
        ip = message.ciaddr
        pool = home_of(request.pools, ip)
        server = message.option(dhcp_options.SERVER_ID, 4)
        if pool is None or server is None or server[:4] != server_id(request, pool):
            return
        trouble = "unknown lease"
        if lease is not None and lease.ip == ip:
            self.leases.remove(lease)
            trouble = ""
        self._note("DHCPRELEASE", request, ip, trouble)

    def _note(
        self, what: str, request: Request, ip: bytes | None, trouble: str = "", name: str = ""
    ) -> None:
        """A line of the log: what, by which interface, about which address, of whom."""
        shown = f"{ip_text(ip)} " if ip else ""
        mac = request.hardware.hex(":") or "<null>"
        self._log(f"{what}({request.arrival.interface}) {shown}{mac} {name}{trouble}")
