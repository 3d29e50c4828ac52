"""Bytes to Scapy packets, with every layer that vnet speaks loaded.

Importing ``scapy.all`` takes a second and opens the host's interfaces; the few layers named
here take a fifth of that and touch nothing.
"""

from __future__ import annotations

from typing import Any

import scapy.layers.inet
import scapy.layers.inet6  # noqa: F401
from scapy.layers.l2 import Ether

from vnet.guest.scapy_time import timestamp


def dissect(data: bytes, time_ns: int, first_layer: Any = Ether) -> Any:
    """The frame as a Scapy packet, stamped with its time in seconds since 1970.

    Rebuilding it gives ``data`` again: nothing is recomputed that was not touched. ``first_layer``
    is the class that it begins with.
    """
    packet = first_layer(data)
    packet.time = timestamp(time_ns)
    return packet
