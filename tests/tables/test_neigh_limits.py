"""How many neighbours are known: the thresholds, who goes for whom, and the sweep."""

from __future__ import annotations

from functools import partial
from random import Random

import pytest

from vnet.tables.neigh import Neighbor, NeighborParameters, NeighborTable, Nud
from vnet.tables.neigh_limits import NeighborFamily, NeighborThresholds

S = 1_000_000_000
LATER = 100 * S
STALE_NS = NeighborParameters().gc_stale_ns
Family = NeighborFamily[str]
IDLE = (Nud.NONE, Nud.STALE, Nud.FAILED)


class Known:
    """Two interfaces' tables with one limit, and who was forgotten, by number."""

    def __init__(self, first: int = 2, second: int = 4, third: int = 6) -> None:
        self.family: Family = NeighborFamily(NeighborThresholds(first, second, third))
        self.gone: list[int] = []
        self.tables = []
        for _ in range(2):
            table: NeighborTable[str] = NeighborTable(
                NeighborParameters(), partial(Random, 1), self.family.members
            )
            table.on_forgotten = self._forgotten
            self.tables.append(table)

    def _forgotten(self, neighbor: Neighbor[str]) -> None:
        self.gone.append(neighbor.ip[3])

    def add(self, *states: Nud, at: int = 0) -> None:
        """Neighbours on either interface in turn; each changed at ``at``."""
        for state in states:
            number = sum(len(list(table)) for table in self.tables) + len(self.gone)
            ip = bytes((10, 0, 0, number))
            self.tables[number % 2].ensure(ip, at).state = state


def test_the_defaults_are_the_kernels() -> None:
    limits = NeighborThresholds()
    assert (limits.first, limits.second, limits.third) == (128, 512, 1024)


def test_up_to_the_second_threshold_a_newcomer_costs_nobody() -> None:
    known = Known()
    known.add(*[Nud.STALE] * 3)
    assert known.family.make_room(LATER)
    assert known.gone == []


def test_above_it_the_oldest_idle_ones_go_whatever_their_interface() -> None:
    known = Known()
    known.add(Nud.REACHABLE, Nud.STALE, Nud.NONE, Nud.STALE, Nud.STALE)
    assert known.family.make_room(LATER)
    assert known.gone == [1, 2]


def test_forgetting_is_tried_every_five_seconds_only() -> None:
    known = Known()
    known.add(*[Nud.REACHABLE] * 4)
    assert known.family.make_room(LATER)
    known.add(Nud.STALE)
    assert known.family.make_room(LATER + 5 * S)
    assert known.gone == []
    assert known.family.make_room(LATER + 5 * S + 1)
    assert known.gone == [4]


@pytest.mark.parametrize("state", list(Nud))
def test_at_the_third_there_is_room_only_if_somebody_goes(state: Nud) -> None:
    known = Known()
    known.add(state, *[Nud.REACHABLE] * 5)
    assert known.family.make_room(LATER) is (state in IDLE)
    assert known.gone == ([0] if state in IDLE else [])


def test_who_changed_lately_stays_unless_it_failed() -> None:
    known = Known()
    known.add(Nud.STALE, Nud.FAILED, *[Nud.STALE] * 4, at=LATER - 5 * S)
    assert known.family.make_room(LATER)
    assert known.gone == [1]


def test_the_administrators_entries_do_not_count() -> None:
    known = Known(third=4)
    known.add(*[Nud.REACHABLE] * 4)
    assert not known.family.make_room(LATER)
    known.tables[0].set_permanent(bytes((10, 0, 0, 0)), bytes(6), 0)
    assert known.family.make_room(LATER)


def test_who_leaves_no_longer_counts() -> None:
    known = Known()
    known.add(*[Nud.REACHABLE] * 4)
    known.tables[0].remove(bytes((10, 0, 0, 0)))
    known.tables[1].clear()
    assert [neighbor.ip[3] for neighbor in known.family.members] == [2]


@pytest.mark.parametrize("state", list(Nud))
def test_the_sweep_takes_who_is_idle_for_gc_stale_time(state: Nud) -> None:
    known = Known()
    known.add(state, Nud.REACHABLE)
    if state is Nud.PERMANENT:
        known.tables[0].set_permanent(bytes((10, 0, 0, 0)), bytes(6), 0)
        known.add(Nud.REACHABLE)
    known.family.sweep(STALE_NS - 1)
    assert known.gone == ([0] if state is Nud.FAILED else [])
    known.family.sweep(STALE_NS)
    assert known.gone == ([0] if state in IDLE else [])


def test_a_confirmation_counts_as_use() -> None:
    known = Known()
    known.add(Nud.STALE, Nud.STALE)
    known.tables[0].confirm(bytes((10, 0, 0, 0)), 1)
    known.family.sweep(STALE_NS)
    assert known.gone == [1]


def test_below_the_first_threshold_nobody_is_ever_swept() -> None:
    known = Known(first=3)
    known.add(Nud.STALE, Nud.FAILED)
    known.family.sweep(10 * STALE_NS)
    assert known.gone == []
