"""Rules found by their cookies, in the order of Open vSwitch's index."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vnet.ovs.flow.match import CATCHALL
from vnet.ovs.ofproto.rules.cookies import CookieIndex
from vnet.ovs.ofproto.rules.rule import Rule


def rule(cookie: int = 1, table_id: int = 0) -> Rule:
    return Rule(table_id, 0, CATCHALL, (), 0, cookie)


def test_the_first_comes_first_and_the_oldest_last() -> None:
    index = CookieIndex()
    rules = [rule() for _ in range(4)]
    for each in rules:
        index.insert(each)
    first, second, third, fourth = rules
    assert list(index.rules(1)) == [first, fourth, third, second]
    index.remove(first)
    assert list(index.rules(1)) == [fourth, third, second]
    assert list(index.rules(2)) == []


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans()), max_size=40))
def test_counts_by_table(steps: list[tuple[int, int, bool]]) -> None:
    index = CookieIndex()
    present: list[Rule] = []
    for cookie, table_id, goes in steps:
        if goes and present:
            index.remove(present.pop(cookie % len(present)))
        else:
            present.append(rule(cookie, table_id))
            index.insert(present[-1])
    for cookie in range(3):
        same = {id(each) for each in present if each.cookie == cookie}
        assert {id(each) for each in index.rules(cookie)} == same
        for table_id in range(3):
            expected = sum(each.table_id == table_id and id(each) in same for each in present)
            assert index.count(cookie, table_id) == expected
