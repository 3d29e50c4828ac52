"""Every kind of message, and which of them a message is (ofp-msgs.h of Open vSwitch has the same).

Those of multipart replies have the name of their request: ``OFPST_FLOW_REPLY`` answers
``OFPST_FLOW_REQUEST``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.version import KNOWN_VERSIONS
from vnet.ovs.openflow.wire.kind import (
    ALL,
    EXPERIMENTER,
    EXPERIMENTER_NUMBER,
    NX_VENDOR,
    ONF_VENDOR,
    Form,
    Kind,
    multipart_types,
)
from vnet.ovs.openflow.wire.message import HEADER_BYTES, Message, encode

OFPT_HELLO = Kind("OFPT_HELLO", Form(ALL, 0, 0, 1))
OFPT_ERROR = Kind("OFPT_ERROR", Form(ALL, 1, 4, 1))
OFPT_ECHO_REQUEST = Kind("OFPT_ECHO_REQUEST", Form(ALL, 2, 0, 1))
OFPT_ECHO_REPLY = Kind("OFPT_ECHO_REPLY", Form(ALL, 3, 0, 1))
OFPT_FEATURES_REQUEST = Kind("OFPT_FEATURES_REQUEST", Form("1.0+", 5))
OFPT_FEATURES_REPLY = Kind(
    "OFPT_FEATURES_REPLY", Form("1.0", 6, 24, 48), Form("1.1-1.2", 6, 24, 64), Form("1.3+", 6, 24)
)
OFPT_GET_CONFIG_REQUEST = Kind("OFPT_GET_CONFIG_REQUEST", Form("1.0+", 7))
OFPT_GET_CONFIG_REPLY = Kind("OFPT_GET_CONFIG_REPLY", Form("1.0+", 8, 4))
OFPT_SET_CONFIG = Kind("OFPT_SET_CONFIG", Form("1.0+", 9, 4))
OFPT_PACKET_IN = Kind(
    "OFPT_PACKET_IN",
    Form("1.0", 10, 10, 1),
    Form("1.1", 10, 16, 1),
    Form("1.2", 10, 8, 1),
    Form("1.3+", 10, 16, 1),
)
NXT_PACKET_IN = Kind("NXT_PACKET_IN", Form("1.0+", 17, 24, 1))
NXT_PACKET_IN2 = Kind("NXT_PACKET_IN2", Form("1.0+", 30, 0, 8))
OFPT_FLOW_REMOVED = Kind(
    "OFPT_FLOW_REMOVED", Form("1.0", 11, 80), Form("1.1-1.4", 11, 40, 8), Form("1.5", 11, 16, 8)
)
NXT_FLOW_REMOVED = Kind("NXT_FLOW_REMOVED", Form("1.0+", 14, 40, 8))
OFPT_PORT_STATUS = Kind(
    "OFPT_PORT_STATUS", Form("1.0", 12, 56), Form("1.1-1.3", 12, 72), Form("1.4+", 12, 48, 8)
)
OFPT_PACKET_OUT = Kind(
    "OFPT_PACKET_OUT", Form("1.0", 13, 8, 1), Form("1.1-1.4", 13, 16, 1), Form("1.5", 13, 8, 1)
)
OFPT_FLOW_MOD = Kind("OFPT_FLOW_MOD", Form("1.0", 14, 64, 8), Form("1.1+", 14, 40, 8))
NXT_FLOW_MOD = Kind("NXT_FLOW_MOD", Form("1.0+", 13, 32, 8))
NXT_GROUP_MOD = Kind("NXT_GROUP_MOD", Form("1.0", 31, 16, 8))
OFPT_GROUP_MOD = Kind("OFPT_GROUP_MOD", Form("1.1-1.4", 15, 8, 8), Form("1.5", 15, 16, 8))
OFPT_PORT_MOD = Kind(
    "OFPT_PORT_MOD", Form("1.0", 15, 24), Form("1.1-1.3", 16, 32), Form("1.4+", 16, 24, 8)
)
OFPT_TABLE_MOD = Kind("OFPT_TABLE_MOD", Form("1.1-1.3", 17, 8), Form("1.4+", 17, 8, 8))
OFPT_BARRIER_REQUEST = Kind("OFPT_BARRIER_REQUEST", Form("1.0", 18), Form("1.1+", 20))
OFPT_BARRIER_REPLY = Kind("OFPT_BARRIER_REPLY", Form("1.0", 19), Form("1.1+", 21))
OFPT_QUEUE_GET_CONFIG_REQUEST = Kind(
    "OFPT_QUEUE_GET_CONFIG_REQUEST", Form("1.0", 20, 4), Form("1.1-1.3", 22, 8)
)
OFPT_QUEUE_GET_CONFIG_REPLY = Kind(
    "OFPT_QUEUE_GET_CONFIG_REPLY", Form("1.0", 21, 8, 8), Form("1.1-1.3", 23, 8, 8)
)
OFPT_ROLE_REQUEST = Kind("OFPT_ROLE_REQUEST", Form("1.2+", 24, 16))
NXT_ROLE_REQUEST = Kind("NXT_ROLE_REQUEST", Form("1.0+", 10, 4))
OFPT_ROLE_REPLY = Kind("OFPT_ROLE_REPLY", Form("1.2+", 25, 16))
NXT_ROLE_REPLY = Kind("NXT_ROLE_REPLY", Form("1.0+", 11, 4))
OFPT_GET_ASYNC_REQUEST = Kind("OFPT_GET_ASYNC_REQUEST", Form("1.3+", 26))
OFPT_GET_ASYNC_REPLY = Kind("OFPT_GET_ASYNC_REPLY", Form("1.3", 27, 24), Form("1.4+", 27, 0, 8))
OFPT_SET_ASYNC = Kind("OFPT_SET_ASYNC", Form("1.3", 28, 24), Form("1.4+", 28, 0, 8))
NXT_SET_ASYNC_CONFIG = Kind("NXT_SET_ASYNC_CONFIG", Form("1.0+", 19, 24))
NXT_SET_ASYNC_CONFIG2 = Kind("NXT_SET_ASYNC_CONFIG2", Form("1.0-1.3", 27, 0, 8))
OFPT_METER_MOD = Kind("OFPT_METER_MOD", Form("1.3+", 29, 8, 8))
ONFT_ROLE_STATUS = Kind("ONFT_ROLE_STATUS", Form("1.3", 1911, 16, 8))
OFPT_ROLE_STATUS = Kind("OFPT_ROLE_STATUS", Form("1.4+", 30, 16, 8))
OFPT_TABLE_STATUS = Kind("OFPT_TABLE_STATUS", Form("1.4+", 31, 8, 8))
NXT_REQUESTFORWARD = Kind("NXT_REQUESTFORWARD", Form("1.0-1.2", 132, 8, 8))
ONFT_REQUESTFORWARD = Kind("ONFT_REQUESTFORWARD", Form("1.3", 2350, 8, 8))
OFPT_REQUESTFORWARD = Kind("OFPT_REQUESTFORWARD", Form("1.4+", 32, 8, 8))
OFPT_BUNDLE_CONTROL = Kind("OFPT_BUNDLE_CONTROL", Form("1.4+", 33, 8, 8))
ONFT_BUNDLE_CONTROL = Kind("ONFT_BUNDLE_CONTROL", Form("1.3", 2300, 8, 8))
OFPT_BUNDLE_ADD_MESSAGE = Kind("OFPT_BUNDLE_ADD_MESSAGE", Form("1.4+", 34, 8, 1))
ONFT_BUNDLE_ADD_MESSAGE = Kind("ONFT_BUNDLE_ADD_MESSAGE", Form("1.3", 2301, 8, 1))
OFPST_DESC_REQUEST = Kind("OFPST_DESC request", Form("1.0+", 0))
OFPST_DESC_REPLY = Kind("OFPST_DESC reply", Form("1.0+", 0, 1056))
OFPST_FLOW_REQUEST = Kind("OFPST_FLOW request", Form("1.0", 1, 44), Form("1.1+", 1, 32, 8))
NXST_FLOW_REQUEST = Kind("NXST_FLOW request", Form("1.0", 0, 8, 8))
OFPST_FLOW_REPLY = Kind("OFPST_FLOW reply", Form("1.0+", 1, 0, 1))
NXST_FLOW_REPLY = Kind("NXST_FLOW reply", Form("1.0", 0, 0, 1))
OFPST_AGGREGATE_REQUEST = Kind(
    "OFPST_AGGREGATE request", Form("1.0", 2, 44), Form("1.1+", 2, 32, 8)
)
NXST_AGGREGATE_REQUEST = Kind("NXST_AGGREGATE request", Form("1.0", 1, 8, 8))
OFPST_AGGREGATE_REPLY = Kind("OFPST_AGGREGATE reply", Form("1.0-1.4", 2, 24), Form("1.5", 2, 0, 1))
NXST_AGGREGATE_REPLY = Kind("NXST_AGGREGATE reply", Form("1.0", 1, 24))
OFPST_TABLE_REQUEST = Kind("OFPST_TABLE request", Form("1.0+", 3))
OFPST_TABLE_REPLY = Kind(
    "OFPST_TABLE reply",
    Form("1.0", 3, 0, 64),
    Form("1.1", 3, 0, 88),
    Form("1.2", 3, 0, 128),
    Form("1.3+", 3, 0, 24),
)
OFPST_PORT_REQUEST = Kind("OFPST_PORT request", Form("1.0+", 4, 8))
OFPST_PORT_REPLY = Kind(
    "OFPST_PORT reply", Form("1.0-1.2", 4, 0, 104), Form("1.3", 4, 0, 112), Form("1.4+", 4, 0, 8)
)
OFPST_QUEUE_REQUEST = Kind("OFPST_QUEUE request", Form("1.0+", 5, 8))
OFPST_QUEUE_REPLY = Kind(
    "OFPST_QUEUE reply", Form("1.0-1.2", 5, 0, 32), Form("1.3", 5, 0, 40), Form("1.4+", 5, 0, 8)
)
NXST_GROUP_REQUEST = Kind("NXST_GROUP request", Form("1.0", 7, 8))
OFPST_GROUP_REQUEST = Kind("OFPST_GROUP request", Form("1.1+", 6, 8))
NXST_GROUP_REPLY = Kind("NXST_GROUP reply", Form("1.0", 7, 0, 8))
OFPST_GROUP_REPLY = Kind("OFPST_GROUP reply", Form("1.1+", 6, 0, 8))
NXST_GROUP_DESC_REQUEST = Kind("NXST_GROUP_DESC request", Form("1.0", 8, 8))
OFPST_GROUP_DESC_REQUEST = Kind("OFPST_GROUP_DESC request", Form("1.1-1.4", 7), Form("1.5", 7, 8))
NXST_GROUP_DESC_REPLY = Kind("NXST_GROUP_DESC reply", Form("1.0", 8, 0, 8))
OFPST_GROUP_DESC_REPLY = Kind("OFPST_GROUP_DESC reply", Form("1.1+", 7, 0, 8))
NXST_GROUP_FEATURES_REQUEST = Kind("NXST_GROUP_FEATURES request", Form("1.0-1.1", 9))
OFPST_GROUP_FEATURES_REQUEST = Kind("OFPST_GROUP_FEATURES request", Form("1.2+", 8))
NXST_GROUP_FEATURES_REPLY = Kind("NXST_GROUP_FEATURES reply", Form("1.0-1.1", 9, 40))
OFPST_GROUP_FEATURES_REPLY = Kind("OFPST_GROUP_FEATURES reply", Form("1.2+", 8, 40))
OFPST_METER_REQUEST = Kind("OFPST_METER request", Form("1.3+", 9, 8))
OFPST_METER_REPLY = Kind("OFPST_METER reply", Form("1.3+", 9, 0, 8))
OFPST_METER_CONFIG_REQUEST = Kind("OFPST_METER_CONFIG request", Form("1.3+", 10, 8))
OFPST_METER_CONFIG_REPLY = Kind("OFPST_METER_CONFIG reply", Form("1.3+", 10, 0, 8))
OFPST_METER_FEATURES_REQUEST = Kind("OFPST_METER_FEATURES request", Form("1.3+", 11))
OFPST_METER_FEATURES_REPLY = Kind("OFPST_METER_FEATURES reply", Form("1.3+", 11, 16))
OFPST_TABLE_FEATURES_REQUEST = Kind("OFPST_TABLE_FEATURES request", Form("1.3+", 12, 0, 8))
OFPST_TABLE_FEATURES_REPLY = Kind("OFPST_TABLE_FEATURES reply", Form("1.3+", 12, 64, 8))
OFPST_TABLE_DESC_REQUEST = Kind("OFPST_TABLE_DESC request", Form("1.4+", 14))
OFPST_TABLE_DESC_REPLY = Kind("OFPST_TABLE_DESC reply", Form("1.4+", 14, 8, 8))
OFPST_PORT_DESC_REQUEST = Kind("OFPST_PORT_DESC request", Form("1.0-1.4", 13), Form("1.5", 13, 8))
OFPST_PORT_DESC_REPLY = Kind(
    "OFPST_PORT_DESC reply",
    Form("1.0", 13, 0, 48),
    Form("1.1-1.3", 13, 0, 64),
    Form("1.4+", 13, 0, 8),
)
OFPST_QUEUE_DESC_REQUEST = Kind("OFPST_QUEUE_DESC request", Form("1.4+", 15, 8))
OFPST_QUEUE_DESC_REPLY = Kind("OFPST_QUEUE_DESC reply", Form("1.4+", 15, 0, 8))
OFPST_FLOW_MONITOR_REQUEST = Kind("OFPST_FLOW_MONITOR request", Form("1.4+", 16, 0, 8))
ONFST_FLOW_MONITOR_REQUEST = Kind("ONFST_FLOW_MONITOR request", Form("1.3", 1870, 0, 8))
NXST_FLOW_MONITOR_REQUEST = Kind("NXST_FLOW_MONITOR request", Form("1.0-1.2", 2, 0, 8))
OFPST_FLOW_MONITOR_REPLY = Kind("OFPST_FLOW_MONITOR reply", Form("1.4+", 16, 0, 8))
ONFST_FLOW_MONITOR_REPLY = Kind("ONFST_FLOW_MONITOR reply", Form("1.3", 1870, 0, 8))
NXST_FLOW_MONITOR_REPLY = Kind("NXST_FLOW_MONITOR reply", Form("1.0-1.2", 2, 0, 8))
ONFT_FLOW_MONITOR_CANCEL = Kind("ONFT_FLOW_MONITOR_CANCEL", Form("1.3", 1870, 4))
NXT_FLOW_MONITOR_CANCEL = Kind("NXT_FLOW_MONITOR_CANCEL", Form("1.0-1.2", 21, 4))
ONFT_FLOW_MONITOR_PAUSED = Kind("ONFT_FLOW_MONITOR_PAUSED", Form("1.3", 1871))
NXT_FLOW_MONITOR_PAUSED = Kind("NXT_FLOW_MONITOR_PAUSED", Form("1.0-1.2", 22))
ONFT_FLOW_MONITOR_RESUMED = Kind("ONFT_FLOW_MONITOR_RESUMED", Form("1.3", 1872))
NXT_FLOW_MONITOR_RESUMED = Kind("NXT_FLOW_MONITOR_RESUMED", Form("1.0-1.2", 23))
NXT_SET_FLOW_FORMAT = Kind("NXT_SET_FLOW_FORMAT", Form("1.0", 12, 4))
NXT_FLOW_MOD_TABLE_ID = Kind("NXT_FLOW_MOD_TABLE_ID", Form("1.0+", 15, 8))
NXT_SET_PACKET_IN_FORMAT = Kind("NXT_SET_PACKET_IN_FORMAT", Form("1.0+", 16, 4))
NXT_FLOW_AGE = Kind("NXT_FLOW_AGE", Form("1.0+", 18))
NXT_SET_CONTROLLER_ID = Kind("NXT_SET_CONTROLLER_ID", Form("1.0+", 20, 8))
NXT_TLV_TABLE_MOD = Kind("NXT_TLV_TABLE_MOD", Form("1.0+", 24, 8, 8))
NXT_TLV_TABLE_REQUEST = Kind("NXT_TLV_TABLE_REQUEST", Form("1.0+", 25))
NXT_TLV_TABLE_REPLY = Kind("NXT_TLV_TABLE_REPLY", Form("1.0+", 26, 16, 8))
NXT_RESUME = Kind("NXT_RESUME", Form("1.0+", 28, 0, 8))
NXT_CT_FLUSH_ZONE = Kind("NXT_CT_FLUSH_ZONE", Form("1.0+", 29, 8))
NXT_CT_FLUSH = Kind("NXT_CT_FLUSH", Form("1.0+", 32, 8, 8))
NXST_IPFIX_BRIDGE_REQUEST = Kind("NXST_IPFIX_BRIDGE request", Form("1.0+", 3))
NXST_IPFIX_BRIDGE_REPLY = Kind("NXST_IPFIX_BRIDGE reply", Form("1.0+", 3, 88))
NXST_IPFIX_FLOW_REQUEST = Kind("NXST_IPFIX_FLOW request", Form("1.0+", 4))
NXST_IPFIX_FLOW_REPLY = Kind("NXST_IPFIX_FLOW reply", Form("1.0+", 4, 0, 88))

KINDS: tuple[Kind, ...] = tuple(value for value in globals().values() if isinstance(value, Kind))

_LOG = "ofp_msgs"
_MORE = 1
_MOST_BYTES = 0xFFFF
_FLAGS = struct.Struct("!H")
_FLAGS_OFFSET = HEADER_BYTES + 2
_PAIR = struct.Struct("!II")
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
_REPLIES = {
    kind: next(reply for reply in KINDS if reply.name == kind.name.replace("request", "reply"))
    for kind in KINDS
    if kind.name.endswith(" request")
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


def reply_to(request: Kind) -> Kind:
    """What answers a multipart request."""
    return _REPLIES[request]


def pack(kind: Kind, version: int, xid: int, body: bytes = b"") -> bytes:
    """A message. ``kind`` must exist in the version."""
    numbering = kind.numberings[version]
    return encode(version, numbering.type, xid, numbering.prefix + body)


def pack_multipart(kind: Kind, version: int, xid: int, entries: Iterable[bytes]) -> list[bytes]:
    """A multipart message in as many parts as it takes; all but the last say that more follow.

    No entry is divided.
    """
    numbering = kind.numberings[version]
    room_bytes = room_for_entries(kind, version)
    bodies: list[bytes] = []
    body: list[bytes] = []
    n_bytes = 0
    for entry in entries:
        if n_bytes + len(entry) > room_bytes:
            bodies.append(b"".join(body))
            body, n_bytes = [], 0
        body.append(entry)
        n_bytes += len(entry)
    more = _with_more(numbering.prefix)
    parts = [encode(version, numbering.type, xid, more + full) for full in bodies]
    return [*parts, encode(version, numbering.type, xid, numbering.prefix + b"".join(body))]


def room_for_entries(kind: Kind, version: int) -> int:
    """How many bytes of entries fit into one part of a multipart message."""
    return _MOST_BYTES - kind.numberings[version].offset


def is_multipart_request(message: Message) -> bool:
    """Whether it is one, known or not."""
    return message.type == multipart_types(message.version)[0]


def has_more(message: Message) -> bool:
    """Whether further parts of a multipart message follow."""
    flags: int = _FLAGS.unpack_from(message.raw, _FLAGS_OFFSET)[0]
    return bool(flags & _MORE)


def _with_more(prefix: bytes) -> bytes:
    return prefix[:2] + _FLAGS.pack(_MORE) + prefix[4:]


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
