"""Lists of fields that differ in nothing but values are read once.

A table has thousands of matches of a few kinds. Whether a kind is refused, and what it matches,
depends on its headers and masks and on the values that decide, such as an EtherType; the other
values only have to be put in their places.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from vnet.ovs.flow.field_rules import has_rule
from vnet.ovs.flow.fields import FIELDS, Field
from vnet.ovs.flow.match import Match
from vnet.ovs.openflow.wire.match.reading import Decoded, Reading, read_fields
from vnet.ovs.openflow.wire.oxm import NXM, header_of

_HEADER_BYTES = 4
_CACHED = 8192
"""How many kinds are kept. Whoever sends more of them waits a little longer."""

_DECIDING = ("eth_type", "nw_proto", "packet_type")
"""Fields whose values make other fields possible; those of others that do have rules."""
_STRICT = Reading()


class _Place(NamedTuple):
    """What follows a header, and where a value goes that does not decide (None: it decides)."""

    value_bytes: int
    is_masked: bool
    shift: int | None


def _places() -> dict[bytes, _Place]:
    """By header, of all fields of known length whose header is short."""
    places = {}
    for field in FIELDS.values():
        shift = _free_shift(field)
        for of_version in {NXM, *(header.of_version for header in field.headers)}:
            for is_masked in (False, True) if field.headers and not field.is_tun_metadata else ():
                header = header_of(field, of_version, is_masked=is_masked)
                if len(header) == _HEADER_BYTES:
                    places[header] = _Place(field.n_bytes, is_masked, shift)
    return places


def _free_shift(field: Field) -> int | None:
    decides = has_rule(field.name) or field.name in _DECIDING
    return None if decides else field.plain_shift


_PLACES = _places()


def decode_field_list(data: bytes, reading: Reading) -> Decoded:
    """The match that a list of fields makes (nx_pull_raw).

    Raises :class:`OpenFlowError` (OFPBMC_*, OFPBRC_PIPELINE_FIELDS_ONLY, ...).
    """
    if reading.is_loose or reading.is_pipeline_only:
        return read_fields(data, reading)
    free, offset, end = 0, 0, len(data)
    kind = []
    while offset < end:
        header = data[offset : offset + _HEADER_BYTES]
        place = _PLACES.get(header)
        if place is None:
            return read_fields(data, reading)
        value_bytes, is_masked, shift = place
        start = offset + _HEADER_BYTES
        value_end = start + value_bytes
        offset = value_end + value_bytes if is_masked else value_end
        if offset > end:
            return read_fields(data, reading)
        if shift is None:
            kind.append(data[start - _HEADER_BYTES : offset])
            continue
        value = int.from_bytes(data[start:value_end], "big")
        kind.append(header)
        if is_masked:
            mask = data[value_end:offset]
            if value & ~int.from_bytes(mask, "big"):
                return read_fields(data, reading)
            kind.append(mask)
        free |= value << shift
    alike = _match_of(b"".join(kind))
    return Decoded(Match(alike.value | free, alike.mask))


@lru_cache(maxsize=_CACHED)
def _match_of(kind: bytes) -> Match:
    """The match of a kind whose values that do not decide are 0; they are missing in ``kind``."""
    whole, offset = bytearray(), 0
    while offset < len(kind):
        header = kind[offset : offset + _HEADER_BYTES]
        offset += _HEADER_BYTES
        value_bytes, is_masked, shift = _PLACES[header]
        n_said = value_bytes * (is_masked + (shift is None))
        whole += header + bytes(value_bytes if shift is not None else 0)
        whole += kind[offset : offset + n_said]
        offset += n_said
    return read_fields(bytes(whole), _STRICT).match
