"""Whatever comes, the tracker does not raise, and keeps within its limits."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import ICMPv6DestUnreach, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop
from scapy.packet import Packet, Raw

from tests.examples import examples
from tests.tables.conntrack_lab import (
    CLIENT,
    CLIENT6,
    OUTSIDE,
    OUTSIDE6,
    SERVER,
    SERVER6,
    Lab,
    dnat,
    framed,
    ip,
    ping,
    snat,
    tcp,
    udp,
)
from vnet.tables.conntrack.action import CtAction, NatKind, NatRange
from vnet.tables.conntrack.packet import IPV4, IPV6, CtMeta, CtPacket
from vnet.tables.conntrack.text import dump_text, fragments_text, stats_text

_QUOTED = Raw(bytes(udp()))
_QUOTED6 = Raw(bytes(udp(CLIENT6, SERVER6)))
_PIECES = [IP(bytes(it)) for it in fragment(udp() / bytes(2000), fragsize=1240)]
PACKETS: list[Packet] = [
    udp(),
    udp(SERVER, CLIENT, 53, 1000),
    udp(SERVER, OUTSIDE, 53, 1000),
    udp(dport=69),
    udp(CLIENT6, SERVER6),
    udp(SERVER6, OUTSIDE6, 53, 1000),
    tcp("S", 1),
    tcp("SA", 9, 2, reply=True),
    tcp("A", 2, 10),
    tcp("PA", 2, 10, ports=(1000, 21), payload=b"PORT 10,0,0,1,4,1\r\n"),
    tcp("PA", 2, 10, ports=(1000, 21), payload=b"EPRT |2|::1|5|", ends=(CLIENT6, SERVER6)),
    tcp("PA", 2, 10, ports=(21, 1000), payload=b"227 (10,0,0,1,4,1)\r\n"),
    ping(),
    ping(SERVER, CLIENT, kind=0),
    IP(src=SERVER, dst=CLIENT) / ICMP(type=3) / _QUOTED,
    ip(SERVER6, CLIENT6) / ICMPv6DestUnreach() / _QUOTED6,
    ip(CLIENT6, SERVER6) / IPv6ExtHdrHopByHop() / UDP(sport=1000, dport=53),
    ip(CLIENT6, SERVER6) / IPv6ExtHdrFragment(m=1, nh=17) / bytes(1240),
    ip(CLIENT6, SERVER6) / IPv6ExtHdrFragment(offset=155, nh=17) / bytes(100),
    *_PIECES,
    ip(CLIENT, SERVER) / TCP(sport=1, dport=2, options=[("WScale", 9)], flags="S"),
]
FRAMES = [framed(packet) for packet in PACKETS]

NATS: list[NatRange | None] = [
    None,
    NatRange(),
    snat(OUTSIDE).nat,
    dnat(SERVER, 8080).nat,
    snat(OUTSIDE6, 5, 6).nat,
    NatRange(NatKind.SOURCE),
    NatRange(NatKind.DESTINATION, bytes(4)),
]
ACTIONS = st.builds(
    CtAction,
    zone=st.sampled_from((0, 5)),
    commit=st.booleans(),
    force=st.booleans(),
    mark=st.sampled_from((None, (1, 1))),
    label=st.sampled_from((None, (1, 1))),
    helper=st.sampled_from(("", "", "ftp", "tftp")),
    nat=st.sampled_from(NATS),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A frame in which some bytes are wrong, and that may be cut off or padded."""
    frame = bytearray(draw(st.sampled_from(FRAMES)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(14, min(len(frame) - 1, 90)))
        frame[at] = draw(st.integers(0, 255))
    cut = draw(st.sampled_from((None, None, None, 0, 1, 14, 20, 34, 40, 54)))
    return bytes(frame if cut is None else frame[: 14 + cut]) + bytes(draw(st.integers(0, 3)))


STEPS = st.lists(
    st.tuples(damaged(), ACTIONS, st.booleans(), st.sampled_from((0, 1, 9_000, 30_000))),
    max_size=25,
)


@settings(max_examples=examples(150))
@given(STEPS)
def test_nothing_raises(steps: list[tuple[bytes, CtAction, bool, int]]) -> None:
    lab = Lab()
    store = lab.tracker.store
    store.max_conns = 6
    meta = CtMeta()
    for frame, action, comes_again, time_ms in steps:
        lab.wait_ms(time_ms)
        ethertype = IPV6 if frame[12:14] == b"\x86\xdd" else IPV4
        meta = meta if comes_again else CtMeta()
        packet = CtPacket(frame, 14, ethertype, meta, None, 0, 7, 9)
        for onward in lab.tracker.execute(packet, action, lab.now_ns):
            assert onward.meta.state & 0x30
            assert onward.meta.original is None or len(onward.meta.original.source) in (4, 16)
    assert len(store.table) <= 6
    assert sum(conn.limit is not None for conn in store.table) == 0
    dump_text(lab.tracker, lab.now_ns, stats=True, verbose=True)
    stats_text(lab.tracker, lab.now_ns, verbose=True)
    fragments_text(lab.tracker.fragments, verbose=True)
    lab.tracker.flush()
    assert not store.table.index
    assert len(store.expectations) == 0


@given(st.binary(max_size=120), st.sampled_from((IPV4, IPV6, 0x0806)), ACTIONS)
def test_any_bytes_are_tracked(data: bytes, ethertype: int, action: CtAction) -> None:
    tracker = Lab().tracker
    frame = bytes(12) + ethertype.to_bytes(2, "big") + data
    packet = CtPacket(frame, 14, ethertype, CtMeta())
    for onward in tracker.execute(packet, action, 0):
        assert onward.meta.state & 0x20
