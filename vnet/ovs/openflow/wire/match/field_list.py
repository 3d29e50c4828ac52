"""A match as a list of fields: NXM and OXM without what is around them.

Most matches of a table differ in a few values only. So what a kind of match comes to, which
fields are said of it and which are refused, is found out once for each kind.
Sources: ovs-fields(7); OpenFlow 1.5.1, section 7.2.3.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.field_access import VLAN_VID_MASK
from vnet.ovs.flow.fields import Field
from vnet.ovs.flow.flow import CFI, Bits, Flow
from vnet.ovs.flow.match import Match, MatchBuilder, TunOption
from vnet.ovs.flow.match_fields import match_fields, said_value
from vnet.ovs.flow.protocol_numbers import IPPROTO_ICMPV6
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.wire.oxm import (
    COOKIE_HEADER,
    COOKIE_HEADER_MASKED,
    FieldEntry,
    TunLengths,
    entry_at,
    header_of,
)

_ALL_COOKIE = (1 << 64) - 1

# -- writing


class _Said(NamedTuple):
    """A field that is said of a kind of match: what stands before and behind its value."""

    header: bytes
    value_of: Callable[[Flow], int]
    n_bytes: int
    mask: bytes


def encode_field_list(match: Match, version: int, cookie: int = 0, cookie_mask: int = 0) -> bytes:
    """The fields of a match in a version of OpenFlow, or with NXM (nx_put_raw)."""
    value, mask, tun_options = match
    parts: list[bytes] = []
    flow = Flow(value)
    for header, value_of, n_bytes, mask_bytes in _said_of(
        mask, _deciding(value, mask), tun_options, version
    ):
        parts += (header, value_of(flow).to_bytes(n_bytes, "big"), mask_bytes)
    if cookie_mask:
        parts.append(_encode_cookie(cookie & cookie_mask, cookie_mask))
    return b"".join(parts)


def _encode_cookie(cookie: int, mask: int) -> bytes:
    if mask == _ALL_COOKIE:
        return COOKIE_HEADER + cookie.to_bytes(8, "big")
    return COOKIE_HEADER_MASKED + cookie.to_bytes(8, "big") + mask.to_bytes(8, "big")


def _masks(*members: Bits) -> int:
    return sum(bits.mask for bits in members)


_DECIDING = _masks(Flow.packet_type, Flow.dl_type, Flow.nw_proto, Flow.ct_nw_proto)
_DECIDING_ICMPV6 = _DECIDING | _masks(Flow.tp_src, Flow.tp_dst)
_VID = (VLAN_VID_MASK | CFI) << Flow.vlan_tci.shift


def _deciding(value: int, mask: int) -> int:
    """The values in a match that decide which fields are said of it."""
    is_icmpv6 = Flow.nw_proto.of(value) == IPPROTO_ICMPV6
    deciding = value & (_DECIDING_ICMPV6 if is_icmpv6 else _DECIDING)
    # Of a VLAN it matters only whether there is one.
    return deciding | (mask & _VID if value & _VID else 0)


@lru_cache(maxsize=1024)
def _said_of(
    mask: int, deciding: int, tun_options: tuple[TunOption, ...], version: int
) -> tuple[_Said, ...]:
    said = match_fields(Match(deciding, mask, tun_options), version)
    options = {f"tun_metadata{option.number}": option for option in tun_options}
    return tuple(
        _said(field, field_mask, options.get(field.name), version) for field, _, field_mask in said
    )


def _said(field: Field, mask: int, option: TunOption | None, version: int) -> _Said:
    n_bytes = field.n_bytes if option is None else option.n_bytes
    is_masked = mask != field.ones
    return _Said(
        header_of(field, version, is_masked=is_masked, n_bytes=n_bytes),
        said_value(field) if option is None else _value_of_option(option),
        n_bytes,
        mask.to_bytes(n_bytes, "big") if is_masked else b"",
    )


def _value_of_option(option: TunOption) -> Callable[[Flow], int]:
    return lambda flow: flow.key >> option.shift & option.ones


# -- reading


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


def decode_field_list(data: bytes, reading: Reading) -> Decoded:
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
        builder.set(field, entry.value, entry.mask)
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
