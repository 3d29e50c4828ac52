"""Fragments in the tracker: held, put together, sent on; or given up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import Dot1Q
from scapy.packet import Packet, Raw

from tests.tables.conntrack_lab import (
    CLIENT,
    CLIENT6,
    COMMIT,
    OUTSIDE,
    OUTSIDE6,
    SERVER,
    SERVER6,
    UNDO,
    Lab,
    framed,
    ip,
    snat,
    sums_up,
    udp,
)
from vnet.tables.conntrack.action import CtAction
from vnet.tables.conntrack.packet import IPV4, CtMeta, CtPacket
from vnet.tables.conntrack.text import fragments_text

PIECE = 1240


def pieces_of(n_bytes: int, ident: int = 1, source: str = CLIENT) -> list[Packet]:
    """A datagram of ``n_bytes`` in pieces."""
    layer = IP(src=source, dst=SERVER, id=ident) / UDP(sport=1000, dport=53) / bytes(n_bytes)
    return [IP(bytes(it)) for it in fragment(layer, fragsize=PIECE)]


def pieces6_of(n_bytes: int, ident: int = 1) -> list[Packet]:
    """The same over IPv6."""
    whole = bytes(ip(CLIENT6, SERVER6) / UDP(sport=1000, dport=53) / bytes(n_bytes))[40:]
    return [
        IPv6(src=CLIENT6, dst=SERVER6)
        / IPv6ExtHdrFragment(nh=17, offset=at // 8, m=int(at + PIECE < len(whole)), id=ident)
        / Raw(whole[at : at + PIECE])
        for at in range(0, len(whole), PIECE)
    ]


def held(lab: Lab) -> int:
    return lab.tracker.fragments.held


@pytest.mark.parametrize("make", [pieces_of, pieces6_of])
def test_fragments_go_on_when_their_packet_is_whole(make: type) -> None:
    lab = Lab()
    pieces = make(3000)
    for piece in pieces[:-1]:
        assert not lab.send_all(piece, COMMIT)
    assert held(lab) == len(pieces) - 1
    onward = lab.send_all(pieces[-1], COMMIT)
    assert [it.data for it in onward] == [framed(piece) for piece in pieces]
    assert [it.state for it in onward] == ["new|trk"] * len(pieces)
    assert held(lab) == 0
    assert len(lab.dump()) == 1


@pytest.mark.parametrize("make", [pieces_of, pieces6_of])
def test_they_go_on_in_their_order_whatever_it_was(make: type) -> None:
    lab = Lab()
    pieces = make(4000)
    for piece in (pieces[2], pieces[0], pieces[3]):
        assert not lab.send_all(piece, COMMIT)
    onward = lab.send_all(pieces[1], COMMIT)
    assert [it.data for it in onward] == [framed(piece) for piece in pieces]


def test_every_fragment_is_translated() -> None:
    lab = Lab()
    action = snat(OUTSIDE, 4000)
    *_, onward = (lab.send_all(piece, action) for piece in pieces_of(3000))
    assert [(it.state, it.layers.src) for it in onward] == [("new|trk|snat", OUTSIDE)] * 3
    assert onward[0].layers[UDP].sport == 4000
    whole = IP(src=OUTSIDE, dst=SERVER, id=1) / UDP(sport=4000, dport=53) / bytes(3000)
    assert b"".join(it.data[34:] for it in onward) == bytes(whole)[20:]
    assert all(it.layers.chksum == IP(bytes(it.layers)[:20]).chksum for it in onward)


def test_every_ipv6_fragment_is_translated() -> None:
    lab = Lab()
    *_, onward = (lab.send_all(piece, snat(OUTSIDE6, 4000)) for piece in pieces6_of(3000))
    assert {it.layers.src for it in onward} == {OUTSIDE6}
    payload = b"".join(it.data[62:] for it in onward)
    assert sums_up(IPv6(bytes(IPv6(src=OUTSIDE6, dst=SERVER6, nh=17) / Raw(payload))))


def test_the_answer_in_fragments_is_translated_back() -> None:
    lab = Lab()
    lab.send(udp(), snat(OUTSIDE))
    answer = IP(src=SERVER, dst=OUTSIDE, id=9) / UDP(sport=53, dport=1000) / bytes(2000)
    *_, onward = (lab.send_all(IP(bytes(it)), UNDO) for it in fragment(answer, fragsize=PIECE))
    assert [(it.state, it.layers.dst) for it in onward] == [("est|rpl|trk|dnat", CLIENT)] * 2


def test_marks_ride_with_every_fragment() -> None:
    lab = Lab()
    action = CtAction(zone=5, commit=True, mark=(7, 0xFF))
    *_, onward = (lab.send_all(piece, action) for piece in pieces_of(2000))
    assert [(it.meta.zone, it.meta.mark) for it in onward] == [(5, 7)] * 2
    assert {it.meta.original for it in onward} == {onward[0].meta.original}


def test_a_wrong_checksum_shows_when_the_packet_is_whole() -> None:
    lab = Lab()
    first, last = pieces_of(1300)
    damaged = Raw(b"\1" * len(last.payload))
    lab.send_all(first, COMMIT)
    states = [it.state for it in lab.send_all(last.copy().__class__(bytes(last)[:20]) / damaged)]
    assert states == ["inv|trk"] * 2


def test_small_fragments_are_invalid_unless_they_are_last() -> None:
    lab = Lab()
    layer = IP(src=CLIENT, dst=SERVER) / UDP() / bytes(1500)
    small, _, _ = (IP(bytes(it)) for it in fragment(layer, fragsize=600))
    assert lab.send(small, COMMIT).state == "inv|trk"
    assert lab.tracker.fragments.counters[IPV4].too_small == 1
    lab.tracker.fragments.set_min_bytes(IPV4, 400)
    assert not lab.send_all(small, COMMIT)
    with pytest.raises(ValueError, match="less than 400 bytes"):
        lab.tracker.fragments.set_min_bytes(IPV4, 399)


def test_overlaps_are_invalid() -> None:
    lab = Lab()
    first, second, _ = pieces_of(3000)
    lab.send_all(first, COMMIT)
    assert lab.send(first, COMMIT).state == "inv|trk"
    second.frag -= 1
    del second.chksum
    assert lab.send(second, COMMIT).state == "inv|trk"
    assert lab.tracker.fragments.counters[IPV4].overlapped == 2


def test_damaged_headers_are_invalid() -> None:
    piece = pieces_of(3000)[0]
    piece.chksum ^= 1
    assert Lab().send(piece, COMMIT).state == "inv|trk"


def test_fragments_whose_others_never_came_go_along_with_the_next_packet() -> None:
    lab = Lab()
    lab.send_all(pieces_of(3000)[0], COMMIT)
    lab.send_all(pieces_of(3000, ident=2)[0], COMMIT)
    lab.wait_ms(15_000)
    assert len(lab.send_all(udp())) == 1
    lab.wait_ms(1)
    for left in (1, 0):  # one packet's at a time
        packet, expired = lab.send_all(udp())
        assert (packet.state, expired.state) == ("new|trk", "inv")
        assert held(lab) == left
    assert lab.tracker.fragments.counters[IPV4].expired == 2


def test_expired_fragments_are_invalid_in_the_next_zone_too() -> None:
    lab = Lab()
    piece = pieces_of(3000)[0]
    lab.send_all(piece)
    lab.wait_ms(15_001)
    _, expired = lab.send_all(udp())
    lab.tracker.fragments.is_enabled[IPV4] = False
    assert lab.send(expired.data, COMMIT, expired.meta).state == "inv|trk"


def test_after_ten_more_seconds_they_are_given_up() -> None:
    lab = Lab()
    lab.send_all(pieces_of(3000)[0], COMMIT)
    lab.wait_ms(25_000)
    assert len(lab.send_all(udp())) == 1
    assert [it.data for it in lab.lost] == [framed(pieces_of(3000)[0])]
    assert (held(lab), lab.tracker.fragments.counters[IPV4].purged) == (0, 1)


def test_once_a_minute_what_is_left_is_given_up() -> None:
    lab = Lab()
    for ident in range(3):
        lab.send_all(pieces_of(3000, ident)[0], COMMIT)
    lab.wait_ms(59_999)
    lab.tracker.fragments.clean(59_999)
    assert held(lab) == 3
    lab.tracker.fragments.clean(60_000)
    assert (held(lab), len(lab.lost)) == (0, 3)


def test_no_more_than_a_thousand_wait() -> None:
    lab = Lab()
    head = framed(pieces_of(3000)[0])
    for ident in range(1000):
        piece = IP(head[14:34]).copy()
        piece.id = ident
        del piece.chksum
        lab.send_all(framed(piece / Raw(head[34:])), COMMIT)
    assert held(lab) == 1000
    late = pieces_of(3000, ident=2000)[0]
    assert lab.send(late, COMMIT).state == "inv|trk"
    lab.tracker.fragments.set_max_held(5000)
    assert not lab.send_all(late, COMMIT)
    with pytest.raises(ValueError, match="more than 5000"):
        lab.tracker.fragments.set_max_held(5001)


def test_more_than_32_fragments_go_on_in_two_batches() -> None:
    lab = Lab()
    pieces = pieces_of(44_000)
    assert len(pieces) == 36
    for piece in pieces[:-1]:
        lab.send_all(piece, COMMIT)
    first = lab.send_all(pieces[-1], COMMIT)
    second = lab.send_all(udp(), COMMIT)
    assert [it.data for it in first] == [framed(piece) for piece in pieces[:32]]
    assert [it.data for it in second] == [framed(it) for it in (udp(), *pieces[32:])]
    assert [it.state for it in second] == ["new|trk"] * 5
    assert held(lab) == 0


def test_a_packet_that_would_be_too_large_never_goes_on_whole() -> None:
    lab = Lab()
    for at in range(0, 65_520, 1400):
        piece = IP(src=CLIENT, dst=SERVER, id=1, proto=17, frag=at // 8)
        piece.flags = "MF" if at + 1400 < 65_520 else 0
        assert not lab.send_all(piece / Raw(bytes(min(1400, 65_520 - at))), COMMIT)
    assert "state=reassemble fail" in fragments_text(lab.tracker.fragments, verbose=True)
    late = IP(src=CLIENT, dst=SERVER, id=1, proto=17, frag=8190) / Raw(b"x")
    assert lab.send(late, COMMIT).state == "inv|trk"


def test_passes_and_zones_keep_fragments_apart() -> None:
    lab = Lab()
    first, last = pieces_of(1300)
    lab.send_all(first, CtAction(zone=1))
    assert not lab.send_all(last, CtAction(zone=2))
    other_pass = CtPacket(framed(last), 14, IPV4, CtMeta(), recirc_id=5)
    assert not lab.tracker.execute(other_pass, CtAction(zone=1), lab.now_ns)
    assert len(lab.send_all(last, CtAction(zone=1))) == 2


def test_reassembly_can_be_turned_off() -> None:
    lab = Lab()
    lab.tracker.fragments.is_enabled[IPV4] = False
    assert [lab.send(it, COMMIT).state for it in pieces_of(2000)] == ["inv|trk"] * 2


def test_tags_may_differ_between_fragments() -> None:
    lab = Lab()
    first, last = pieces_of(1300)
    lab.send_all(framed(Dot1Q(vlan=5) / first), snat(OUTSIDE))
    onward = lab.send_all(last, snat(OUTSIDE))
    assert [it.layers.src for it in onward] == [OUTSIDE] * 2


@pytest.mark.parametrize(
    "layer",
    [TCP(flags="S", sport=5, dport=6), ICMP(id=3)],
    ids=["tcp", "icmp"],
)
def test_other_protocols_in_fragments(layer: Packet) -> None:
    lab = Lab()
    whole = IP(src=CLIENT, dst=SERVER, id=5) / layer / bytes(2000)
    *_, onward = (lab.send_all(IP(bytes(it)), COMMIT) for it in fragment(whole, fragsize=PIECE))
    assert [it.state for it in onward] == ["new|trk"] * 2


def test_an_atomic_ipv6_fragment_is_whole() -> None:
    packet = IPv6(src=CLIENT6, dst=SERVER6) / IPv6ExtHdrFragment(nh=58, id=1)
    echo = ip(CLIENT6, SERVER6) / ICMPv6EchoRequest(id=1) / b"x"
    assert Lab().send(packet / Raw(bytes(echo)[40:]), COMMIT).state == "new|trk"


def test_the_status_counts_what_became_of_fragments() -> None:
    lab = Lab()
    for piece in pieces_of(3000):
        lab.send_all(piece, COMMIT)
    lab.send_all(pieces6_of(3000)[0], COMMIT)
    text = fragments_text(lab.tracker.fragments, verbose=True)
    assert "        v4 frags accepted: 3\n        v4 frags completed: 3\n" in text
    assert "        num frag: 1\n" in text
    assert text.endswith(
        "\n        Fragment Lists:\n\n(src=fd00::1,dst=fd00::2,recirc_id=0,ip_id=1,"
        "dl_type=0x86dd,zone=0,nw_proto=0,num_fragments=1,state=first frag)\n"
    )


@given(st.permutations(range(4)), st.integers(3720, 4900))
def test_any_order_makes_the_packet(order: list[int], n_bytes: int) -> None:
    lab = Lab()
    pieces = pieces_of(n_bytes)
    *waiting, onward = (lab.send_all(pieces[number], COMMIT) for number in order)
    assert not any(waiting)
    assert [it.data for it in onward] == [framed(piece) for piece in pieces]
