"""One field as NXM and OXM write it: a header, a value, and a mask if there is one.

::

    |31          16|15     9| 8 |7      0|
    |    class     | number | M | length |  experimenters' class: four bytes say whose it is

``length`` counts what follows the first four bytes; M says that a mask of equal length follows
the value. The numbers are those of :mod:`vnet.ovs.flow.field_headers`.
Sources: OpenFlow 1.5.1, section 7.2.3; ovs-fields(7).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from vnet.ovs.flow.field_headers import EXPERIMENTER_CLASS, Header
from vnet.ovs.flow.fields import FIELDS, FULL_FIELDS, Field
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.wire.unknown_field import unknown_field_error

NXM = 0
"""In place of a version: OVS's own headers are preferred to standard ones."""

TunLengths = Mapping[int, int]
"""How long the tunnel options are that a switch has mapped (NXT_TLV_TABLE_MOD), by number."""

_LOG = "nx_match"
_WORD = struct.Struct("!I")
_VENDOR_BYTES = 4
_MASKED = 1 << 8
_TOO_LONG = 128
"""Nobody knows tunnel options of so many bytes. Those of 124 to 127 are cut."""

_COOKIE_CLASS_AND_NUMBER = (0x0001, 0, 30)
_COOKIE_BYTES = 8


class FieldHeader(NamedTuple):
    """What a header says. ``field`` is None where nobody knows it. ``n_bytes`` has the value,
    ``payload_bytes`` value and mask.
    """

    field: Field | None
    is_masked: bool
    n_bytes: int
    header_bytes: int
    payload_bytes: int
    is_cookie: bool
    """A flow's cookie, which NXM has in matches as if it were a field (NXM_NX_COOKIE)."""


class FieldEntry(NamedTuple):
    """A header with its value and mask; ``end`` is where the next one begins.

    A mask of ``field.ones`` is an exact match.
    """

    header: FieldHeader
    value: int
    mask: int
    end: int


def _by_number(fields: Mapping[str, Field]) -> dict[tuple[int, int, int], Field]:
    return {
        (header.header_class.number, header.header_class.vendor, header.number): field
        for field in fields.values()
        for header in field.headers
    }


_BY_NUMBER = _by_number(FIELDS)
_FULL_BY_NUMBER = _BY_NUMBER | _by_number(FULL_FIELDS)


def _known(openflow_full: bool) -> dict[tuple[int, int, int], Field]:
    """The fields that a switch knows, or one that speaks OpenFlow whole."""
    return _FULL_BY_NUMBER if openflow_full else _BY_NUMBER


# -- writing


def header_of(
    field: Field, version: int, *, is_masked: bool = False, n_bytes: int | None = None
) -> bytes:
    """A field's header in a version of OpenFlow, or with :data:`NXM`; the value has ``n_bytes``,
    which for tunnel options is not said by the field.
    """
    header = field.header(version)
    assert header is not None, field
    return _header_bytes(header, field.n_bytes if n_bytes is None else n_bytes, is_masked)


@lru_cache(maxsize=1024)
def _header_bytes(header: Header, n_bytes: int, is_masked: bool) -> bytes:
    number, vendor = header.header_class.number, b""
    if number == EXPERIMENTER_CLASS:
        vendor = _WORD.pack(header.header_class.vendor)
    length = len(vendor) + n_bytes * (2 if is_masked else 1)
    word = number << 16 | header.number << 9 | (_MASKED if is_masked else 0) | length
    return _WORD.pack(word) + vendor


def put_field(field: Field, value: int, mask: int | None, version: int) -> bytes:
    """A field with a value, and with a mask unless that is None or all ones.

    Of a tunnel option as many bytes are written as are needed (nx_put_entry).
    """
    is_masked = mask is not None and mask != field.ones
    n_bytes = field.n_bytes
    if field.is_tun_metadata:
        bits = max(value.bit_length(), mask.bit_length() if mask is not None and is_masked else 0)
        n_bytes = (bits + 7) // 8
    header = header_of(field, version, is_masked=is_masked, n_bytes=n_bytes)
    if mask is None or not is_masked:
        return header + value.to_bytes(n_bytes, "big")
    return header + value.to_bytes(n_bytes, "big") + mask.to_bytes(n_bytes, "big")


