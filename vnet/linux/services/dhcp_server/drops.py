"""Why a DHCP server or relay throws a message away."""

from __future__ import annotations

from vnet.base.drops import drop_reason

MALFORMED = drop_reason(
    "dhcp-malformed",
    cause="the datagram is no DHCP message: too short, no request or reply, or an impossible MAC",
    cure="mend the sender",
)
NO_ADDRESS = drop_reason(
    "dhcp-no-address",
    cause="every address that the DHCP server may lease is taken",
    cure="widen its range, shorten its leases, or release some",
)
QUEUE_FULL = drop_reason(
    "dhcp-queue-full",
    cause="too many requests wait while the DHCP server finds out whether an address is free",
    cure="nothing: clients ask again; or tell the server not to ping first",
)
