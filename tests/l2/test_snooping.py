"""The table of multicast groups: members, routers, ageing, room."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.base.units import NS_PER_S
from vnet.l2.membership import Membership, igmp_memberships, mapped, mld_memberships
from vnet.l2.snooping import Snooping
from vnet.wire import igmp, mld

GROUP = mapped(b"\xe1\1\1\1")
OTHER = mapped(b"\xe1\1\1\2")


@pytest.fixture
def table() -> Snooping[str]:
    return Snooping()


def members(table: Snooping[str], group: bytes = GROUP, vlan: int = 0) -> list[str] | None:
    found = table.lookup(group, vlan)
    return None if found is None else list(found.members)


def test_who_joined_last_stands_last(table: Snooping[str]) -> None:
    assert table.join(GROUP, 0, "p1", 0)
    assert not table.join(GROUP, 0, "p2", 0)
    table.join(GROUP, 0, "p1", 0)
    assert members(table) == ["p2", "p1"]


def test_vlans_are_apart(table: Snooping[str]) -> None:
    table.join(GROUP, 1, "p1", 0)
    assert members(table, vlan=2) is None


def test_a_member_ages_to_the_second(table: Snooping[str]) -> None:
    table.join(GROUP, 0, "p1", 700_000_000)
    assert table.expire(299 * NS_PER_S) == 300 * NS_PER_S
    assert members(table) == ["p1"]
    assert table.expire(300 * NS_PER_S) is None
    assert members(table) is None


def test_a_member_stays_behind_others_that_have_joined_since(table: Snooping[str]) -> None:
    table.join(GROUP, 0, "p1", 0)
    table.join(OTHER, 0, "p1", 100 * NS_PER_S)
    table.join(GROUP, 0, "p2", 200 * NS_PER_S)
    assert table.expire(350 * NS_PER_S) == 400 * NS_PER_S
    assert members(table) == ["p1", "p2"], "the other group was joined longer ago"
    table.expire(400 * NS_PER_S)
    assert members(table) == ["p2"]


def test_a_group_that_all_have_left_goes_once_its_turn_comes(table: Snooping[str]) -> None:
    table.join(OTHER, 0, "p1", 0)
    table.join(GROUP, 0, "p1", 0)
    assert table.leave(GROUP, 0, "p1")
    table.expire(0)
    assert members(table) == []
    table.leave(OTHER, 0, "p1")
    table.expire(0)
    assert len(table) == 0


def test_the_group_that_was_joined_longest_ago_makes_room(table: Snooping[str]) -> None:
    table.configure(ageing_s=300, max_groups=10, flood_unregistered=True)
    groups = [mapped(bytes((225, 0, 0, n))) for n in range(11)]
    for group in groups[:10]:
        table.join(group, 0, "p1", 0)
    table.join(groups[0], 0, "p1", 0)
    table.join(groups[10], 0, "p1", 0)
    assert members(table, groups[0]) == ["p1"]
    assert members(table, groups[1]) is None
    assert len(table) == 10


def test_a_smaller_table_forgets_what_it_has_no_room_for(table: Snooping[str]) -> None:
    for n in range(20):
        table.join(mapped(bytes((225, 0, 0, n))), 0, "p1", 0)
    table.configure(ageing_s=300, max_groups=1, flood_unregistered=True)
    table.expire(0)
    assert len(table) == 10, "no table is smaller"


def test_another_ageing_counts_for_members_too(table: Snooping[str]) -> None:
    table.join(GROUP, 0, "p1", 0)
    table.configure(ageing_s=1, max_groups=10, flood_unregistered=True)
    assert table.ageing_s == 15
    assert table.expire(14 * NS_PER_S) == 15 * NS_PER_S
    assert [table.member_age_s(s, 14 * NS_PER_S) for g in table for s in g.members.values()] == [14]


def test_a_router_counts_for_three_minutes_after_it_has_asked(table: Snooping[str]) -> None:
    assert table.add_router(5, "p1", 0)
    assert not table.add_router(5, "p1", 10 * NS_PER_S)
    assert table.is_router(5, "p1")
    assert not table.is_router(6, "p1")
    assert table.expire(189 * NS_PER_S) == 190 * NS_PER_S
    table.expire(190 * NS_PER_S)
    assert list(table.routers()) == []


def test_a_port_that_gets_all_anyway_becomes_no_member(table: Snooping[str]) -> None:
    table.set_flood("p1", traffic=True, reports=False)
    table.add_router(0, "p2", 0)
    for port in ("p1", "p2"):
        assert not table.join(GROUP, 0, port, 0)
    assert not table.add_router(0, "p1", 0)
    assert members(table) is None


def test_behind_a_port_with_all_reports_somebody_may_be_left(table: Snooping[str]) -> None:
    table.set_flood("p1", traffic=False, reports=True)
    table.join(GROUP, 0, "p1", 0)
    assert not table.leave(GROUP, 0, "p1")
    assert members(table) == ["p1"]


def test_flushing_forgets_groups_and_routers_and_no_settings(table: Snooping[str]) -> None:
    table.set_flood("p3", traffic=True, reports=True)
    table.join(GROUP, 0, "p1", 0)
    table.add_router(0, "p2", 0)
    table.flush()
    assert len(table) == 0
    assert not table.is_router(0, "p2")
    assert list(table.flood_ports) == ["p3"]


def test_a_port_is_forgotten_everywhere(table: Snooping[str]) -> None:
    table.join(GROUP, 0, "p1", 0)
    table.join(OTHER, 0, "p1", 0)
    table.join(OTHER, 0, "p2", 0)
    table.add_router(0, "p1", 0)
    table.flush_port("p1")
    assert members(table) is None
    assert members(table, OTHER) == ["p2"]
    assert not table.is_router(0, "p1")


def test_every_change_is_told_and_nothing_else(table: Snooping[str]) -> None:
    told: list[int] = []
    table.on_change = lambda: told.append(1)
    changes: tuple[Callable[[], object], ...] = (
        lambda: table.join(GROUP, 0, "p1", 0),
        lambda: table.join(GROUP, 0, "p2", 0),
        lambda: table.leave(GROUP, 0, "p2"),
        lambda: table.add_router(0, "p3", 0),
        lambda: table.set_flood("p4", traffic=True, reports=False),
        lambda: table.configure(ageing_s=300, max_groups=2048, flood_unregistered=False),
        table.flush,
    )
    for n, change in enumerate(changes, 1):
        change()
        assert len(told) == n
    table.add_router(0, "p3", 0)
    table.join(GROUP, 0, "p1", 0)
    del told[:]
    table.join(GROUP, 0, "p1", 5)
    table.add_router(0, "p3", 5)
    table.leave(GROUP, 0, "p2")
    assert not told


# -- messages


def test_reports_and_leaves_of_igmp() -> None:
    group = b"\xe1\1\1\1"
    for kind, joins in ((igmp.REPORT_V1, True), (igmp.REPORT_V2, True), (igmp.LEAVE, False)):
        assert list(igmp_memberships(igmp.message_v2(kind, group))) == [Membership(GROUP, joins)]
    assert list(igmp_memberships(igmp.message_v2(igmp.QUERY, group))) == []


@pytest.mark.parametrize(
    ("kind", "n_sources", "joins"),
    [
        (igmp.MODE_IS_INCLUDE, 0, False),
        (igmp.MODE_IS_INCLUDE, 1, True),
        (igmp.MODE_IS_EXCLUDE, 0, True),
        (igmp.CHANGE_TO_INCLUDE, 0, False),
        (igmp.CHANGE_TO_EXCLUDE, 0, True),
        (igmp.ALLOW_NEW_SOURCES, 1, True),
        (igmp.BLOCK_OLD_SOURCES, 1, True),
    ],
)
def test_records_of_both_families(kind: int, n_sources: int, joins: bool) -> None:
    record = igmp.Record(kind, b"\xe1\1\1\1", (b"\n\0\0\1",) * n_sources)
    assert list(igmp_memberships(igmp.report_v3((record,)))) == [Membership(GROUP, joins)]
    group = b"\xff\x05" + bytes(14)
    record = igmp.Record(kind, group, (bytes(16),) * n_sources)
    message = b"\x8f\0\0\0" + mld.report_v2((record,))
    assert list(mld_memberships(message)) == [Membership(group, joins)]


def test_an_unknown_record_hides_what_follows_in_igmp_and_not_in_mld() -> None:
    records = (igmp.Record(9, b"\xe1\1\1\2"), igmp.Record(igmp.MODE_IS_EXCLUDE, b"\xe1\1\1\1"))
    assert list(igmp_memberships(igmp.report_v3(records))) == []
    group = b"\xff\x05" + bytes(14)
    records = (igmp.Record(9, bytes(16)), igmp.Record(igmp.MODE_IS_EXCLUDE, group))
    assert list(mld_memberships(b"\x8f\0\0\0" + mld.report_v2(records))) == [
        Membership(group, True)
    ]


def test_records_before_one_that_is_cut_short_count() -> None:
    record = igmp.Record(igmp.MODE_IS_EXCLUDE, b"\xe1\1\1\1")
    report = igmp.report_v3((record, record))
    assert list(igmp_memberships(report[:-1])) == [Membership(GROUP, True)]


def test_reports_of_the_first_mld() -> None:
    group = b"\xff\x05" + bytes(14)
    for kind, joins in ((131, True), (132, False)):
        message = bytes((kind, 0, 0, 0)) + mld.message_v1(group)
        assert list(mld_memberships(message)) == [Membership(group, joins)]
        assert list(mld_memberships(message[:-1])) == []


@given(st.binary(max_size=80), st.sampled_from((0x12, 0x16, 0x17, 0x22, 131, 132, 143)))
def test_any_bytes_are_memberships_or_none(data: bytes, kind: int) -> None:
    message = bytes((kind,)) + data
    for memberships in (igmp_memberships, mld_memberships):
        assert all(len(group) == 16 for group, _ in memberships(message))
