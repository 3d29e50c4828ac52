"""The yardstick: the plainest forwarding path that is still honest work.

For each frame: a key straight from its bytes, one dictionary look-up, the flow's
statistics, then its actions (set_eth_dst, dec_ttl with an incremental checksum,
output) as objects. 100 flows, 128-byte UDP frames. Nothing of vnet is in it, so that
it measures the same whatever becomes of vnet: do not make it faster, or every recorded
ratio changes its meaning.
"""

from __future__ import annotations

import struct

from benchmarks.harness import Work

FLOWS = 100
FRAME_BYTES = 128
FRAMES = 100_000

_KEY = struct.Struct("!16s4x4s2x12s")
"""MACs, type, version and TOS; flags, TTL and protocol; addresses and ports. Left out are
length, identification and checksum, which differ from frame to frame of one flow."""

Key = tuple[bytes, ...]


class SetEthDst:
    __slots__ = ("_mac",)

    def __init__(self, mac: bytes) -> None:
        self._mac = mac

    def apply(self, data: bytes) -> bytes:
        return self._mac + data[6:]


class DecTtl:
    __slots__ = ()

    def apply(self, data: bytes) -> bytes:
        # One less in the high byte of a word is 0x0100 more in the checksum (RFC 1624).
        check = (data[24] << 8 | data[25]) + 0x0100
        check = (check & 0xFFFF) + (check >> 16)
        ttl = bytes((data[22] - 1, data[23], check >> 8, check & 0xFF))
        return data[:22] + ttl + data[26:]


class Output:
    __slots__ = ("_queue",)

    def __init__(self, queue: list[bytes]) -> None:
        self._queue = queue

    def apply(self, data: bytes) -> bytes:
        self._queue.append(data)
        return data


Action = SetEthDst | DecTtl | Output


class Flow:
    __slots__ = ("actions", "bytes", "packets")

    def __init__(self, actions: tuple[Action, ...]) -> None:
        self.actions = actions
        self.packets = 0
        self.bytes = 0


def forward(flows: dict[Key, Flow], frames: list[bytes]) -> None:
    """The hot path itself."""
    unpack = _KEY.unpack_from
    for data in frames:
        flow = flows[unpack(data)]
        flow.packets += 1
        flow.bytes += len(data)
        for action in flow.actions:
            data = action.apply(data)


def udp_frame(number: int) -> bytes:
    """A frame of flow ``number`` (below 65,536), with right IPv4 checksum and none in UDP."""
    macs = bytes.fromhex("02000000ff01 020000000001")
    host = number.to_bytes(2, "big")
    source, target = b"\x0a\x00" + host, b"\x0a\x01" + host
    fields = (0x4500, FRAME_BYTES - 14, number, 0, 64, 17)
    total = sum(struct.unpack("!10H", struct.pack("!HHHHBBH4s4s", *fields, 0, source, target)))
    total = (total & 0xFFFF) + (total >> 16)
    check = 0xFFFF - (total & 0xFFFF) - (total >> 16)
    header: bytes = struct.pack("!HHHHBBH4s4s", *fields, check, source, target)
    udp = struct.pack("!HHHH", 1024 + number % 50_000, 4789, FRAME_BYTES - 34, 0)
    return (macs + b"\x08\x00" + header + udp).ljust(FRAME_BYTES, b"\xa5")


def hot_path() -> Work:
    """A :data:`~benchmarks.harness.Setup`: the yardstick of whatever forwards frames."""
    ports: list[list[bytes]] = [[] for _ in range(4)]
    samples = [udp_frame(number) for number in range(FLOWS)]
    flows = {
        _KEY.unpack_from(data): Flow(
            (
                SetEthDst(bytes((2, 0, 0, 0, 1, number))),
                DecTtl(),
                Output(ports[number % len(ports)]),
            )
        )
        for number, data in enumerate(samples)
    }
    frames = samples * (FRAMES // FLOWS)

    def work() -> int:
        forward(flows, frames)
        return len(frames)

    return work
