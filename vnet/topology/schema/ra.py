"""The keys of ``ra`` on a router's card: what it advertises there, as in radvd.conf(5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from vnet.base.ids import ip_text, is_link_local_ip6
from vnet.base.units import NS_PER_S
from vnet.linux.services.advertising import (
    LEAST_INTERVAL_S,
    MOST_INTERVAL_S,
    MOST_LIFETIME_S,
    RouterAdvertising,
)
from vnet.topology.schema.dns import DomainText
from vnet.topology.schema.fields import IpText, Mtu, listed, one_or_list
from vnet.topology.schema.parts import Part
from vnet.topology.schema.values import RefusedError, parse_duration
from vnet.wire import ra

if TYPE_CHECKING:
    from vnet.topology.reading.report import Path, Report
    from vnet.topology.schema.topology import RouterNicFile

_PREFERENCES = {"low": ra.LOW, "medium": ra.MEDIUM, "high": ra.HIGH}
_DEFAULTS = RouterAdvertising()
_MIN_MTU_IPV6 = 1280


def _seconds(value: object) -> int:
    """A duration in whole seconds: the protocol has no others."""
    seconds, rest_ns = divmod(parse_duration(value), NS_PER_S)
    if rest_ns:
        raise RefusedError("wants whole seconds", "for example 30s")
    return seconds


def _on(value: object) -> object:
    """``ra: true`` is the daemon with its defaults."""
    return {} if value is True else value


def _servers(value: object) -> object:
    """``none``: hosts are told of no server."""
    return [] if value == "none" else listed(value)


_DOMAIN = {"type": "string", "examples": ["lab.test"]}
_SERVER = {"type": "string", "examples": ["2001:db8::53", "none"]}
NoneOrServers = Annotated[
    list[IpText], Field(max_length=8), BeforeValidator(_servers), one_or_list(_SERVER)
]
Seconds = Annotated[
    int, PlainValidator(_seconds), WithJsonSchema({"type": "string", "examples": ["30s", "10min"]})
]


class RaFile(Part):
    """Router advertisements on a card: its networks, and how long they hold."""

    interval: Seconds = Field(
        default=_DEFAULTS.interval_s,
        description="Longest time between two advertisements, 4s to 30min; in the first minute "
        "they come more often.",
        json_schema_extra={"default": "10min"},
    )
    lifetime: Seconds | None = Field(
        default=None,
        description="How long this counts as a default router, up to 9000s; 0s: not at all. Left "
        "out, three intervals.",
    )
    preference: Literal["low", "medium", "high"] = Field(
        default="medium", description="How it compares with other default routers (RFC 4191)."
    )
    valid: Seconds = Field(
        default=_DEFAULTS.valid_s,
        description="How long addresses that are made of the networks hold.",
        json_schema_extra={"default": "24h"},
    )
    preferred: Seconds | None = Field(
        default=None,
        description="How long new connections may use them; left out, as long as they hold.",
    )
    autonomous: bool = Field(
        default=True, description="Whether hosts make themselves addresses of the networks."
    )
    managed: bool = Field(default=False, description="Say that DHCPv6 has addresses.")
    other: bool = Field(default=False, description="Say that DHCPv6 has other settings.")
    mtu: Mtu | None = Field(
        default=None, description="The MTU hosts shall use; left out, the card's."
    )

    dns: NoneOrServers | None = Field(
        default=None,
        description="The name servers that hosts shall ask, or 'none'; left out, the router, if it "
        "serves names here.",
    )
    search: Annotated[
        list[DomainText], Field(max_length=16), BeforeValidator(listed), one_or_list(_DOMAIN)
    ] = Field(default=[], description="The domains below which hosts shall look for names.")


RaOrTrue = Annotated[RaFile | None, BeforeValidator(_on)]


def advertising_of(file: RaFile) -> RouterAdvertising:
    """What the daemon is told."""
    return RouterAdvertising(
        interval_s=file.interval,
        lifetime_s=file.lifetime,
        preference=_PREFERENCES[file.preference],
        managed=file.managed,
        other_configuration=file.other,
        autonomous=file.autonomous,
        valid_s=file.valid,
        preferred_s=file.valid if file.preferred is None else file.preferred,
        mtu_bytes=file.mtu,
        name_servers=None if file.dns is None else tuple(file.dns),
        search=tuple(file.search),
    )


def check_ra(path: Path, card: RouterNicFile, report: Report) -> None:
    """Judge what the card at ``path`` is to advertise."""
    file = card.ra
    if file is None:
        return
    if not LEAST_INTERVAL_S <= file.interval <= MOST_INTERVAL_S:
        report.add((*path, "ra", "interval"), "the interval is 4s to 30min")
    if file.lifetime is not None and file.lifetime > MOST_LIFETIME_S:
        report.add((*path, "ra", "lifetime"), f"a router's lifetime is {MOST_LIFETIME_S}s at most")
    if file.preferred is not None and file.preferred > file.valid:
        what = "addresses cannot be preferred for longer than they are valid"
        report.add((*path, "ra", "preferred"), what)
    for index, server in enumerate(file.dns or ()):
        if len(server) == 4:
            what = f"{ip_text(server)} is not an IPv6 address"
            report.add((*path, "ra", "dns", index), what, "IPv4 has DHCP for that")
    if file.mtu is not None and not _MIN_MTU_IPV6 <= file.mtu <= card.mtu:
        what = f"the mtu is {_MIN_MTU_IPV6} to the card's {card.mtu}"
        report.add((*path, "ra", "mtu"), what)
    if not any(len(a.ip) == 16 and not is_link_local_ip6(a.ip) for a in card.addresses):
        what = "router advertisements on a card without an IPv6 network"
        report.add((*path, "ra"), what, "give the card an IPv6 address")
