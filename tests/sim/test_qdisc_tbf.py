"""The token bucket filter: its arithmetic, its queue, and what does not fit."""

from __future__ import annotations

import pytest

from tests.sim.qdisc_kit import Shaper, frame_of
from vnet.base.units import NS_PER_MS
from vnet.sim.qdisc.psched import TransmitTime

MBIT = "root handle 1: tbf rate 1mbit"


@pytest.mark.parametrize(
    ("bytes_per_s", "n_bytes", "time_ns"),
    [
        (125_000, 1_514, 12_112_000),
        (1, 3_000, 3_000_000_000_000),
        # The kernel's multiplier of 32 bits rounds down: 120 us would be exact.
        (1_250_000_000, 150_000, 119_999),
        (6_250_000_000, 1_500_000, 239_999),
    ],
)
def test_bytes_take_the_time_that_the_kernel_reckons(
    bytes_per_s: int, n_bytes: int, time_ns: int
) -> None:
    assert TransmitTime(bytes_per_s).ns(n_bytes) == time_ns


def test_overhead_is_paid_for_and_small_frames_cost_as_much_as_the_least() -> None:
    time = TransmitTime(1_000_000, overhead_bytes=24, least_bytes=84)
    assert [time.ns(size) for size in (40, 60, 100)] == [84_000, 84_000, 124_000]


def test_a_burst_leaves_at_once_and_the_rest_at_the_rate() -> None:
    lab = Shaper(f"qdisc add dev eth0 {MBIT} burst 3000 latency 1s")
    lab.send(*(frame_of(mark=number) for number in range(6)))
    arrived = lab.run()
    assert [mark for _, mark in arrived] == [0, 1, 2, 3, 4, 5]
    # A thousand bytes take 8 ms at 1 Mbit/s.
    assert [when_ns / NS_PER_MS for when_ns, _ in arrived] == [0, 0, 0, 8, 16, 24]


def test_tokens_come_back_while_nothing_is_sent_but_no_more_than_a_burst() -> None:
    lab = Shaper(f"qdisc add dev eth0 {MBIT} burst 2000 latency 1s")
    lab.send(frame_of(), frame_of())
    lab.run(0.008)
    lab.send(frame_of(), frame_of())
    lab.run(5)
    lab.send(frame_of(), frame_of(), frame_of())
    lab.run(5)
    times_ms = [when_ns / NS_PER_MS for when_ns, _ in lab.arrived]
    assert times_ms == [0, 0, 8, 16, 5_008, 5_008, 5_016]


def test_a_peak_rate_spreads_the_burst() -> None:
    lab = Shaper(f"qdisc add dev eth0 {MBIT} burst 5000 latency 1s peakrate 8mbit mtu 1000")
    lab.send(*(frame_of() for _ in range(4)))
    assert [when_ns for when_ns, _ in lab.run()] == [0, NS_PER_MS, 2 * NS_PER_MS, 3 * NS_PER_MS]


def test_what_the_queue_has_no_room_for_is_dropped_and_counted() -> None:
    lab = Shaper(f"qdisc add dev eth0 {MBIT} burst 1000 limit 2500")
    lab.send(*(frame_of(mark=number) for number in range(5)))
    lab.run()
    assert lab.marks == [0, 1, 2]
    assert lab.lost == {"queue-full": 2}
    stats = lab.qdisc().stats
    assert (stats.sent_packets, stats.sent_bytes, stats.drops) == (3, 3_000, 2)
    assert (stats.backlog_packets, stats.backlog_bytes) == (0, 0)


def test_a_frame_that_never_fits_into_the_bucket_is_dropped_with_a_name() -> None:
    lab = Shaper(f"qdisc add dev eth0 {MBIT} burst 1000 latency 1s")
    lab.send(frame_of(1_001), frame_of(1_000, mark=7))
    lab.run()
    assert lab.marks == [7]
    assert lab.lost == {"over-burst": 1}


def test_overlimits_count_how_often_a_frame_had_to_wait_for_tokens() -> None:
    """Once when it is queued behind an empty bucket, and twice behind each that leaves."""
    lab = Shaper(f"qdisc add dev eth0 {MBIT} burst 1000 latency 1s")
    lab.send(frame_of())
    assert lab.qdisc().stats.overlimits == 0
    lab.send(frame_of(), frame_of())
    assert lab.qdisc().stats.overlimits == 2
    lab.run()
    assert lab.qdisc().stats.overlimits == 4


def test_a_change_fills_the_bucket_and_keeps_what_waits() -> None:
    lab = Shaper(f"qdisc add dev eth0 {MBIT} burst 1000 latency 1s")
    lab.send(*(frame_of(mark=number) for number in range(4)))
    lab.tc("qdisc change dev eth0 root handle 1: tbf rate 2mbit burst 2000 latency 1s")
    lab.run()
    assert lab.marks == [0, 1, 2, 3]
    assert not lab.lost


def test_a_queue_that_is_taken_away_loses_what_waits_and_says_so() -> None:
    lab = Shaper(f"qdisc add dev eth0 {MBIT} burst 1000 latency 1s")
    lab.send(*(frame_of() for _ in range(4)))
    lab.tc("qdisc del dev eth0 root")
    lab.send(frame_of(mark=9))
    lab.run()
    assert lab.marks == [0, 9]
    assert lab.lost == {"queue-removed": 3}


def test_a_device_that_goes_down_loses_what_waits() -> None:
    lab = Shaper(f"qdisc add dev eth0 {MBIT} burst 1000 latency 1s")
    lab.send(*(frame_of() for _ in range(3)))
    lab.scheduler.run(1)
    lab.nic.set_admin(False)
    lab.nic.set_admin(True)
    lab.run()
    assert len(lab.arrived) == 1
    assert lab.lost == {"queue-removed": 2}


def test_a_class_whose_queue_was_deleted_lets_nothing_through() -> None:
    lab = Shaper(
        f"qdisc add dev eth0 {MBIT} burst 10k latency 1s",
        "qdisc add dev eth0 parent 1:1 handle 2: pfifo",
        "qdisc del dev eth0 parent 1:1",
    )
    lab.send(frame_of())
    lab.run()
    assert lab.lost == {"no-queue": 1}
