"""Which DNS servers a file asks for, and whom its machines ask."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.ids import IpAddress, ip_text
from vnet.base.text import quote
from vnet.linux.resolv_conf import MOST_SERVERS, NO_RESOLVER, ResolvConf
from vnet.linux.services.dns_server.settings import DnsServing, Record, Upstream
from vnet.topology.model import Address
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.dns import DnsFile, ResolverFile
from vnet.topology.schema.topology import HostSwitchFile, NicFile

_MOST_TIMEOUT_S = 30


def resolver_of(path: Path, file: ResolverFile | None, report: Report) -> ResolvConf:
    """What the machine at ``path`` has in its resolv.conf."""
    if file is None:
        return NO_RESOLVER
    if not 1 <= len(file.servers) <= MOST_SERVERS:
        what = f"a resolver asks one to {MOST_SERVERS} servers, not {len(file.servers)}"
        report.add((*path, "dns"), what)
    if not 1 <= file.timeout <= _MOST_TIMEOUT_S:
        report.add((*path, "dns", "timeout"), f"the timeout is 1s to {_MOST_TIMEOUT_S}s")
    return ResolvConf(
        tuple(file.servers), tuple(file.search), file.ndots, file.timeout, file.attempts
    )


def dns_on_card(path: Path, file: NicFile, report: Report) -> DnsServing | None:
    """What the DNS server on a card is told, if there is one."""
    if file.dns is None:
        return None
    if not file.ip:
        what = "a DNS server on a card without an address"
        report.add((*path, "dns"), what, "give it one, as in 'ip: 10.0.0.1/24'")
    return _serving(path, file.dns, file.addresses, report)


def dns_on_bridge(path: Path, file: HostSwitchFile, report: Report) -> DnsServing | None:
    """What the DNS server on a host's bridge is told, if there is one."""
    if file.dns is None:
        return None
    if not file.ip:
        what = "a DNS server on a bridge on which the host has no address"
        report.add((*path, "dns"), what, "give it one, as in 'ip: 192.168.122.1/24'")
    return _serving(path, file.dns, file.ip, report)


def dns_of_network(
    path: Path, file: HostSwitchFile, address: Address, report: Report
) -> DnsServing | None:
    """What the DNS server of a virtual network is told; there is one even if nobody says so."""
    return _serving(path, file.dns or DnsFile(), [address], report)


def _serving(path: Path, file: DnsFile, addresses: Sequence[Address], report: Report) -> DnsServing:
    own = {address.ip for address in addresses}
    for index, upstream in enumerate(file.upstream):
        _check_upstream((*path, "dns", "upstream", index), upstream, own, report)
    _check_aliases((*path, "dns", "records"), file.records, report)
    return DnsServing(
        domain=file.domain or "",
        local=file.local,
        lab=file.lab,
        hosts=tuple((name, tuple(ips)) for name, ips in file.hosts.items()),
        addresses=tuple((name, ip) for name, ips in file.addresses.items() for ip in ips),
        records=tuple(file.records),
        upstreams=tuple(file.upstream),
        ttl_s=file.ttl,
        cache_names=file.cache,
    )


def _check_aliases(path: Path, records: Sequence[Record], report: Report) -> None:
    """A name is an alias of one other, and following aliases comes to an end."""
    from vnet.linux.services.dns_server.message import CNAME, read_name

    known: dict[str, str] = {}
    for index, record in enumerate(records):
        if record.type != CNAME:
            continue
        name, target = record.name, read_name(record.data, 0)
        assert target is not None
        if name in known:
            report.add((*path, index), f"{quote(name)} is an alias of {quote(known[name])} already")
            continue
        known[name] = end = target
        while end in known and end != name:
            end = known[end]
        if end == name:
            del known[name]
            report.add((*path, index), f"the alias {quote(name)} leads back to itself")


def _check_upstream(path: Path, upstream: Upstream, own: set[IpAddress], report: Report) -> None:
    if upstream.address in own:
        what = f"{ip_text(upstream.address)} is this server itself"
        report.add(path, what, "name another one, or leave it out")
