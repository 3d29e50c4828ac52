"""Whether checksums hold, as tracking asks it of packets that came in."""

from __future__ import annotations

from vnet.tables.conntrack.linux.segment import Segment
from vnet.wire.checksum import checksum, transport_holds


def transport_is_whole(segment: Segment) -> bool:
    """Whether the checksum over addresses and segment holds."""
    data, family, protocol, at = segment
    if family == 4:
        return transport_holds(data[12:16], data[16:20], protocol, data[at:])
    return transport_holds(data[8:24], data[24:40], protocol, data[at:])


def message_is_whole(segment: Segment) -> bool:
    """Whether an ICMP message's checksum holds, that of IPv6 with its addresses."""
    if segment.family == 6:
        return transport_is_whole(segment)
    return checksum(segment.data[segment.at :]) == 0
