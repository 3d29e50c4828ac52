"""Which frames pass, when, and what is counted: as recorded on a veth pair of Linux 6.18.

A burst was sent by UDP sockets of four types of service, and timed at the far end, to a tenth of a
millisecond.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.sim.qdisc_kit import Shaper, frame_of
from vnet.base.units import NS_PER_MS
from vnet.sim.frame import Frame


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


def test_words_of_packets_are_compared_as_in_the_kernel() -> None:
    """Twenty-nine datagrams were sorted by u32 into classes of an htb, by port, type of service and
    bytes at offsets; here they go to bands."""
    lab = Shaper(
        "qdisc add dev eth0 root handle 1: prio bands 4 priomap 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3",
        "filter add dev eth0 parent 1: protocol ip prio 1 u32 match ip dport 53 0xffff flowid 1:1",
        "filter add dev eth0 parent 1: protocol ip prio 2 u32 match ip tos 0x10 0x10 flowid 1:2",
        "filter add dev eth0 parent 1: protocol all prio 3 u32 match u16 0x0a00 0xffff at 12 "
        "match u8 9 0xff at 23 flowid 1:3",
    )
    for port, tos, count in (
        (53, 0, 3),
        (53, 16, 2),
        (80, 16, 5),
        (9, 0, 7),
        (80, 0, 11),
        (0x0909, 8, 1),
    ):
        plain = frame_of(100, tos=tos).data
        frame = Frame(plain[:34] + b"\x80\x01" + port.to_bytes(2, "big") + plain[38:])
        lab.send(*(frame for _ in range(count)))
    bands = lab.qdisc().children.values()
    assert [band.stats.sent_packets for band in bands] == [5, 5, 8, 11]
