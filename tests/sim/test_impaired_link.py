"""A link that loses, doubles, delays and garbles: what arrives when, and what is counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vnet.base.chance import Chance
from vnet.base.drops import DropReason
from vnet.base.errors import RunawayError, UsageError
from vnet.sim import link as link_module
from vnet.sim.frame import Frame, Meta
from vnet.sim.link import LINK_DOWN, LINK_LOSS, Link
from vnet.sim.netem import UNIMPAIRED, GilbertElliott, Impairments
from vnet.sim.scheduler import Scheduler
from vnet.sim.trace import Trace, TraceNode

US = 1_000
MS = 1_000_000


class Wire:
    """A link from left to right, with what arrives on the right and what the left is told."""

    def __init__(self, impairments: Impairments = UNIMPAIRED, **others: Any) -> None:
        self.scheduler = Scheduler()
        self.link = Link(
            self.scheduler, ("left", "right"), impairments=impairments, chance=Chance(1), **others
        )
        self.left, right = self.link.ends
        self.got: list[tuple[int, bytes]] = []
        self.told: list[tuple[bytes, DropReason]] = []
        right.receive = lambda frame: self.got.append((self.scheduler.now_ns, frame.data))
        self.left.dropped = lambda frame, reason: self.told.append((frame.data, reason))

    def send(self, count: int = 1, every_ns: int = 0, size: int = 100) -> None:
        """Send numbered frames, now and then at intervals, without running."""
        now_ns = self.scheduler.now_ns
        for number in range(count):
            frame = Frame(number.to_bytes(4, "big") + bytes(size - 4))
            self.scheduler.at(now_ns + number * every_ns, self.left.send, frame)

    def run(self) -> list[tuple[int, int]]:
        """Run to the end: when each frame arrived, and its number."""
        self.scheduler.run()
        assert self.left.in_flight == 0
        return [(time_ns, int.from_bytes(data[:4], "big")) for time_ns, data in self.got]

    @property
    def lost(self) -> int:
        return sum(self.left.drops.values())


# Loss


def test_a_link_that_loses_everything_delivers_nothing() -> None:
    wire = Wire(Impairments(loss=1.0))
    wire.send(50)
    assert wire.run() == []
    assert (wire.left.tx_frames, wire.left.drops) == (50, {LINK_LOSS: 50})
    assert {reason for _, reason in wire.told} == {LINK_LOSS}


def test_a_loss_of_nothing_delivers_everything() -> None:
    wire = Wire(Impairments(loss=0.0))
    wire.send(50)
    assert [number for _, number in wire.run()] == list(range(50))
    assert wire.left.netem is None


def test_a_lost_frame_has_been_paid_for() -> None:
    wire = Wire(Impairments(loss=1.0), bandwidth_bps=8_000_000)
    wire.send(1, size=1000)
    wire.run()
    wire.link.change(loss=0.0)
    wire.send(1, size=1000)
    assert wire.run() == [(2 * MS, 0)]


def test_the_directions_lose_different_frames() -> None:
    wire = Wire(Impairments(loss=0.5))
    back: list[bytes] = []
    wire.left.receive = lambda frame: back.append(frame.data)
    for number in range(100):
        for end in wire.link.ends:
            end.send(Frame(number.to_bytes(4, "big")))
    wire.run()
    assert 20 < len(back) < 80
    assert back != [data for _, data in wire.got]


# Duplicates


def test_every_frame_twice_is_not_more_than_twice() -> None:
    wire = Wire(Impairments(duplicate=1.0), latency_ns=MS)
    wire.send(3)
    assert wire.run() == [(MS, 0), (MS, 0), (MS, 1), (MS, 1), (MS, 2), (MS, 2)]
    assert (wire.left.tx_frames, wire.left.duplicated) == (3, 3)


def test_what_is_doubled_and_lost_at_once_is_sent_once_as_in_netem() -> None:
    wire = Wire(Impairments(loss=1.0, duplicate=1.0))
    wire.send(3)
    assert [number for _, number in wire.run()] == [0, 1, 2]
    assert (wire.left.duplicated, wire.lost) == (0, 0)


def test_a_copy_has_a_delay_of_its_own() -> None:
    wire = Wire(Impairments(duplicate=1.0, jitter_ns=MS), latency_ns=5 * MS)
    wire.send(1)
    (first_ns, _), (second_ns, _) = wire.run()
    assert 4 * MS <= first_ns < second_ns < 6 * MS


def test_a_lost_copy_is_counted_but_the_sender_is_not_told_its_frame_was_lost() -> None:
    wire = Wire(Impairments(loss=0.3, duplicate=1.0))
    wire.send(1000)
    wire.run()
    lost_copies = wire.lost
    assert lost_copies == pytest.approx(0.7 * 0.3 * 1000, abs=60)
    assert wire.told == []
    assert len(wire.got) == 1000 + wire.left.duplicated - lost_copies


# Delay


def test_jitter_delays_each_frame_differently_and_reorders() -> None:
    wire = Wire(Impairments(jitter_ns=2 * MS), latency_ns=5 * MS)
    wire.send(200, every_ns=100 * US)
    arrived = wire.run()
    delays = [time_ns - number * 100 * US for time_ns, number in arrived]
    assert 3 * MS <= min(delays) < 3.2 * MS
    assert 6.8 * MS < max(delays) < 7 * MS
    assert [number for _, number in arrived] != list(range(200))


def test_jitter_larger_than_the_latency_never_arrives_before_it_left() -> None:
    wire = Wire(Impairments(jitter_ns=10 * MS), bandwidth_bps=8_000_000)
    wire.send(40, size=1000)
    waits = [time_ns - (number + 1) * MS for time_ns, number in wire.run()]
    assert min(waits) == 0
    assert 10 < waits.count(0) < 30


def test_a_reordered_frame_overtakes_what_is_on_the_wire() -> None:
    wire = Wire(Impairments(reorder=0.25), latency_ns=10 * MS)
    wire.send(400, every_ns=MS)
    arrived = wire.run()
    at_once = {number for time_ns, number in arrived if time_ns == number * MS}
    later = {number for time_ns, number in arrived if time_ns == (number + 10) * MS}
    assert len(at_once) + len(later) == 400
    assert len(at_once) == wire.left.reordered == pytest.approx(100, abs=30)


def test_a_reordered_frame_still_waits_for_the_sender() -> None:
    wire = Wire(Impairments(reorder=1.0), latency_ns=10 * MS, bandwidth_bps=8_000_000)
    wire.send(3, size=1000)
    assert wire.run() == [(1 * MS, 0), (2 * MS, 1), (3 * MS, 2)]


# Corruption


def test_a_corrupted_frame_differs_in_one_bit() -> None:
    wire = Wire(Impairments(corrupt=1.0))
    sent = bytes(range(60))
    wire.left.send(Frame(sent))
    wire.run()
    (_, got), *_ = wire.got
    difference = int.from_bytes(sent, "big") ^ int.from_bytes(got, "big")
    assert (len(got), difference.bit_count(), wire.left.corrupted) == (60, 1, 1)


@pytest.mark.parametrize("size", [0, 1, 13])
def test_short_frames_are_corrupted_as_far_as_they_go(size: int) -> None:
    wire = Wire(Impairments(corrupt=1.0, duplicate=1.0))
    wire.left.send(Frame(bytes(size)))
    wire.run()
    assert [len(data) for _, data in wire.got] == [size, size]
    assert wire.left.corrupted == (2 if size else 0)


def test_a_copy_is_made_before_the_original_is_corrupted() -> None:
    wire = Wire(Impairments(corrupt=0.5, duplicate=1.0))
    for _ in range(200):
        wire.left.send(Frame(bytes(20)))
    wire.run()
    bits = [int.from_bytes(data, "big").bit_count() for _, data in wire.got]
    pairs = list(zip(bits[::2], bits[1::2], strict=True))
    assert {(0, 0), (0, 1), (1, 0), (1, 1)} == set(pairs)


# Changes


def test_what_is_on_its_way_is_not_touched_by_a_change() -> None:
    wire = Wire(latency_ns=10 * MS)
    wire.send(5)
    wire.scheduler.run(5 * MS)
    wire.link.change(latency_ns=1 * MS, loss=1.0, corrupt=1.0)
    wire.send(5)
    assert wire.run() == [(10 * MS, number) for number in range(5)]
    assert wire.lost == 5


def test_a_change_leaves_what_it_does_not_name() -> None:
    model = GilbertElliott(0.1, 0.5)
    wire = Wire(Impairments(jitter_ns=5, loss=0.5), latency_ns=9, bandwidth_bps=100)
    link = wire.link
    link.change(loss=model, duplicate=0.1, queue_frames=3)
    assert link.impairments == Impairments(5, model, 0.1)
    assert (link.latency_ns, link.bandwidth_bps, link.queue_frames, link.up) == (9, 100, 3, True)
    link.change(bandwidth_bps=None, mtu_bytes=900, latency_ns=0, jitter_ns=0, up=False)
    assert link.impairments == Impairments(0, model, 0.1)
    assert (link.latency_ns, link.bandwidth_bps, link.mtu_bytes, link.up) == (0, None, 900, False)
    link.change(loss=0.0, duplicate=0.0)
    assert [end.netem for end in link.ends] == [None, None]


@pytest.mark.parametrize("change", [{"reorder": 0.1, "loss": 0.5}, {"latency_ns": 0, "up": False}])
def test_reordering_without_delay_is_refused_and_changes_nothing(change: Any) -> None:
    delayed = "latency_ns" in change
    before = Impairments(reorder=0.2) if delayed else UNIMPAIRED
    wire = Wire(before, latency_ns=MS if delayed else 0)
    with pytest.raises(UsageError, match="cannot be reordered on left--right, which has no delay"):
        wire.link.change(**change)
    assert (wire.link.impairments, wire.link.up) == (before, True)
    assert wire.link.latency_ns == (MS if delayed else 0)


def test_a_pulled_plug_takes_copies_and_originals_alike() -> None:
    wire = Wire(Impairments(duplicate=1.0), latency_ns=10 * MS)
    wire.send(4)
    wire.scheduler.run(5 * MS)
    wire.link.set_up(False)
    wire.link.set_up(True)
    wire.send(1)
    assert wire.run() == [(15 * MS, 0), (15 * MS, 0)]
    assert (wire.left.duplicated, wire.left.drops) == (5, {LINK_DOWN: 8})


@pytest.mark.parametrize("jitter_ns", [0, 5])
def test_too_many_frames_at_once_on_a_wire_without_bandwidth_end_the_run(
    monkeypatch: pytest.MonkeyPatch, jitter_ns: int
) -> None:
    monkeypatch.setattr(link_module, "MOST_FRAMES_IN_FLIGHT", 100)
    wire = Wire(Impairments(jitter_ns=jitter_ns), latency_ns=MS)
    wire.send(101)
    with pytest.raises(RunawayError, match="100 frames are under way on left--right at once"):
        wire.scheduler.run(0)
    wire.scheduler.run()
    assert (len(wire.got), wire.left.in_flight) == (100, 0)
    wire = Wire(Impairments(jitter_ns=jitter_ns), latency_ns=MS, bandwidth_bps=10**9)
    wire.send(500)
    assert len(wire.run()) == 500


def test_what_was_queued_goes_first_when_the_bandwidth_is_taken_away() -> None:
    wire = Wire(bandwidth_bps=100_000)
    wire.send(5)
    wire.scheduler.run(0)
    wire.link.change(bandwidth_bps=None)
    wire.scheduler.at(1 * MS, wire.left.send, Frame((99).to_bytes(4, "big") + bytes(96)))
    arrived = wire.run()
    assert [number for _, number in arrived] == [0, 1, 2, 3, 4, 99]
    assert arrived[-1][0] == arrived[-2][0] == 40 * MS


# The trace


def traced(impairments: Impairments) -> TraceNode:
    wire = Wire(impairments)
    root = TraceNode(0, "left", "sent", bytes(20))
    wire.left.send(Frame(bytes(20), Meta(Trace(root))))
    wire.run()
    return root


def events(node: TraceNode) -> list[tuple[str, str]]:
    return [(found.place, found.event) for found in node.walk()][1:]


def test_the_trace_forks_where_a_frame_is_duplicated() -> None:
    root = traced(Impairments(duplicate=1.0))
    name = "left--right"
    assert events(root) == [(name, "duplicated"), (name, "crossed"), (name, "crossed")]
    assert [child.event for child in root.children] == ["duplicated", "crossed"]


def test_the_trace_shows_the_corrupted_bytes_from_there_on() -> None:
    root = traced(Impairments(corrupt=1.0))
    corrupted, crossed = list(root.walk())[1:]
    assert (corrupted.event, crossed.event) == ("corrupted", "crossed")
    assert corrupted.data == crossed.data != root.data


def test_the_trace_ends_where_a_frame_is_lost() -> None:
    (leaf,) = traced(Impairments(loss=1.0)).drops
    assert (leaf.event, leaf.drop) == ("lost", LINK_LOSS)


# Whatever the settings


SHARES = st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0])
MODELS = st.builds(GilbertElliott, SHARES, SHARES, SHARES, SHARES)
IMPAIRMENTS = st.builds(
    Impairments, st.integers(0, 5 * MS), SHARES | MODELS, SHARES, SHARES, SHARES
)


@settings(deadline=None)
@given(
    IMPAIRMENTS,
    IMPAIRMENTS,
    st.integers(0, 3 * MS),
    st.none() | st.integers(10**6, 10**9),
    st.booleans(),
)
def test_no_frame_appears_or_vanishes_uncounted(
    first: Impairments,
    then: Impairments,
    latency_ns: int,
    bandwidth_bps: int | None,
    unplugged: bool,
) -> None:
    wire = Wire(first, latency_ns=latency_ns, bandwidth_bps=bandwidth_bps)
    wire.send(60, every_ns=100 * US)
    wire.scheduler.run(2 * MS)
    if unplugged:
        wire.link.set_up(False)
        wire.link.set_up(True)
    wire.link.impair(then)
    arrived = wire.run()
    left = wire.left
    assert left.tx_frames == 60
    assert left.tx_frames == len(arrived) + wire.lost - left.duplicated
