"""The spelling of steps in which machines send packets: ping, arping, udp, traceroute, send."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from vnet.topology.packets.expression import ExpressionError, Layer, parse_packet_expression
from vnet.topology.schema.fields import Duration, Name, Server, Source, Target
from vnet.topology.schema.parts import Part, duration_field, server_field
from vnet.topology.schema.values import RefusedError

MAX_PACKETS = 1_000_000
MAX_PINGALL = 10_000

_S = 1_000_000_000


def _packet(value: object) -> object:
    if not isinstance(value, str):
        raise RefusedError("wants a packet expression", 'for example Ether()/ARP(pdst="10.0.0.2")')
    try:
        expression = parse_packet_expression(value)
    except ExpressionError as error:
        raise RefusedError(error.what, error.hint) from None
    first = expression.parts[0]
    if not isinstance(first, Layer) or first.name not in _SENDABLE:
        what = f"{getattr(first, 'name', 'text')} cannot be put on a wire by itself"
        raise RefusedError(what, "begin with Ether(), IP() or IPv6()")
    return value


_SENDABLE = ("Ether", "Dot3", "IP", "IPv6")
"""What a card can send as it is, or its kernel can route."""


PacketText = Annotated[
    str,
    BeforeValidator(_packet),
    WithJsonSchema({"type": "string", "examples": ['Ether()/ARP(pdst="10.0.0.2")']}),
]
PacketCount = Annotated[int, Field(ge=1, le=MAX_PACKETS)]


class PingFile(Part):
    """Echo requests, one after the other."""

    from_: Name = Field(..., alias="from", description="VM, host or router that pings.")
    to: Target = Field(..., description="Name of a VM, host or router, or an IP address.")
    count: PacketCount = Field(default=4, description="Number of requests.")
    interval: Duration = duration_field(_S, "Time from one request to the next.")
    size: Annotated[int, Field(ge=0, le=65_507)] = Field(
        default=56, description="Bytes of payload."
    )
    ttl: Annotated[int, Field(ge=1, le=255)] | None = Field(
        default=None, description="Time to live, or hop limit."
    )
    df: bool | None = Field(default=None, description="Set, or clear, the don't-fragment flag.")
    tos: Annotated[int, Field(ge=0, le=255)] = Field(
        default=0, description="Type of service, or of IPv6 traffic class; queues look at it."
    )
    timeout: Duration = duration_field(
        10 * _S, "How long to wait after the last request while nothing has come back."
    )


class ArpingFile(Part):
    """ARP requests by hand."""

    from_: Name = Field(..., alias="from", description="VM, host or router that asks.")
    to: Target = Field(..., description="Name of a VM, host or router, or an IPv4 address.")
    count: PacketCount = Field(default=1, description="Number of requests.")
    interval: Duration = duration_field(_S, "Time from one request to the next.")
    mode: Literal["request", "announce", "duplicate"] = Field(
        default="request",
        description="Ask who has the address, announce one's own (arping -U), or look for a "
        "second owner (arping -D).",
    )


class UdpFile(Part):
    """Datagrams to an echo server on the target, which the step starts."""

    from_: Name = Field(..., alias="from", description="VM, host or router that sends.")
    to: Target = Field(..., description="Name of a VM, host or router, or an IP address.")
    port: Annotated[int, Field(ge=1, le=65_535)] = Field(default=7, description="Destination port.")
    count: PacketCount = Field(default=1, description="Number of datagrams.")
    interval: Duration = duration_field(_S, "Time from one datagram to the next.")
    size: Annotated[int, Field(ge=0, le=65_507)] = Field(
        default=64, description="Bytes of payload."
    )
    echo: bool = Field(default=True, description="Whether the server sends them back.")
    server: Server | None = server_field()
    timeout: Duration = duration_field(_S, "How long to wait for echoes after the last datagram.")


class TracerouteFile(Part):
    """Who lies on the way: probes with growing times to live, as of traceroute(8)."""

    from_: Name = Field(..., alias="from", description="VM, host or router that asks.")
    to: Target = Field(..., description="Name of a VM, host or router, or an IP address.")
    icmp: bool = Field(default=False, description="Send echo requests and not UDP datagrams (-I).")
    hops: Annotated[int, Field(ge=1, le=255)] = Field(
        default=30, description="The largest time to live (-m)."
    )
    queries: Annotated[int, Field(ge=1, le=10)] = Field(
        default=3, description="Probes to each hop (-q)."
    )
    wait: Duration = duration_field(5 * _S, "How long to wait for an answer at most (-w).")
    size: Annotated[int, Field(ge=28, le=65_000)] | None = Field(
        default=None, description="Bytes of a whole packet; left out, 60, or 80 of IPv6."
    )


class TracepathFile(Part):
    """The way and its path MTU, as of tracepath(8)."""

    from_: Name = Field(..., alias="from", description="VM, host or router that asks.")
    to: Target = Field(..., description="Name of a VM, host or router, or an IP address.")
    hops: Annotated[int, Field(ge=1, le=255)] = Field(
        default=30, description="The largest time to live (-m)."
    )
    size: Annotated[int, Field(ge=49, le=65_535)] | None = Field(
        default=None,
        description="Bytes of the first packet (-l); left out, more than any link takes.",
    )


class PingAllFile(Part):
    """Who reaches whom: every machine pings every other once, or a choice of them does."""

    among: Annotated[list[Name], Field(min_length=1)] = Field(
        default=[], description="The machines that take part; left out, all virtual machines."
    )
    to: Name | None = Field(
        default=None, description="They all ping this machine, and not each other."
    )
    classes: bool = Field(
        default=False,
        description="Only one or two of each class of like machines: of one template, in the same "
        "place.",
    )
    sample: Annotated[int, Field(ge=1, le=MAX_PACKETS)] | None = Field(
        default=None, description="Only so many pairs, drawn from the seed."
    )


class SendFile(Part):
    """A packet written as a Scapy expression; it is parsed, never evaluated."""

    from_: Source = Field(..., alias="from", description="VM, or one of its cards: vm1:eth0.")
    packet: PacketText = Field(..., description="Scapy layers with literal values, joined by /.")
    count: PacketCount = Field(default=1, description="Number of times.")
    interval: Duration = duration_field(_S, "Time from one to the next.")
