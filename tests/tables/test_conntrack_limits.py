"""However many connections are asked for, there are limits, and expired ones make room."""

from __future__ import annotations

import tracemalloc

from scapy.layers.inet import IP, UDP

from tests.tables.conntrack_lab import CLIENT, COMMIT, SERVER, Lab, framed, tcp, udp
from vnet.tables.conntrack.action import CtAction
from vnet.tables.conntrack.limits import DEFAULT_ZONE
from vnet.tables.conntrack.text import limits_text

FLOOD = 3000


def flood_frames() -> list[bytes]:
    """The first packets of many connections; without checksums, which cost Scapy's time."""
    head = framed(IP(src=CLIENT, dst=SERVER) / UDP(chksum=0, sport=1, dport=2))
    return [head[:34] + (number + 1).to_bytes(2, "big") + head[36:] for number in range(FLOOD)]


def test_a_full_table_takes_no_new_connection() -> None:
    lab = Lab()
    store = lab.tracker.store
    assert store.max_conns == 3_000_000
    store.max_conns = 2
    states = [lab.send(udp(sport=port), COMMIT).state for port in (1, 2, 3)]
    assert states == ["new|trk"] * 3
    assert lab.send(udp(SERVER, CLIENT, 53, 3)).state == "new|trk"
    assert (len(lab.dump()), store.counters.full) == (2, 1)


def test_a_full_table_still_knows_its_connections() -> None:
    lab = Lab()
    lab.tracker.store.max_conns = 1
    lab.send(udp(), COMMIT)
    lab.send(udp(sport=9), COMMIT)
    assert lab.send(udp(SERVER, CLIENT, 53, 1000), COMMIT).state == "est|rpl|trk"


def test_expired_connections_count_until_the_sweep() -> None:
    """Sweeps are 20 s apart, counted from the tracker's start."""
    lab = Lab()
    lab.tracker.store.max_conns = 1
    lab.wait_ms(5_000)
    lab.send(tcp("S"), COMMIT)
    lab.wait_ms(30_000)
    assert lab.dump() == []
    assert lab.tracker.count(lab.now_ns) == 1
    lab.send(udp(), COMMIT)
    assert lab.dump() == []
    lab.wait_ms(4_999)
    assert lab.tracker.count(lab.now_ns) == 1
    lab.wait_ms(1)
    assert lab.tracker.count(lab.now_ns) == 0
    lab.send(udp(), COMMIT)
    assert len(lab.dump()) == 1


def test_a_late_sweep_removes_what_had_expired_when_it_was_due() -> None:
    lab = Lab()
    lab.send(tcp("S"), COMMIT)  # expires at 30 s
    lab.wait_ms(12_000)
    lab.send(tcp("S", ports=(5, 6)), COMMIT)  # expires at 42 s
    lab.wait_ms(31_000)
    assert lab.tracker.count(lab.now_ns) == 1
    lab.wait_ms(17_000)
    assert lab.tracker.count(lab.now_ns) == 0


def test_a_zone_may_have_a_limit() -> None:
    lab = Lab()
    store = lab.tracker.store
    store.limits.set(5, 1)
    action = CtAction(zone=5, commit=True)
    for port in (1, 2):
        lab.send(udp(sport=port), action)
        lab.send(udp(sport=port), COMMIT)
    assert (len(lab.dump()), store.counters.zone_full) == (3, 1)
    assert limits_text(store.limits) == "default limit=0\nzone=5,limit=1,count=1"
    lab.tracker.flush(5)
    assert limits_text(store.limits, [5]) == "default limit=0\nzone=5,limit=1,count=0"


def test_zones_without_a_limit_share_the_default() -> None:
    lab = Lab()
    limits = lab.tracker.store.limits
    limits.set(DEFAULT_ZONE, 2)
    limits.set(7, 9)
    for zone in (1, 2, 3, 7):
        lab.send(udp(), CtAction(zone=zone, commit=True))
    assert len(lab.dump()) == 3
    assert limits_text(limits) == "default limit=2\nzone=7,limit=9,count=1"
    assert limits_text(limits, [1, 7]) == (
        "default limit=2\nzone=1,limit=2,count=2\nzone=7,limit=9,count=1"
    )


def test_limits_come_and_go() -> None:
    lab = Lab()
    limits = lab.tracker.store.limits
    lab.send(udp(sport=1), COMMIT)
    limits.set(0, 1)  # what stands already does not count
    lab.send(udp(sport=2), COMMIT)
    lab.send(udp(sport=3), COMMIT)
    assert len(lab.dump()) == 2
    limits.set(0, 2)
    lab.send(udp(sport=3), COMMIT)
    assert len(lab.dump()) == 3
    limits.delete(0)
    limits.delete(0)
    lab.send(udp(sport=4), COMMIT)
    assert len(lab.dump()) == 4
    lab.tracker.flush()
    assert limits_text(limits) == "default limit=0"


def test_a_flood_costs_no_more_memory_than_the_limit_allows() -> None:
    lab = Lab()
    lab.tracker.store.max_conns = 500
    frames = flood_frames()
    tracemalloc.start()
    for frame in frames[:500]:
        lab.send_all_quietly(frame, COMMIT)
    full, _ = tracemalloc.get_traced_memory()
    for frame in frames[500:]:
        lab.send_all_quietly(frame, COMMIT)
    flooded, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(lab.tracker.store.table) == 500
    assert full / 500 < 1024
    assert flooded - full < 16 * 1024
    assert lab.policy.counters.full == FLOOD - 500


def test_a_flood_that_has_expired_leaves_nothing_behind() -> None:
    lab = Lab()
    for frame in flood_frames():
        lab.send_all_quietly(frame, COMMIT)
    lab.wait_ms(80_000)
    assert lab.tracker.count(lab.now_ns) == 0
    assert not lab.tracker.store.table.index
