"""Tunnel options (``tun_metadata0`` and so on): no flow may name one that is not mapped.

It is for a controller to map options to fields (``ovs-ofctl add-tlv-map``).
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import fields, replace
from functools import cache
from typing import Any

from vnet.ovs.flow.fields import Field, Subfield
from vnet.ovs.flow.match import Match
from vnet.ovs.ofproto.requests import Request
from vnet.ovs.ofproto.rules.action_queries import flattened
from vnet.ovs.ofproto.tunnel.tlv_table import TlvMappings
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowMod, PacketOut
from vnet.ovs.openflow.ofpacts import Learn, Ofpacts


def with_options_placed(request: Request, mappings: TlvMappings) -> Request:
    """A request as a bridge's flows have it, whose options have their places there.

    Raises as :func:`check_options`.
    """
    if isinstance(request, FlowMod):
        check_options(request, mappings.lengths)
        if request.match.tun_options:
            return replace(request, match=mappings.placed(request.match))
    elif isinstance(request, PacketOut) and request.pipeline.tun_options:
        return replace(request, pipeline=mappings.placed(request.pipeline))
    return request


def check_options(mod: FlowMod, mapped: Container[int]) -> None:
    """Raise :class:`OpenFlowError` for a flow that names an option which is not mapped.

    In groups Open vSwitch lets them pass; they read 0 there, and writing them does nothing.
    """
    if any(number not in mapped for number in options_named(mod.match, mod.actions)):
        raise OpenFlowError("NXFMFC_INVALID_TLV_FIELD")


def options_named(match: Match, actions: Ofpacts) -> set[int]:
    """The numbers of the options that a flow matches, reads or writes."""
    numbers = {option.number for option in match.tun_options}
    for field in _named_by(actions):
        if field.is_tun_metadata:
            numbers.add(int(field.name.removeprefix("tun_metadata")))
    return numbers


def _named_by(actions: Ofpacts) -> Iterator[Field]:
    """The fields that actions read or write."""
    for action in flattened(actions):
        yield from _fields_of(action)
        if isinstance(action, Learn):
            for spec in action.specs:
                yield from _fields_of(spec)


def _fields_of(part: Any) -> Iterator[Field]:
    kind: Any = type(part)
    for name in _members_with_fields(kind):
        value = getattr(part, name)
        if isinstance(value, Subfield):
            yield value.field
        elif isinstance(value, Field):
            yield value


@cache
def _members_with_fields(kind: Any) -> tuple[str, ...]:
    """The members of a kind of action whose type says that they may name a field."""
    types = ("Field", "Subfield", "Subfield | None")
    return tuple(member.name for member in fields(kind) if member.type in types)
