"""Which frames pass, when, and what is counted: as recorded on a veth pair of Linux 6.18.

A burst was sent by UDP sockets of four types of service, and timed at the far end, to a tenth of a
millisecond.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.sim.qdisc_kit import Shaper, frame_of
from vnet.base.units import NS_PER_MS


class Recorded(NamedTuple):
    """Frames as (bytes, type of service); ``arrived`` as (milliseconds, which of them);
    ``counted`` has packets sent, drops and overlimits of each qdisc."""

    commands: tuple[str, ...]
    frames: list[tuple[int, int]]
    arrived: list[tuple[float, int]]
    counted: dict[int, tuple[int, int, int]]


PLAIN = Recorded(
    ("root handle 1: tbf rate 800kbit burst 3000 limit 10000",),
    [(1_000, 0)] * 20,
    [(0, 0), (0, 1), (0, 2), *((10 * number, number + 2) for number in range(1, 11))],
    {1: (13, 7, 35)},
)
PEAK = Recorded(
    ("root handle 1: tbf rate 800kbit burst 3000 limit 10000 peakrate 1600kbit mtu 1500",),
    [(1_000, 0)] * 8,
    [(0, 0), (2.5, 1), (7.5, 2), (12.5, 3), (20, 4), (30, 5), (40, 6), (50, 7)],
    {1: (8, 0, 19)},
)
BANDS = Recorded(
    (
        "root handle 1: tbf rate 800kbit burst 1000 limit 10000",
        "parent 1:1 handle 10: pfifo_fast",
    ),
    [(1_000, tos) for tos in (0, 8, 16, 24, 0, 16, 8)] + [(999, 24)],
    [(0, 0), (10, 2), (20.1, 5), (30.1, 3), (40.1, 4), (50.2, 7), (60.2, 1), (70.2, 6)],
    {1: (8, 0, 19), 0x10: (8, 0, 0)},
)
SHORT = Recorded(
    (
        "root handle 1: tbf rate 800kbit burst 1000 limit 10000",
        "parent 1:1 handle 10: pfifo limit 3",
    ),
    [(1_000, 0)] * 6 + [(1_200, 0)],
    [(0, 0), (10, 1), (20.1, 2), (30.1, 3)],
    {1: (4, 3, 10), 0x10: (4, 2, 0)},
)
NESTED = Recorded(
    (
        "root handle 1: tbf rate 800kbit burst 2000 limit 10000",
        "parent 1:1 handle 10: tbf rate 1600kbit burst 1000 limit 4000",
    ),
    [(1_000, 0)] * 8,
    [(0, 0), (5, 1), (10.1, 2), (20, 3), (30, 4)],
    {1: (5, 3, 2), 0x10: (5, 3, 13)},
)


@pytest.mark.parametrize("recorded", [PLAIN, PEAK, BANDS, SHORT, NESTED])
def test_a_burst_fares_as_in_the_kernel(recorded: Recorded) -> None:
    lab = Shaper(*(f"qdisc add dev eth0 {command}" for command in recorded.commands))
    for mark, (size, tos) in enumerate(recorded.frames):
        lab.send(frame_of(size, tos=tos, mark=mark))
    lab.run()
    assert lab.marks == [mark for _, mark in recorded.arrived]
    times_ms = [when_ns / NS_PER_MS for when_ns, _ in lab.arrived]
    assert times_ms == pytest.approx([when_ms for when_ms, _ in recorded.arrived], abs=0.25)
    for handle, counted in recorded.counted.items():
        stats = lab.qdisc(handle).stats
        assert (stats.sent_packets, stats.drops) == counted[:2]
        if recorded is not NESTED:
            # There both buckets are due at the same moments, and a clock that is a little late
            # finds one of them full.
            assert stats.overlimits == counted[2]
