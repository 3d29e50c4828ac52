"""Frames of every kind that a switch reads, put together header by header, and faulty ones."""

from __future__ import annotations

from random import Random

MACS = bytes.fromhex("020000000002020000000001")
"""Destination and source."""
IPV4_PAIR = bytes((10, 0, 0, 1, 10, 0, 0, 2))
IPV6_PAIR = bytes.fromhex("fe80" + 27 * "0" + "1" + "ff02" + 27 * "0" + "2")

TCP = bytes.fromhex("3039005000000001000000005012ffff00000000")
TCP_WITH_OPTION = bytes.fromhex("3039005000000001000000006002ffff00000000020405b4")
UDP = bytes.fromhex("00351234000c000001020304")
SCTP = bytes.fromhex("000900080000000000000000")
ICMP = bytes.fromhex("0800000000010002")
IGMP = bytes.fromhex("16000000e0010203")
ARP = bytes.fromhex("00010800060400010200000000070a0000010200000000080a000002")
NSH = bytes.fromhex("0fc60103000007c800000001000000020000000300000004")
ND_TARGET = bytes.fromhex("fe80" + 27 * "0" + "9")
SOURCE_LINK = bytes.fromhex("0101020000000007")
TARGET_LINK = bytes.fromhex("0201020000000008")
SNAP = bytes.fromhex("aaaa03000000")


def ethernet(ether_type: int, payload: bytes = b"", tags: bytes = b"") -> bytes:
    """A frame; ``tags`` stand before the type."""
    return MACS + tags + ether_type.to_bytes(2, "big") + payload


def tag(vid: int, pcp: int = 0, tpid: int = 0x8100) -> bytes:
    """A VLAN tag, without the bit that a flow has set."""
    return tpid.to_bytes(2, "big") + (pcp << 13 | vid).to_bytes(2, "big")


