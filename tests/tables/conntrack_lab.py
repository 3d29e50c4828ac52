"""A connection tracker with a clock, fed with Scapy's packets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from vnet.base.chance import Chance
from vnet.tables.conntrack.action import CtAction, NatKind, NatRange
from vnet.tables.conntrack.ovs_policy import ovs_policy
from vnet.tables.conntrack.packet import (
    DST_NAT,
    ESTABLISHED,
    INVALID,
    IPV4,
    NEW,
    RELATED,
    REPLY,
    SRC_NAT,
    TRACKED,
    CtMeta,
    CtPacket,
)
from vnet.tables.conntrack.text import dump_text
from vnet.tables.conntrack.tracker import ConnTracker

NS_PER_MS = 1_000_000
CLIENT, SERVER, OUTSIDE, OTHER = "10.0.0.1", "10.0.0.2", "192.0.2.1", "10.0.0.3"
CLIENT6, SERVER6, OUTSIDE6 = "fd00::1", "fd00::2", "2001:db8::1"

LOOK = CtAction()
COMMIT = CtAction(commit=True)
UNDO = CtAction(nat=NatRange())
"""What is sent back through translation."""

_NAMES = {
    NEW: "new",
    ESTABLISHED: "est",
    RELATED: "rel",
    REPLY: "rpl",
    INVALID: "inv",
    TRACKED: "trk",
    SRC_NAT: "snat",
    DST_NAT: "dnat",
}


def framed(packet: Packet) -> bytes:
    """A packet in a frame. The addresses are given, or Scapy would go and look for them."""
    return bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet)


def state_text(state: int) -> str:
    """``est|rpl|trk``, in the order of the bits."""
    return "|".join(name for bit, name in _NAMES.items() if state & bit)


def packed(address: str) -> bytes:
    """An address as rules have it."""
    layer = IPv6(src=address) if ":" in address else IP(src=address)
    at = 8 if ":" in address else 12
    return bytes(layer)[at : at + (16 if ":" in address else 4)]


def snat(address: str, first_port: int = 0, last_port: int = 0, last: str = "") -> CtAction:
    """Commit with source translation."""
    choice = NatRange(
        NatKind.SOURCE, packed(address), packed(last) if last else None, first_port, last_port
    )
    return CtAction(commit=True, nat=choice)


def dnat(address: str, first_port: int = 0, last_port: int = 0) -> CtAction:
    """Commit with destination translation."""
    choice = NatRange(NatKind.DESTINATION, packed(address), None, first_port, last_port)
    return CtAction(commit=True, nat=choice)


class Tracked(NamedTuple):
    """What became of a packet: its state in words, how it looks now, and what rides along."""

    state: str
    layers: Packet
    meta: CtMeta
    data: bytes


class Lab:
    """One tracker."""

    def __init__(self, seed: int = 1) -> None:
        self.lost: list[CtPacket] = []
        self.policy = ovs_policy(Chance(seed).stream("conntrack"))
        self.tracker = ConnTracker(self.policy, 0, self.lost.append)
        self.now_ns = 0

    def wait_ms(self, time_ms: int) -> None:
        """Let time go by."""
        self.now_ns += time_ms * NS_PER_MS

    def send_all(
        self, packet: Packet | bytes, action: CtAction = LOOK, meta: CtMeta | None = None
    ) -> Sequence[Tracked]:
        """Track a packet (Ethernet is put in front of an IP one); what goes on after it."""
        data = packet if isinstance(packet, bytes) else framed(packet)
        ethertype = int.from_bytes(data[12:14], "big")
        l3 = 14
        if ethertype == 0x8100:
            l3, ethertype = 18, int.from_bytes(data[16:18], "big")
        sent = CtPacket(data, l3, ethertype, CtMeta() if meta is None else meta)
        return [
            Tracked(state_text(it.meta.state), read(it.data), it.meta, it.data)
            for it in self.tracker.execute(sent, action, self.now_ns)
        ]

    def send(
        self, packet: Packet | bytes, action: CtAction = LOOK, meta: CtMeta | None = None
    ) -> Tracked:
        """Track a packet that goes on alone."""
        (tracked,) = self.send_all(packet, action, meta)
        return tracked

    def send_all_quietly(self, frame: bytes, action: CtAction) -> None:
        """Track an untagged IPv4 frame and look no further, where there are many."""
        self.tracker.execute(CtPacket(frame, 14, IPV4, CtMeta()), action, self.now_ns)

    def dump(self, *, stats: bool = False, verbose: bool = False) -> list[str]:
        """``dpctl/dump-conntrack``."""
        return dump_text(self.tracker, self.now_ns, stats=stats, verbose=verbose)

    def timeout_ms(self) -> int:
        """For how long the only connection is remembered from now."""
        (conn,) = self.tracker.conns(self.now_ns)
        return conn.expires_ms - self.now_ns // NS_PER_MS


def read(data: bytes) -> Packet:
    """The network layer of a frame."""
    return Ether(data).payload if data[12:14] != b"\x81\0" else Ether(data).payload.payload


def sums_up(packet: Packet) -> bool:
    """Whether Scapy would write the same checksums."""
    copy = packet.copy()
    layer = copy
    while layer:
        for field in ("chksum", "cksum"):
            if field in layer.fields:
                layer.delfieldval(field)
        layer = layer.payload
    return bytes(copy) == bytes(packet)


def ip(source: str, target: str) -> Packet:
    """A header of the right version."""
    version = IPv6 if ":" in source else IP
    return version(src=source, dst=target)


def udp(source: str = CLIENT, target: str = SERVER, sport: int = 1000, dport: int = 53) -> Packet:
    """A datagram."""
    return ip(source, target) / UDP(sport=sport, dport=dport) / b"data"


def tcp(
    flags: str,
    seq: int = 0,
    ack: int = 0,
    *,
    reply: bool = False,
    payload: bytes = b"",
    window: int = 8192,
    ends: tuple[str, str] = (CLIENT, SERVER),
    ports: tuple[int, int] = (1000, 80),
    options: Sequence[tuple[str, object]] = (),
) -> Packet:
    """A segment from the first of ``ends`` to the second, or back."""
    step = -1 if reply else 1
    source, target = ends[::step]
    sport, dport = ports[::step]
    header = TCP(
        sport=sport, dport=dport, flags=flags, seq=seq, ack=ack, window=window, options=[*options]
    )
    return ip(source, target) / header / payload


def ping(source: str = CLIENT, target: str = SERVER, ident: int = 1, kind: int = 8) -> Packet:
    """An ICMP message with an identifier."""
    return IP(src=source, dst=target) / ICMP(type=kind, id=ident) / b"ping"
