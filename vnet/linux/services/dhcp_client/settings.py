"""How a DHCP client asks (dhclient.conf(5), with what Debian writes into it)."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.wire.dhcp_options import (
    BROADCAST,
    CLASSLESS_ROUTES,
    DNS_SERVER,
    DOMAIN_NAME,
    DOMAIN_SEARCH,
    HOSTNAME,
    MTU,
    NETBIOS_NAME_SERVER,
    NETBIOS_SCOPE,
    NETMASK,
    NTP_SERVER,
    ROUTER,
    TIME_OFFSET,
)

USUAL_REQUEST = (
    NETMASK,
    BROADCAST,
    TIME_OFFSET,
    ROUTER,
    DOMAIN_NAME,
    DNS_SERVER,
    DOMAIN_SEARCH,
    HOSTNAME,
    NETBIOS_NAME_SERVER,
    NETBIOS_SCOPE,
    MTU,
    CLASSLESS_ROUTES,
    NTP_SERVER,
)


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What is asked for, and how patiently. Times are in seconds.

    ``hostname`` is sent if it is not empty, and so is ``client_id``. ``timeout_s`` is how long
    servers are looked for, ``retry_s`` about how long nothing is done then. After
    ``reboot_timeout_s`` an old address, or the server that was chosen, is given up.
    """

    hostname: str = ""
    request: tuple[int, ...] = USUAL_REQUEST
    client_id: bytes | None = None
    timeout_s: int = 60
    retry_s: int = 300
    reboot_timeout_s: int = 10
    initial_interval_s: int = 3
    most_interval_s: int = 15
    select_s: int = 0
