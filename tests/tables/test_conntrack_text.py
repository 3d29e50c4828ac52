"""What ovs-appctl prints of connections, and what its flush commands forget."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scapy.layers.inet6 import ICMPv6EchoRequest
from scapy.layers.sctp import SCTP
from scapy.packet import Packet

from tests.tables.conntrack_lab import (
    CLIENT,
    CLIENT6,
    COMMIT,
    OTHER,
    OUTSIDE,
    SERVER,
    SERVER6,
    Lab,
    dnat,
    ip,
    packed,
    ping,
    snat,
    tcp,
    udp,
)
from vnet.tables.conntrack.action import CtAction
from vnet.tables.conntrack.flush import ConnMatch, TupleMatch, flush_matching
from vnet.tables.conntrack.text import fragments_text, stats_text

SHOWN: list[tuple[Packet, CtAction, str]] = [
    (
        udp(),
        COMMIT,
        "udp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1000,dport=53),"
        "reply=(src=10.0.0.2,dst=10.0.0.1,sport=53,dport=1000)",
    ),
    (
        tcp("S"),
        replace(snat(OUTSIDE, 99), zone=5, mark=(16, 255), label=(0x1F, 0xFF)),
        "tcp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1000,dport=80),"
        "reply=(src=10.0.0.2,dst=192.0.2.1,sport=80,dport=99),zone=5,mark=16,labels=0x1f,"
        "protoinfo=(state=SYN_SENT)",
    ),
    (
        ping(ident=7),
        dnat(OTHER),
        "icmp,orig=(src=10.0.0.1,dst=10.0.0.2,id=7,type=8,code=0),"
        "reply=(src=10.0.0.3,dst=10.0.0.1,id=7,type=0,code=0)",
    ),
    (
        ip(CLIENT6, "::ffff:10.0.0.2") / ICMPv6EchoRequest(id=258),
        COMMIT,
        "icmpv6,orig=(src=fd00::1,dst=::ffff:10.0.0.2,id=258,type=128,code=0),"
        "reply=(src=::ffff:10.0.0.2,dst=fd00::1,id=258,type=129,code=0)",
    ),
    (
        ip(CLIENT, SERVER) / SCTP(),
        COMMIT,
        "sctp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=0,dport=0),"
        "reply=(src=10.0.0.2,dst=10.0.0.1,sport=0,dport=0)",
    ),
    (
        ip(CLIENT, SERVER).__class__(src=CLIENT, dst=SERVER, proto=253) / b"x",
        COMMIT,
        "253,orig=(src=10.0.0.1,dst=10.0.0.2,sport=0,dport=0),"
        "reply=(src=10.0.0.2,dst=10.0.0.1,sport=0,dport=0)",
    ),
]


@pytest.mark.parametrize(("packet", "action", "line"), SHOWN)
def test_a_line_for_each_connection(packet: Packet, action: CtAction, line: str) -> None:
    lab = Lab()
    lab.send(packet, action)
    assert lab.dump() == [line]


def test_options_show_more() -> None:
    lab = Lab()
    lab.send(tcp("S"), CtAction(commit=True, zone=3, mark=(1, 1), helper="ftp"))
    lab.wait_ms(1)
    ends = (
        "tcp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1000,dport=80),"
        "reply=(src=10.0.0.2,dst=10.0.0.1,sport=80,dport=1000)"
    )
    assert lab.dump(stats=True) == [
        f"{ends},zone=3,timeout=29,mark=1,protoinfo=(state=SYN_SENT),helper=ftp"
    ]
    assert lab.dump(verbose=True) == [
        f"{ends},id=0,zone=3,status=0,mark=1,protoinfo=(state_orig=SYN_SENT,state_reply=CLOSED,"
        "flags_orig=0,flags_reply=0),helper=ftp"
    ]


def test_dumps_are_in_the_order_of_making() -> None:
    lab = Lab()
    for port in (5, 3, 4):
        lab.send(udp(sport=port), COMMIT)
    assert [line.split("sport=")[1].split(",")[0] for line in lab.dump()] == ["5", "3", "4"]


def test_statistics_by_protocol_and_state() -> None:
    lab = Lab()
    for port in (1, 2):
        lab.send(tcp("S", ports=(port, 80)), COMMIT)
    lab.send(tcp("SA", 1, 1, reply=True, ports=(1, 80)))
    for packet, action, _ in SHOWN:
        lab.send(packet, action)
    assert stats_text(lab.tracker, lab.now_ns, verbose=True) == (
        "Connections Stats:\n    Total: 8\n  TCP: 3\n    Conn per TCP states:\n"
        "\t  [SYN_SENT]=2\n\t  [ESTABLISHED]=1\n"
        "  UDP: 1\n  SCTP: 1\n  ICMP: 1\n  Other: 1\n"
    )
    assert stats_text(lab.tracker, lab.now_ns, 5) == (
        "Connections Stats:\n    Total: 1\n  TCP: 1\n"
    )


def test_the_fragmentation_status_of_a_fresh_tracker() -> None:
    text = fragments_text(Lab().tracker.fragments)
    assert text.startswith(
        "        Fragmentation Module Status\n        ---------------------------\n"
        "        v4 enabled: 1\n        v6 enabled: 1\n        max num frags (v4/v6): 1000\n"
        "        num frag: 0\n        min v4 frag size: 1200\n        v4 frags accepted: 0\n"
    )
    assert text.endswith("        v6 frags purged: 0\n")


def lab_of_four() -> Lab:
    lab = Lab()
    lab.send(udp(), COMMIT)
    lab.send(udp(), CtAction(zone=5, commit=True))
    lab.send(udp(sport=7), snat(OUTSIDE))
    lab.send(ping(ident=3), COMMIT)
    return lab


UDP_TUPLE = TupleMatch(packed(CLIENT), packed(SERVER), 1000, 53)


@pytest.mark.parametrize(
    ("match", "zone", "left"),
    [
        (ConnMatch(), None, []),
        (ConnMatch(), 5, [0, 2, 3]),
        (ConnMatch(17, False, UDP_TUPLE), None, [1, 2, 3]),
        (ConnMatch(17, False, UDP_TUPLE), 5, [0, 2, 3]),
        (ConnMatch(17), None, [3]),
        (ConnMatch(17), 5, [0, 2, 3]),
        (ConnMatch(is_v6=True), None, [0, 1, 2, 3]),
        (ConnMatch(0, False, TupleMatch(target=packed(SERVER))), None, []),
        (ConnMatch(0, False, TupleMatch(), TupleMatch(target=packed(OUTSIDE))), None, [0, 1, 3]),
        (ConnMatch(17, None, TupleMatch(source_port=7)), None, [0, 1, 3]),
        (
            ConnMatch(1, False, TupleMatch(packed(CLIENT), packed(SERVER), 0, 0, 3, 8, 0)),
            None,
            [0, 1, 2],
        ),
        (
            ConnMatch(
                1, False, TupleMatch(icmp_id=3, icmp_type=8), TupleMatch(icmp_id=3, icmp_type=0)
            ),
            None,
            [0, 1, 2],
        ),
    ],
)
def test_flushing_by_tuples(match: ConnMatch, zone: int | None, left: list[int]) -> None:
    lab = lab_of_four()
    lines = lab.dump()
    assert flush_matching(lab.tracker, match, lab.now_ns, zone)
    assert lab.dump() == [lines[number] for number in left]


@pytest.mark.parametrize(
    "match",
    [
        ConnMatch(17, False, replace(UDP_TUPLE, source_port=9)),
        ConnMatch(17, False, TupleMatch(packed(SERVER), packed(OUTSIDE), 53, 7)),
        ConnMatch(1, False, TupleMatch(packed(CLIENT), packed(SERVER), 0, 0, 3, 3, 0)),
        ConnMatch(1, False, TupleMatch(packed(CLIENT), packed(SERVER), 0, 0, 3, 8, 1)),
    ],
    ids=["unknown", "translated", "unanswerable", "code"],
)
def test_an_exact_tuple_must_be_there(match: ConnMatch) -> None:
    lab = lab_of_four()
    assert not flush_matching(lab.tracker, match, lab.now_ns)
    assert len(lab.dump()) == 4


def test_an_exact_tuple_of_icmpv6() -> None:
    lab = Lab()
    lab.send(ip(CLIENT6, SERVER6) / ICMPv6EchoRequest(id=9), COMMIT)
    asked = TupleMatch(packed(CLIENT6), packed(SERVER6), icmp_id=9, icmp_type=128)
    assert flush_matching(lab.tracker, ConnMatch(58, True, asked), lab.now_ns)
    assert lab.dump() == []


def test_flushing_makes_room_for_translations() -> None:
    lab = Lab()
    lab.send(udp(), snat(OUTSIDE, 4000))
    lab.tracker.flush()
    assert lab.send(udp(OTHER), snat(OUTSIDE, 4000)).layers.src == OUTSIDE
