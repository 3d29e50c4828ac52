"""Refusals on the wire (OFPT_ERROR, section 7.5.4)."""

from __future__ import annotations

import struct

from vnet.ovs.openflow.wire.message import ERROR, Message, encode

_KIND = struct.Struct("!HH")

HELLO_FAILED_INCOMPATIBLE = (0, 0)
BAD_REQUEST_BAD_VERSION = (1, 0)
BAD_REQUEST_BAD_TYPE = (1, 1)

_QUOTED_BYTES = 64
"""At least as much of a refused message goes back (section 7.5.4), and OVS sends no more."""


def error(version: int, xid: int, kind: tuple[int, int], data: bytes) -> bytes:
    """An error with its type and code."""
    return encode(version, ERROR, xid, _KIND.pack(*kind) + data)


def refusal(message: Message, kind: tuple[int, int]) -> bytes:
    """What answers a message that is refused."""
    return error(message.version, message.xid, kind, message.raw[:_QUOTED_BYTES])
