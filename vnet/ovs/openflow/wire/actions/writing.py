"""Fields, and parts of them, as actions write them.

Older actions have room for a header of 32 bits, and for offset and width in ten and six bits;
later ones take headers of any length.
"""

from __future__ import annotations

from vnet.ovs.flow.field import has_short_header
from vnet.ovs.flow.fields import FIELDS, Field, Subfield
from vnet.ovs.openflow.wire.oxm import NXM, header_of, put_field

SHORT_HEADER_BYTES = 4
OFFSET_SHIFT = 6


def short_header(field: Field) -> bytes:
    """The field's header in 32 bits, zeros if it has none."""
    return header_of(field, NXM) if has_short_header(field) else bytes(SHORT_HEADER_BYTES)


def any_header(field: Field, version: int = NXM) -> bytes:
    """The field's header, zeros if it has none."""
    return header_of(field, version) if field.headers else bytes(SHORT_HEADER_BYTES)


def field_with_value(field: Field, value: int, mask: int, version: int = NXM) -> bytes:
    """A header with a value, and a mask unless it is all ones.

    A field without a header is written as the one whose header is all zeros but for the length.
    """
    if field.headers:
        return put_field(field, value, mask, version)
    header = bytearray(any_header(FIELDS["in_port"]))
    is_masked = mask != field.ones
    header[-2] |= is_masked
    header[-1] = field.n_bytes << is_masked
    values = (value, mask) if is_masked else (value,)
    return bytes(header) + b"".join(each.to_bytes(field.n_bytes, "big") for each in values)


def packed_bits(part: Subfield) -> int:
    """Offset and width in 16 bits. A width of more than 64 spills into the offset."""
    return (part.offset << OFFSET_SHIFT | part.n_bits - 1) & 0xFFFF
