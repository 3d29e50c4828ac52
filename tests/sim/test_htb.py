"""The hierarchical token bucket: rates, borrowing, priorities, and what is lost."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from vnet.base.units import NS_PER_S
from vnet.netdev.nic import Nic
from vnet.sim.frame import Frame
from vnet.sim.link import Link
from vnet.sim.qdisc.htb import QUEUE_FRAMES, Htb, HtbRate
from vnet.sim.qdisc.qdisc import QUEUE_FULL
from vnet.sim.scheduler import Scheduler

FRAME_BYTES = 1_000


class Wire:
    """A card on a cable, with queues; ``arrived`` has (when, of which queue) of each frame."""

    def __init__(
        self, root: HtbRate, leaves: dict[int, HtbRate], bandwidth_bps: int | None = None
    ) -> None:
        self.scheduler = Scheduler()
        self.arrived: list[tuple[int, int]] = []
        link = Link(self.scheduler, ("a", "b"), bandwidth_bps=bandwidth_bps, queue_frames=10_000)
        self.nic, far = (Nic(self.scheduler, name, bytes(6)) for name in ("a", "b"))  # type: ignore[arg-type]
        for nic, end in zip((self.nic, far), link.ends, strict=True):
            nic.plug(end)
            nic.set_admin(True)
        far.rx_handler = self._arrive
        self.htb = Htb(self.scheduler, self.nic, root, leaves)
        self.nic.qdisc = self.htb

    def _arrive(self, frame: Frame) -> None:
        self.arrived.append((self.scheduler.now_ns, frame.data[0]))

    def offer(self, queue: int, n_frames: int, n_bytes: int = FRAME_BYTES) -> None:
        for _ in range(n_frames):
            self.nic.transmit(Frame(bytes((queue,)) * n_bytes), queue)

    def run(self, seconds: float = 1) -> Counter[int]:
        """Let time pass; the bytes that arrived of each queue."""
        before = len(self.arrived)
        self.scheduler.run(self.scheduler.now_ns + int(seconds * NS_PER_S))
        return Counter(queue for _, queue in self.arrived[before:])


def rate(kbytes_per_s: int, ceil: int | None = None, **more: int) -> HtbRate:
    """A class with a burst of one frame and a quantum of one frame."""
    most = (kbytes_per_s if ceil is None else ceil) * 1_000
    given = {"burst_bytes": FRAME_BYTES, "quantum_bytes": FRAME_BYTES} | more
    return HtbRate(kbytes_per_s * 1_000, most, **given)


def test_a_queue_sends_at_its_rate_and_no_faster() -> None:
    wire = Wire(rate(1_000), {0: rate(100, 100)})
    wire.offer(0, 300)
    assert 100 <= wire.run(1)[0] <= 102
    assert 99 <= wire.run(1)[0] <= 101


def test_frames_leave_evenly_once_the_burst_is_spent() -> None:
    wire = Wire(rate(1_000), {0: rate(100, 100)})
    wire.offer(0, 20)
    wire.run(1)
    times = [when for when, _ in wire.arrived][2:]
    assert {later - earlier for earlier, later in pairwise(times)} == {
        FRAME_BYTES * NS_PER_S // 100_000
    }


def test_what_one_queue_leaves_over_another_borrows() -> None:
    wire = Wire(rate(100), {0: rate(60, 100), 1: rate(40, 100)})
    wire.offer(1, 200)
    assert 99 <= wire.run(1)[1] <= 103


def test_each_queue_has_its_own_rate_when_all_want_to_send() -> None:
    wire = Wire(rate(100), {0: rate(60, 100), 1: rate(40, 100)})
    wire.offer(0, 200)
    wire.offer(1, 200)
    sent = wire.run(1)
    assert abs(sent[0] - 60) <= 3
    assert abs(sent[1] - 40) <= 3


def test_a_ceiling_holds_however_much_there_is_to_borrow() -> None:
    wire = Wire(rate(1_000), {0: rate(10, 50)})
    wire.offer(0, 200)
    assert 49 <= wire.run(1)[0] <= 52


def test_the_lower_priority_number_borrows_first() -> None:
    leaves = {0: rate(10, 100, priority=1), 1: rate(10, 100, priority=0)}
    wire = Wire(rate(100), leaves)
    wire.offer(0, 200)
    wire.offer(1, 200)
    sent = wire.run(1)
    assert abs(sent[1] - 90) <= 3
    assert abs(sent[0] - 10) <= 3


def test_quantums_share_out_what_is_borrowed() -> None:
    leaves = {
        0: rate(1, 100, quantum_bytes=FRAME_BYTES),
        1: rate(1, 100, quantum_bytes=3 * FRAME_BYTES),
    }
    wire = Wire(rate(100), leaves)
    wire.offer(0, 200)
    wire.offer(1, 200)
    sent = wire.run(1)
    assert 2.6 <= sent[1] / sent[0] <= 3.4


def test_a_slow_link_holds_the_queues_back_so_that_they_keep_their_shares() -> None:
    """The link's own queue would treat all alike."""
    leaves = {0: rate(10, 1_000, priority=1), 1: rate(10, 1_000, priority=0)}
    wire = Wire(rate(1_000), leaves, bandwidth_bps=800_000)
    wire.offer(0, 150)
    wire.offer(1, 80)
    sent = wire.run(1)
    assert abs(sent[0] + sent[1] - 100) <= 1
    assert sent[1] == 80


