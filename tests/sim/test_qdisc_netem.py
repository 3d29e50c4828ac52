"""The queue that behaves as a bad wire does: when frames leave, and what becomes of them."""

from __future__ import annotations

import pytest

from tests.sim.qdisc_kit import Shaper, frame_of
from vnet.base.units import NS_PER_MS
from vnet.linux.tc.errors import TcError
from vnet.sim.distribution import deviation, table

NETEM = "qdisc add dev eth0 root handle 1: netem"


def milliseconds(lab: Shaper) -> list[float]:
    return [when_ns / NS_PER_MS for when_ns, _ in lab.run()]


def sent(options: str, frames: int = 2_000, seed: int = 1) -> Shaper:
    """A millisecond apart each, so that nothing waits for anything else."""
    lab = Shaper(f"{NETEM} limit 100000 {options}", seed=seed)
    for number in range(frames):
        lab.scheduler.at(number * NS_PER_MS, lab.send, frame_of(100, mark=number))
    lab.run(60)
    return lab


def test_a_delay_is_kept_to_the_nanosecond() -> None:
    lab = Shaper(f"{NETEM} delay 10ms")
    lab.send(frame_of(), frame_of())
    assert milliseconds(lab) == [10, 10]


def test_jitter_lets_frames_overtake_each_other() -> None:
    lab = sent("delay 10ms 5ms")
    late = [when_ns - mark * NS_PER_MS for when_ns, mark in lab.arrived]
    assert min(late) >= 5 * NS_PER_MS
    assert max(late) < 15 * NS_PER_MS
    assert lab.marks != sorted(lab.marks)
    assert sorted(lab.marks) == list(range(2_000))


@pytest.mark.parametrize(
    ("name", "first", "middle", "last"),
    [
        ("normal", -32768, 0, 28858),
        ("pareto", -5461, -2622, 32767),
        ("paretonormal", -12305, -1966, 31789),
    ],
)
def test_the_tables_of_distributions_are_those_that_tc_brings(
    name: str, first: int, middle: int, last: int
) -> None:
    found = table(name)
    assert len(found) == 4_096
    assert (found[0], found[2_048], found[-1]) == (first, middle, last)


def test_a_deviation_is_a_share_of_the_jitter() -> None:
    assert deviation(5_000_000, 8_192) == 5_000_000
    assert deviation(5_000_000, -8_192) == -5_000_000
    assert deviation(100, 4_096) == 50


def test_a_normal_distribution_has_the_jitter_for_its_standard_deviation() -> None:
    lab = sent("delay 100ms 10ms distribution normal", frames=4_000)
    late_ms = [when_ns / NS_PER_MS - mark for when_ns, mark in lab.arrived]
    mean = sum(late_ms) / len(late_ms)
    assert mean == pytest.approx(100, abs=1)
    deviation_ms = (sum((late - mean) ** 2 for late in late_ms) / len(late_ms)) ** 0.5
    assert deviation_ms == pytest.approx(10, abs=0.7)


def test_loss_is_named_and_counted() -> None:
    lab = sent("loss 20%")
    lost = lab.lost["netem-loss"]
    assert lost == pytest.approx(400, abs=75)
    stats = lab.qdisc().stats
    assert (stats.drops, stats.sent_packets) == (lost, 2_000 - lost)


def test_the_loss_of_four_states_comes_in_bursts() -> None:
    lab = sent("loss state 1% 10%", frames=10_000)
    lost = sorted(set(range(10_000)) - set(lab.marks))
    runs = sum(number - 1 not in lost for number in lost)
    # Bursts begin at one frame in a hundred, and last ten on average.
    assert len(lost) / runs == pytest.approx(10, abs=3)
    assert len(lost) == pytest.approx(10_000 / 11, rel=0.4)


def test_a_copy_goes_before_its_original_and_is_not_copied_again() -> None:
    lab = sent("duplicate 100%", frames=10)
    assert lab.marks == [number for number in range(10) for _ in range(2)]
    assert lab.qdisc().stats.sent_packets == 20


def test_a_copy_comes_in_at_the_top_of_the_tree() -> None:
    lab = Shaper(
        "qdisc add dev eth0 root handle 1: prio",
        "qdisc add dev eth0 parent 1:2 handle 2: netem duplicate 100%",
    )
    lab.send(frame_of())
    lab.run()
    assert len(lab.arrived) == 2
    assert lab.qdisc(1).stats.sent_packets == lab.qdisc(2).stats.sent_packets == 2
    assert lab.qdisc(1).stats.backlog_packets == 0


def test_a_netem_that_copies_is_the_only_one_in_its_tree() -> None:
    lab = Shaper(f"{NETEM} duplicate 1%")
    message = "Error: netem: cannot mix duplicating netems with other netems in tree."
    with pytest.raises(TcError, match=message):
        lab.tc("qdisc add dev eth0 parent 1:1 handle 2: netem delay 1ms")
    lab.tc("qdisc change dev eth0 root handle 1: netem delay 1ms")
    lab.tc("qdisc add dev eth0 parent 1:1 handle 2: netem delay 1ms")
    with pytest.raises(TcError, match=message):
        lab.tc("qdisc change dev eth0 parent 1:1 handle 2: netem duplicate 1%")


def test_every_nth_frame_goes_first_where_a_gap_is_given() -> None:
    lab = Shaper(f"{NETEM} delay 10ms reorder 100% gap 3")
    lab.send(*(frame_of(mark=number) for number in range(6)))
    lab.run()
    assert lab.marks == [2, 5, 0, 1, 3, 4]
    assert lab.qdisc().stats.requeues == 2


