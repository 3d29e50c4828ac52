"""The keys of ``dhcp`` where a bridge or a card has an address: whom it leases what there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from vnet.base.ids import IpAddress, ip_text, mac_text, network_of
from vnet.linux.services.dhcp_server.settings import (
    DEFAULT_LEASE_S,
    DEFAULT_MOST_LEASES,
    DhcpOption,
    DhcpRange,
    DhcpServing,
    Reservation,
    default_ranges,
)
from vnet.topology.model import Address
from vnet.topology.schema.dhcp_values import (
    ClientId,
    DomainName,
    HostName,
    LeaseTime,
    Ranges,
    Servers,
    parse_option,
)
from vnet.topology.schema.fields import IpText, MacText, Network, listed, one_or_list
from vnet.topology.schema.parts import Part
from vnet.topology.schema.values import RefusedError
from vnet.wire import dhcp_options

if TYPE_CHECKING:
    from vnet.topology.reading.report import Path, Report

_MOST_LEASES = 100_000


def _on(value: object) -> object:
    """``dhcp: true`` is the server with its defaults, ``false`` is none."""
    if isinstance(value, bool):
        return {} if value else None
    return value


class ReservationFile(Part):
    """What one client is given; it is known by its MAC, its identifier, or its name alone."""

    mac: MacText | None = Field(default=None, description="Its MAC address.")
    client_id: ClientId | None = Field(
        default=None, description="Its client identifier (option 61): bytes with colons, or text."
    )
    ip: IpText | None = Field(
        default=None, description="Its address; left out, one of the range as for anybody."
    )
    name: HostName | None = Field(default=None, description="Its name, without a domain.")
    lease: LeaseTime | None = Field(default=None, description="For how long it has the address.")
    ignore: bool = Field(default=False, description="Answer it nothing at all.")


class RelayedFile(Part):
    """A network elsewhere, whose requests a relay passes on."""

    network: Network = Field(..., description="The network: 10.1.0.0/24.")
    range: Ranges | None = Field(
        default=None,
        description="The addresses to lease there, or a list of ranges; left out, all but the "
        "first, which relays often have.",
    )
    lease: LeaseTime | None = Field(default=None, description="As for the server's own network.")


class DhcpFile(Part):
    """A DHCP server that works as dnsmasq does."""

    range: Ranges | None = Field(
        default=None,
        description="The addresses to lease, or a list of ranges; left out, all of the network "
        "but the server's own.",
    )
    lease: LeaseTime = Field(
        default=DEFAULT_LEASE_S,
        description="For how long an address is lent: 2min at least, or 'infinite'.",
        json_schema_extra={"default": "1h"},
    )
    reservations: list[ReservationFile] = Field(
        default=[],
        description="Addresses and names of clients that are known beforehand.",
        examples=[[{"mac": "52:54:00:00:00:03", "ip": "192.168.122.50", "name": "guest3"}]],
    )
    relayed: list[RelayedFile] = Field(
        default=[],
        description="Networks elsewhere that are served through relays. Their clients are told "
        "of the relay as their router.",
        examples=[[{"network": "10.1.0.0/24", "range": "10.1.0.100-10.1.0.199"}]],
    )
    router: Servers | None = Field(
        default=None,
        description="The default gateway that clients are told of, or 'none'; left out, the "
        "server itself.",
    )
    dns: Servers | None = Field(
        default=None,
        description="The name servers that clients are told of, or 'none'; left out, the server "
        "itself.",
    )
    domain: DomainName | None = Field(default=None, description="The clients' domain.")
    options: dict[str, Any] = Field(
        default={},
        description="More options, by the name that dnsmasq has for them or by number, for "
        "clients that ask for them. Addresses, numbers, text, or bytes as in '0a:0b'; 'none' "
        "keeps one back.",
        examples=[{"ntp-server": "10.0.0.1", "mtu": 1400, "domain-search": ["a.test", "b.test"]}],
    )
    force: list[str | int] = Field(
        default=[],
        description="Those of 'options' that are sent to clients that did not ask for them, too.",
    )
    authoritative: bool = Field(
        default=False,
        description="No other server is here: whoever asks for an unknown lease is told no at "
        "once.",
    )
    leases: Annotated[int, Field(ge=1, le=_MOST_LEASES)] = Field(
        default=DEFAULT_MOST_LEASES, description="How many leases there may be at a time."
    )
    sequential: bool = Field(
        default=False,
        description="Lease addresses in a row, not by a hash of the client's MAC.",
    )
    ping: bool = Field(
        default=True, description="See that nobody has an address before it is offered, for 3 s."
    )
    overload: bool = Field(
        default=True,
        description="Put options that find no room where file and server name would stand.",
    )
    rapid_commit: bool = Field(
        default=False, description="Lease at once to clients that ask for that (RFC 4039)."
    )


Relays = Annotated[
    list[IpText],
    Field(max_length=16),
    BeforeValidator(listed),
    one_or_list({"type": "string", "examples": ["10.0.0.53"]}),
]
DhcpOrTrue = Annotated[DhcpFile | None, BeforeValidator(_on)]


def serving_of(
    path: Path, file: DhcpFile, addresses: Sequence[Address], report: Report, count: int = 1
) -> DhcpServing | None:
    """What the server at ``path`` is told, with its device's ``addresses``; None if it cannot be.

    ``count`` servers have addresses that count up from these.
    """
    own = [address for address in addresses if len(address.ip) == 4]
    if not own:
        what = "a DHCP server on a device without an IPv4 network"
        report.add(path, what, "give it an address, as in 'ip: 192.168.122.1/24'")
        return None
    faults = report.faults
    ranges = _ranges(path, file, own, count, report)
    relayed = _relayed(path, file, own, report)
    homes = [*own, *(Address(each.start, each.prefix_length or 32) for each in relayed)]
    reservations = tuple(_reservations(path, file, homes, report))
    options = tuple(_options(path, file, report))
    if report.faults > faults:
        return None
    return DhcpServing(
        ranges + relayed,
        lease_s=file.lease,
        reservations=reservations,
        options=options,
        domain=file.domain or "",
        authoritative=file.authoritative,
        most_leases=file.leases,
        overload=file.overload,
        checks=file.ping,
        sequential=file.sequential,
        rapid_commit=file.rapid_commit,
    )


def _ranges(
    path: Path, file: DhcpFile, own: Sequence[Address], count: int, report: Report
) -> tuple[DhcpRange, ...]:
    if file.range is None:
        first = own[0]
        found = default_ranges(first.ip, first.prefix_length)
        if not found:
            report.add(
                path, f"{_shown(first)} has no addresses to lease", "choose a larger network"
            )
        return found
    taken = [Address(_plus(address.ip, offset), 32) for address in own for offset in range(count)]
    for index, each in enumerate(file.range):
        here = (*path, "range", index)
        home = next((address for address in own if _holds(address, each.start)), None)
        if home is None or not _holds(home, each.end):
            _refuse_stranger(here, each, own, report)
        inside = next((address for address in taken if address.ip in each), None)
        if inside is not None:
            hint = f"begin behind it, as in {ip_text(_plus(inside.ip, 1))}-{ip_text(each.end)}"
            report.add(here, f"the server's own address {ip_text(inside.ip)} is in the range", hint)
        for other in file.range[:index]:
            if each.start <= other.end and other.start <= each.end:
                report.add(here, f"the range overlaps {_span(other)}")
    return tuple(file.range)


def _relayed(
    path: Path, file: DhcpFile, own: Sequence[Address], report: Report
) -> tuple[DhcpRange, ...]:
    """The ranges of networks behind relays."""
    found: list[DhcpRange] = []
    for index, each in enumerate(file.relayed):
        here = (*path, "relayed", index)
        if each.network is None or len(each.network[0]) != 4:
            report.add((*here, "network"), "a relayed network is one of IPv4")
            continue
        ip, length = each.network
        home = Address(ip, length)
        if any(network_of(a.ip, length) == ip for a in own):
            report.add((*here, "network"), f"{_network(home)} is the server's own network")
        ranges = each.range or default_ranges(_plus(ip, 1), length)
        for number, span in enumerate(ranges):
            place = (*here, "range", number) if each.range else (*here, "network")
            if not _holds(home, span.start) or not _holds(home, span.end):
                _refuse_stranger(place, span, [home], report, is_relayed=True)
            found.append(DhcpRange(span.start, span.end, length, each.lease))
    return tuple(found)


def _refuse_stranger(
    path: Path,
    stranger: DhcpRange,
    own: Sequence[Address],
    report: Report,
    *,
    is_relayed: bool = False,
) -> None:
    networks = " and ".join(_network(address) for address in own)
    usual = default_ranges(
        _plus(network_of(own[0].ip, own[0].prefix_length), 1), own[0].prefix_length
    )
    hint = f"all of it is {_span(usual[-1])}" if usual else ""
    if not is_relayed and not any(_holds(address, stranger.start) for address in own):
        hint += "; networks behind relays stand in 'relayed'"
    report.add(path, f"the range {_span(stranger)} is not in {networks}", hint)


def _reservations(
    path: Path, file: DhcpFile, own: Sequence[Address], report: Report
) -> Iterable[Reservation]:
    seen: dict[object, int] = {}
    for index, each in enumerate(file.reservations):
        here = (*path, "reservations", index)
        if each.mac is None and each.client_id is None and each.name is None:
            report.add(here, "a reservation for nobody", "say whose: mac, client_id or name")
        if each.ip is not None:
            _check_place((*here, "ip"), each.ip, own, report)
        shown = {
            "mac": None if each.mac is None else mac_text(each.mac),
            "ip": None if each.ip is None else ip_text(each.ip),
            "name": each.name and each.name.lower(),
            "client_id": each.client_id,
        }
        for key, value in shown.items():
            if value is not None and (first := seen.setdefault((key, value), index)) != index:
                line = report.line((*path, "reservations", first))
                what = f"a second reservation with {key} {value!s}"
                report.add((*here, key), what, f"the first is in line {line}")
        yield Reservation(
            each.mac, each.client_id, each.ip, each.name or "", each.lease, each.ignore
        )


def _check_place(path: Path, ip: IpAddress, own: Sequence[Address], report: Report) -> None:
    if any(address.ip == ip for address in own):
        report.add(path, f"{ip_text(ip)} is the server's own address")
    elif not any(_holds(address, ip) for address in own):
        networks = " and ".join(_network(address) for address in own)
        report.add(path, f"the reservation of {ip_text(ip)} is not in {networks}")


def _options(path: Path, file: DhcpFile, report: Report) -> Iterable[DhcpOption]:
    for code, servers in ((dhcp_options.ROUTER, file.router), (dhcp_options.DNS_SERVER, file.dns)):
        if servers is None:
            continue
        key = "router" if code == dhcp_options.ROUTER else "dns"
        for index, ip in enumerate(servers):
            if len(ip) != 4:
                report.add((*path, key, index), f"{ip_text(ip)} is not an IPv4 address")
        yield DhcpOption(code, b"".join(servers), is_addresses=True)
    forced = {str(each) for each in file.force}
    for index, each in enumerate(file.force):
        if str(each) not in file.options:
            report.add((*path, "force", index), f"{each!r} is not among the options")
    for name, value in file.options.items():
        try:
            option = parse_option(name, value)
        except RefusedError as error:
            report.add((*path, "options", name), error.what, error.hint)
            continue
        yield DhcpOption(
            option.code, option.value, option.is_addresses, option.is_text, name in forced
        )


def _holds(address: Address, ip: bytes) -> bool:
    """Whether ``ip`` is a host's in the network of ``address``."""
    network = network_of(address.ip, address.prefix_length)
    if len(ip) != 4 or network_of(ip, address.prefix_length) != network:
        return False
    host_bits = 32 - address.prefix_length
    host = int.from_bytes(ip, "big") & (1 << host_bits) - 1
    return host_bits < 2 or 0 < host < (1 << host_bits) - 1


def _plus(ip: bytes, offset: int) -> IpAddress:
    return IpAddress((int.from_bytes(ip, "big") + offset).to_bytes(4, "big"))


def _network(address: Address) -> str:
    return f"{ip_text(network_of(address.ip, address.prefix_length))}/{address.prefix_length}"


def _shown(address: Address) -> str:
    return f"{ip_text(address.ip)}/{address.prefix_length}"


def _span(span: DhcpRange) -> str:
    return f"{ip_text(span.start)}-{ip_text(span.end)}"