def ipv4(
    protocol: int, payload: bytes = b"", *, options: bytes = b"", fragment: int = 0, more: int = 0
) -> bytes:
    """A packet; ``more`` is added to its total length."""
    header_bytes = 20 + len(options)
    head = bytes((0x40 | header_bytes // 4, 0x17))
    head += (header_bytes + len(payload) + more).to_bytes(2, "big")
    head += bytes(2) + fragment.to_bytes(2, "big") + bytes((33, protocol)) + bytes(2)
    return head + IPV4_PAIR + options + payload


def ipv6(next_header: int, payload: bytes = b"", *, more: int = 0) -> bytes:
    """A packet; ``more`` is added to its payload's length."""
    head = bytes.fromhex("65a12345") + (len(payload) + more).to_bytes(2, "big")
    return head + bytes((next_header, 44)) + IPV6_PAIR + payload


def option_header(next_header: int, units: int = 0) -> bytes:
    """An extension header of IPv6 with options or a route."""
    return bytes((next_header, units)) + bytes(6 + 8 * units)


def fragment_header(next_header: int, word: int) -> bytes:
    """An extension header for fragments; ``word`` has the offset, and whether more follow."""
    return bytes((next_header, 0)) + word.to_bytes(2, "big") + bytes(4)


def authentication_header(next_header: int) -> bytes:
    """An extension header whose length counts in words."""
    return bytes((next_header, 4)) + bytes(22)


def neighbor(kind: int, *options: bytes, code: int = 0) -> bytes:
    """A message of Neighbor Discovery."""
    return bytes((kind, code, 0, 0, 0x60, 0, 0, 1)) + ND_TARGET + b"".join(options)


def label(number: int, bottom: int) -> bytes:
    """A label stack entry."""
    return (number << 12 | 5 << 9 | bottom << 8 | 64).to_bytes(4, "big")


_TRANSPORTS = (
    (6, TCP),
    (6, TCP_WITH_OPTION),
    (17, UDP),
    (132, SCTP),
    (1, ICMP),
    (2, IGMP),
    (99, TCP),
)
_TAGS = (b"", tag(5, 3), tag(9, 1, 0x88A8) + tag(7), tag(1) + tag(2) + tag(3))


def _network_packets() -> list[tuple[int, bytes]]:
    packets = []
    for protocol, payload in _TRANSPORTS:
        chain = option_header(60) + option_header(43, 1) + option_header(protocol)
        packets += [
            (0x0800, ipv4(protocol, payload)),
            (0x0800, ipv4(protocol, payload, options=b"\x94\x04\0\0")),
            (0x0800, ipv4(protocol, payload, fragment=0x2000)),
            (0x0800, ipv4(protocol, payload, fragment=0x0007)),
            (0x86DD, ipv6(protocol, payload)),
            (
                0x86DD,
                ipv6(0, chain + payload),
            ),
            (0x86DD, ipv6(44, fragment_header(protocol, 0x0001) + payload)),
            (0x86DD, ipv6(44, fragment_header(protocol, 0x0048) + payload)),
            (0x86DD, ipv6(51, authentication_header(protocol) + payload)),
        ]
    solicit, advert = 135, 136
    for message in (
        neighbor(solicit),
        neighbor(solicit, SOURCE_LINK),
        neighbor(advert, TARGET_LINK, SOURCE_LINK),
        neighbor(solicit, SOURCE_LINK, SOURCE_LINK),
        neighbor(solicit, b"\x05\x01" + bytes(6), TARGET_LINK),
        neighbor(advert, code=1),
        neighbor(133, SOURCE_LINK),
    ):
        packets += [(0x86DD, ipv6(58, message)), (0x0800, ipv4(58, message))]
    packets += [(0x0806, ARP), (0x8035, ARP), (0x894F, NSH + bytes(20)), (0x1234, bytes(46))]
    for labels in range(1, 6):
        stack = b"".join(label(100 + n, n == labels - 1) for n in range(labels))
        packets += [(0x8847, stack + ipv4(6, TCP)), (0x8848, stack)]
    return packets


def _frames() -> list[bytes]:
    frames = [
        ethernet(ether_type, packet, tags)
        for ether_type, packet in _network_packets()
        for tags in _TAGS
    ]
    frames += [
        ethernet(0x0026, bytes.fromhex("424203") + bytes(35)),
        ethernet(0x0040, SNAP + b"\x08\x00" + ipv4(17, UDP)),
        ethernet(0x0040, SNAP + b"\x00\x20" + bytes(20)),
        ethernet(0x0040, b"\xaa\xaa\x03\x00\x00\x0c\x20\x00" + bytes(20)),
    ]
    return frames


FRAMES: tuple[bytes, ...] = tuple(_frames())

_TELLING_BYTES = bytes.fromhex("00010203040506081114202b2c333a3c8487884546608188a84748ff7f800f")


def mutated(random: Random) -> bytes:
    """A frame with up to five faults: bits, bytes, runs lost or put in, an end cut off."""
    frame = bytearray(random.choice(FRAMES))
    for _ in range(random.choice((1, 1, 1, 2, 3, 5))):
        # Headers stand in front, so most faults do.
        at = min(int(random.expovariate(1 / 30)), len(frame) - 1)
        fault = random.randrange(7)
        if fault == 0:
            frame[at] = random.choice(_TELLING_BYTES)
        elif fault == 1:
            frame[at] ^= 1 << random.randrange(8)
        elif fault == 2:
            del frame[random.randrange(1, len(frame) + 1) :]
        elif fault == 3:
            frame += bytes(random.randrange(1, 60))
        elif fault == 4:
            del frame[at : at + random.choice((1, 2, 4, 8))]
        elif fault == 5:
            frame[at:at] = random.randbytes(random.choice((1, 2, 4, 8)))
        else:
            frame[at] = random.randrange(256)
        if not frame:
            return b"\0"
    return bytes(frame)
