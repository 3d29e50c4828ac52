"""TCP in the tracker: states, windows, and for how long each state is remembered."""

from __future__ import annotations

import pytest

from tests.tables.conntrack_lab import COMMIT, LOOK, Lab, snat, tcp
from vnet.tables.conntrack.action import CtAction
from vnet.tables.conntrack.timeouts import Timeout

OPEN = (("S", 99, 0, False), ("SA", 499, 100, True), ("A", 100, 500, False))
"""The handshake: flags, sequence, acknowledgement, and whether the server sent it."""


def opened(seed: int = 1) -> Lab:
    """A lab with an established connection; the next bytes are 100 and 500."""
    lab = Lab(seed)
    for flags, seq, ack, reply in OPEN:
        lab.send(tcp(flags, seq, ack, reply=reply), COMMIT)
    return lab


def shown_state(lab: Lab) -> str:
    (line,) = lab.dump()
    return line.rpartition("state=")[2].rstrip(")")


def test_a_handshake_makes_an_established_connection() -> None:
    lab = Lab()
    states = [
        (lab.send(tcp(flags, seq, ack, reply=reply), COMMIT).state, shown_state(lab))
        for flags, seq, ack, reply in OPEN
    ]
    assert states == [
        ("new|trk", "SYN_SENT"),
        ("est|rpl|trk", "ESTABLISHED"),
        ("est|trk", "ESTABLISHED"),
    ]


def test_a_syn_that_comes_again_is_new_again() -> None:
    lab = Lab()
    lab.send(tcp("S", 99), COMMIT)
    lab.wait_ms(10_000)
    assert lab.send(tcp("S", 99), COMMIT).state == "new|trk"
    assert lab.timeout_ms() == 30_000


def test_a_close_goes_through_its_states() -> None:
    lab = opened()
    steps = (
        (tcp("FA", 100, 500), "est|trk", "CLOSING", 900),
        (tcp("A", 500, 101, reply=True), "est|rpl|trk", "TIME_WAIT", 900),
        (tcp("FA", 500, 101, reply=True), "est|rpl|trk", "TIME_WAIT", 45),
        (tcp("A", 101, 501), "est|trk", "TIME_WAIT", 30),
    )
    for packet, state, shown, seconds in steps:
        assert lab.send(packet).state == state
        assert (shown_state(lab), lab.timeout_ms()) == (shown, seconds * 1000)


def test_a_reset_closes_at_once() -> None:
    lab = opened()
    assert lab.send(tcp("R", 100)).state == "est|trk"
    assert (shown_state(lab), lab.timeout_ms()) == ("TIME_WAIT", 30_000)


def test_a_reset_must_hit_the_sequence_number() -> None:
    lab = opened()
    assert lab.send(tcp("R", 103)).state == "inv|trk"
    assert [lab.send(tcp("R", seq)).state for seq in (99, 100, 101)] == ["est|trk"] * 3


@pytest.mark.parametrize(
    ("segments", "seconds"),
    [(1, 30), (2, 30), (3, 24 * 60 * 60)],
    ids=["first packet", "opening", "established"],
)
def test_each_state_is_remembered_to_the_millisecond(segments: int, seconds: int) -> None:
    lab = Lab()
    for flags, seq, ack, reply in OPEN[:segments]:
        lab.send(tcp(flags, seq, ack, reply=reply), COMMIT)
    lab.wait_ms(seconds * 1000 - 1)
    assert len(lab.dump()) == 1
    lab.wait_ms(1)
    assert lab.dump() == []
    assert lab.send(tcp("A", 100, 500)).state == "new|trk"


def test_a_segment_of_a_closed_connection_opens_another() -> None:
    lab = opened()
    lab.send(tcp("R", 100), LOOK)
    assert lab.send(tcp("S", 7000), COMMIT).state == "new|trk"
    (line,) = lab.dump()
    assert line.endswith("protoinfo=(state=SYN_SENT)")


def test_a_reopened_translated_connection_is_translated_anew() -> None:
    """What it was translated to is held until the sweep."""
    lab = Lab()
    action = snat("10.1.1.1")
    first = lab.send(tcp("S", 99), action)
    lab.send(tcp("RA", 0, 100, reply=True, ends=("10.1.1.1", "10.0.0.2")), action)
    again = lab.send(tcp("S", 9999), action)
    assert (first.layers.sport, again.layers.sport) == (1000, 1001)


@pytest.mark.parametrize("flags", ["", "F", "SF", "SR", "SFA", "PU", "U", "P"])
def test_flags_that_no_sane_sender_uses_are_invalid(flags: str) -> None:
    lab = opened()
    assert lab.send(tcp(flags, 100, 500)).state == "inv|trk"
    assert lab.policy.counters.tcp_flags == 1
    assert lab.send(tcp(flags, ports=(5, 6)), COMMIT).state == "inv|trk"


def test_the_answer_to_a_syn_opens_nothing() -> None:
    assert Lab().send(tcp("SA", 1, 1), COMMIT).state == "inv|trk"


