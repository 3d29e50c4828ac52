"""Who has which address until when: what a DHCP server keeps in its leases file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from vnet.base.ids import IpAddress, ip_text
from vnet.linux.services.dhcp_server.settings import FOREVER_S
from vnet.wire.dhcp import ETHERNET

NEVER_S = 0
"""The end of a lease that has none."""


class Lease:
    """An address lent to a client.

    ``expires_s`` is in Unix seconds, :data:`NEVER_S` for ever. ``name_is_given`` says that the
    server's settings named the client, and not the client itself.
    """

    __slots__ = (
        "client_id",
        "expires_s",
        "fqdn",
        "hostname",
        "htype",
        "hwaddr",
        "ip",
        "name_is_given",
    )

    def __init__(self, ip: IpAddress) -> None:
        self.ip = ip
        self.hwaddr = b""
        self.htype = ETHERNET
        self.client_id: bytes | None = None
        self.hostname = ""
        self.fqdn = ""
        self.name_is_given = False
        self.expires_s = 1

    def line(self) -> str:
        """As dnsmasq's leases file has it: end, MAC, address, name, client identifier."""
        mac = self.hwaddr.hex(":")
        if self.htype != ETHERNET or not self.hwaddr:
            mac = f"{self.htype:02x}-{mac}"
        client_id = self.client_id.hex(":") if self.client_id else "*"
        return f"{self.expires_s} {mac} {ip_text(self.ip)} {self.hostname or '*'} {client_id}"


