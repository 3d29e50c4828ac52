"""Who knows names: what a DNS server asks, whoever keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from vnet.base.ids import IpAddress


class NameSource(Protocol):
    """Names and addresses of machines: a hosts file, or a table of leases.

    Names are in small letters and without the dot at the end. What has run out is not told of.
    """

    def addresses_of(self, name: str) -> Sequence[IpAddress]:
        """The addresses of ``name``, of both families; none for a stranger."""
        ...

    def name_of(self, ip: bytes) -> str | None:
        """The first name of an address, in full."""
        ...

    def has_below(self, domain: str) -> bool:
        """Whether some name ends in ``.domain``."""
        ...


class HostNames:
    """Names that are written down, as in hosts(5), with ``domain`` behind those without a dot."""

    def __init__(self, domain: str = "") -> None:
        self._domain = domain.lower()
        self._addresses: dict[str, list[IpAddress]] = {}
        self._names: dict[bytes, str] = {}
        self._parents: set[str] = set()

    def add(self, name: str, addresses: Iterable[IpAddress]) -> None:
        """A name and its addresses; an address keeps the first name that it was given."""
        name = name.lower()
        full = f"{name}.{self._domain}" if self._domain and "." not in name else name
        for ip in addresses:
            self._names.setdefault(ip, full)
            for each in dict.fromkeys((full, name)):
                known = self._addresses.setdefault(each, [])
                if ip not in known:
                    known.append(ip)
        parent = full.partition(".")[2]
        while parent:
            self._parents.add(parent)
            parent = parent.partition(".")[2]

    def addresses_of(self, name: str) -> Sequence[IpAddress]:
        return self._addresses.get(name, ())

    def name_of(self, ip: bytes) -> str | None:
        return self._names.get(ip)

    def has_below(self, domain: str) -> bool:
        return domain in self._parents
