"""What a DHCP client says: the messages of dhclient, with their options in its order."""

from __future__ import annotations

from vnet.base.ids import IPV4_ANY
from vnet.linux.services.dhcp_client.lease import ClientLease
from vnet.linux.services.dhcp_client.settings import ClientSettings
from vnet.wire import dhcp, dhcp_options
from vnet.wire.dhcp import Dhcp
from vnet.wire.dhcp_options import Option


class Messages:
    """Builds the messages of one client."""

    def __init__(self, mac: bytes, settings: ClientSettings) -> None:
        self._mac = mac
        self._settings = settings

    def discover(self, xid: int, before: ClientLease | None) -> Dhcp:
        """Who has an address? If possible the one of ``before``."""
        return self._message(xid, dhcp.DISCOVER, wish=None if before is None else before.ip)

    def request(
        self,
        xid: int,
        *,
        wish: bytes | None = None,
        server: bytes | None = None,
        ciaddr: bytes = IPV4_ANY,
    ) -> Dhcp:
        """May we have it, still have it, or have it for longer?"""
        return self._message(xid, dhcp.REQUEST, wish=wish, server=server, ciaddr=ciaddr)

    def release(self, xid: int, lease: ClientLease) -> Dhcp:
        """We need it no longer."""
        return self._message(xid, dhcp.RELEASE, server=lease.server, ciaddr=lease.ip, asks=False)

    def decline(self, xid: int, lease: ClientLease) -> Dhcp:
        """Somebody else has it."""
        return self._message(xid, dhcp.DECLINE, wish=lease.ip, server=lease.server, asks=False)

    def _message(
        self,
        xid: int,
        kind: int,
        *,
        wish: bytes | None = None,
        server: bytes | None = None,
        ciaddr: bytes = IPV4_ANY,
        asks: bool = True,
    ) -> Dhcp:
        settings = self._settings
        options: list[Option] = [(dhcp_options.MESSAGE_TYPE, bytes((kind,)))]
        if server is not None:
            options.append((dhcp_options.SERVER_ID, server))
        if wish is not None:
            options.append((dhcp_options.REQUESTED_ADDRESS, wish))
        if settings.hostname:
            options.append((dhcp_options.HOSTNAME, settings.hostname.encode()))
        if settings.client_id is not None:
            options.append((dhcp_options.CLIENT_ID, settings.client_id))
        if asks:
            options.append((dhcp_options.PARAMETER_REQUEST, bytes(settings.request)))
        return Dhcp(dhcp.BOOT_REQUEST, xid, self._mac, tuple(options), ciaddr=ciaddr)
