"""Parts that several kinds of actions share."""

from __future__ import annotations

import re

from vnet.base.text import with_readable_numbers
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import Field, Subfield
from vnet.ovs.flow.flow import Flow
from vnet.ovs.openflow.errors import OpenFlowError
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


def dotted_hex(data: bytes) -> str:
    """Bytes as ``01.02.ff``."""
    return data.hex(".")


def leading_integer(text: str) -> int:
    """What atoi(3) makes of ``text``: the number it begins with, or 0; 32 bits with a sign."""
    found = _INTEGER_PREFIX.match(text)
    number = int(with_readable_numbers(found.group())) if found else 0
    value = max(-(1 << 63), min(number, (1 << 63) - 1))
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


def check_source(source: Subfield, flow: Flow, mask: Flow) -> None:
    """Raise :class:`OpenFlowError` unless ``source`` lies within its field, and a match, ``flow``
    under ``mask``, allows to read it.
    """
    if not source.n_bits or source.offset + source.n_bits > source.field.n_bits:
        raise OpenFlowError("OFPBAC_BAD_SET_LEN")
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
