"""The hierarchical token bucket as ``tc`` shows it: Open vSwitch has it for its queues.

The handles are those that ovs-vswitchd gives: all queues are below the class 1:fffe, and queue N is
the class 1:(N+1).
"""

from __future__ import annotations

from collections.abc import Iterator

from vnet.linux.tc.numbers import bytes_in, rate_text, size_text, ticks_of
from vnet.sim.qdisc.discipline import QdiscStats
from vnet.sim.qdisc.htb import QUEUE_FRAMES, Htb, HtbRate
from vnet.sim.qdisc.psched import TransmitTime

HANDLE = 0x00010000
_ROOT_CLASS = 0xFFFE
OPTIONS = f"r2q 10 default 0x1 direct_packets_stat 0 direct_qlen {QUEUE_FRAMES}"


def total(htb: Htb) -> QdiscStats:
    """What all queues have done."""
    stats = QdiscStats()
    for queue in htb.leaves():
        of_queue = _stats(htb, queue)
        stats.sent_bytes += of_queue.sent_bytes
        stats.sent_packets += of_queue.sent_packets
        stats.drops += of_queue.drops
        stats.backlog_bytes += of_queue.backlog_bytes
        stats.backlog_packets += of_queue.backlog_packets
    return stats


def _stats(htb: Htb, queue: int) -> QdiscStats:
    found, waiting = htb.stats()[queue], htb.waiting(queue)
    return QdiscStats(
        found.tx_bytes,
        found.tx_packets,
        found.tx_errors,
        backlog_bytes=sum(len(frame.data) for frame in waiting),
        backlog_packets=len(waiting),
    )


def classes(htb: Htb) -> Iterator[tuple[int, str, QdiscStats]]:
    """Each class: its number, what is said of it, and what it has done."""
    found = {_ROOT_CLASS: (f"root {_text(htb.root)}", total(htb))}
    for queue, rate in htb.leaves().items():
        words = f"parent 1:{_ROOT_CLASS:x} prio {rate.priority} {_text(rate)}"
        found[queue + 1] = (words, _stats(htb, queue))
    size = 4
    while len(found) * 4 > size * 3:
        size *= 2
    newest_first = reversed(found.items())
    for number, (words, stats) in sorted(newest_first, key=lambda item: _bucket(item[0], size)):
        yield number, words, stats


def _bucket(number: int, size: int) -> int:
    """Where the kernel keeps a class: it lists them in the order of its hash table."""
    key = HANDLE | number
    key ^= key >> 8
    key ^= key >> 4
    return key & size - 1


def _text(rate: HtbRate) -> str:
    own, ceil = rate.rate_bytes_per_s, rate.ceil_bytes_per_s
    return (
        f"rate {rate_text(own)} ceil {rate_text(ceil)} "
        f"burst {_burst(own, rate)} cburst {_burst(ceil, rate)} "
    )


def _burst(bytes_per_s: int, rate: HtbRate) -> str:
    time_ns = TransmitTime(bytes_per_s).ns(rate.burst_bytes)
    return size_text(bytes_in(bytes_per_s, ticks_of(time_ns)))
