"""The forwarding database: learning, moving, ageing, and entries that do neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.tables.fdb import Fdb, FdbKind

A = bytes.fromhex("020000000001")
B = bytes.fromhex("020000000002")
AGEING = 300

Ports = Fdb[str]


@pytest.fixture
def fdb() -> Ports:
    return Fdb(AGEING)


def port_of(fdb: Ports, mac: bytes) -> str | None:
    entry = fdb.get(mac)
    return None if entry is None else entry.port


def test_an_unknown_station_has_no_port(fdb: Ports) -> None:
    assert port_of(fdb, A) is None


def test_a_learned_station_has_one(fdb: Ports) -> None:
    fdb.learn(A, "p1", 0)
    assert port_of(fdb, A) == "p1"
    assert len(fdb) == 1


def test_a_station_moves_with_its_frames(fdb: Ports) -> None:
    fdb.learn(A, "p1", 0)
    fdb.learn(A, "p2", 1)
    assert port_of(fdb, A) == "p2"
    assert len(fdb) == 1


def test_an_entry_counts_until_a_sweep_finds_it_too_old(fdb: Ports) -> None:
    fdb.learn(A, "p1", 10)
    fdb.expire(10 + AGEING - 1)
    assert port_of(fdb, A) == "p1"
    fdb.expire(10 + AGEING)
    assert port_of(fdb, A) is None


def test_a_static_entry_moves_with_its_station_and_stays_static(fdb: Ports) -> None:
    fdb.add(A, "p1", FdbKind.STATIC, 0)
    fdb.learn(A, "p2", 1)
    assert fdb.expire(10 * AGEING) is None
    assert port_of(fdb, A) == "p2"


def test_a_station_may_be_at_different_ports_in_different_vlans(fdb: Ports) -> None:
    fdb.learn(A, "p1", 0, vid=10)
    fdb.learn(A, "p2", 0, vid=20)
    assert [fdb.get(A, vid).port for vid in (10, 20)] == ["p1", "p2"]  # type: ignore[union-attr]
    assert fdb.get(A) is None
    fdb.flush_port("p1", vid=20)
    fdb.flush_port("p2", vid=20)
    assert [(entry.port, entry.vid) for entry in fdb] == [("p1", 10)]


def test_hearing_a_station_again_keeps_it_young(fdb: Ports) -> None:
    fdb.learn(A, "p1", 0)
    fdb.learn(A, "p1", AGEING - 1)
    fdb.expire(2 * AGEING - 2)
    assert port_of(fdb, A) == "p1"


@pytest.mark.parametrize("kind", [FdbKind.STATIC, FdbKind.LOCAL])
def test_local_and_sticky_entries_neither_age_nor_move(fdb: Ports, kind: FdbKind) -> None:
    fdb.add(A, "p1", kind, 0).sticky = kind is FdbKind.STATIC
    assert fdb.learn(A, "p2", 1).port == "p1"
    assert fdb.expire(10 * AGEING) is None
    assert port_of(fdb, A) == "p1"


def test_a_sweep_removes_the_old_and_tells_when_the_next_is_due(fdb: Ports) -> None:
    fdb.learn(A, "p1", 0)
    fdb.learn(B, "p2", 50)
    assert fdb.expire(AGEING) == 50 + AGEING
    assert [entry.mac for entry in fdb] == [B]
    assert fdb.expire(50 + AGEING) is None
    assert len(fdb) == 0


def test_flushing_a_port_spares_the_others_and_what_was_set(fdb: Ports) -> None:
    fdb.add(A, "p1", FdbKind.LOCAL, 0)
    fdb.learn(B, "p1", 0)
    fdb.learn(bytes(5) + b"\x07", "p2", 0)
    fdb.flush_port("p1")
    assert {(entry.mac, entry.port) for entry in fdb} == {(A, "p1"), (bytes(5) + b"\x07", "p2")}
    fdb.flush_port("p1", local=True)
    assert {entry.port for entry in fdb} == {"p2"}


def test_removing_is_harmless_where_nothing_is(fdb: Ports) -> None:
    fdb.remove(A)
    fdb.learn(A, "p1", 0)
    fdb.remove(A)
    assert port_of(fdb, A) is None


STEPS = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from([A, B]), st.sampled_from(["p1", "p2", "p3"])),
    max_size=30,
)


@given(STEPS, st.integers(0, 1000))
def test_after_a_sweep_stations_are_where_they_were_heard_within_the_ageing_time(
    steps: list[tuple[int, bytes, str]], wait: int
) -> None:
    fdb: Ports = Fdb(AGEING)
    now = 0
    last: dict[bytes, tuple[str | None, int]] = {}
    for passed, mac, port in steps:
        now += passed
        fdb.learn(mac, port, now)
        last[mac] = (port, now)
        if passed % 3 == 0:
            fdb.expire(now)
    now += wait
    fdb.expire(now)
    for mac in (A, B):
        last_port, heard = last.get(mac, (None, 0))
        assert port_of(fdb, mac) == (last_port if now - heard < AGEING else None)
