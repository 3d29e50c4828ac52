"""Translation: there and back, what errors quote, collisions, and when everything is taken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest
from scapy.packet import Packet, Raw

from tests.tables.conntrack_lab import (
    CLIENT,
    CLIENT6,
    LOOK,
    OTHER,
    OUTSIDE,
    OUTSIDE6,
    SERVER,
    SERVER6,
    UNDO,
    Lab,
    dnat,
    framed,
    ip,
    ping,
    snat,
    sums_up,
    tcp,
    udp,
)
from vnet.base.chance import Chance
from vnet.tables.conntrack.action import CtAction, NatKind, NatRange
from vnet.tables.conntrack.key import KeyParts, parts_of, reverse
from vnet.tables.conntrack.nat import HashedNat

PAIRS = [(CLIENT, SERVER, OUTSIDE), (CLIENT6, SERVER6, OUTSIDE6)]


def ends(packet: Packet) -> tuple[str, str, int, int]:
    """Addresses, and ports where there are any."""
    transport = packet.getlayer(TCP) or packet.getlayer(UDP)
    ports = (transport.sport, transport.dport) if transport else (0, 0)
    return packet.src, packet.dst, *ports


def transport(kind: str, client_port: int, server_port: int) -> tuple[Packet, Packet]:
    """A question's header and its answer's."""
    if kind == "udp":
        there = UDP(sport=client_port, dport=server_port)
        return there, UDP(sport=server_port, dport=client_port)
    there = TCP(sport=client_port, dport=server_port, flags="S", seq=1)
    return there, TCP(sport=server_port, dport=client_port, flags="SA", seq=9, ack=2)


@pytest.mark.parametrize("kind", ["udp", "tcp"])
@pytest.mark.parametrize(("client", "server", "outside"), PAIRS)
def test_a_source_is_translated_and_back(kind: str, client: str, server: str, outside: str) -> None:
    lab = Lab()
    there, back = transport(kind, 1000, 80)
    sent = lab.send(ip(client, server) / there / b"question", snat(outside, 4000))
    assert ends(sent.layers) == (outside, server, 4000, 80)
    assert sent.state == "new|trk|snat"
    assert sums_up(sent.layers)
    back.dport = 4000
    answer = lab.send(ip(server, outside) / back / b"answer!", UNDO)
    assert ends(answer.layers) == (server, client, 80, 1000)
    assert answer.state == "est|rpl|trk|dnat"
    assert sums_up(answer.layers)
    again = lab.send(ip(client, server) / there / b"question", UNDO)
    assert ends(again.layers) == (outside, server, 4000, 80)


@pytest.mark.parametrize("kind", ["udp", "tcp"])
@pytest.mark.parametrize(("client", "server", "outside"), PAIRS)
def test_a_destination_is_translated_and_back(
    kind: str, client: str, server: str, outside: str
) -> None:
    lab = Lab()
    there, back = transport(kind, 1000, 80)
    sent = lab.send(ip(client, outside) / there / b"odd", dnat(server, 8080))
    assert ends(sent.layers) == (client, server, 1000, 8080)
    assert sent.state == "new|trk|dnat"
    assert sums_up(sent.layers)
    back.sport = 8080
    answer = lab.send(ip(server, client) / back, UNDO)
    assert ends(answer.layers) == (outside, client, 80, 1000)
    assert answer.state == "est|rpl|trk|snat"
    assert sums_up(answer.layers)


def test_questions_of_icmp_are_translated_by_address() -> None:
    lab = Lab()
    sent = lab.send(ping(), snat(OUTSIDE, 4000))
    assert (sent.layers.src, sent.layers[ICMP].id) == (OUTSIDE, 1)
    answer = lab.send(ping(SERVER, OUTSIDE, kind=0), UNDO)
    assert answer.layers.dst == CLIENT
    asked = lab.send(ip(CLIENT6, SERVER6) / ICMPv6EchoRequest(id=1) / b"x", snat(OUTSIDE6))
    replied = lab.send(ip(SERVER6, OUTSIDE6) / ICMPv6EchoReply(id=1) / b"x", UNDO)
    assert (asked.layers.src, replied.layers.dst) == (OUTSIDE6, CLIENT6)
    assert all(sums_up(it.layers) for it in (sent, answer, asked, replied))


def test_without_translation_asked_for_a_packet_stays_as_it_is() -> None:
    lab = Lab()
    lab.send(udp(), snat(OUTSIDE))
    answer = lab.send(udp(SERVER, OUTSIDE, 53, 1000), LOOK)
    assert answer.state == "est|rpl|trk"
    assert ends(answer.layers) == (SERVER, OUTSIDE, 53, 1000)


def test_datagrams_without_a_checksum_stay_without() -> None:
    packet = udp()
    packet[UDP].chksum = 0
    sent = Lab().send(packet, snat(OUTSIDE, 4000))
    assert (sent.layers[UDP].chksum, sent.layers[UDP].sport) == (0, 4000)


def test_an_error_about_a_translated_packet_finds_its_sender() -> None:
    lab = Lab()
    opening = tcp("S", 1)
    sent = lab.send(opening, snat(OUTSIDE, 4000))
    report = IP(src=OTHER, dst=OUTSIDE) / ICMP(type=3, code=3) / Raw(bytes(sent.layers))
    told = lab.send(report, UNDO)
    assert told.state == "rel|rpl|trk|dnat"
    assert told.layers.dst == CLIENT
    assert bytes(told.layers[ICMP].payload) == bytes(opening)
    assert sums_up(told.layers)


def test_an_error_that_quotes_only_the_ports_is_translated_too() -> None:
    lab = Lab()
    opening = tcp("S", 1)
    sent = lab.send(opening, snat(OUTSIDE, 4000))
    quoted = Raw(bytes(sent.layers)[:28])
    told = lab.send(IP(src=OTHER, dst=OUTSIDE) / ICMP(type=11) / quoted, UNDO)
    assert bytes(told.layers[ICMP].payload) == bytes(opening)[:28]
    assert sums_up(told.layers)


def test_icmpv6_errors_are_translated() -> None:
    lab = Lab()
    asked = udp(CLIENT6, SERVER6)
    sent = lab.send(asked, snat(OUTSIDE6, 4000))
    report = ip(SERVER6, OUTSIDE6) / ICMPv6DestUnreach() / Raw(bytes(sent.layers))
    told = lab.send(report, UNDO)
    assert told.layers.dst == CLIENT6
    assert bytes(told.layers[ICMPv6DestUnreach].payload) == bytes(asked)
    assert sums_up(told.layers)


def test_a_port_that_is_taken_makes_way_for_the_next() -> None:
    lab = Lab()
    sources = [lab.send(udp(client), snat(OUTSIDE)) for client in (CLIENT, OTHER, "10.0.0.4")]
    assert [it.layers.sport for it in sources] == [1000, 1001, 1002]
    answers = [lab.send(udp(SERVER, OUTSIDE, 53, port), UNDO) for port in (1000, 1001, 1002)]
    assert [it.layers.dst for it in answers] == [CLIENT, OTHER, "10.0.0.4"]
    assert [it.layers.dport for it in answers] == [1000] * 3


@pytest.mark.parametrize(("port", "following"), [(511, 1), (1023, 600), (65535, 1024)])
def test_ports_stay_within_their_class(port: int, following: int) -> None:
    lab = Lab()
    lab.send(udp(CLIENT, sport=port), snat(OUTSIDE))
    assert lab.send(udp(OTHER, sport=port), snat(OUTSIDE)).layers.sport == following


def test_a_port_below_its_class_is_tried_first() -> None:
    """From 512 to 599 a port is kept where it is free, but never chosen."""
    lab = Lab()
    sent = [lab.send(udp(client, sport=550), snat(OUTSIDE)) for client in (CLIENT, OTHER)]
    assert [it.layers.sport for it in sent] == [550, 600]


def test_every_port_of_a_range_is_given_out_once() -> None:
    lab = Lab()
    clients = [f"10.0.1.{number}" for number in range(1, 13)]
    sent = [lab.send(udp(client), snat(OUTSIDE, 2000, 2009)) for client in clients]
    assert {it.layers.sport for it in sent[:10]} == set(range(2000, 2010))
    assert [it.state for it in sent[10:]] == ["new|trk"] * 2
    assert [ends(it.layers) for it in sent[10:]] == [
        (client, SERVER, 1000, 53) for client in clients[10:]
    ]
    assert lab.policy.counters.nat_exhausted == 2
    assert len(lab.dump()) == 10


def test_a_search_for_a_port_comes_to_an_end() -> None:
    """128 ports in a row, then 64, 32, 16 and 8 from somewhere else."""
    asked: list[int] = []

    def is_taken(key: bytes) -> bool:
        asked.append(parts_of(key).target_part)
        return True

    chooser = HashedNat(Chance(1).stream("nat"))
    key = KeyParts(bytes(4), bytes(4), 1000, 53, 0, 17).pack()
    choice = NatRange(NatKind.SOURCE, b"\n\0\0\1")
    assert chooser.choose(key, reverse(key), choice, is_taken) is None
    assert len(asked) == 128 + 64 + 32 + 16 + 8
    assert asked[:128] == [*range(1000, 1024), *range(600, 704)]
    assert asked[128:192] == list(range(asked[128], asked[128] + 64))


def test_a_full_range_of_destination_ports_spills_to_source_ports() -> None:
    lab = Lab()
    first = lab.send(udp(CLIENT, OUTSIDE), dnat(SERVER, 8080))
    second = lab.send(udp(CLIENT, OTHER), dnat(SERVER, 8080))
    assert [ends(it.layers)[2:] for it in (first, second)] == [(1000, 8080), (1001, 8080)]


def test_protocols_without_ports_cannot_share_an_address() -> None:
    lab = Lab()
    assert lab.send(ping(CLIENT), snat(OUTSIDE)).layers.src == OUTSIDE
    assert lab.send(ping(OTHER), snat(OUTSIDE)).layers.src == OTHER
    assert lab.policy.counters.nat_exhausted == 1


def test_addresses_are_picked_from_the_whole_range() -> None:
    lab = Lab()
    action = snat("192.0.2.10", last="192.0.2.13")
    picked = {lab.send(udp(sport=port), action).layers.src for port in range(2000, 2100)}
    assert picked == {f"192.0.2.{number}" for number in range(10, 14)}
    action6 = snat("2001:db8::ffff:ffff:ffff:fffe", last="2001:db8:0:1::1")
    picked = {
        lab.send(udp(CLIENT6, SERVER6, port), action6).layers.src for port in range(2000, 2100)
    }
    assert picked == {
        "2001:db8::ffff:ffff:ffff:fffe",
        "2001:db8::ffff:ffff:ffff:ffff",
        "2001:db8:0:1::",
        "2001:db8:0:1::1",
    }


def test_the_same_seed_picks_the_same() -> None:
    def picks(seed: int) -> list[tuple[str, int]]:
        lab = Lab(seed)
        action = snat("192.0.2.0", 2000, 3000, last="192.0.2.255")
        sent = (lab.send(udp(sport=port), action).layers for port in range(20))
        return [(it.src, it.sport) for it in sent]

    assert picks(1) == picks(1) != picks(2)


def test_all_zeros_keep_the_address_and_avoid_collisions() -> None:
    lab = Lab()
    lab.send(udp(CLIENT), snat(OUTSIDE))
    kept = lab.send(udp(OUTSIDE, SERVER), snat("0.0.0.0"))
    assert ends(kept.layers) == (OUTSIDE, SERVER, 1001, 53)


def test_nat_without_arguments_commits_as_open_vswitch_does() -> None:
    """A reply tuple that nothing answers, and that only one connection can have."""
    lab = Lab()
    action = replace(UNDO, commit=True)
    assert lab.send(udp(), action).state == "new|trk"
    assert lab.dump() == [
        "udp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1000,dport=53),"
        "reply=(src=0.0.0.0,dst=10.0.0.1,sport=53,dport=0)"
    ]
    lab.send(udp(sport=1001), action)
    assert len(lab.dump()) == 1


def test_an_expired_connection_holds_its_port_until_the_sweep() -> None:
    lab = Lab()
    lab.wait_ms(19_000)
    lab.send(udp(), snat(OUTSIDE, 4000))
    lab.wait_ms(60_000)
    assert lab.dump() == []
    assert lab.send(udp(OTHER), snat(OUTSIDE, 4000)).layers.src == OTHER
    assert lab.send(udp(SERVER, OUTSIDE, 53, 4000), UNDO).state == "inv|trk"
    lab.wait_ms(1000)
    assert lab.send(udp(OTHER), snat(OUTSIDE, 4000)).layers.src == OUTSIDE


def test_a_translated_packet_is_known_when_it_comes_again() -> None:
    """As after recirculation: the state that rides along says that it was translated."""
    lab = Lab()
    sent = lab.send(udp(), snat(OUTSIDE, 4000))
    assert lab.send(sent.data, LOOK, sent.meta).state == "new|trk|snat"
    answer = lab.send(udp(SERVER, OUTSIDE, 53, 4000), UNDO)
    again = lab.send(answer.data, LOOK, answer.meta)
    assert again.state == "est|rpl|trk|dnat"
    assert again.data == answer.data


def test_two_zones_translate_one_after_the_other() -> None:
    lab = Lab()
    first = lab.send(udp(), replace(snat(OUTSIDE), zone=1))
    second = lab.send(first.data, replace(dnat(OTHER), zone=2), first.meta)
    assert ends(second.layers) == (OUTSIDE, OTHER, 1000, 53)
    back = lab.send(udp(OTHER, OUTSIDE, 53, 1000), replace(UNDO, zone=2))
    home = lab.send(back.data, replace(UNDO, zone=1), back.meta)
    assert ends(home.layers) == (SERVER, CLIENT, 53, 1000)
    assert home.state == "est|rpl|trk|dnat"


def test_invalid_segments_of_a_translated_connection_are_translated() -> None:
    lab = Lab()
    lab.send(tcp("S", 1), snat(OUTSIDE))
    out = lab.send(tcp("", 1), UNDO)
    assert (out.state, out.layers.src) == ("inv|trk|snat", OUTSIDE)


PORTS = st.integers(1, 65535)
ADDRESSES = st.tuples(*[st.integers(1, 254)] * 3)


@given(
    st.sampled_from(("udp", "tcp")),
    st.sampled_from(NatKind),
    st.sampled_from(range(2)),
    PORTS,
    PORTS,
    st.integers(0, 65535),
    st.binary(max_size=40),
)
def test_there_and_back_restores_the_packet(
    kind: str,
    which: NatKind,
    pair: int,
    client_port: int,
    server_port: int,
    port: int,
    payload: bytes,
) -> None:
    client, server, outside = PAIRS[pair]
    lab = Lab()
    make = snat if which is NatKind.SOURCE else dnat
    there, back = transport(kind, client_port, server_port)
    sent = lab.send(ip(client, server) / there / payload, make(outside, port))
    assert sums_up(sent.layers)
    source, target, sport, dport = ends(sent.layers)
    if which is NatKind.SOURCE:
        assert (source, target) == (outside, server)
    else:
        assert (source, target) == (client, outside)
    plain = ip(server, client) / back / payload
    back.sport, back.dport = dport, sport
    restored = lab.send(ip(target, source) / back / payload, UNDO)
    assert restored.data == framed(plain)
    assert ends(lab.send(ip(client, server) / there / payload, UNDO).layers) == ends(sent.layers)


def test_a_range_of_the_other_family_is_cut_or_filled_up() -> None:
    assert Lab().send(udp(), snat(OUTSIDE6)).layers.src == "32.1.13.184"
    assert Lab().send(udp(CLIENT6, SERVER6), snat(OUTSIDE)).layers.src == "c000:201::"


def test_ranges_say_what_is_asked_for() -> None:
    assert list(NatRange().ports) == [0]
    assert NatRange(first_port=5).ports == range(5, 6)
    assert NatRange(first_address=bytes(4)).keeps_address
    assert not NatRange(first_address=b"\n\0\0\1").keeps_address
    assert CtAction(zone=258).zone_bytes == b"\1\2"
