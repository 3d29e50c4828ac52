"""The keys of ``dns``: on a machine whom it asks for names, on a card or bridge what is served."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from vnet.base.ids import IpAddress
from vnet.base.text import quote
from vnet.base.units import NS_PER_S
from vnet.linux.services.dns_server.settings import DEFAULT_CACHE_NAMES, Record, Upstream
from vnet.topology.schema.fields import IpText, listed, one_or_list
from vnet.topology.schema.parts import Part
from vnet.topology.schema.values import RefusedError, kind_of, parse_duration, parse_ip

_MOST_TTL_S = 0x7FFF_FFFF
_MOST_NAMES = 100_000


def _domain(value: object) -> str:
    if not isinstance(value, str):
        raise RefusedError(f"wants a domain name, not {kind_of(value)}", "for example lab.test")
    # Files without names do without all that reads them.
    from vnet.linux.services.dns_server.records import name_from_text

    try:
        return name_from_text(value)
    except ValueError:
        hint = "labels of letters, digits, '-' and '_', joined by dots"
        raise RefusedError(f"{quote(value)} is not a domain name", hint) from None


def _record(value: object) -> Record:
    example = "for example www.test A 10.0.0.1"
    if not isinstance(value, str):
        raise RefusedError(f"wants a record, not {kind_of(value)}", example)
    from vnet.linux.services.dns_server.records import record_from_text

    try:
        return record_from_text(value)
    except ValueError as error:
        raise RefusedError(f"{quote(value)} is not a record", str(error)) from None


def _upstream(value: object) -> Upstream:
    """``10.0.0.53``, or ``/corp.test/10.0.0.53`` as dnsmasq has it."""
    if isinstance(value, str) and value.startswith("/"):
        domain, slash, address = value[1:].partition("/")
        if not slash:
            raise RefusedError(f"{quote(value)} has no address", "write /corp.test/10.0.0.53")
        return Upstream(parse_ip(address), _domain(domain))
    return Upstream(parse_ip(value))


def _whole_seconds(value: object) -> int:
    seconds, rest_ns = divmod(parse_duration(value), NS_PER_S)
    if rest_ns or seconds > _MOST_TTL_S:
        raise RefusedError("wants whole seconds", "for example 60s")
    return seconds


def _none(value: object) -> IpAddress | None:
    """An address, or ``none``: there is no such name."""
    return None if value is None or value == "none" else parse_ip(value)


def _on(value: object) -> object:
    """``dns: true`` is the server with its defaults."""
    return {} if value is True else value


def _servers_alone(value: object) -> object:
    """``dns: 10.0.0.53`` and a list of addresses are a resolver without more settings."""
    return {"servers": listed(value)} if isinstance(value, str | list) else value


_IP = {"type": "string", "examples": ["10.0.0.53", "2001:db8::53"]}
_UPSTREAM = {"type": "string", "examples": ["10.0.0.53", "/corp.test/10.0.0.54"]}
DomainText = Annotated[str, PlainValidator(_domain), WithJsonSchema({"type": "string"})]
Seconds = Annotated[
    int, PlainValidator(_whole_seconds), WithJsonSchema({"type": ["string", "integer"]})
]
_Addresses = Annotated[
    list[IpText], Field(max_length=1_000), BeforeValidator(listed), one_or_list(_IP)
]
_AddressOrNone = Annotated[
    IpAddress | None,
    PlainValidator(_none),
    WithJsonSchema({"type": "string", "examples": ["10.0.0.1", "none"]}),
]
_AnyAddresses = Annotated[list[_AddressOrNone], BeforeValidator(listed), one_or_list(_IP)]
_Records = list[Annotated[Record, PlainValidator(_record), WithJsonSchema({"type": "string"})],]
_Upstreams = Annotated[
    list[Annotated[Upstream, PlainValidator(_upstream)]],
    Field(max_length=100),
    BeforeValidator(listed),
    one_or_list(_UPSTREAM),
]


class DnsFile(Part):
    """A DNS server that answers as dnsmasq does."""

    domain: DomainText | None = Field(
        default=None, description="What stands behind names of machines, as in vm1.DOMAIN."
    )
    local: bool = Field(
        default=True,
        description="Whether this server knows all there is of its domain, and asks nobody else.",
    )
    lab: bool = Field(
        default=True,
        description="Whether the names of the lab's machines are served; on a virtual network, of "
        "those on it, and unless it is isolated, of those on none.",
    )
    hosts: Annotated[dict[DomainText, _Addresses], Field(max_length=_MOST_NAMES)] = Field(
        default={},
        description="More names, with an address or a list of them.",
        examples=[{"printer": "10.0.0.9"}],
    )
    addresses: dict[DomainText, _AnyAddresses] = Field(
        default={},
        description="Addresses of whole domains: of the name and everything below it. 'none' says "
        "that there is no such name.",
        examples=[{"www.example.test": "203.0.113.100", "ads.test": "none"}],
    )
    records: _Records = Field(
        default=[],
        description="Records as in a zone file: NAME [TTL] TYPE DATA. Types are A, AAAA, CNAME, "
        "MX, PTR, SRV and TXT.",
        examples=[["www.test CNAME vm1.test", "test MX 10 mail.test"]],
    )
    upstream: _Upstreams = Field(
        default=[],
        description="A server to ask for all other names, or a list: '/DOMAIN/ADDRESS' is asked "
        "for one domain. Left out, other names are refused.",
    )
    ttl: Seconds = Field(
        default=0,
        description="How long others may keep what is served from here.",
        json_schema_extra={"default": "0s"},
    )
    cache: Annotated[int, Field(ge=0, le=100_000)] = Field(
        default=DEFAULT_CACHE_NAMES, description="How many records of other servers are kept."
    )


DnsOrTrue = Annotated[DnsFile | None, BeforeValidator(_on)]


class ResolverFile(Part):
    """Whom a machine asks for names, as in resolv.conf(5)."""

    servers: Annotated[list[IpText], BeforeValidator(listed), one_or_list(_IP)] = Field(
        ..., description="The servers, in the order in which they are asked."
    )
    search: Annotated[
        list[DomainText], Field(max_length=32), BeforeValidator(listed), one_or_list(_IP)
    ] = Field(default=[], description="The domains below which names with few dots are tried.")
    ndots: Annotated[int, Field(ge=0, le=15)] = Field(
        default=1, description="Names with as many dots are tried as they are, first."
    )
    timeout: Seconds = Field(
        default=5,
        description="How long to wait for a server, 1s to 30s.",
        json_schema_extra={"default": "5s"},
    )
    attempts: Annotated[int, Field(ge=1, le=5)] = Field(
        default=2, description="How often to ask each server."
    )


ResolverOrServers = Annotated[ResolverFile | None, BeforeValidator(_servers_alone)]