class LeaseTable:
    """The leases of a server, the newest first.

    ``now_s`` is its clock, in Unix seconds; a lease that has run out is gone. It knows names, as
    a :class:`~vnet.linux.services.names.NameSource` does.
    """

    def __init__(self, now_s: Callable[[], int], most_leases: int, domain: str = "") -> None:
        self._now_s = now_s
        self._most = most_leases
        self.domain = domain
        self._by_ip: dict[bytes, Lease] = {}
        """In the order in which they were made."""
        self._by_client: dict[bytes, Lease] = {}
        self._by_hardware: dict[tuple[int, bytes], list[Lease]] = {}
        self._by_name: dict[str, Lease] = {}
        self._first_end_s: int | None = None
        """No lease ends before; None while none ends at all."""

    def __iter__(self) -> Iterator[Lease]:
        self.prune()
        return reversed(self._by_ip.values())

    def __len__(self) -> int:
        self.prune()
        return len(self._by_ip)

    # -- finding

    def at(self, ip: bytes) -> Lease | None:
        """The lease of an address."""
        return self._by_ip.get(ip)

    def of_client(self, htype: int, hwaddr: bytes, client_id: bytes | None) -> Lease | None:
        """The lease of a client: by its identifier, or else by its MAC where one of the two has
        no identifier."""
        if client_id is not None and (lease := self._by_client.get(client_id)) is not None:
            return lease
        if not hwaddr:
            return None
        for lease in reversed(self._by_hardware.get((htype, hwaddr), ())):
            if client_id is None or lease.client_id is None:
                return lease
        return None

    def last_in(self, start: bytes, end: bytes) -> bytes:
        """The largest leased address of a range, or its start."""
        return max((ip for ip in self._by_ip if start < ip <= end), default=start)

    # -- changing

    def make(self, ip: IpAddress) -> Lease | None:
        """A new lease; None if there are as many as there may be."""
        if len(self._by_ip) >= self._most:
            return None
        lease = self._by_ip[ip] = Lease(ip)
        return lease

    def remove(self, lease: Lease) -> None:
        """The lease is over. One that ran out while its client was being answered stays so."""
        if self._by_ip.get(lease.ip) is not lease:
            return
        del self._by_ip[lease.ip]
        self._forget_client(lease)
        self._forget_name(lease)

    def prune(self) -> None:
        """Take away what has run out."""
        now_s = self._now_s()
        if self._first_end_s is None or now_s < self._first_end_s:
            return
        for lease in [each for each in self._by_ip.values() if 0 < each.expires_s <= now_s]:
            self.remove(lease)
        ends = [each.expires_s for each in self._by_ip.values() if each.expires_s]
        self._first_end_s = min(ends, default=None)

    def set_client(self, lease: Lease, htype: int, hwaddr: bytes, client_id: bytes | None) -> None:
        """Whose it is. An identifier is kept by who does not send it again."""
        self._forget_client(lease)
        lease.htype, lease.hwaddr = htype, hwaddr
        lease.client_id = client_id or lease.client_id
        if lease.client_id:
            self._by_client[lease.client_id] = lease
        self._by_hardware.setdefault((htype, hwaddr), []).append(lease)

    def set_length(self, lease: Lease, length_s: int) -> None:
        """Until when it holds, from now on."""
        if length_s == FOREVER_S:
            lease.expires_s = NEVER_S
            return
        lease.expires_s = self._now_s() + length_s
        if self._first_end_s is None or lease.expires_s < self._first_end_s:
            self._first_end_s = lease.expires_s

    def set_name(self, lease: Lease, name: str, *, given: bool) -> None:
        """The client's name. Another lease loses it, unless it was given and this one was not."""
        if lease.hostname.lower() == name.lower():
            lease.name_is_given = lease.name_is_given or given
            return
        other = self._by_name.get(name.lower())
        if other is not None:
            if other.name_is_given and not given:
                return
            self._forget_name(other)
        self._forget_name(lease)
        lease.hostname = name
        lease.fqdn = f"{name}.{self.domain}" if self.domain else ""
        lease.name_is_given = lease.name_is_given or given
        self._by_name[name.lower()] = lease

    def _forget_client(self, lease: Lease) -> None:
        if lease.client_id and self._by_client.get(lease.client_id) is lease:
            del self._by_client[lease.client_id]
        place = (lease.htype, lease.hwaddr)
        same = self._by_hardware.get(place, [])
        if lease in same:
            same.remove(lease)
            if not same:
                del self._by_hardware[place]

    def _forget_name(self, lease: Lease) -> None:
        if lease.hostname and self._by_name.get(lease.hostname.lower()) is lease:
            del self._by_name[lease.hostname.lower()]
        lease.hostname = lease.fqdn = ""

    # -- names, for DNS

    def addresses_of(self, name: str) -> Sequence[IpAddress]:
        """The address of a client by its name, with the domain or without it."""
        self.prune()
        short = name.removesuffix(f".{self.domain.lower()}") if self.domain else name
        lease = self._by_name.get(short)
        return () if lease is None else (lease.ip,)

    def name_of(self, ip: bytes) -> str | None:
        """The name of the client that has ``ip``, in full."""
        self.prune()
        lease = self._by_ip.get(ip)
        if lease is None or not lease.hostname:
            return None
        return (lease.fqdn or lease.hostname).lower()

    def has_below(self, domain: str) -> bool:
        """Whether a client has a name in ``domain``, or below it."""
        self.prune()
        own = self.domain.lower()
        return bool(self._by_name) and bool(own) and (own == domain or own.endswith(f".{domain}"))

    # -- the file

    def text(self) -> str:
        """The leases file."""
        return "".join(f"{lease.line()}\n" for lease in self)


class LeaseNames:
    """The names of all leases of a machine, whose servers have a table each."""

    def __init__(self, tables: Callable[[], Iterable[LeaseTable]]) -> None:
        self._tables = tables

    def addresses_of(self, name: str) -> Sequence[IpAddress]:
        return [ip for table in self._tables() for ip in table.addresses_of(name)]

    def name_of(self, ip: bytes) -> str | None:
        found = (table.name_of(ip) for table in self._tables())
        return next((name for name in found if name is not None), None)

    def has_below(self, domain: str) -> bool:
        return any(table.has_below(domain) for table in self._tables())
