"""Matches in messages: a structure in OpenFlow 1.0 and 1.1, a list of fields elsewhere.

What no structure or list can say of a match is left out when it is written, and what a switch
makes of what it reads may be more or less than what was meant: to write a match and to read it
again says what arrives.
"""

from __future__ import annotations

import struct

from vnet.ovs.flow.match import Match
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.match.alike import decode_field_list
from vnet.ovs.openflow.wire.match.connections import check_ct_addresses
from vnet.ovs.openflow.wire.match.openflow10 import (
    OPENFLOW10_BYTES,
    decode_openflow10,
    encode_openflow10,
)
from vnet.ovs.openflow.wire.match.openflow11 import (
    OPENFLOW11_BYTES,
    STANDARD,
    decode_openflow11,
    encode_openflow11,
)
from vnet.ovs.openflow.wire.match.reading import Reading
from vnet.ovs.openflow.wire.match.writing import encode_field_list
from vnet.ovs.openflow.wire.oxm import NXM, TunLengths

__all__ = [
    "Reading",
    "check_ct_addresses",
    "decode_field_list",
    "decode_match",
    "decode_nxm",
    "decode_oxm",
    "encode_field_list",
    "encode_match",
    "encode_nxm",
    "encode_oxm",
    "oxm_bytes",
]

_HEADER = struct.Struct("!HH")
_OXM = 1


def encode_match(match: Match, version: OpenFlowVersion) -> bytes:
    """A match as it stands in most messages of a version: ``ofp10_match`` (40 bytes),
    ``ofp11_match`` (88), and OXM with its header and padding since OpenFlow 1.2.
    """
    if version == OpenFlowVersion.OF10:
        return encode_openflow10(match)
    if version == OpenFlowVersion.OF11:
        return encode_openflow11(match)
    return encode_oxm(match, version)


def decode_match(
    data: bytes,
    offset: int,
    version: OpenFlowVersion,
    *,
    is_loose: bool = False,
    is_pipeline_only: bool = False,
    tun_lengths: TunLengths | None = None,
    openflow_full: bool = False,
) -> tuple[Match, int]:
    """The match at an offset, and where it ends (ofputil_pull_ofp11_match). The options are
    those of :class:`Reading`.

    Since OpenFlow 1.1 its own header says what it is: Open vSwitch takes either in any version.
    Raises :class:`OpenFlowError` (OFPBMC_*, NXFMFC_INVALID_TLV_FIELD).
    """
    if version == OpenFlowVersion.OF10:
        end = offset + OPENFLOW10_BYTES
        if end > len(data):
            raise OpenFlowError("OFPBRC_BAD_LEN")
        return decode_openflow10(data, offset), end
    if offset + _HEADER.size > len(data):
        raise OpenFlowError("OFPBMC_BAD_LEN")
    kind, n_bytes = _HEADER.unpack_from(data, offset)
    if kind == STANDARD:
        if n_bytes != OPENFLOW11_BYTES or offset + n_bytes > len(data):
            raise OpenFlowError("OFPBMC_BAD_LEN")
        return decode_openflow11(data, offset), offset + n_bytes
    if kind != _OXM:
        raise OpenFlowError("OFPBMC_BAD_TYPE")
    reading = Reading(is_loose, is_pipeline_only, False, tun_lengths, openflow_full)
    return decode_oxm(data, offset, reading)


def encode_oxm(match: Match, version: OpenFlowVersion) -> bytes:
    """OXM with its header and padding: what OpenFlow 1.1 has in statistics, too (oxm_put_match)."""
    fields = encode_field_list(match, version)
    n_bytes = _HEADER.size + len(fields)
    return _HEADER.pack(_OXM, n_bytes) + fields + bytes(-n_bytes % 8)


def oxm_bytes(data: bytes) -> int:
    """The length that a match in OXM says it has, without its padding."""
    n_bytes: int = _HEADER.unpack_from(data)[1]
    return n_bytes


def decode_oxm(data: bytes, offset: int, reading: Reading = Reading()) -> tuple[Match, int]:  # noqa: B008 - immutable
    """OXM with its header and padding, and where it ends (oxm_pull_match)."""
    if offset + _HEADER.size > len(data):
        raise OpenFlowError("OFPBMC_BAD_LEN")
    kind, n_bytes = _HEADER.unpack_from(data, offset)
    if n_bytes < _HEADER.size:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    if kind != _OXM:
        raise OpenFlowError("OFPBMC_BAD_TYPE")
    end = offset + n_bytes + -n_bytes % 8
    if end > len(data):
        raise OpenFlowError("OFPBMC_BAD_LEN")
    fields = data[offset + _HEADER.size : offset + n_bytes]
    return decode_field_list(fields, reading).match, end


def encode_nxm(match: Match, cookie: int = 0, cookie_mask: int = 0) -> bytes:
    """A match as Nicira's extension of OpenFlow 1.0 has it, without padding (nx_put_match)."""
    return encode_field_list(match, NXM, cookie, cookie_mask)


def decode_nxm(
    data: bytes,
    *,
    is_loose: bool = False,
    may_have_cookie: bool = True,
    tun_lengths: TunLengths | None = None,
    openflow_full: bool = False,
) -> tuple[Match, int, int]:
    """A match without padding, with the cookie that flows must have and its mask (nx_pull_match).

    Raises :class:`OpenFlowError` (OFPBMC_*, NXFMFC_INVALID_TLV_FIELD).
    """
    reading = Reading(is_loose, False, may_have_cookie, tun_lengths, openflow_full)
    return decode_field_list(data, reading)