def test_a_corrupted_frame_differs_by_one_bit() -> None:
    lab = sent("corrupt 100%", frames=20)
    for number, data in enumerate(lab.received):
        original = frame_of(100, mark=number).data
        difference = int.from_bytes(data, "big") ^ int.from_bytes(original, "big")
        assert difference.bit_count() == 1


def test_at_a_rate_frames_leave_one_after_the_other() -> None:
    lab = Shaper(f"{NETEM} rate 8mbit")
    lab.send(frame_of(), frame_of(), frame_of(500))
    assert milliseconds(lab) == [1, 2, 2.5]


def test_waiting_for_the_rate_is_part_of_the_delay() -> None:
    lab = Shaper(f"{NETEM} delay 1500us rate 8mbit")
    lab.send(frame_of(), frame_of(), frame_of())
    assert milliseconds(lab) == [2.5, 3.5, 4.5]


def test_cells_and_overheads_make_frames_longer() -> None:
    lab = Shaper(f"{NETEM} rate 8mbit 20 48 5")
    lab.send(frame_of(100))
    # 120 bytes are three cells of 53 bytes.
    assert milliseconds(lab) == [0.159]


def test_more_than_the_limit_is_dropped() -> None:
    lab = Shaper(f"{NETEM} limit 2 delay 10ms")
    lab.send(*(frame_of(mark=number) for number in range(4)))
    lab.run()
    assert lab.marks == [0, 1]
    assert lab.lost == {"queue-full": 2}


def test_with_ecn_what_would_be_lost_is_marked_where_the_ends_know_of_it() -> None:
    lab = Shaper(f"{NETEM} loss 100% ecn")
    lab.send(frame_of(tos=0x01), frame_of(tos=0x00))
    lab.run()
    assert [data[15] for data in lab.received] == [0x03]
    assert lab.lost == {"netem-loss": 1}
    assert lab.qdisc().stats.drops == 2


def test_a_child_gets_frames_when_their_delay_is_over() -> None:
    lab = Shaper(
        f"{NETEM} delay 10ms",
        "qdisc add dev eth0 parent 1:1 handle 10: tbf rate 8mbit burst 1000 latency 1s",
    )
    lab.send(frame_of(), frame_of(), frame_of())
    assert milliseconds(lab) == [10, 11, 12]
    assert lab.qdisc(0x10).stats.sent_packets == 3


def test_what_a_child_refuses_later_is_taken_off_all_above_it() -> None:
    lab = Shaper(
        "qdisc add dev eth0 root handle 1: prio",
        "qdisc add dev eth0 parent 1:2 handle 2: netem delay 1ms",
        "qdisc add dev eth0 parent 2:1 handle 3: pfifo limit 1",
    )
    lab.send(*(frame_of(mark=number) for number in range(4)))
    lab.run()
    assert lab.lost == {"queue-full": 3}
    for handle in (1, 2, 3):
        stats = lab.qdisc(handle).stats
        assert (stats.sent_packets, stats.drops, stats.backlog_packets) == (1, 3, 0)


def test_the_same_seed_and_place_give_the_same_fates() -> None:
    options = "delay 10ms 5ms 25% loss 5% 25% duplicate 5% corrupt 1% reorder 5% 50%"
    assert sent(options).arrived == sent(options).arrived
    assert sent(options).arrived != sent(options, seed=2).arrived


def test_a_correlated_loss_repeats_itself() -> None:
    def repeats(options: str) -> float:
        lab = sent(options, frames=4_000)
        lost = set(range(4_000)) - set(lab.marks)
        again = sum(number + 1 in lost for number in lost) / len(lost)
        return again / (len(lost) / 4_000)

    assert repeats("loss 30%") == pytest.approx(1, abs=0.15)
    assert repeats("loss 30% 50%") > 1.5


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ("delay 100ms", "limit 1000 delay 100ms"),
        ("delay 100ms 10ms 25%", "limit 1000 delay 100ms  10ms 25%"),
        ("delay 1.5ms 10us distribution normal", "limit 1000 delay 1.5ms  10us"),
        ("loss 0.3%", "limit 1000 loss 0.3%"),
        ("loss random 0.3% 25", "limit 1000 loss 0.3% 25%"),
        ("drop 5", "limit 1000 loss 5%"),
        ("loss state 1%", "limit 1000 loss state p13 1% p31 99% p32 0% p23 100% p14 0%"),
        ("loss gemodel 1% 30%", "limit 1000 loss gemodel p 1% r 30% 1-h 100% 1-k 0%"),
        ("loss gemodel 1% 30% 70% 0.1%", "limit 1000 loss gemodel p 1% r 30% 1-h 70% 1-k 0.1%"),
        (
            "limit 50 delay 10ms reorder 25% 50% gap 5",
            "limit 50 delay 10ms reorder 25% 50% gap 5",
        ),
        ("delay 10ms reorder 25%", "limit 1000 delay 10ms reorder 25% gap 1"),
        (
            "corrupt 0.1% duplicate 1% loss 1% ecn rate 5mbit 20 100 5",
            "limit 1000 loss 1% duplicate 1% corrupt 0.1% rate 5Mbit packetoverhead 20 "
            "cellsize 100 celloverhead 5 ecn ",
        ),
    ],
)
def test_tc_shows_the_options_as_iproute2_does(options: str, shown: str) -> None:
    lab = Shaper(f"{NETEM} {options}")
    assert lab.tc("qdisc show dev eth0") == f"qdisc netem 1: root refcnt 2 {shown}"
