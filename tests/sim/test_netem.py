"""What chance decides for the frames of one direction: shares, bursts, bits, delays, streams."""

from __future__ import annotations

from itertools import groupby

import pytest

from vnet.base.chance import Chance
from vnet.sim.netem import (
    UNIMPAIRED,
    Fate,
    GilbertElliott,
    Impairments,
    Netem,
    with_bit_flipped,
)

MS = 1_000_000
FRAMES = 20_000


def netem_with(impairments: Impairments, seed: int = 1) -> Netem:
    netem = Netem(Chance(seed), "link h1:eth0")
    netem.change(impairments)
    return netem


def fates(impairments: Impairments, count: int = FRAMES, size_bytes: int = 100) -> list[Fate]:
    netem = netem_with(impairments)
    return [netem.fate(size_bytes) for _ in range(count)]


def share(decisions: list[bool]) -> float:
    return sum(decisions) / len(decisions)


def test_without_impairments_nothing_becomes_of_a_frame() -> None:
    netem = netem_with(UNIMPAIRED)
    assert netem.fate(100) == Fate(False, None, False, 0)
    assert not netem.duplicates()


@pytest.mark.parametrize("wanted", [0.0, 0.01, 0.3, 1.0])
def test_each_impairment_hits_its_share_of_frames(wanted: float) -> None:
    drawn = fates(Impairments(loss=wanted, reorder=wanted, corrupt=wanted))
    netem = netem_with(Impairments(duplicate=wanted))
    for hits in (
        [fate.lost for fate in drawn],
        [fate.reordered for fate in drawn],
        [fate.flipped_bit is not None for fate in drawn],
        [netem.duplicates() for _ in range(FRAMES)],
    ):
        # Four standard deviations; none at all for never and always.
        assert share(hits) == pytest.approx(wanted, abs=4 * (wanted * (1 - wanted) / FRAMES) ** 0.5)


def test_impairments_do_not_hit_the_same_frames() -> None:
    drawn = fates(Impairments(loss=0.5, reorder=0.5))
    assert share([fate.lost == fate.reordered for fate in drawn]) == pytest.approx(0.5, abs=0.02)


# Bursts


@pytest.mark.parametrize(
    ("model", "rate"),
    [
        (GilbertElliott(0.01, 0.3), 0.01 / 0.31),
        (GilbertElliott(0.05, 0.2), 0.05 / 0.25),
        (GilbertElliott(0.05, 0.2, loss_when_bad=0.5), 0.5 * 0.05 / 0.25),
        (GilbertElliott(0.05, 0.2, 0.7, 0.02), 0.7 * 0.2 + 0.02 * 0.8),
        (GilbertElliott(0.1, 0.9), 0.1),
    ],
)
def test_the_loss_of_a_changing_wire_is_that_of_theory(model: GilbertElliott, rate: float) -> None:
    lost = [fate.lost for fate in fates(Impairments(loss=model), 100_000)]
    assert share(lost) == pytest.approx(rate, rel=0.06)


@pytest.mark.parametrize("to_good", [0.1, pytest.param(0.3, marks=pytest.mark.slow), 0.9])
def test_bursts_are_as_long_as_the_wire_stays_bad(to_good: float) -> None:
    lost = [fate.lost for fate in fates(Impairments(loss=GilbertElliott(0.01, to_good)), 200_000)]
    bursts = [len(list(burst)) for is_lost, burst in groupby(lost) if is_lost]
    assert len(bursts) > 500
    assert sum(bursts) / len(bursts) == pytest.approx(1 / to_good, rel=0.1)


def test_a_wire_that_turns_bad_still_lets_that_frame_pass() -> None:
    lost = [fate.lost for fate in fates(Impairments(loss=GilbertElliott(1.0, 1.0)), 6)]
    assert lost == [False, True, False, True, False, True]


