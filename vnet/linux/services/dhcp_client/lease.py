"""What a DHCP client has been lent."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vnet.base.ids import IpAddress, ip_text
from vnet.wire import dhcp_options
from vnet.wire.dhcp import Dhcp
from vnet.wire.dhcp_options import Option, joined

FOREVER_S = 0x7FFF_FFFF
"""As good as for ever: dhclient's largest time."""


@dataclass(frozen=True, slots=True)
class ClientLease:
    """An address with all that came with it.

    ``length_s`` is how long it is lent. It is renewed at ``renew_s``, asked of anybody from
    ``rebind_s`` on, and over at ``expires_s``, all in Unix seconds.
    """

    ip: IpAddress
    options: tuple[Option, ...]
    length_s: int = 0
    renew_s: int = 0
    rebind_s: int = 0
    expires_s: int = 0

    def addresses(self, code: int) -> tuple[IpAddress, ...]:
        """The addresses of an option."""
        value = joined(self.options, code) or b""
        return tuple(IpAddress(ip) for ip in dhcp_options.addresses(value))

    def text(self, code: int) -> str:
        """The text of an option; what is not printable becomes an escape."""
        value = joined(self.options, code) or b""
        return value.rstrip(b"\0").decode("ascii", "backslashreplace")

    def number(self, code: int) -> int | None:
        """The number of an option."""
        value = joined(self.options, code)
        return None if not value else int.from_bytes(value, "big")

    @property
    def server(self) -> IpAddress | None:
        return next(iter(self.addresses(dhcp_options.SERVER_ID)), None)

    @property
    def prefix_length(self) -> int:
        """That of the netmask; of the class of the address where there is none."""
        mask = next(iter(self.addresses(dhcp_options.NETMASK)), None)
        if mask is None:
            return 32
        return int.from_bytes(mask, "big").bit_count()

    @property
    def routers(self) -> tuple[IpAddress, ...]:
        return self.addresses(dhcp_options.ROUTER)

    @property
    def name_servers(self) -> tuple[IpAddress, ...]:
        return self.addresses(dhcp_options.DNS_SERVER)

    @property
    def domain(self) -> str:
        return self.text(dhcp_options.DOMAIN_NAME)

    @property
    def search(self) -> tuple[str, ...]:
        """The domains in which short names are looked for."""
        value = joined(self.options, dhcp_options.DOMAIN_SEARCH) or b""
        return dhcp_options.parse_names(value) or ()

    @property
    def routes(self) -> tuple[dhcp_options.ClasslessRoute, ...]:
        """Routes that take the place of the routers (RFC 3442)."""
        value = joined(self.options, dhcp_options.CLASSLESS_ROUTES) or b""
        return dhcp_options.parse_routes(value)

    def __str__(self) -> str:
        return f"{ip_text(self.ip)}/{self.prefix_length}"


def lease_in(message: Dhcp) -> ClientLease:
    """What a server offers or grants, its times aside."""
    return ClientLease(IpAddress(message.yiaddr), message.options)


def timed(lease: ClientLease, length_s: int, now_s: int, drawn: int) -> ClientLease:
    """The lease with its moments: T1 as the server says, and by chance up to a quarter sooner."""
    length_s = min(length_s, FOREVER_S)
    renew_s = min(lease.number(dhcp_options.T1) or length_s // 2 + 1, FOREVER_S)
    if renew_s <= FOREVER_S // 3 - 3:
        renew_s = (renew_s * 3 + 3) // 4 + (drawn % renew_s + 3) // 4
    rebind_s = min(lease.number(dhcp_options.T2) or length_s * 7 // 8, FOREVER_S)
    if renew_s > rebind_s:
        renew_s = rebind_s * 3 // 4
    return replace(
        lease,
        length_s=length_s,
        renew_s=now_s + renew_s,
        rebind_s=now_s + rebind_s,
        expires_s=now_s + length_s,
    )
