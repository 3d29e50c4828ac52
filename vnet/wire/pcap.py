"""pcap capture files (draft-ietf-opsawg-pcap): one link type, no names, no directions.

    file   | magic 4 | major 2 | minor 2 | 0 4 | 0 4 | snap length 4 | link type 4 |
    record | seconds 4 | fraction 4 | captured 4 | original 4 | data |

Written little endian with nanosecond fractions; either byte order and microseconds
are read too. Where there is a choice, :mod:`vnet.wire.pcapng` says more.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import BinaryIO

from vnet.base.units import NS_PER_S
from vnet.wire.pcapng import LINK_ETHERNET, Interface, Packet

_MAGIC_US = 0xA1B2C3D4
_MAGIC_NS = 0xA1B23C4D
_MOST_BYTES = 262_144
"""A longer record is damage, to us as to libpcap: memory for it is never asked for."""

_FILE = struct.Struct("<IHHIIII")
_RECORD = struct.Struct("<IIII")


class PcapWriter:
    """Writes to a binary stream, which the caller opens, flushes and closes.

    Frames longer than ``snaplen`` bytes are cut. Times, nanoseconds since 1970, must
    fit 32 bits of seconds, or ``ValueError`` is raised.
    """

    __slots__ = ("_snap_bytes", "_stream")

    def __init__(
        self, stream: BinaryIO, link_type: int = LINK_ETHERNET, snaplen: int = 262_144
    ) -> None:
        self._stream = stream
        self._snap_bytes = snaplen
        stream.write(_FILE.pack(_MAGIC_NS, 2, 4, 0, 0, snaplen, link_type))

    def write(self, time_ns: int, data: bytes) -> None:
        """Write one frame."""
        self.write_batch(((time_ns, data, False),))

    def write_batch(self, frames: Iterable[tuple[int, bytes, bool]]) -> None:
        """Write frames given as for pcapng, ``(time_ns, data, outbound)``, in one write.

        The direction finds no place in this format. After an error nothing of the batch
        was written.
        """
        blocks: list[bytes] = []
        snap_bytes = self._snap_bytes
        pack = _RECORD.pack
        for time_ns, data, _ in frames:
            seconds, fraction_ns = divmod(time_ns, NS_PER_S)
            original_bytes = len(data)
            kept = data if original_bytes <= snap_bytes else data[:snap_bytes]
            try:
                blocks += pack(seconds, fraction_ns, len(kept), original_bytes), kept
            except struct.error:
                raise ValueError(f"{time_ns} ns is no time that a pcap file can hold") from None
        self._stream.write(b"".join(blocks))


def read_pcap(source: bytes | BinaryIO, *, strict: bool = False) -> Iterator[Packet]:
    """The packets of a capture, in file order; their interface has no name.

    A file that was cut off gives its whole records and ends there; ``strict`` makes that
    an error. Raises ``ValueError`` where the file is not pcap, or a record of it cannot be true.
    """
    stream = BytesIO(source) if isinstance(source, bytes) else source
    head = stream.read(_FILE.size)
    if len(head) < 4 or (order_and_scale := _FLAVOURS.get(head[:4])) is None:
        raise ValueError("not a pcap file: it does not start with the magic number")
    order, ns_per_unit = order_and_scale
    if len(head) < _FILE.size:
        if strict:
            raise ValueError("the file ends inside its header")
        return
    interface = Interface("", struct.unpack_from(order + "I", head, 20)[0] & 0x0FFFFFFF)
    record = struct.Struct(order + "IIII")
    offset = _FILE.size
    while head := stream.read(record.size):
        if len(head) == record.size:
            seconds, fraction, kept_bytes, original_bytes = record.unpack(head)
            if kept_bytes > _MOST_BYTES:
                raise ValueError(f"pcap record at offset {offset} has the length {kept_bytes}")
            data = stream.read(kept_bytes)
            if len(data) == kept_bytes:
                time_ns = seconds * NS_PER_S + fraction * ns_per_unit
                yield Packet(interface, time_ns, data, None, "", original_bytes)
                offset += record.size + kept_bytes
                continue
        if strict:
            raise ValueError(f"the file ends inside the pcap record at offset {offset}")
        return


_FLAVOURS = {
    struct.pack(order + "I", magic): (order, ns_per_unit)
    for order in "<>"
    for magic, ns_per_unit in ((_MAGIC_US, 1000), (_MAGIC_NS, 1))
}
