"""Where a capture that was cut off can be ended, so that every reader takes it for whole.

A disk that is full takes the first part of what it is given, which seldom ends where a block
does. Both functions look at ``data``, whole blocks from the start of one, of which the first
``kept_bytes`` bytes came through, and say how many of those are whole blocks.
"""

from __future__ import annotations

from struct import Struct

_PCAPNG_BLOCK = Struct("<II")
_PCAP_RECORD = Struct("<IIII")


def whole_blocks_bytes(data: bytes, kept_bytes: int) -> int:
    """The length of the whole pcapng blocks (little endian, as written here)."""
    end = following = 0
    while following <= kept_bytes:
        end = following
        if end >= len(data):
            break
        _, total_bytes = _PCAPNG_BLOCK.unpack_from(data, end)
        following = end + total_bytes
    return end


def whole_records_bytes(data: bytes, kept_bytes: int) -> int:
    """The length of the whole pcap records, the file's header not among them."""
    end = following = 0
    while following <= kept_bytes:
        end = following
        if end >= len(data):
            break
        _, _, captured_bytes, _ = _PCAP_RECORD.unpack_from(data, end)
        following = end + _PCAP_RECORD.size + captured_bytes
    return end
