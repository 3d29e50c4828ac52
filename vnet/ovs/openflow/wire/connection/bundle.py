"""Bundles, of 1.4 and ONF's for 1.3."""

from __future__ import annotations

import struct
from typing import NamedTuple

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import BundleControl, BundleFlags
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.message import HEADER_BYTES, Message
from vnet.ovs.openflow.wire.recognition import kind_of

_CONTROL = struct.Struct("!IHH")
_ADD = struct.Struct("!I2xH")
_HEADER = struct.Struct("!BBHI")

BUNDLEABLE = frozenset(
    (
        *(kinds.OFPT_PORT_MOD, kinds.OFPT_FLOW_MOD, kinds.NXT_FLOW_MOD),
        *(kinds.OFPT_GROUP_MOD, kinds.NXT_GROUP_MOD, kinds.OFPT_PACKET_OUT),
    )
)
"""What may stand in a bundle."""


class BundleAdd(NamedTuple):
    """OFPT_BUNDLE_ADD_MESSAGE: what is to be done with the others of its bundle."""

    bundle_id: int
    flags: BundleFlags
    message: Message


def encode_bundle_control(control: BundleControl) -> bytes:
    """The body of an OFPT_BUNDLE_CONTROL."""
    return _CONTROL.pack(control.bundle_id, control.type, control.flags)


def decode_bundle_control(body: bytes) -> BundleControl:
    """The other way round; properties say nothing."""
    bundle_id, kind, flags = _CONTROL.unpack_from(body)
    return BundleControl(bundle_id, kind, BundleFlags(flags))


def encode_bundle_add(add: BundleAdd) -> bytes:
    """The body of an OFPT_BUNDLE_ADD_MESSAGE, whose xid must be that of the message in it."""
    return _ADD.pack(add.bundle_id, add.flags) + add.message.raw


def decode_bundle_add(outer: Message, offset: int) -> BundleAdd:
    """The other way round, ``offset`` being where the body starts. Raises :class:`OpenFlowError`;
    what the message in it says is for others to judge."""
    bundle_id, flags = _ADD.unpack_from(outer.raw, offset)
    inner = inner_message(outer.raw, offset + _ADD.size, outer.version, "OFPBFC_BAD_VERSION")
    if inner.xid != outer.xid:
        raise OpenFlowError("OFPBFC_MSG_BAD_XID")
    try:
        kind, _ = kind_of(inner)
    except OpenFlowError as error:
        text = f"OFPT14_BUNDLE_ADD_MESSAGE contained message is unparsable ({error.name})"
        raise OpenFlowError("OFPBFC_MSG_UNSUP", warning=("ofp_bundle", text)) from None
    if kind not in BUNDLEABLE:
        text = f"{kind.name} message not allowed inside OFPT14_BUNDLE_ADD_MESSAGE"
        raise OpenFlowError("OFPBFC_MSG_UNSUP", warning=("ofp_bundle", text))
    return BundleAdd(bundle_id, BundleFlags(flags), inner)


def inner_message(data: bytes, offset: int, version: int, bad_version: str) -> Message:
    """The message that stands in another, of the same version. Raises :class:`OpenFlowError`."""
    if len(data) - offset < HEADER_BYTES:
        raise OpenFlowError("OFPBFC_MSG_BAD_LEN")
    inner_version, kind, n_bytes, xid = _HEADER.unpack_from(data, offset)
    if inner_version != version:
        raise OpenFlowError(bad_version)
    if not HEADER_BYTES <= n_bytes <= len(data) - offset:
        raise OpenFlowError("OFPBFC_MSG_BAD_LEN")
    return Message(inner_version, kind, xid, bytes(data[offset : offset + n_bytes]))
