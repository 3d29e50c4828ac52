"""A packet in the words of the kernel's log (net/netfilter/nf_log_syslog.c)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntFlag

from vnet.base.ids import ip_text, mac_text
from vnet.linux.netfilter.packet import NfPacket
from vnet.wire import ipv4

_FRAGMENT_BITS = ((0x8000, "CE"), (0x4000, "DF"), (0x2000, "MF"))
_TCP_BITS = (
    *((0x80, "CWR"), (0x40, "ECE"), (0x20, "URG"), (0x10, "ACK")),
    *((0x08, "PSH"), (0x04, "RST"), (0x02, "SYN"), (0x01, "FIN")),
)
_ECHO4, _WITH_PACKET4 = (0, 8), (3, 4, 5, 11)
_ICMP_HEAD_BYTES = 8
_ICMP_BYTES = {0: 8, 8: 8, 13: 20, 14: 20, 12: 8, 5: 28, 3: 28, 4: 28, 11: 28}
"""What a message of a type has at least, from its header on."""


class LogFlags(IntFlag):
    """What is said besides; the numbers are those of ``--log-...`` (XT_LOG_*)."""

    TCP_SEQUENCE = 1
    TCP_OPTIONS = 2
    IP_OPTIONS = 4
    UID = 8
    MAC_DECODE = 32
    ALL = 0x2F


def log_line(packet: NfPacket, prefix: str, flags: LogFlags) -> str:
    """One line, with the blank at its end."""
    parts = [prefix + _devices(packet)]
    if packet.entered is not None:
        parts.append(_mac(packet, flags))
    dump = dump4 if packet.family == 4 else dump6
    parts += dump(packet.data, flags)
    if packet.mark:
        parts.append(f"MARK={packet.mark:#x}")
    return "".join(f"{part} " for part in parts)


def _devices(packet: NfPacket) -> str:
    entered, leaves = packet.entered, packet.leaves
    text = f"IN={entered.name if entered else ''} OUT={leaves.name if leaves else ''}"
    if packet.bridge_entered is not None and packet.bridge_entered is not entered:
        text += f" PHYSIN={packet.bridge_entered.name}"
    if packet.bridge_leaves is not None:
        text += f" PHYSOUT={packet.bridge_leaves.name}"
    return text


def _mac(packet: NfPacket, flags: LogFlags) -> str:
    header = packet.frame.data[:14] if packet.frame else b""
    if not flags & LogFlags.MAC_DECODE:
        return f"MAC={header.hex(':')}"
    source, target = mac_text(header[6:12]), mac_text(header[:6])
    return f"MACSRC={source} MACDST={target} MACPROTO={header[12:14].hex()}"


def dump4(data: bytes, flags: LogFlags, *, inner: bool = False) -> Iterator[str]:
    """The IPv4 packet; ``inner`` is one that an ICMP error quotes."""
    if len(data) < ipv4.HEADER_BYTES:
        yield "TRUNCATED"
        return
    header_bytes = (data[0] & 0x0F) * 4
    fragment = data[6] << 8 | data[7]
    yield f"SRC={ip_text(data[12:16])} DST={ip_text(data[16:20])}"
    yield f"LEN={data[2] << 8 | data[3]} TOS=0x{data[1] & 0x1E:02X} PREC=0x{data[1] & 0xE0:02X}"
    yield f"TTL={data[8]} ID={data[4] << 8 | data[5]}"
    yield from (name for bit, name in _FRAGMENT_BITS if fragment & bit)
    offset = fragment & ipv4.OFFSET_MASK
    if offset:
        yield f"FRAG:{offset}"
    if flags & LogFlags.IP_OPTIONS and header_bytes > ipv4.HEADER_BYTES:
        yield f"OPT ({data[20:header_bytes].hex().upper()})"
    yield from _transport4(data[9], data[header_bytes:], offset, flags, inner=inner)


def _transport4(
    protocol: int, segment: bytes, offset: int, flags: LogFlags, *, inner: bool
) -> Iterator[str]:
    if protocol == 6:
        yield from _tcp(segment, offset, flags)
    elif protocol in (17, 136):
        yield from _udp(protocol, segment, offset)
    elif protocol == 1:
        yield from _icmp(segment, offset, flags, inner=inner)
    elif protocol in (50, 51):
        yield from _ipsec(protocol, segment, offset)
    else:
        yield f"PROTO={protocol}"


def _tcp(segment: bytes, offset: int, flags: LogFlags) -> Iterator[str]:
    yield "PROTO=TCP"
    if offset:
        return
    if len(segment) < 20:
        yield f"INCOMPLETE [{len(segment)} bytes]"
        return
    yield _ports(segment)
    if flags & LogFlags.TCP_SEQUENCE:
        sequence, acknowledged = segment[4:8], segment[8:12]
        yield f"SEQ={int.from_bytes(sequence, 'big')} ACK={int.from_bytes(acknowledged, 'big')}"
    yield f"WINDOW={segment[14] << 8 | segment[15]} RES=0x{(segment[12] & 0x0F) << 2:02x}"
    yield from (name for bit, name in _TCP_BITS if segment[13] & bit)
    yield f"URGP={segment[18] << 8 | segment[19]}"
    options = segment[20 : (segment[12] >> 4) * 4]
    if flags & LogFlags.TCP_OPTIONS and options:
        yield f"OPT ({options.hex().upper()})"


def _ports(segment: bytes) -> str:
    return f"SPT={segment[0] << 8 | segment[1]} DPT={segment[2] << 8 | segment[3]}"


def _udp(protocol: int, segment: bytes, offset: int) -> Iterator[str]:
    yield "PROTO=UDP" if protocol == 17 else "PROTO=UDPLITE"
    if offset:
        return
    if len(segment) < 8:
        yield f"INCOMPLETE [{len(segment)} bytes]"
        return
    yield f"{_ports(segment)} LEN={segment[4] << 8 | segment[5]}"


def _ipsec(protocol: int, segment: bytes, offset: int) -> Iterator[str]:
    yield "PROTO=ESP" if protocol == 50 else "PROTO=AH"
    at, least = (0, 8) if protocol == 50 else (4, 12)
    if offset:
        return
    if len(segment) < least:
        yield f"INCOMPLETE [{len(segment)} bytes]"
        return
    yield f"SPI={int.from_bytes(segment[at : at + 4], 'big'):#x}"


def _icmp_head(name: str, segment: bytes, offset: int) -> Iterator[str]:
    yield f"PROTO={name}"
    if offset:
        return
    if len(segment) < _ICMP_HEAD_BYTES:
        yield f"INCOMPLETE [{len(segment)} bytes]"
    else:
        yield f"TYPE={segment[0]} CODE={segment[1]}"


def _icmp(segment: bytes, offset: int, flags: LogFlags, *, inner: bool) -> Iterator[str]:
    yield from _icmp_head("ICMP", segment, offset)
    if offset or len(segment) < _ICMP_HEAD_BYTES:
        return
    kind, code = segment[0], segment[1]
    if len(segment) < _ICMP_BYTES.get(kind, 0):
        yield f"INCOMPLETE [{len(segment)} bytes]"
        return
    if kind in _ECHO4:
        yield f"ID={segment[4] << 8 | segment[5]} SEQ={segment[6] << 8 | segment[7]}"
    elif kind == 12:
        yield f"PARAMETER={segment[4]}"
    if kind == 5:
        yield f"GATEWAY={ip_text(segment[4:8])}"
    if kind in _WITH_PACKET4:
        if not inner:
            quoted = "".join(f"{part} " for part in dump4(segment[8:], flags, inner=True))
            yield f"[{quoted}]"
        if kind == 3 and code == 4:
            yield f"MTU={segment[6] << 8 | segment[7]}"


def dump6(data: bytes, flags: LogFlags, *, inner: bool = False) -> Iterator[str]:
    """The IPv6 packet."""
    if len(data) < 40:
        yield "TRUNCATED"
        return
    word = int.from_bytes(data[:4], "big")
    length = (data[4] << 8 | data[5]) + 40
    yield f"SRC={data[8:24].hex(':', 2)} DST={data[24:40].hex(':', 2)}"
    yield f"LEN={length} TC={word >> 20 & 0xFF} HOPLIMIT={data[7]} FLOWLBL={word & 0xFFFFF}"
    protocol, at, offset = data[6], 40, 0
    while protocol in (0, 43, 44, 60) and len(data) >= at + 8:
        if protocol == 44:
            fragment = data[at + 2] << 8 | data[at + 3]
            offset = fragment & 0xFFF8
            more = "INCOMPLETE " if fragment & 1 else ""
            yield f"OPT ( FRAG:{offset} {more}ID:{data[at + 4 : at + 8].hex()} )"
            if offset:
                break
            protocol, at = data[at], at + 8
        else:
            if flags & LogFlags.IP_OPTIONS:
                yield "OPT ( )"
            protocol, at = data[at], at + (data[at + 1] + 1) * 8
    if protocol == 58:
        yield from _icmpv6(data[at:], offset, flags, inner=inner)
    elif protocol == 6:
        yield from _tcp(data[at:], offset, flags)
    elif protocol in (17, 136):
        yield from _udp(protocol, data[at:], offset)
    else:
        yield f"PROTO={protocol}"


def _icmpv6(segment: bytes, offset: int, flags: LogFlags, *, inner: bool) -> Iterator[str]:
    yield from _icmp_head("ICMPv6", segment, offset)
    if offset or len(segment) < _ICMP_HEAD_BYTES:
        return
    kind = segment[0]
    if kind in (128, 129):
        yield f"ID={segment[4] << 8 | segment[5]} SEQ={segment[6] << 8 | segment[7]}"
    elif kind == 4:
        yield f"POINTER={int.from_bytes(segment[4:8], 'big'):#x}"
    if kind in (1, 2, 3, 4):
        if not inner:
            quoted = "".join(f"{part} " for part in dump6(segment[8:], flags, inner=True))
            yield f"[{quoted}]"
        if kind == 2:
            yield f"MTU={int.from_bytes(segment[4:8], 'big')}"