def test_a_connection_is_picked_up_midway() -> None:
    lab = Lab()
    assert lab.send(tcp("PA", 100, 500, payload=b"x" * 10), COMMIT).state == "new|trk"
    assert lab.send(tcp("A", 500, 110, reply=True)).state == "est|rpl|trk"
    (line,) = lab.dump(verbose=True)
    assert "flags_orig=BE_LIBERAL,flags_reply=BE_LIBERAL" in line
    # Any scale may be in use, and so much more is in the window.
    assert lab.send(tcp("A", 110 + 100_000, 500, payload=b"x")).state == "est|trk"


def test_what_is_out_of_the_window_is_invalid() -> None:
    lab = opened()
    data = b"x" * 10
    assert lab.send(tcp("A", 100 + 8192 - 10, 500, payload=data)).state == "est|trk"
    assert lab.send(tcp("A", 100 + 8192 + 1, 500, payload=data)).state == "inv|trk"
    assert lab.policy.counters.tcp_sequence == 1


def test_an_acknowledgement_may_be_off_by_little() -> None:
    lab = opened()
    data = b"x"
    assert lab.send(tcp("A", 100, 500 + 0xFFFF + 1500, payload=data)).state == "est|trk"
    assert lab.send(tcp("A", 101, 500 + 0xFFFF + 1501, payload=data)).state == "inv|trk"


def test_sequence_numbers_wrap() -> None:
    lab = Lab()
    for flags, seq, ack, reply in (
        ("S", 0xFFFFFFFE, 0, False),
        ("SA", 0xFFFFFFFF, 0xFFFFFFFF, True),
        ("A", 0xFFFFFFFF, 0, False),
    ):
        lab.send(tcp(flags, seq, ack, reply=reply), COMMIT)
    assert lab.send(tcp("PA", 0xFFFFFFFF, 0, payload=b"x" * 9)).state == "est|trk"
    assert lab.send(tcp("A", 0, 8, reply=True, payload=b"y")).state == "est|rpl|trk"


def test_scaled_windows_are_wider() -> None:
    scaled = Lab()
    wscale = [("WScale", 3)]
    scaled.send(tcp("S", 99, options=wscale), COMMIT)
    scaled.send(tcp("SA", 499, 100, reply=True, options=wscale), COMMIT)
    scaled.send(tcp("A", 100, 500), COMMIT)
    scaled.send(tcp("A", 500, 100, reply=True))
    far = tcp("A", 100 + 8192 * 8 - 1, 500, payload=b"x")
    assert scaled.send(far).state == "est|trk"
    assert opened().send(far).state == "inv|trk"
    (line,) = scaled.dump(verbose=True)
    assert "wscale_orig=3,wscale_reply=3,flags_orig=WINDOW_SCALE" in line


def test_scaling_that_is_declined_is_not_used() -> None:
    lab = Lab()
    lab.send(tcp("S", 99, options=[("WScale", 7)]), COMMIT)
    lab.send(tcp("SA", 499, 100, reply=True), COMMIT)
    (line,) = lab.dump(verbose=True)
    assert "wscale" not in line
    assert line.endswith("flags_orig=0,flags_reply=0)")


def test_scales_above_14_are_14() -> None:
    lab = Lab()
    lab.send(tcp("S", 99, options=[("NOP", None), ("WScale", 200)]), COMMIT)
    assert "wscale_orig=14" in lab.dump(verbose=True)[0]


def test_sequence_checks_can_be_turned_off() -> None:
    lab = opened()
    lab.policy.tcp.checks_sequence = False
    assert lab.send(tcp("A", 0x70000000, 500, payload=b"x")).state == "est|trk"
    assert lab.policy.counters.tcp_sequence_bypassed == 1


def test_stray_segments_after_the_end_do_not_prolong_it() -> None:
    lab = opened()
    lab.send(tcp("R", 100))
    lab.wait_ms(10_000)
    assert lab.send(tcp("A", 100 + 9000, 500, payload=b"x")).state == "est|trk"
    assert lab.timeout_ms() == 20_000


def test_a_policy_sets_its_own_times() -> None:
    lab = Lab()
    lab.tracker.store.timeouts.set(7, {"tcp_syn_sent": 5})
    lab.send(tcp("S", 99), CtAction(commit=True, timeout_policy=7))
    assert lab.timeout_ms() == 5000
    lab.send(tcp("SA", 499, 100, reply=True))
    assert lab.timeout_ms() == 30_000
    lab.tracker.store.timeouts.set(7, {"TCP_ESTABLISHED": 60})
    lab.send(tcp("A", 100, 500))
    assert lab.timeout_ms() == 60_000
    lab.tracker.store.timeouts.delete(7)
    lab.send(tcp("A", 100, 500))
    assert lab.timeout_ms() == 86_400_000


def test_an_unknown_time_is_refused() -> None:
    timeouts = Lab().tracker.store.timeouts
    with pytest.raises(KeyError, match="tcp_syn_send"):
        timeouts.set(1, {"tcp_syn_send": 5})
    assert timeouts.durations(1)[Timeout.TCP_FIRST_PACKET] == 30_000
