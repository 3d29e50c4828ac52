"""A match read from a list of fields, one after the other: NXM and OXM without what is around them.

Sources: ovs-fields(7); OpenFlow 1.5.1, section 7.2.3.
"""

from __future__ import annotations

from typing import NamedTuple

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import Field
from vnet.ovs.flow.match import Match, MatchBuilder
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.wire.oxm import FieldEntry, TunLengths, entry_at, tun_length


class Reading(NamedTuple):
    """How a list is read. ``is_loose`` passes over fields that are not known, and asks for no
    prerequisites, as for a packet's metadata. ``is_pipeline_only`` takes nothing that could be
    read off the packet. ``tun_lengths`` are given by switches, which take no tunnel options but
    those that are mapped. With ``openflow_full`` fields are known that Open vSwitch lacks.
    """

    is_loose: bool = False
    is_pipeline_only: bool = False
    may_have_cookie: bool = False
    tun_lengths: TunLengths | None = None
    openflow_full: bool = False


class Decoded(NamedTuple):
    """A match, and the cookie that flows must have, under a mask."""

    match: Match
    cookie: int = 0
    cookie_mask: int = 0


def read_fields(data: bytes, reading: Reading) -> Decoded:
    """The match that a list of fields makes (nx_pull_raw).

    Raises :class:`OpenFlowError` (OFPBMC_*, OFPBRC_PIPELINE_FIELDS_ONLY, ...).
    """
    cookie, cookie_mask = 0, 0
    builder = MatchBuilder()
    offset, end = 0, len(data)
    while offset < end:
        entry = entry_at(
            data, offset, end, reading.tun_lengths, openflow_full=reading.openflow_full
        )
        offset = entry.end
        if entry.header.field is not None:
            _add(builder, entry.header.field, entry, reading)
        elif reading.may_have_cookie and entry.header.is_cookie:
            if cookie_mask:
                raise OpenFlowError("OFPBMC_DUP_FIELD")
            cookie, cookie_mask = entry.value, entry.mask
        elif not reading.is_loose:
            raise OpenFlowError("OFPBMC_BAD_FIELD")
    return Decoded(builder.build(), cookie, cookie_mask)


def _add(builder: MatchBuilder, field: Field, entry: FieldEntry, reading: Reading) -> None:
    error = _refusal(builder, field, entry, reading)
    if error:
        raise OpenFlowError(error, field.name)
    try:
        builder.set(field, entry.value, entry.mask, tun_length(field, reading.tun_lengths))
    except OvsTextError as wrong:
        raise OpenFlowError("OFPBMC_BAD_VALUE", wrong.what) from None


def _refusal(builder: MatchBuilder, field: Field, entry: FieldEntry, reading: Reading) -> str:
    """OpenFlow's name for what is wrong with adding a field to a match, ``""`` if nothing is."""
    if not field.is_mask_valid(entry.mask):
        return "OFPBMC_BAD_MASK"
    if not field.is_value_valid(entry.value):
        return "OFPBMC_BAD_VALUE"
    if not reading.is_loose and not builder.meets_prereqs(field):
        return "OFPBMC_BAD_PREREQ"
    if not field.is_wild(builder.mask):
        return "OFPBMC_DUP_FIELD"
    if reading.is_pipeline_only and not field.is_of_pipeline:
        return "OFPBRC_PIPELINE_FIELDS_ONLY"
    return ""
