"""Which options a reply carries, in dnsmasq's order."""

from __future__ import annotations

from vnet.linux.services.dhcp_server.pools import Pool
from vnet.linux.services.dhcp_server.reply import OptionSpace
from vnet.linux.services.dhcp_server.request import FQDN_ENCODED, Request
from vnet.linux.services.dhcp_server.settings import FOREVER_S, DhcpOption, DhcpServing
from vnet.wire import dhcp_options

_NO_TIME = 2
_ANYBODY = b"\xff\xff"
_REPLACED = frozenset(
    (
        dhcp_options.NETMASK,
        dhcp_options.BROADCAST,
        dhcp_options.ROUTER,
        dhcp_options.DNS_SERVER,
        dhcp_options.DOMAIN_NAME,
        dhcp_options.HOSTNAME,
    )
)
"""What is sent unless it is set; set to nothing it is not sent at all."""
_ENDED_TEXTS = (dhcp_options.TFTP_SERVER, dhcp_options.BOOT_FILE)
"""Boot programs want these to end with a zero, whatever the client is."""


class OptionWriter:
    """Writes a server's options, as its settings have them."""

    def __init__(self, serving: DhcpServing) -> None:
        self._serving = serving
        # What is said later counts, and is sent first.
        self._set: dict[int, DhcpOption] = {}
        for option in reversed(serving.options):
            self._set.setdefault(option.code, option)

    def fill(
        self,
        space: OptionSpace,
        request: Request,
        pool: Pool | None,
        name: str,
        lease_s: int,
        fuzz: int = 0,
    ) -> None:
        """Everything behind message type, server and lease time.

        ``fuzz`` is what T1 and T2 may be short of, so that clients do not all come back at once.
        """
        if request.requested is not None and self._serving.overload:
            space.allow_overload()
        if request.subnet:
            space.put(dhcp_options.SUBNET_SELECTION, request.subnet)
        if lease_s != FOREVER_S:
            self._put_timers(space, lease_s, fuzz)
        if pool is not None:
            self._put_network(space, request, pool)
        domain = self._serving.domain
        if domain and self._is_usual(request, dhcp_options.DOMAIN_NAME):
            space.put(dhcp_options.DOMAIN_NAME, _text(domain, request))
        if name:
            if self._is_usual(request, dhcp_options.HOSTNAME):
                space.put(dhcp_options.HOSTNAME, _text(name, request))
            if request.fqdn_flags:
                space.put(dhcp_options.CLIENT_FQDN, _full_name(request, name, domain))
        self._put_set(space, request, b"" if pool is None else pool.local)

    def _is_usual(self, request: Request, code: int) -> bool:
        """Whether the client asks for an option that the settings say nothing of."""
        return request.wants(code) and code not in self._set

    def _put_timers(self, space: OptionSpace, lease_s: int, fuzz: int) -> None:
        t1 = self._time(dhcp_options.T1, lease_s, lease_s // 2)
        t2 = self._time(dhcp_options.T2, lease_s, lease_s * 7 // 8)
        t1 = min(t1, t2 - 1)
        while fuzz > t1 // 8:
            fuzz //= 2
        for code, seconds in ((dhcp_options.T1, t1), (dhcp_options.T2, t2)):
            space.put(code, (seconds - fuzz).to_bytes(4, "big"))

    def _time(self, code: int, lease_s: int, usual_s: int) -> int:
        """T1 or T2 as it is set, if that makes sense for the lease."""
        option = self._set.get(code)
        if option is None:
            return usual_s
        seconds = int.from_bytes(option.value, "big")
        return seconds if _NO_TIME < seconds < lease_s else usual_s

    def _put_network(self, space: OptionSpace, request: Request, pool: Pool) -> None:
        if dhcp_options.NETMASK not in self._set:
            space.put(dhcp_options.NETMASK, pool.netmask)
        if dhcp_options.BROADCAST not in self._set and pool.broadcast:
            space.put(dhcp_options.BROADCAST, pool.broadcast)
        if pool.router and self._is_usual(request, dhcp_options.ROUTER):
            space.put(dhcp_options.ROUTER, pool.router)
        if self._serving.serves_names and self._is_usual(request, dhcp_options.DNS_SERVER):
            space.put(dhcp_options.DNS_SERVER, pool.local)

    def _put_set(self, space: OptionSpace, request: Request, local: bytes) -> None:
        for code, option in self._set.items():
            if not option.forced and not request.wants(code):
                continue
            if code in (dhcp_options.T1, dhcp_options.T2):
                continue
            if not option.value and code in _REPLACED:
                continue
            space.put(code, _value(option, request, local))


def _value(option: DhcpOption, request: Request, local: bytes) -> bytes:
    if option.is_addresses and local:
        own = bytes(4)
        each = dhcp_options.addresses(option.value)
        return b"".join(local if ip == own else ip for ip in each)
    ends = request.ends_text_with_nul or option.code in _ENDED_TEXTS
    if option.is_text and ends and len(option.value) < dhcp_options.MOST_VALUE_BYTES:
        return option.value + b"\0"
    return option.value


def _text(text: str, request: Request) -> bytes:
    """Text as the client writes it, with or without a zero at its end."""
    return text.encode() + (b"\0" if request.ends_text_with_nul else b"")


def _full_name(request: Request, name: str, domain: str) -> bytes:
    """The client's full name (RFC 4702), in the spelling that it chose."""
    flags = request.fqdn_flags & 0x0F
    full = f"{name}.{domain}" if domain else name
    head = bytes((flags,)) + _ANYBODY
    if not flags & FQDN_ENCODED:
        return head + full.encode() + (b"\0" if request.ends_text_with_nul else b"")
    labels = b"".join(bytes((len(part),)) + part.encode() for part in full.split("."))
    return head + labels + (b"\0" if domain else b"")