def test_a_new_loss_model_begins_on_a_good_wire_and_other_changes_leave_it() -> None:
    model = GilbertElliott(1.0, 0.0)
    netem = netem_with(Impairments(loss=model))
    assert [netem.fate(9).lost for _ in range(3)] == [False, True, True]
    netem.change(Impairments(loss=model, jitter_ns=5))
    assert netem.fate(9).lost
    netem.change(UNIMPAIRED)
    netem.change(Impairments(loss=model))
    assert not netem.fate(9).lost


# Bits and delays


def test_every_bit_of_a_frame_can_be_the_flipped_one() -> None:
    bits = {fate.flipped_bit for fate in fates(Impairments(corrupt=1.0), 2_000, size_bytes=3)}
    assert bits == set(range(24))


def test_a_flipped_bit_is_the_only_change() -> None:
    assert with_bit_flipped(b"\x00\xff", 0) == b"\x01\xff"
    assert with_bit_flipped(b"\x00\xff", 15) == b"\x00\x7f"


def test_a_frame_of_nothing_has_no_bit_to_flip() -> None:
    assert {fate.flipped_bit for fate in fates(Impairments(corrupt=1.0), 9, 0)} == {None}


def test_jitter_lies_evenly_on_both_sides() -> None:
    jitters = [fate.jitter_ns for fate in fates(Impairments(jitter_ns=2 * MS))]
    assert -2 * MS <= min(jitters) < -1.99 * MS
    assert 1.99 * MS < max(jitters) < 2 * MS
    for quarter in range(4):
        from_ns = (quarter - 2) * MS
        inside = [from_ns <= jitter_ns < from_ns + MS for jitter_ns in jitters]
        assert share(inside) == pytest.approx(0.25, abs=0.02)


# Streams


ALL = Impairments(jitter_ns=MS, loss=0.2, duplicate=0.2, reorder=0.2, corrupt=0.2)


def test_the_same_seed_decides_the_same_and_another_does_not() -> None:
    one, same, other = ([netem_with(ALL, seed).fate(60) for _ in range(100)] for seed in (1, 1, 2))
    assert one == same != other


def test_more_loss_leaves_every_frame_its_other_fate() -> None:
    few, many = (fates(Impairments(MS, loss, 0.2, 0.2, 0.2), 500) for loss in (0.01, 0.9))
    assert [fate[1:] for fate in few] == [fate[1:] for fate in many]
    assert {fate for fate in few if fate.lost} <= {fate for fate in many if fate.lost}


def test_jitter_and_corruption_leave_the_losses_alone() -> None:
    alone = [fate.lost for fate in fates(Impairments(loss=0.2), 500)]
    assert [fate.lost for fate in fates(ALL, 500)] == alone


def test_copies_do_not_draw_for_the_frames_after_them() -> None:
    with_copies = netem_with(ALL)
    drawn = []
    for _ in range(500):
        drawn.append(with_copies.fate(100))
        with_copies.fate(100, copy=True)
    assert drawn == fates(ALL, 500)


def test_a_stream_goes_on_where_it_was_when_its_impairment_comes_back() -> None:
    netem = netem_with(Impairments(jitter_ns=MS))
    drawn = [netem.fate(60).jitter_ns for _ in range(5)]
    netem.change(Impairments(loss=0.5))
    assert {netem.fate(60).jitter_ns for _ in range(5)} == {0}
    netem.change(Impairments(jitter_ns=MS))
    drawn += [netem.fate(60).jitter_ns for _ in range(5)]
    assert drawn == [fate.jitter_ns for fate in fates(Impairments(jitter_ns=MS), 10)]


def test_impairments_are_listed_as_tc_does() -> None:
    assert str(UNIMPAIRED) == ""
    assert str(Impairments(2 * MS, 0.05, 0.005, 0.25, 0.001)) == (
        "jitter 2ms loss 5% duplicate 0.5% reorder 25% corrupt 0.1%"
    )
    assert str(Impairments(loss=GilbertElliott(0.01, 0.3, 1, 0))) == (
        "loss gemodel p 1% r 30% 1-h 100% 1-k 0%"
    )
