"""Refusals on the wire (OFPT_ERROR, section 7.5.4).

In 1.0 and 1.1 an error that is not OpenFlow's own is one of Nicira's, which says vendor, type and
code behind the usual ones; from 1.2 on it is an experimenter's, which has no code.
"""

from __future__ import annotations

import re
import struct
from functools import cache
from typing import NamedTuple

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.version import KNOWN_VERSIONS, OpenFlowVersion
from vnet.ovs.openflow.wire.error_numbers import NUMBERS
from vnet.ovs.openflow.wire.kind import NX_VENDOR, ONF_VENDOR, version_range
from vnet.ovs.openflow.wire.message import ERROR, HEADER_BYTES, Message, encode

_TYPE_AND_CODE = struct.Struct("!HH")
_EXPERIMENTER_ERROR = struct.Struct("!HHI")
_NX_ERROR = struct.Struct("!HHIHH")

_NX_TYPE = 0xB0C2
_NX_CODE = 0
_EXPERIMENTER_TYPE = 0xFFFF
_MOST_BYTES = 0xFFFF

_VENDORS = {"OF": 0, "NX": NX_VENDOR, "ONF": ONF_VENDOR}
_ONE_VERSION_RANGE = re.compile(r"(OF|NX|ONF)([-+.\d]+)\((\d+)(?:,(\d+))?\)")
_UNENCODABLE = "NXBRC_UNENCODABLE_ERROR"


class ErrorNumber(NamedTuple):
    """What stands for an error in messages. ``vendor`` 0 is OpenFlow itself."""

    vendor: int
    type: int
    code: int


class ReceivedError(NamedTuple):
    """An error that a peer reports. ``name`` None is one that nobody knows; ``data`` is what it
    quotes of the message, or a text where greetings fail."""

    name: str | None
    number: ErrorNumber
    data: bytes


def number_of(name: str, version: int) -> ErrorNumber | None:
    """An error's number, if it has one in that version."""
    return _numbers(version).get(name)


def name_of(number: ErrorNumber, version: int) -> str | None:
    """The error of a number, if there is one."""
    return _names(version).get(number)


def error(version: int, xid: int, name: str, data: bytes) -> bytes:
    """A message about the error with this name.

    One that cannot be told in this version is told as such; in an unknown version it is told in
    1.0's.
    """
    if version not in KNOWN_VERSIONS:
        version = OpenFlowVersion.OF10
    number = number_of(name, version) or number_of(_UNENCODABLE, version)
    assert number is not None
    vendor, kind, code = number
    if not vendor:
        body = _TYPE_AND_CODE.pack(kind, code)
    elif version <= OpenFlowVersion.OF11:
        body = _NX_ERROR.pack(_NX_TYPE, _NX_CODE, vendor, kind, code)
    else:
        body = _EXPERIMENTER_ERROR.pack(_EXPERIMENTER_TYPE, kind, vendor)
    return encode(version, ERROR, xid, (body + data)[: _MOST_BYTES - HEADER_BYTES])


def error_reply(message: Message, refused: OpenFlowError) -> bytes:
    """What answers a message that is refused: as much of it as there is room for goes back."""
    return error(message.version, message.xid, refused.name, message.raw)


def why_untold(name: str, version: int) -> str:
    """What a daemon's log says where an error cannot be told in a version; nothing if it can."""
    if version not in KNOWN_VERSIONS:
        return f"cannot encode error for unknown OpenFlow version 0x{version:02x}"
    if number_of(name, version) is None:
        return f"cannot encode {name} for OpenFlow 1.{version - OpenFlowVersion.OF10}"
    return ""


def decode_error(message: Message) -> ReceivedError:
    """What an OFPT_ERROR says. Raises :class:`OpenFlowError`."""
    raw, offset = message.raw, HEADER_BYTES
    if len(raw) < offset + _TYPE_AND_CODE.size:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    vendor = 0
    kind, code = _TYPE_AND_CODE.unpack_from(raw, offset)
    end = offset + _TYPE_AND_CODE.size
    if (kind, code) == (_NX_TYPE, _NX_CODE):
        end = offset + _NX_ERROR.size
        if len(raw) < end:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        _, _, vendor, kind, code = _NX_ERROR.unpack_from(raw, offset)
    elif kind == _EXPERIMENTER_TYPE:
        end = offset + _EXPERIMENTER_ERROR.size
        if len(raw) < end:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        _, kind, vendor = _EXPERIMENTER_ERROR.unpack_from(raw, offset)
        code = 0
    number = ErrorNumber(vendor, kind, code)
    return ReceivedError(name_of(number, message.version), number, raw[end:])


@cache
def _numbers(version: int) -> dict[str, ErrorNumber]:
    numbers = {}
    for name, text in NUMBERS.items():
        for vendor, versions, kind, code in _ONE_VERSION_RANGE.findall(text):
            if version in version_range(versions):
                numbers[name] = ErrorNumber(_VENDORS[vendor], int(kind), int(code or 0))
    return numbers


@cache
def _names(version: int) -> dict[ErrorNumber, str]:
    names: dict[ErrorNumber, str] = {}
    for name, number in _numbers(version).items():
        names.setdefault(number, name)
    return names
