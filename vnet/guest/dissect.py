"""Bytes to Scapy packets and back, with every layer that vnet speaks loaded.

Importing ``scapy.all`` takes a second and opens the host's interfaces; the few layers named
here take a fifth of that and touch nothing.
"""

from __future__ import annotations

import struct
from typing import Any

import scapy.layers.inet
import scapy.layers.inet6  # noqa: F401
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from vnet.base.errors import UsageError
from vnet.base.text import escaped
from vnet.guest.scapy_time import timestamp
from vnet.wire.ether import HEADER_BYTES


def dissect(data: bytes, time_ns: int, first_layer: Any = Ether) -> Any:
    """The frame as a Scapy packet, stamped with its time in seconds since 1970.

    Rebuilding it gives ``data`` again: nothing is recomputed that was not touched. ``first_layer``
    is the class that it begins with.
    """
    # Shorter than its header, a frame is no Ether that Scapy could read.
    whole = first_layer is not Ether or len(data) >= HEADER_BYTES
    packet = first_layer(data) if whole else Raw(data)
    packet.time = timestamp(time_ns)
    return packet


BUILD_ERRORS = (
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    TypeError,
    ValueError,
)
"""What Scapy raises for a value that does not fit its field; it has no family of its own."""


def build(packet: Any) -> bytes:
    """The bytes of a packet. Raises :class:`UsageError` where Scapy cannot build it."""
    try:
        return bytes(packet)
    except BUILD_ERRORS as error:
        reason = escaped(" ".join(str(error).split())[:200]) or type(error).__name__
        raise UsageError(f"{packet.__class__.__name__} cannot be built: {reason}") from None
