"""Where a capture that was cut off can be ended: at each of its bytes, after the last block."""

from __future__ import annotations

from io import BytesIO

from vnet.wire.cut import whole_blocks_bytes, whole_records_bytes
from vnet.wire.pcap import PcapWriter
from vnet.wire.pcapng import PcapngWriter

EPOCH_NS = 1_700_000_000_000_000_000
SIZES = (1, 60, 0, 77, 1514)


def pcapng() -> tuple[bytes, list[int]]:
    """Packet blocks, and the offsets at which one ends."""
    stream = BytesIO()
    writer = PcapngWriter(stream, application="vnet")
    writer.add_interface("vm1:eth0")
    start = stream.tell()
    ends = [0]
    for size in SIZES:
        writer.write(0, EPOCH_NS, bytes(size), outbound=None, comment="odd" * (size % 3))
        ends.append(stream.tell() - start)
    return stream.getvalue()[start:], ends


def pcap() -> tuple[bytes, list[int]]:
    stream = BytesIO()
    writer = PcapWriter(stream)
    start = stream.tell()
    ends = [0]
    for size in SIZES:
        writer.write(EPOCH_NS, bytes(size))
        ends.append(stream.tell() - start)
    return stream.getvalue()[start:], ends


def test_pcapng_is_cut_after_the_last_whole_block() -> None:
    data, ends = pcapng()
    for kept_bytes in range(len(data) + 1):
        whole_bytes = max(end for end in ends if end <= kept_bytes)
        assert whole_blocks_bytes(data, kept_bytes) == whole_bytes


def test_pcap_is_cut_after_the_last_whole_record() -> None:
    data, ends = pcap()
    for kept_bytes in range(len(data) + 1):
        whole_bytes = max(end for end in ends if end <= kept_bytes)
        assert whole_records_bytes(data, kept_bytes) == whole_bytes
