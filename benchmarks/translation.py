"""Ten thousand translated connections: to begin them, to keep them, to find one."""

from __future__ import annotations

import tracemalloc
from time import process_time

from benchmarks.harness import Cost, Speed, Work
from benchmarks.road import station
from benchmarks.routing import frame_of, router_of_two
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.sim.frame import Frame
from vnet.wire.ether import HEADER_BYTES

ENTRIES = 10_000
_FEW = 10
_LOOKS = 20_000
_SERVER = bytes((10, 0, 1, 1))


def _begin(n_entries: int) -> tuple[Netfilter, list[Frame], float]:
    """As many guests' first datagrams through MASQUERADE; with the CPU seconds that took."""
    router, cards = router_of_two()
    netfilter = router.make_netfilter()
    netfilter.rules4.restore("*nat\n-A POSTROUTING -o eth1 -j MASQUERADE\nCOMMIT\n")
    router.interface("eth1").arp_cache.heard(_SERVER, station(1), solicited=True)
    frames = [
        # Each source port is two guests': half of the ports must be chosen.
        Frame(frame_of(cards[0].mac, bytes((10, 0, 0, 1 + n % 2)), _SERVER, 2000 + n // 2))
        for n in range(n_entries)
    ]
    started = process_time()
    for frame in frames:
        cards[0].receive(frame)
    seconds = process_time() - started
    assert cards[1].tx_packets == n_entries
    return netfilter, frames, seconds


def set_up_seconds() -> float:
    """CPU seconds until all of them are known."""
    return _begin(ENTRIES)[2]


def entry_bytes() -> float:
    """Memory for each."""
    _begin(_FEW)
    tracemalloc.start()
    try:
        few = _begin(_FEW)
        before = tracemalloc.get_traced_memory()[0]
        many, frames, _ = _begin(ENTRIES)
        frames.clear()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert few[0] is not many
    return (after - before) / ENTRIES


def _looks(n_entries: int) -> Work:
    netfilter, frames, _ = _begin(n_entries)
    packets = [frame.data[HEADER_BYTES:] for frame in frames[:: max(1, n_entries // _FEW)]]
    look = netfilter.conntrack.look

    def work() -> int:
        for _ in range(_LOOKS // len(packets)):
            for packet in packets:
                look(packet, 4, 0, checks=True)
        return _LOOKS

    return work


BENCHMARKS = (
    Cost("10,000 NAT entries: set up", "s", set_up_seconds, 2.5),
    Cost("10,000 NAT entries: memory of each", "bytes", entry_bytes, 1200.0),
    Speed(
        "10,000 NAT entries: look-up",
        "packets/s",
        lambda: _looks(ENTRIES),
        lambda: _looks(_FEW),
        "among ten",
        0.8,
    ),
)