COOKIE_HEADER = _WORD.pack(0x0001 << 16 | 30 << 9 | _COOKIE_BYTES)
COOKIE_HEADER_MASKED = _WORD.pack(0x0001 << 16 | 30 << 9 | _MASKED | 2 * _COOKIE_BYTES)


# -- reading


def header_at(data: bytes, offset: int, end: int, *, openflow_full: bool = False) -> FieldHeader:
    """The header at an offset of ``data``, of which nothing behind ``end`` belongs to it.

    With ``openflow_full``, here and below, the fields are known that Open vSwitch lacks. Raises
    :class:`OpenFlowError` (OFPBMC_BAD_LEN) where it is cut short.
    """
    if offset + 4 > end:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    word = int.from_bytes(data[offset : offset + 4], "big")
    if word >> 16 != EXPERIMENTER_CLASS:
        return _header(word, 0, openflow_full)
    if offset + 8 > end:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    n_bytes = word & 0xFF
    if n_bytes < _VENDOR_BYTES:
        text = f"OXM header {_shown(data, offset)} has invalid length {n_bytes} (minimum is 8)"
        raise OpenFlowError("OFPBMC_BAD_LEN", warning=(_LOG, text))
    return _header(word, int.from_bytes(data[offset + 4 : offset + 8], "big"), openflow_full)


def _shown(data: bytes, offset: int) -> str:
    """A header as logs show it: vendor, class, number, whether it has a mask, and length."""
    word, vendor = int.from_bytes(data[offset : offset + 4], "big"), 0
    if word >> 16 == EXPERIMENTER_CLASS:
        vendor = int.from_bytes(data[offset + 4 : offset + 8], "big")
    parts = (word >> 16, word >> 9 & 0x7F, word >> 8 & 1, word & 0xFF)
    return ":".join([f"{vendor:#x}" if vendor else "0", *map(str, parts)])


@lru_cache(maxsize=4096)
def _header(word: int, vendor: int, openflow_full: bool) -> FieldHeader:
    header_class, number = word >> 16, word >> 9 & 0x7F
    vendor_bytes = _VENDOR_BYTES if header_class == EXPERIMENTER_CLASS else 0
    is_masked = bool(word & _MASKED)
    payload_bytes = (word & 0xFF) - vendor_bytes
    n_bytes = payload_bytes // 2 if is_masked else payload_bytes
    key = (header_class, vendor, number)
    field = _known(openflow_full).get(key)
    if field is not None and not _has_length(field, n_bytes):
        field = None
    is_cookie = key == _COOKIE_CLASS_AND_NUMBER and payload_bytes == _COOKIE_BYTES * (
        2 if is_masked else 1
    )
    return FieldHeader(field, is_masked, n_bytes, 4 + vendor_bytes, payload_bytes, is_cookie)


def _has_length(field: Field, n_bytes: int) -> bool:
    """Whether a field may have a value of so many bytes."""
    return n_bytes < _TOO_LONG if field.is_tun_metadata else n_bytes == field.n_bytes


def field_at(
    data: bytes,
    offset: int,
    end: int,
    tun_lengths: TunLengths | None = None,
    *,
    openflow_full: bool = False,
) -> FieldHeader:
    """As :func:`header_at`, for places where only known fields may stand (nx_pull_header).

    ``tun_lengths`` are given by switches: no other tunnel options may then be named. Raises
    :class:`OpenFlowError` (OFPBMC_BAD_FIELD, NXFMFC_INVALID_TLV_FIELD).
    """
    header = header_at(data, offset, end, openflow_full=openflow_full)
    if header.field is None:
        raise OpenFlowError("OFPBMC_BAD_FIELD")
    tun_length(header.field, tun_lengths)
    return header


