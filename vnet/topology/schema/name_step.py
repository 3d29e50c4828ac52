"""The spelling of a step that looks a name up."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from vnet.base.ids import ip_from_text
from vnet.base.text import quote
from vnet.topology.schema.fields import Duration, Name, Target
from vnet.topology.schema.parts import Part, duration_field
from vnet.topology.schema.values import RefusedError, kind_of

_S = 1_000_000_000
_MOST_NAME_CHARACTERS = 1_000


def _type(value: object) -> int:
    # Files without names do without all that reads them.
    from vnet.guest.apps.dns.names import type_number

    number = type_number(value) if isinstance(value, str) else None
    if number is None:
        shown = quote(value) if isinstance(value, str) else kind_of(value)
        raise RefusedError(f"{shown} is not a type of record", "A, AAAA, PTR, MX, TXT, or TYPE65")
    return number


def _name(value: object) -> str:
    if not isinstance(value, str) or not value or len(value) > _MOST_NAME_CHARACTERS:
        raise RefusedError(f"wants a domain name, not {kind_of(value)}", "www.example.test")
    from vnet.linux.services.dns.query import labels_of

    try:
        labels_of(value)
    except ValueError as error:
        raise RefusedError(f"{quote(value)} is not a domain name", str(error)) from None
    return value


def asked_for(name: str, kind: int | None) -> tuple[str, int]:
    """The name and type of record to ask for: of an address without a type, its name."""
    from vnet.linux.services.dns.query import PTR, A
    from vnet.linux.services.dns_server.records import reverse_name

    if kind is not None:
        return name, kind
    try:
        return reverse_name(ip_from_text(name)), PTR
    except ValueError:
        return name, A


class DnsLookupFile(Part):
    """A question to a DNS server, as dig(1) puts it."""

    from_: Name = Field(..., alias="from", description="VM, host or router that asks.")
    name: Annotated[str, PlainValidator(_name), WithJsonSchema({"type": "string"})] = Field(
        ..., description="The name that is asked for, or an address to ask for its name."
    )
    type: Annotated[int, PlainValidator(_type), WithJsonSchema({"type": "string"})] | None = Field(
        default=None,
        description="The type of record; left out, A, or PTR for an address.",
        examples=["A", "AAAA", "MX"],
    )
    server: Target | None = Field(
        default=None,
        description="Name of a VM, host or router, or an IP address; left out, those that the "
        "machine asks for names.",
    )
    tcp: bool = Field(default=False, description="Ask by TCP at once (+tcp).")
    edns: bool = Field(default=True, description="Whether the query speaks of EDNS.")
    size: Annotated[int, Field(ge=0, le=65_535)] = Field(
        default=1232, description="Bytes of an answer that are taken by UDP (+bufsize)."
    )
    tries: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3, description="How often to ask a server (+tries)."
    )
    timeout: Duration = duration_field(5 * _S, "How long to wait for each answer (+time).")
