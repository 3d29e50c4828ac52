"""Zones, marks and labels, force, and packets that come again."""

from __future__ import annotations

from dataclasses import replace

from tests.tables.conntrack_lab import (
    CLIENT,
    COMMIT,
    LOOK,
    OUTSIDE,
    SERVER,
    Lab,
    snat,
    tcp,
    udp,
)
from vnet.tables.conntrack.action import CtAction
from vnet.tables.conntrack.packet import CtMeta

ANSWER = udp(SERVER, CLIENT, 53, 1000)
ZONE5 = CtAction(zone=5)


def test_zones_know_nothing_of_each_other() -> None:
    lab = Lab()
    lab.send(udp(), replace(COMMIT, zone=5))
    assert lab.send(ANSWER, ZONE5).state == "est|rpl|trk"
    assert lab.send(ANSWER, replace(ZONE5, zone=6)).state == "new|trk"
    assert lab.send(ANSWER, ZONE5).meta.zone == 5


def test_another_zone_starts_from_nothing() -> None:
    lab = Lab()
    lab.send(udp(), COMMIT)
    answer = lab.send(ANSWER)
    assert lab.send(ANSWER, ZONE5, answer.meta).state == "new|trk"


def test_marks_and_labels_are_written_under_their_masks() -> None:
    lab = Lab()
    first = lab.send(udp(), CtAction(commit=True, mark=(0x12, 0xFF), label=(1 << 127, 1 << 127)))
    assert (first.meta.mark, first.meta.label) == (0x12, 1 << 127)
    second = lab.send(udp(), CtAction(commit=True, mark=(0x3400, 0xFF00), label=(5, 7)))
    assert (second.meta.mark, second.meta.label) == (0x3412, 1 << 127 | 5)
    assert lab.send(ANSWER).meta.mark == 0x3412
    assert lab.dump()[0].endswith(",mark=13330,labels=0x80000000000000000000000000000005")


def test_what_is_not_committed_cannot_be_marked() -> None:
    tracked = Lab().send(udp(), CtAction(mark=(1, 1)))
    assert (tracked.state, tracked.meta.mark) == ("new|trk", 0)


def test_force_turns_a_connection_round() -> None:
    lab = Lab()
    force = CtAction(commit=True, force=True)
    lab.send(udp(), COMMIT)
    assert lab.send(udp(), force).state == "new|trk"
    assert lab.send(ANSWER, force).state == "new|trk"
    (line,) = lab.dump()
    assert line.startswith("udp,orig=(src=10.0.0.2,dst=10.0.0.1,sport=53,dport=1000)")
    assert lab.send(udp()).state == "est|rpl|trk"


def test_force_commits_by_itself() -> None:
    lab = Lab()
    lab.send(udp(), CtAction(force=True))
    assert len(lab.dump()) == 1


def test_force_does_not_see_that_a_translated_answer_is_one() -> None:
    """Open vSwitch looks at the direction first."""
    lab = Lab()
    lab.send(udp(), snat(OUTSIDE))
    force = CtAction(commit=True, force=True)
    assert lab.send(udp(SERVER, OUTSIDE, 53, 1000), force).state == "est|rpl|trk"
    assert len(lab.dump()) == 1


def test_a_packet_that_comes_again_keeps_its_state() -> None:
    lab = Lab()
    meta = CtMeta()
    lab.send(udp(), COMMIT, meta)
    assert lab.send(udp(), COMMIT, meta).state == "new|trk"
    lab.send(ANSWER)
    assert lab.send(udp(), replace(LOOK, mark=(7, 0xFF)), meta).state == "new|trk"
    assert lab.send(ANSWER).meta.mark == 7


def test_a_packet_that_comes_again_does_not_prolong_its_connection() -> None:
    lab = Lab()
    meta = CtMeta()
    lab.send(udp(), COMMIT, meta)
    lab.wait_ms(1000)
    lab.send(udp(), LOOK, meta)
    assert lab.timeout_ms() == 59_000
    meta.forget_conn()
    lab.send(udp(), LOOK, meta)
    assert lab.timeout_ms() == 60_000


def test_a_cleared_packet_is_as_if_never_tracked() -> None:
    lab = Lab()
    meta = CtMeta()
    lab.send(udp(), COMMIT)
    lab.send(ANSWER, LOOK, meta)
    meta.clear()
    assert (meta.state, meta.conn) == (0, None)
    assert lab.send(udp(), LOOK, meta).state == "est|trk"


def test_a_copy_rides_on_by_itself() -> None:
    lab = Lab()
    meta = CtMeta()
    lab.send(udp(), COMMIT, meta)
    twin = meta.copy()
    meta.clear()
    assert (twin.state, twin.original) == (0x21, meta.original)
    assert lab.send(udp(), LOOK, twin).state == "new|trk"


def test_bits_of_earlier_passes_stay() -> None:
    """A packet that was established when it passed first is not new when it passes again."""
    lab = Lab()
    lab.send(tcp("S", 9), COMMIT)
    answer = lab.send(tcp("SA", 99, 10, reply=True))
    answer.meta.forget_conn()
    assert lab.send(answer.data, LOOK, answer.meta).state == "est|rpl|trk"


def test_invalid_packets_have_no_tuple() -> None:
    tracked = Lab().send(tcp("SA"), COMMIT)
    assert tracked.state == "inv|trk"
    broken = Lab().send(b"\0" * 14 + b"x", COMMIT)
    assert (broken.state, broken.meta.original) == ("inv|trk", None)
