"""The MAC learning table: ageing to the nanosecond, moves, limits, fairness, locks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.base.units import NS_PER_S
from vnet.ovs.ofproto.switching.mac_learning import MacLearning

A, B = 0x02_00_00_00_00_0A, 0x02_00_00_00_00_0B
GROUP = 0x01_00_5E_00_00_01


@pytest.fixture
def table() -> MacLearning[str]:
    return MacLearning()


def port_of(table: MacLearning[str], mac: int, now_ns: int, vlan: int = 0) -> str | None:
    entry = table.lookup(mac, vlan, now_ns)
    return None if entry is None else entry.port


def test_a_station_is_found_where_it_was_heard_and_only_in_its_vlan(
    table: MacLearning[str],
) -> None:
    assert table.learn(A, 10, "p1", 0)
    assert port_of(table, A, 0, vlan=10) == "p1"
    assert port_of(table, A, 0, vlan=20) is None


def test_an_entry_counts_for_three_hundred_seconds_and_not_a_nanosecond_longer(
    table: MacLearning[str],
) -> None:
    table.learn(A, 0, "p1", 0)
    assert port_of(table, A, 300 * NS_PER_S - 1) == "p1"
    assert port_of(table, A, 300 * NS_PER_S) is None


def test_expiry_says_when_it_wants_to_be_called_next(table: MacLearning[str]) -> None:
    table.learn(A, 0, "p1", 0)
    table.learn(B, 0, "p1", NS_PER_S)
    assert table.expire(10) == 300 * NS_PER_S
    assert table.expire(300 * NS_PER_S) == 301 * NS_PER_S
    assert [entry.mac for entry in table] == [B]
    assert table.expire(400 * NS_PER_S) is None
    assert table.total_expired == 2


def test_hearing_a_station_again_keeps_it_young(table: MacLearning[str]) -> None:
    table.learn(A, 0, "p1", 0)
    assert not table.learn(A, 0, "p1", 200 * NS_PER_S)
    assert port_of(table, A, 400 * NS_PER_S) == "p1"


def test_ages_are_told_by_the_seconds_that_begin(table: MacLearning[str]) -> None:
    table.learn(A, 0, "p1", NS_PER_S - 1)
    assert [entry.age_s(NS_PER_S) for entry in table] == [1]
    assert port_of(table, A, 300 * NS_PER_S) is None


def test_a_station_that_is_heard_twice_in_a_second_stays_where_it_is_listed(
    table: MacLearning[str],
) -> None:
    for mac in (A, B, A):
        table.learn(mac, 0, "p1", NS_PER_S - 1)
    assert [entry.mac for entry in table] == [A, B]
    table.learn(A, 0, "p1", NS_PER_S)
    assert [entry.mac for entry in table] == [B, A]


def test_of_two_ports_with_equally_many_the_one_that_had_them_first_loses_one(
    table: MacLearning[str],
) -> None:
    table.configure(ageing_s=300, max_entries=10, flood_vlans=frozenset())
    for now_ns, port in enumerate(["p1"] + ["p2"] * 5 + ["p1"] * 4):
        table.learn(A + now_ns, 0, port, now_ns)
    table.learn(B << 8, 0, "p3", 10)
    assert [entry.mac - A for entry in table if entry.port == "p1"] == [0, 6, 7, 8, 9]
    assert [entry.mac - A for entry in table if entry.port == "p2"] == [2, 3, 4, 5]


def test_a_move_is_counted(table: MacLearning[str]) -> None:
    table.learn(A, 0, "p1", 0)
    assert table.learn(A, 0, "p2", 1)
    assert port_of(table, A, 1) == "p2"
    assert table.total_moved == 1
    assert not table.learn(A, 0, "p2", 2)
    assert table.total_moved == 1


def test_whoever_sends_to_stations_hears_of_each_that_comes_moves_or_goes(
    table: MacLearning[str],
) -> None:
    heard: list[tuple[int, int]] = []
    table.on_change = lambda mac, vlan: heard.append((mac, vlan))
    table.learn(A, 5, "p1", 0)
    table.learn(A, 5, "p1", 1)
    assert heard == [(A, 5)]
    table.learn(A, 5, "p2", 2)
    assert heard == [(A, 5)] * 2
    table.expire(400 * NS_PER_S)
    assert heard == [(A, 5)] * 3


def test_group_addresses_are_not_learned(table: MacLearning[str]) -> None:
    assert not table.learn(GROUP, 0, "p1", 0)
    assert len(table) == 0


def test_static_entries_neither_age_nor_move_nor_get_flushed(table: MacLearning[str]) -> None:
    table.add_static(A, 0, "p1", 0)
    assert not table.learn(A, 0, "p2", 1)
    table.flush()
    assert port_of(table, A, 10_000 * NS_PER_S) == "p1"
    assert table.n_static == 1
    assert table.remove_static(A, 0)
    assert not table.remove_static(A, 0)
    assert port_of(table, A, 0) is None


def test_a_flooded_vlan_learns_nothing(table: MacLearning[str]) -> None:
    table.learn(A, 10, "p1", 0)
    table.configure(ageing_s=300, max_entries=8192, flood_vlans=frozenset({10}))
    assert port_of(table, A, 0, vlan=10) is None
    assert not table.learn(A, 10, "p1", 0)
    assert table.learn(A, 11, "p1", 0)


def test_limits_are_kept_to_the_ranges_of_the_manual(table: MacLearning[str]) -> None:
    table.configure(ageing_s=1, max_entries=1, flood_vlans=frozenset())
    assert (table.ageing_ns, table.max_entries) == (15 * NS_PER_S, 10)
    table.configure(ageing_s=99_999, max_entries=10**9, flood_vlans=frozenset())
    assert (table.ageing_ns, table.max_entries) == (3600 * NS_PER_S, 1_000_000)


def test_a_flood_of_addresses_pushes_out_its_own(table: MacLearning[str]) -> None:
    table.configure(ageing_s=300, max_entries=10, flood_vlans=frozenset())
    table.learn(A, 0, "quiet", 0)
    for station in range(1000):
        table.learn(station << 8, 0, "flooder", station)
    assert port_of(table, A, 1000) == "quiet"
    assert len(table) == 10
    assert table.total_evicted == 991


def test_a_gratuitous_arp_locks_a_station_against_reflections_over_bonds(
    table: MacLearning[str],
) -> None:
    table.learn(A, 0, "p1", 0, is_gratuitous_arp=True)
    reflected = {"is_gratuitous_arp": True, "is_bond": True}
    assert not table.learn(A, 0, "bond", 5 * NS_PER_S - 1, **reflected)
    assert port_of(table, A, 5 * NS_PER_S) == "p1"
    assert table.learn(A, 0, "bond", 5 * NS_PER_S, **reflected)


@given(
    st.lists(
        st.tuples(st.integers(0, 15), st.sampled_from("abc"), st.integers(0, 100)), max_size=60
    )
)
def test_the_orders_kept_by_port_hold_the_same_stations(
    steps: list[tuple[int, str, int]],
) -> None:
    table: MacLearning[str] = MacLearning()
    table.configure(ageing_s=15, max_entries=10, flood_vlans=frozenset())
    now_ns = 0
    for mac, port, wait_s in steps:
        now_ns += wait_s * NS_PER_S
        table.expire(now_ns)
        table.learn(mac, 0, port, now_ns)
        assert port_of(table, mac, now_ns) == port
        assert len(table) <= 10
    updated = [entry.updated_ns for entry in table]
    assert updated == sorted(updated), "the least recently used come first"
    for port in "abc":
        table.flush_port(port)
    assert len(table) == 0
