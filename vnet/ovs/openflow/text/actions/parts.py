"""Parts that several kinds of actions share."""

from __future__ import annotations

import re

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import FIELDS, Field, Subfield
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import SetField
from vnet.ovs.openflow.text.actions.kind import Checker

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


def hex_text(data: bytes) -> str:
    """Bytes as ``01.02.ff``."""
    return data.hex(".")


def hex_number(value: int) -> str:
    """``0x`` and digits; a plain 0 for zero."""
    return f"{value:#x}" if value else "0"


def leading_integer(text: str) -> int:
    """What atoi(3) makes of ``text``: the number it begins with, or 0, in 32 bits."""
    found = _INTEGER_PREFIX.match(text)
    value = max(-(1 << 63), min(int(found.group()), (1 << 63) - 1)) if found else 0
    return value & 0xFFFFFFFF


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


def whole_mask(field: Field) -> int:
    """The mask that says: the whole field. It has as many bits as the field's bytes have."""
    return (1 << 8 * field.n_bytes) - 1


def set_whole_field(name: str, value: int) -> SetField:
    """``set_field:VALUE->NAME``"""
    field = FIELDS[name]
    return SetField(field, value, whole_mask(field))


def load_whole_field(name: str, value: int) -> SetField:
    """``load:VALUE->NAME[]``"""
    field = FIELDS[name]
    return SetField(field, value, (1 << field.n_bits) - 1, is_load=True)


def check_source(source: Subfield, checker: Checker) -> None:
    """Raise :class:`OpenFlowError` unless the match allows to read ``source``."""
    if not source.field.are_prereqs_ok(checker.flow, checker.mask):
        raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")


def check_destination(destination: Subfield, checker: Checker) -> None:
    """Raise :class:`OpenFlowError` unless the match allows to write to ``destination``."""
    check_source(destination, checker)
    check_writable(destination.field)


def check_writable(field: Field) -> None:
    """Raise OFPBAC_BAD_SET_ARGUMENT for a field that can only be read."""
    if not field.writable:
        raise OpenFlowError("OFPBAC_BAD_SET_ARGUMENT")


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
