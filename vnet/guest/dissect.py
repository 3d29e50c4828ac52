"""Bytes to Scapy packets and back, with every layer that vnet speaks loaded.

Importing ``scapy.all`` takes a second and opens the host's interfaces; the few layers named
here take a fifth of that and touch nothing.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Any

from scapy.layers.inet import IPerror
from scapy.layers.inet6 import IPerror6
from scapy.layers.l2 import Ether
from scapy.packet import Padding, Raw

from vnet.base.errors import UsageError
from vnet.base.text import escaped
from vnet.guest.scapy_time import timestamp
from vnet.wire.ether import HEADER_BYTES

_ICMP_HEADER_BYTES = 8
"""Of either version, up to the packet that an error quotes."""


def dissect(data: bytes, time_ns: int, first_layer: Any = Ether) -> Any:
    """The frame as a Scapy packet, stamped with its time in seconds since 1970.

    Rebuilding it gives ``data`` again: nothing is recomputed that was not touched. ``first_layer``
    is the class that it begins with.
    """
    # Shorter than its header, a frame is no Ether that Scapy could read.
    whole = first_layer is not Ether or len(data) >= HEADER_BYTES
    packet = first_layer(data) if whole else Raw(data)
    if bytes(packet) != data:
        quoted = packet.getlayer(IPerror) or packet.getlayer(IPerror6)
        if quoted is not None:
            _leave_unread(packet, quoted.underlayer, data)
        packet = _cut_back(packet, data)
    packet.time = timestamp(time_ns)
    return packet


def _leave_unread(packet: Any, error: Any, data: bytes) -> None:
    """Make what an ICMP error in ``packet`` quotes a ``Raw``.

    Where the quoted packet is shorter, by its own account, than what is quoted of it, Scapy
    takes the rest for padding or for an extension (RFC 4884), and writes it elsewhere.
    """
    message = error.original
    carrier = error.underlayer
    carrier.remove_payload()
    carrier.add_payload(type(error)(message[:_ICMP_HEADER_BYTES]))
    carrier.add_payload(Raw(message[_ICMP_HEADER_BYTES:]))
    behind = data[len(bytes(packet)) :]
    if behind:
        carrier.add_payload(Padding(behind))


def _cut_back(packet: Any, data: bytes) -> Any:
    """The packet without its innermost layers, as far as Scapy cannot write them as it read them.

    What it read in IGMP, for one, it mends on the way, in the IP header before it, too.
    """
    layers = [packet]
    while layers[-1].payload:
        layers.append(layers[-1].payload)
    for carrier, layer in reversed(list(pairwise(layers))):
        if bytes(packet) == data:
            break
        carrier.remove_payload()
        carrier.add_payload(Raw(layer.original))
    return packet if bytes(packet) == data else Raw(data)


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
        what = f"{packet.__class__.__name__} cannot be built: {build_reason(error)}"
        raise UsageError(what) from None


def build_reason(error: Exception) -> str:
    """What Scapy says of a value, without its advice on how to get past the check."""
    said = " ".join(str(error).split()).partition(" To inject bytes")[0]
    return escaped(said[:200]) or type(error).__name__
