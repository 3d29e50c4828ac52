"""Requests of one controller that others are told of (OFPT_REQUESTFORWARD): the message itself."""

from __future__ import annotations

from vnet.ovs.openflow.wire.bundle import inner_message
from vnet.ovs.openflow.wire.message import Message


def decode_request_forward(outer: Message, offset: int) -> Message:
    """The request; the body of the message starts at ``offset``. Raises :class:`OpenFlowError`."""
    return inner_message(outer.raw, offset, outer.version, "OFPBRC_BAD_VERSION")
