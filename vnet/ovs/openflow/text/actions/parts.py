"""Parts that several kinds of actions share."""

from __future__ import annotations

import re
from collections.abc import Callable

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.field import header_bytes
from vnet.ovs.flow.fields import FIELDS, Field, Subfield
from vnet.ovs.flow.flow import Flow
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import Ofpacts, SetField
from vnet.ovs.openflow.text.actions.kind import ActionT, Checker, Wire
from vnet.ovs.openflow.version import OpenFlowVersion

# -- texts

_HEX_BYTE = re.compile(r"[ .\t\r\n]*([0-9a-fA-F]{2})")
_HEX_GAP = re.compile(r"[ .\t\r\n]*")
_INTEGER_PREFIX = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+")


def hex_bytes(text: str) -> tuple[bytes, str]:
    """The bytes at the beginning of ``text``, two digits each, and the rest of it. Points and
    white space may set them apart.
    """
    data = bytearray()
    at = 0
    while found := _HEX_BYTE.match(text, at):
        data.append(int(found[1], 16))
        at = found.end()
    gap = _HEX_GAP.match(text, at)
    assert gap is not None, "the pattern may be empty"
    return bytes(data), text[gap.end() :]


def dotted_hex(data: bytes) -> str:
    """Bytes as ``01.02.ff``."""
    return data.hex(".")


def leading_integer(text: str) -> int:
    """What atoi(3) makes of ``text``: the number it begins with, or 0; 32 bits with a sign."""
    found = _INTEGER_PREFIX.match(text)
    value = max(-(1 << 63), min(int(found.group()), (1 << 63) - 1)) if found else 0
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def words(text: str, delimiters: str, count: int) -> tuple[list[str], str]:
    """The first words of ``text``, at most ``count``, and what follows the delimiter after
    them; many delimiters between two words count as one, as in strtok(3).
    """
    found: list[str] = []
    while len(found) < count and (text := text.lstrip(delimiters)):
        end = next((at for at, character in enumerate(text) if character in delimiters), len(text))
        found.append(text[:end])
        text = text[end + 1 :]
    return found, text


def split_arrow(text: str) -> tuple[str, str]:
    """What stands before and after ``->``."""
    before, arrow, after = text.partition("->")
    if not arrow:
        raise OvsTextError(f"{text}: missing `->'")
    if not after:
        raise OvsTextError(f"{text}: missing field name following `->'")
    return before, after


# -- fields


def has_short_header(field: Field) -> bool:
    """Whether older actions, which have room for 32 bits, can name the field."""
    header = field.header()
    return header is not None and header_bytes(header) == _SHORT_HEADER_BYTES


_SHORT_HEADER_BYTES = 4


def set_whole_field(name: str, value: int) -> SetField:
    """``set_field:VALUE->NAME``"""
    field = FIELDS[name]
    return SetField(field, value, field.ones)


def set_field_since_of12(
    field: str, value: Callable[[ActionT], int]
) -> Callable[[ActionT, Wire], Ofpacts]:
    """How an action is sent that OpenFlow 1.2 replaced by ``set_field``."""

    def sent(action: ActionT, wire: Wire) -> Ofpacts:
        if wire.version < OpenFlowVersion.OF12:
            return (action,)
        return (set_whole_field(field, value(action)),)

    return sent


def load_whole_field(name: str, value: int) -> SetField:
    """``load:VALUE->NAME[]``"""
    part = Subfield.whole(FIELDS[name])
    return SetField(part.field, value, part.mask, is_load=True)


def check_source(source: Subfield, flow: Flow, mask: Flow) -> None:
    """Raise :class:`OpenFlowError` unless a match, ``flow`` under ``mask``, allows to read
    ``source``.
    """
    if not source.field.are_match_prereqs_ok(flow, mask):
        raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")


def check_destination(destination: Subfield, checker: Checker) -> None:
    """Raise :class:`OpenFlowError` unless the match allows to write to ``destination``."""
    check_source(destination, checker.flow, checker.mask)
    check_writable(destination.field)


def check_writable(field: Field) -> None:
    """Raise OFPBAC_BAD_SET_ARGUMENT for a field that can only be read."""
    if not field.writable:
        raise OpenFlowError("OFPBAC_BAD_SET_ARGUMENT")


def check_header(field: Field) -> None:
    """Raise OFPBMC_BAD_FIELD for a field that cannot be named in OpenFlow."""
    if not field.headers:
        raise OpenFlowError("OFPBMC_BAD_FIELD")


def field_on_wire(field: Field) -> Field:
    """The field that arrives with a value. One without a header arrives as ``in_port``, whose
    header is all zeros but for the length.
    """
    return field if field.headers else FIELDS["in_port"]


def subfield_on_wire(subfield: Subfield) -> Subfield:
    """What arrives of a subfield whose offset and width travel in 10 and 6 bits, as most do.

    A width of more than 64 spills into the offset. Raises OFPBAC_BAD_SET_LEN if what arrives
    does not lie within the field.
    """
    packed = (subfield.offset << 6 | subfield.n_bits - 1) & 0xFFFF
    arrived = Subfield(subfield.field, packed >> 6, (packed & 0x3F) + 1)
    if arrived.offset + arrived.n_bits > arrived.field.n_bits:
        raise OpenFlowError("OFPBAC_BAD_SET_LEN")
    return arrived
