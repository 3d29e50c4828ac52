"""Which rule of the server is for a name: the one with the longest domain that can say something.

Rules are addresses for a whole domain, domains that nobody else is asked for, and servers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vnet.base.ids import IpAddress
from vnet.linux.services.dns_server import message
from vnet.linux.services.dns_server.settings import DnsServing


class Ruling(NamedTuple):
    """An ``address``, or servers to ask in order; neither: there is no such name, or no more of
    it."""

    address: IpAddress | None = None
    servers: Sequence[IpAddress] = ()


class Domains:
    """The rules, by domain."""

    def __init__(self, settings: DnsServing) -> None:
        self._addresses: dict[str, list[IpAddress]] = {}
        self._servers: dict[str, list[IpAddress]] = {}
        self._closed = {name for name, address in settings.addresses if address is None}
        if settings.local and settings.domain:
            self._closed.add(settings.domain.lower())
        for name, address in settings.addresses:
            if address is not None:
                self._addresses.setdefault(name, []).append(address)
        for upstream in settings.upstreams:
            self._servers.setdefault(upstream.domain, []).append(upstream.address)

    def rule(self, name: str | None, kind: int) -> Ruling | None:
        """What holds for ``name``; None where nobody is left to ask.

        A name that could not be read, None, is below no domain.
        """
        for domain in _domains("" if name is None else name):
            address = self._address(domain, kind)
            if address is not None:
                return Ruling(address)
            if domain in self._servers:
                return Ruling(servers=self._servers[domain])
            if domain in self._closed:
                return Ruling()
        return None

    def _address(self, domain: str, kind: int) -> IpAddress | None:
        """Who asks for anything is told IPv6 first, as dnsmasq does."""
        wanted = {message.A: (4,), message.AAAA: (16,), message.ANY: (16, 4)}.get(kind, ())
        known = self._addresses.get(domain, ())
        found = (ip for size in wanted for ip in known if len(ip) == size)
        return next(found, None)


def _domains(name: str) -> Iterator[str]:
    """``a.b``: a.b, b and the root."""
    while name:
        yield name
        name = name.partition(".")[2]
    yield ""
