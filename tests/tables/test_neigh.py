"""Neighbour states: the transition table row by row, and the table's timers and queue."""

from __future__ import annotations

from functools import partial
from itertools import product
from random import Random

import pytest

from vnet.tables.neigh import (
    NUD_TRANSITIONS,
    VALID,
    Action,
    Cause,
    Neighbor,
    NeighborParameters,
    NeighborTable,
    Nud,
)

# from, cause, to
ROWS = [
    (Nud.NONE, Cause.USED, Nud.INCOMPLETE),
    (Nud.NONE, Cause.HEARD, Nud.STALE),
    (Nud.NONE, Cause.CONFIRMED, Nud.REACHABLE),
    (Nud.INCOMPLETE, Cause.CONFIRMED, Nud.REACHABLE),
    (Nud.INCOMPLETE, Cause.HEARD, Nud.STALE),
    (Nud.INCOMPLETE, Cause.EXHAUSTED, Nud.FAILED),
    (Nud.REACHABLE, Cause.AGED, Nud.STALE),
    (Nud.REACHABLE, Cause.DOUBTED, Nud.DELAY),
    (Nud.REACHABLE, Cause.HEARD, Nud.STALE),
    (Nud.REACHABLE, Cause.CONFIRMED, Nud.REACHABLE),
    (Nud.STALE, Cause.USED, Nud.DELAY),
    (Nud.STALE, Cause.CONFIRMED, Nud.REACHABLE),
    (Nud.STALE, Cause.HEARD, Nud.STALE),
    (Nud.DELAY, Cause.CONFIRMED, Nud.REACHABLE),
    (Nud.DELAY, Cause.HEARD, Nud.STALE),
    (Nud.DELAY, Cause.UNANSWERED, Nud.PROBE),
    (Nud.PROBE, Cause.CONFIRMED, Nud.REACHABLE),
    (Nud.PROBE, Cause.HEARD, Nud.STALE),
    (Nud.PROBE, Cause.EXHAUSTED, Nud.FAILED),
    (Nud.FAILED, Cause.USED, Nud.INCOMPLETE),
    (Nud.FAILED, Cause.HEARD, Nud.STALE),
    (Nud.FAILED, Cause.CONFIRMED, Nud.REACHABLE),
]

IP = bytes((10, 0, 0, 2))
MAC = bytes.fromhex("020000000002")
OTHER = bytes.fromhex("020000000003")
S = 1_000_000_000
LIMITS = NeighborParameters()

Table = NeighborTable[str]


@pytest.fixture
def table() -> Table:
    return NeighborTable(LIMITS, partial(Random, 1))


def in_state(table: Table, state: Nud) -> Neighbor[str]:
    """The neighbour, put into ``state`` by hand."""
    neighbor = table.ensure(IP, 0)
    neighbor.state = state
    neighbor.mac = MAC if state in VALID else None
    return neighbor


@pytest.mark.parametrize(("state", "cause", "expected"), ROWS)
def test_row(table: Table, state: Nud, cause: Cause, expected: Nud) -> None:
    neighbor = in_state(table, state)
    table._move(neighbor, cause, 5)
    assert neighbor.state is expected
    assert neighbor.updated_ns == 5


def test_the_rows_are_the_whole_law() -> None:
    assert {(state, cause): to for state, cause, to in ROWS} == NUD_TRANSITIONS


@pytest.mark.parametrize(
    ("state", "cause"),
    [pair for pair in product(Nud, Cause) if pair not in NUD_TRANSITIONS],
)
def test_an_illegal_step_raises_and_changes_nothing(table: Table, state: Nud, cause: Cause) -> None:
    neighbor = in_state(table, state)
    with pytest.raises(KeyError):
        table._move(neighbor, cause, 5)
    assert (neighbor.state, neighbor.updated_ns) == (state, 0)


# -- use


@pytest.mark.parametrize("state", [Nud.NONE, Nud.FAILED])
def test_using_an_unknown_neighbour_asks_everyone(table: Table, state: Nud) -> None:
    in_state(table, state)
    neighbor, action = table.use(IP, 7)
    assert (neighbor.state, action) == (Nud.INCOMPLETE, Action.SOLICIT_MULTICAST)
    assert neighbor.due_ns == 7 + LIMITS.retrans_ns


def test_using_a_stale_neighbour_starts_doubting(table: Table) -> None:
    in_state(table, Nud.STALE)
    neighbor, action = table.use(IP, 7)
    assert (neighbor.state, action) == (Nud.DELAY, Action.NOTHING)
    assert neighbor.due_ns == 7 + LIMITS.delay_first_probe_ns


@pytest.mark.parametrize(
    "state", [Nud.INCOMPLETE, Nud.REACHABLE, Nud.DELAY, Nud.PROBE, Nud.PERMANENT]
)
def test_using_any_other_changes_nothing(table: Table, state: Nud) -> None:
    in_state(table, state)
    neighbor, action = table.use(IP, 7)
    assert (neighbor.state, action, neighbor.used_ns) == (state, Action.NOTHING, 7)


def test_three_requests_and_then_failure(table: Table) -> None:
    neighbor, action = table.use(IP, 0)
    asked = 0
    while action is Action.SOLICIT_MULTICAST:
        asked += 1
        assert neighbor.due_ns is not None
        action = table.on_timer(neighbor, neighbor.due_ns)
    assert (asked, action, neighbor.state) == (3, Action.FAIL, Nud.FAILED)
    assert neighbor.due_ns is None


