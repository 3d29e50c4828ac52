"""What a DNS server is told (dnsmasq's options of like names)."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.base.ids import IpAddress

DEFAULT_CACHE_NAMES = 150


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the server's own. ``data`` is as on the wire; ``ttl_s`` None the server's."""

    name: str
    type: int
    data: bytes
    ttl_s: int | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """Another server, which is asked for what is below ``domain``; an empty one is all."""

    address: IpAddress
    domain: str = ""


@dataclass(frozen=True, slots=True)
class DnsServing:
    """How names are served. They are in small letters, without the dot at the end.

    ``hosts`` are names with their addresses, which the names of the lab are put before;
    ``domain`` is put behind those without a dot, and where it is ``local``, nobody else is asked
    for anything below it. ``addresses`` answer for a domain and all below: with an address, or
    with None that there is no such name. ``ttl_s`` is what answers of the server's own are to be
    kept.
    """

    domain: str = ""
    local: bool = True
    lab: bool = True
    hosts: tuple[tuple[str, tuple[IpAddress, ...]], ...] = ()
    addresses: tuple[tuple[str, IpAddress | None], ...] = ()
    records: tuple[Record, ...] = ()
    upstreams: tuple[Upstream, ...] = ()
    ttl_s: int = 0
    cache_names: int = DEFAULT_CACHE_NAMES