def test_a_full_queue_drops_by_name_and_counts() -> None:
    wire = Wire(rate(1_000), {0: rate(1, 1)})
    wire.offer(0, QUEUE_FRAMES + 10)
    lost = wire.nic.drops[QUEUE_FULL]
    assert 7 <= lost <= 9  # one or two left at once
    assert wire.htb.stats()[0].tx_errors == lost


def test_a_queue_that_is_not_there_is_queue_0() -> None:
    wire = Wire(rate(100), {0: rate(100), 7: rate(100)})
    wire.offer(3, 1)
    wire.run()
    assert wire.htb.stats()[0].tx_packets == 1


def test_statistics_count_what_has_left() -> None:
    wire = Wire(rate(100), {0: rate(100), 1: rate(50, 50)})
    wire.offer(1, 5)
    assert wire.htb.stats()[1].tx_packets < 5
    wire.run()
    stats = wire.htb.stats()[1]
    assert (stats.tx_packets, stats.tx_bytes, stats.tx_errors) == (5, 5 * FRAME_BYTES, 0)


def test_a_queue_that_is_taken_away_loses_its_frames_by_name() -> None:
    wire = Wire(rate(100), {0: rate(100), 1: rate(1, 1)})
    wire.offer(1, 10)
    waiting = 10 - wire.htb.stats()[1].tx_packets
    wire.htb.configure(rate(100), {0: rate(100)})
    assert wire.nic.drops == {QUEUE_FULL: waiting}


def test_taking_the_queues_away_sends_what_waits() -> None:
    wire = Wire(rate(100), {0: rate(1, 1)})
    wire.offer(0, 10)
    wire.nic.qdisc = None
    wire.htb.close()
    assert wire.run()[0] == 10


@settings(deadline=None, max_examples=examples(60))
@given(
    st.lists(
        st.tuples(st.integers(1, 200), st.integers(0, 200), st.integers(0, 3)),
        min_size=1,
        max_size=5,
    ),
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 60), st.integers(14, 1_500)), max_size=20),
)
def test_no_frame_is_lost_or_overtakes_its_like_and_no_ceiling_is_broken(
    classes: list[tuple[int, int, int]], offers: list[tuple[int, int, int]]
) -> None:
    leaves = {
        queue: rate(own, own + more, priority=priority, burst_bytes=1_600)
        for queue, (own, more, priority) in enumerate(classes)
    }
    wire = Wire(rate(300), leaves)
    offered: Counter[int] = Counter()
    for queue, n_frames, n_bytes in offers:
        wire.offer(queue, n_frames, n_bytes)
        offered[queue if queue in leaves else 0] += n_frames
    sent = {queue: stats.tx_bytes for queue, stats in wire.htb.stats().items()}
    wire.run(0.5)
    for queue, stats in wire.htb.stats().items():
        most = leaves[queue].ceil_bytes_per_s * 0.5 + 2 * 1_600
        assert stats.tx_bytes - sent[queue] <= most
    wire.run(100_000)
    counted = wire.htb.stats()
    lost = sum(found.tx_errors for found in counted.values())
    assert lost == wire.nic.drops.get(QUEUE_FULL, 0)
    for queue, found in counted.items():
        assert found.tx_packets + found.tx_errors == offered[queue]


@pytest.mark.parametrize("n_frames", [1, 5])
def test_time_goes_on_only_while_something_waits(n_frames: int) -> None:
    wire = Wire(rate(100), {0: rate(100)})
    wire.offer(0, n_frames)
    wire.scheduler.run()
    assert wire.scheduler.now_ns < NS_PER_S
    assert len(wire.arrived) == n_frames
