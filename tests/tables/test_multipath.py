"""Equal-cost paths: a flow keeps to one, and each gets its share."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.tables.fib import Nexthop
from vnet.tables.multipath import choose, flow_hash
from vnet.tables.policy import Flow

HASHES = 1 << 31


def hops(*weights: int) -> list[Nexthop[str]]:
    return [Nexthop(f"eth{number}", weight=weight) for number, weight in enumerate(weights)]


@given(st.lists(st.integers(1, 256), min_size=1, max_size=8))
def test_each_next_hop_has_the_piece_that_its_weight_gives_it(weights: list[int]) -> None:
    ways, total, passed = hops(*weights), sum(weights), 0
    for way, weight in zip(ways, weights, strict=True):
        middle = (2 * passed + weight) * HASHES // (2 * total)
        assert choose(ways, middle) is way
        passed += weight
    assert choose(ways, HASHES - 1) is ways[-1]
    assert choose(ways, 0) is ways[0]


def flow(number: int, port: int = 9) -> Flow:
    return Flow(bytes((10, 9, 0, 1)), bytes((10, 0, number >> 8, number & 255)), target_port=port)


@pytest.mark.parametrize("by_ports", [False, True])
def test_flows_spread_by_weight(by_ports: bool) -> None:
    ways = hops(2, 1)
    taken = Counter(
        choose(ways, flow_hash(flow(number), by_ports=by_ports, secret=b"r1")).device
        for number in range(3000)
    )
    assert 1900 <= taken["eth0"] <= 2100


def test_ports_count_only_where_they_are_asked_for() -> None:
    by_address = {flow_hash(flow(1, port), by_ports=False, secret=b"r1") for port in range(9)}
    by_port = {flow_hash(flow(1, port), by_ports=True, secret=b"r1") for port in range(9)}
    assert len(by_address) == 1
    assert len(by_port) == 9


def test_routers_in_a_row_do_not_choose_alike() -> None:
    ways, flows = hops(1, 1), [flow(number) for number in range(64)]
    both = [
        [choose(ways, flow_hash(each, by_ports=False, secret=name)).device for each in flows]
        for name in (b"r1", b"r2")
    ]
    assert both[0] != both[1]
