"""What somebody says to a packet that came to them: answers, and errors about it."""

from __future__ import annotations

from collections.abc import Callable

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6PacketTooBig,
    ICMPv6TimeExceeded,
    IPv6,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from vnet.base.ids import mac_text
from vnet.wire.ether import HEADER_BYTES

MANNERS = (
    *("answer", "answer", "answer", "answer", "answer", "more", "finish", "reset"),
    *("unreachable", "too big", "late", "from beyond", "odd", "short error"),
)
"""The ways of answering; the more often one is in it, the more often it is chosen."""

_FIRST_SEQUENCE = 5_000
_IPV4, _IPV6 = 0x0800, 0x86DD
_QUOTED_BYTES = 28


def answer_to(frame: bytes, manner: str) -> bytes | None:
    """A frame back to where ``frame`` came from; None where nobody would say anything."""
    kind = int.from_bytes(frame[12:14], "big")
    if frame[0] & 1 or kind not in (_IPV4, _IPV6):
        return None
    packet = (IP if kind == _IPV4 else IPv6)(frame[HEADER_BYTES:])
    if manner in _ERRORS:
        said = _error(packet, manner)
    else:
        said = _answer(packet, manner)
    if said is None:
        return None
    head = Ether(src=mac_text(frame[:6]), dst=mac_text(frame[6:12]), type=kind)
    return bytes(head / said)


def _back(packet: Packet, source: str | None = None) -> Packet:
    if isinstance(packet, IP):
        return IP(src=source or packet.dst, dst=packet.src, id=77)
    return IPv6(src=source or packet.dst, dst=packet.src)


def _answer(packet: Packet, manner: str) -> Packet | None:
    if isinstance(packet, IP) and (packet.frag or packet.flags.MF):
        return None
    if TCP in packet and packet.getlayer(1).name == "TCP":
        return _back(packet) / _segment(packet[TCP], manner)
    if UDP in packet and packet.getlayer(1).name == "UDP":
        datagram = packet[UDP]
        data = Raw(b"d" * (20 if manner == "more" else 4))
        return _back(packet) / UDP(sport=datagram.dport, dport=datagram.sport) / data
    if ICMP in packet and packet[ICMP].type == 8:
        echo = packet[ICMP]
        return _back(packet) / ICMP(type=0, id=echo.id, seq=echo.seq) / echo.payload
    if ICMPv6EchoRequest in packet:
        asked = packet[ICMPv6EchoRequest]
        return _back(packet) / ICMPv6EchoReply(id=asked.id, seq=asked.seq, data=asked.data)
    return None


def _segment(heard: TCP, manner: str) -> Packet:
    """The next segment of a connection, as far as the last one tells where that is."""
    length = len(heard.payload) + heard.flags.S + heard.flags.F
    following = (heard.seq + length) % (1 << 32)
    back = TCP(sport=heard.dport, dport=heard.sport, seq=heard.ack, ack=following, window=8000)
    if manner == "reset":
        back.flags = "R" if heard.flags.A else "RA"
        return back
    if heard.flags.S and not heard.flags.A:
        back.seq = _FIRST_SEQUENCE
        back.flags = "S" if manner == "odd" else "SA"
        if manner == "more":
            back.options = [("MSS", 1400), ("WScale", 3)]
        return back
    back.flags = {"finish": "FA", "more": "PA"}.get(manner, "A")
    if manner == "odd":
        back.seq = (back.seq + 1_000_000) % (1 << 32)
        back.flags = "FA"
    return back / Raw(b"data" * 5) if manner == "more" else back


def _error(packet: Packet, manner: str) -> Packet:
    quoted = bytes(packet)
    if manner == "short error":
        quoted = quoted[: _QUOTED_BYTES if isinstance(packet, IP) else 48]
    if isinstance(packet, IP):
        source = "10.0.99.9" if manner in ("from beyond", "late") else None
        return _back(packet, source) / _ERRORS[manner][0]() / Raw(quoted[:548])
    source = "fd00:99::9" if manner in ("from beyond", "late") else None
    return _back(packet, source) / _ERRORS[manner][1]() / Raw(quoted[:1232])


_ERRORS: dict[str, tuple[Callable[[], Packet], Callable[[], Packet]]] = {
    "unreachable": (
        lambda: ICMP(type=3, code=3, unused=0),
        lambda: ICMPv6DestUnreach(code=4),
    ),
    "too big": (
        lambda: ICMP(type=3, code=4, nexthopmtu=1300),
        lambda: ICMPv6PacketTooBig(mtu=1300),
    ),
    "late": (lambda: ICMP(type=11, code=0, unused=0), lambda: ICMPv6TimeExceeded(code=0)),
    "from beyond": (
        lambda: ICMP(type=3, code=1, unused=0),
        lambda: ICMPv6DestUnreach(code=3),
    ),
    "short error": (
        lambda: ICMP(type=3, code=3, unused=0),
        lambda: ICMPv6DestUnreach(code=4),
    ),
}
