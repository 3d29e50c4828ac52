"""Which kind a message is, and whether it has a length that this kind may have."""

from __future__ import annotations

import struct

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.version import KNOWN_VERSIONS
from vnet.ovs.openflow.wire.kind import (
    EXPERIMENTER,
    EXPERIMENTER_NUMBER,
    NX_VENDOR,
    ONF_VENDOR,
    Kind,
    multipart_types,
)
from vnet.ovs.openflow.wire.kinds import KINDS
from vnet.ovs.openflow.wire.message import HEADER_BYTES, Message

_LOG = "ofp_msgs"
_PAIR = struct.Struct("!II")
_FLAGS_OFFSET = HEADER_BYTES + 2
_OF10 = 1

_BY_NUMBERS: dict[tuple[int, int, bytes], Kind] = {
    (version, numbering.type, numbering.prefix): kind
    for kind in KINDS
    for version, numbering in kind.numberings.items()
}
_PLAIN = {
    version << 8 | number: kind
    for (version, number, prefix), kind in _BY_NUMBERS.items()
    if not prefix
}


def kind_of(message: Message) -> tuple[Kind, int]:
    """What a message is, and where its body starts.

    Raises :class:`OpenFlowError` where the kind is unknown or the length is none that it has.
    """
    kind = kind_by_numbers(message)
    _, _, offset, least_bytes, step_bytes = kind.numberings[message.version]
    more_bytes = len(message.raw) - offset - least_bytes
    if more_bytes and (more_bytes < 0 or not step_bytes or more_bytes % step_bytes):
        raise _bad_length(kind, message.version, len(message.raw))
    return kind, offset


def kind_by_numbers(message: Message) -> Kind:
    """What a message is, whatever its length. Raises :class:`OpenFlowError`."""
    version, number = message.version, message.type
    plain = _PLAIN.get(version << 8 | number)
    if plain is not None:
        return plain
    prefix = _prefix_of(message)
    kind = _BY_NUMBERS.get((version, number, prefix))
    if kind is None:
        raise _unknown(message, prefix)
    return kind


def name_of(message: Message) -> str:
    """What logs call a message, or what begins like one."""
    try:
        return kind_by_numbers(message).name
    except OpenFlowError:
        return "invalid"


def is_multipart_request(message: Message) -> bool:
    """Whether it is one, known or not."""
    return message.type == multipart_types(message.version)[0]


def _prefix_of(message: Message) -> bytes:
    """What numbers a message that is not a plain one; flags and padding in it are zero."""
    version, raw = message.version, message.raw
    if message.type == EXPERIMENTER:
        _need(raw, 16)
        return _vendor(raw, HEADER_BYTES, (NX_VENDOR, ONF_VENDOR)) + raw[12:16]
    if message.type not in multipart_types(version):
        return b""
    header_bytes = 12 if version == _OF10 else 16
    _need(raw, header_bytes)
    number = raw[HEADER_BYTES:_FLAGS_OFFSET] + bytes(header_bytes - _FLAGS_OFFSET)
    if number[:2] != EXPERIMENTER_NUMBER:
        return number
    if version == _OF10:
        _need(raw, 16)
        vendor = _vendor(raw, header_bytes, (NX_VENDOR,))
        _need(raw, 24)
        return number + vendor + raw[16:20] + bytes(4)
    _need(raw, 24)
    return number + _vendor(raw, header_bytes, (NX_VENDOR, ONF_VENDOR)) + raw[20:24]


def _need(raw: bytes, n_bytes: int) -> None:
    if len(raw) < n_bytes:
        raise OpenFlowError("OFPBRC_BAD_LEN")


def _vendor(raw: bytes, offset: int, known: tuple[int, ...]) -> bytes:
    number = int.from_bytes(raw[offset : offset + 4], "big")
    if number not in known:
        hexadecimal = f"{number:#x}" if number else "0"
        text = f"OpenFlow message has unknown vendor {hexadecimal}"
        raise OpenFlowError("OFPBRC_BAD_VENDOR", warning=(_LOG, text))
    return raw[offset : offset + 4]


def _unknown(message: Message, prefix: bytes) -> OpenFlowError:
    version = message.version
    name, text = "OFPBRC_BAD_TYPE", f"version {version}, type {message.type}"
    if prefix and message.type in multipart_types(version):
        name = "OFPBRC_BAD_STAT"
        if version in KNOWN_VERSIONS:
            text += f", stat {int.from_bytes(prefix[:2], 'big')}"
    if message.type == EXPERIMENTER or prefix[:2] == EXPERIMENTER_NUMBER:
        name = "OFPBRC_BAD_SUBTYPE"
        padding = 4 if len(prefix) > 8 and version == _OF10 else 0
        vendor, subtype = _PAIR.unpack_from(prefix, len(prefix) - padding - _PAIR.size)
        text += f", vendor {vendor:#x}, subtype {subtype}"
    return OpenFlowError(name, warning=(_LOG, f"unknown OpenFlow message ({text})"))


def _bad_length(kind: Kind, version: int, n_bytes: int) -> OpenFlowError:
    _, _, offset, least_bytes, step_bytes = kind.numberings[version]
    least_bytes += offset
    if not step_bytes:
        expected = f"expected length {least_bytes}"
    elif step_bytes == 1:
        expected = f"expected length at least {least_bytes} bytes"
    else:
        expected = (
            f"must be exactly {least_bytes} bytes or longer by an integer multiple "
            f"of {step_bytes} bytes"
        )
    text = f"received {kind.name} with incorrect length {n_bytes} ({expected})"
    return OpenFlowError("OFPBRC_BAD_LEN", warning=(_LOG, text))