def test_the_queue_lets_the_oldest_go_when_it_is_full(table: Table) -> None:
    neighbor, _ = table.use(IP, 0)
    lost = [table.enqueue(neighbor, str(i)) for i in range(LIMITS.queue_packets + 2)]
    assert [packet for packet in lost if packet is not None] == ["0", "1"]


# -- what the neighbour says


@pytest.mark.parametrize("solicited", [True, False])
def test_an_answer_releases_the_queue(table: Table, solicited: bool) -> None:
    neighbor, _ = table.use(IP, 0)
    table.enqueue(neighbor, "one")
    table.enqueue(neighbor, "two")
    assert table.update(IP, MAC, 1, solicited=solicited) == ["one", "two"]
    assert neighbor.state is (Nud.REACHABLE if solicited else Nud.STALE)
    assert (neighbor.mac, neighbor.pending) == (MAC, [])


@pytest.mark.parametrize("state", [Nud.REACHABLE, Nud.STALE, Nud.DELAY, Nud.PROBE])
def test_hearing_the_mac_we_know_keeps_the_state(table: Table, state: Nud) -> None:
    neighbor = in_state(table, state)
    table.update(IP, MAC, 1, solicited=False)
    assert neighbor.state is state


@pytest.mark.parametrize("state", [Nud.REACHABLE, Nud.STALE, Nud.DELAY, Nud.PROBE])
def test_hearing_another_mac_believes_it_and_doubts(table: Table, state: Nud) -> None:
    neighbor = in_state(table, state)
    table.update(IP, OTHER, 1, solicited=False)
    assert (neighbor.state, neighbor.mac) == (Nud.STALE, OTHER)


def test_without_override_another_mac_is_not_believed(table: Table) -> None:
    neighbor = in_state(table, Nud.REACHABLE)
    assert table.update(IP, OTHER, 1, solicited=True, override=False) == []
    assert (neighbor.state, neighbor.mac) == (Nud.REACHABLE, MAC)


def test_a_weak_contradiction_puts_a_reachable_neighbour_in_doubt(table: Table) -> None:
    neighbor = in_state(table, Nud.REACHABLE)
    table.update(IP, OTHER, 1, solicited=True, override=False, weak=True)
    assert (neighbor.state, neighbor.mac) == (Nud.STALE, MAC)


def test_a_permanent_neighbour_listens_to_nobody(table: Table) -> None:
    table.set_permanent(IP, MAC, 0)
    table.update(IP, OTHER, 1, solicited=True)
    neighbor = table.get(IP)
    assert neighbor is not None
    assert (neighbor.state, neighbor.mac, neighbor.due_ns) == (Nud.PERMANENT, MAC, None)


# -- timers


def test_a_reachable_neighbour_ages_to_stale_when_unused(table: Table) -> None:
    table.update(IP, MAC, 0, solicited=True)
    neighbor = table.ensure(IP, 0)
    due_ns = neighbor.due_ns
    assert due_ns == table.reachable_ns
    assert table.on_timer(neighbor, due_ns) is Action.NOTHING
    assert (neighbor.state, neighbor.due_ns) == (Nud.STALE, None)


def test_a_reachable_neighbour_in_use_is_delayed(table: Table) -> None:
    table.update(IP, MAC, 0, solicited=True)
    neighbor, _ = table.use(IP, table.reachable_ns - S)
    table.on_timer(neighbor, table.reachable_ns)
    assert neighbor.state is Nud.DELAY


def test_a_confirmation_prolongs_reachability(table: Table) -> None:
    table.update(IP, MAC, 0, solicited=True)
    table.confirm(IP, 9 * S)
    neighbor = table.ensure(IP, 0)
    table.on_timer(neighbor, table.reachable_ns)
    assert neighbor.state is Nud.REACHABLE
    assert neighbor.due_ns == 9 * S + table.reachable_ns


def test_a_confirmation_ends_the_delay(table: Table) -> None:
    in_state(table, Nud.STALE)
    neighbor, _ = table.use(IP, 0)
    table.confirm(IP, 3 * S)
    assert table.on_timer(neighbor, 5 * S) is Action.NOTHING
    assert neighbor.state is Nud.REACHABLE


def test_a_delay_without_confirmation_probes_three_times_by_unicast(table: Table) -> None:
    neighbor = in_state(table, Nud.STALE)
    neighbor.confirmed_ns = -60 * S
    table.use(IP, 0)
    actions = []
    while neighbor.due_ns is not None:
        actions.append(table.on_timer(neighbor, neighbor.due_ns))
    assert actions == [Action.SOLICIT_UNICAST] * 3 + [Action.FAIL]
    assert neighbor.state is Nud.FAILED


def test_the_reachable_time_lies_between_half_and_one_and_a_half() -> None:
    times = {NeighborTable[str](LIMITS, partial(Random, seed)).reachable_ns for seed in range(100)}
    assert len(times) == 100
    assert all(15 * S <= time < 45 * S for time in times)


def test_removing_and_clearing_hand_back_what_was_there(table: Table) -> None:
    neighbor, _ = table.use(IP, 0)
    assert table.remove(IP) is neighbor
    assert table.remove(IP) is None
    table.use(IP, 0)
    assert [n.ip for n in table.clear()] == [IP]
    assert list(table) == []


def test_clearing_may_spare_the_administrators_entries(table: Table) -> None:
    table.set_permanent(IP, MAC, 0)
    table.use(IP[:3] + b"\x09", 0)
    assert [n.state for n in table.clear(keep_permanent=True)] == [Nud.INCOMPLETE]
    assert [n.state for n in table] == [Nud.PERMANENT]