def entry_at(
    data: bytes,
    offset: int,
    end: int,
    tun_lengths: TunLengths | None = None,
    *,
    openflow_full: bool = False,
) -> FieldEntry:
    """A field with its value and mask, known or not (``header.field`` None).

    Raises :class:`OpenFlowError` (OFPBMC_BAD_LEN, OFPBMC_BAD_WILDCARDS for bits of the value
    outside the mask, NXFMFC_INVALID_TLV_FIELD).
    """
    header = header_at(data, offset, end, openflow_full=openflow_full)
    return _entry(header, data, offset, end, tun_lengths)


def _entry(
    header: FieldHeader, data: bytes, offset: int, end: int, tun_lengths: TunLengths | None
) -> FieldEntry:
    field, is_masked, n_bytes, header_bytes, payload_bytes, _ = header
    greatest_bytes = n_bytes
    if field is not None and field.is_tun_metadata:
        length = tun_length(field, tun_lengths)
        greatest_bytes = field.n_bytes if length is None else length
    at, offset = offset, offset + header_bytes
    following = offset + payload_bytes
    if following > end:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    value = int.from_bytes(data[offset : offset + n_bytes], "big")
    ones = (1 << 8 * n_bytes) - 1 if field is None else field.ones
    mask = ones
    if is_masked:
        mask = int.from_bytes(data[offset + n_bytes : offset + 2 * n_bytes], "big")
        if value & ~mask:
            raise OpenFlowError("OFPBMC_BAD_WILDCARDS", warning=(_LOG, _rejection(data, at)))
    if n_bytes > greatest_bytes:
        excess = 8 * (n_bytes - greatest_bytes)
        value, mask = value >> excess, mask >> excess if is_masked else mask
    return FieldEntry(header, value, mask, following)


def _rejection(data: bytes, offset: int) -> str:
    shown = _shown(data, offset)
    return f"Rejecting NXM/OXM entry {shown} with 1-bits in value for bits wildcarded by the mask."


def take_field(
    data: bytes,
    offset: int,
    end: int,
    tun_lengths: TunLengths | None = None,
    *,
    is_action: bool = False,
    openflow_full: bool = False,
) -> tuple[Field, int, int | None, int]:
    """A known field with its value and mask (None where none was written), and where it ends.

    ``is_action`` is for fields that are set (nx_pull_entry): one that is not known raises not
    OFPBMC_BAD_FIELD but OFPBAC_BAD_SET_TYPE or OFPBAC_BAD_SET_LEN (see
    :mod:`~vnet.ovs.openflow.wire.unknown_field`).
    """
    header = header_at(data, offset, end, openflow_full=openflow_full)
    if is_action and header.field is None:
        raise _unknown(data, offset, header)
    _, value, mask, end = _entry(header, data, offset, end, tun_lengths)
    if header.field is None:
        raise OpenFlowError("OFPBMC_BAD_FIELD")
    return header.field, value, mask if header.is_masked else None, end


def _unknown(data: bytes, offset: int, header: FieldHeader) -> OpenFlowError:
    """The error for a header that names no field which can be set."""
    word = int.from_bytes(data[offset : offset + 4], "big")
    vendor = int.from_bytes(data[offset + 4 : offset + 8], "big") if header.header_bytes > 4 else 0
    length = header.n_bytes + header.header_bytes - 4
    return OpenFlowError(unknown_field_error(word >> 9, vendor, length))


def tun_length(field: Field, tun_lengths: TunLengths | None) -> int | None:
    """How long a tunnel option is that a switch has mapped; None for all else.

    Raises NXFMFC_INVALID_TLV_FIELD for one that it has not.
    """
    if tun_lengths is None or not field.is_tun_metadata:
        return None
    length = tun_lengths.get(int(field.name.removeprefix("tun_metadata")))
    if length is None:
        raise OpenFlowError("NXFMFC_INVALID_TLV_FIELD")
    return length
