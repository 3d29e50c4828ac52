"""Routes: the longest prefix, then the lowest metric, then the oldest."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.base.ids import IpAddress, ip_from_text, network_of, prefix_from_text
from vnet.tables.fib import Fib, Nexthop, Route

Entry: TypeAlias = Route[str]


def route(text: str, device: str = "eth0", metric: int = 0) -> Entry:
    network, length = prefix_from_text(text)
    return Route(network, length, (Nexthop(device),), metric=metric)


def fib_of(*routes: Entry) -> Fib[str]:
    fib: Fib[str] = Fib(len(routes[0].network))
    for entry in routes:
        fib.add(entry)
    return fib


def device_to(fib: Fib[str], target: str) -> str | None:
    found = next(fib.matches(ip_from_text(target)), None)
    return None if found is None else found.device


@pytest.mark.parametrize(
    ("target", "device"),
    [
        ("10.1.2.3", "host"),
        ("10.1.2.4", "net"),
        ("10.1.3.1", "area"),
        ("192.0.2.1", "default"),
    ],
)
def test_the_longest_prefix_wins(target: str, device: str) -> None:
    fib = fib_of(
        route("0.0.0.0/0", "default"),
        route("10.1.0.0/16", "area"),
        route("10.1.2.3/32", "host"),
        route("10.1.2.0/24", "net"),
    )
    assert device_to(fib, target) == device


def test_without_a_default_route_most_targets_have_none() -> None:
    assert device_to(fib_of(route("10.0.0.0/8")), "192.0.2.1") is None


def test_the_lowest_metric_wins_and_then_the_oldest() -> None:
    fib = fib_of(
        route("10.0.0.0/8", "slow", 100),
        route("10.0.0.0/8", "fast", 10),
        route("10.0.0.0/8", "late", 10),
    )
    assert device_to(fib, "10.0.0.1") == "fast"
    assert fib.remove(route("10.0.0.0/8", "fast", 10))
    assert device_to(fib, "10.0.0.1") == "late"


def test_host_bits_do_not_matter() -> None:
    fib = fib_of(route("10.0.0.77/24"))
    assert device_to(fib, "10.0.0.1") == "eth0"


def test_removing_what_is_not_there_says_so() -> None:
    fib = fib_of(route("10.0.0.0/8"))
    assert not fib.remove(route("10.0.0.0/9"))
    assert not fib.remove(route("10.0.0.0/8", metric=5))
    assert fib.remove(route("10.0.0.0/8"))
    assert list(fib) == []


def prefixes(bits: int) -> st.SearchStrategy[tuple[IpAddress, int]]:
    """Prefixes that often nest: few distinct leading bits, all lengths."""
    size = bits // 8
    ip = st.lists(st.sampled_from([0, 1, 128, 255]), min_size=size, max_size=size).map(bytes)
    return st.tuples(ip, st.integers(0, bits)).map(
        lambda pair: (network_of(pair[0], pair[1]), pair[1])
    )


CASES = st.sampled_from([32, 128]).flatmap(
    lambda bits: st.tuples(
        st.lists(st.tuples(prefixes(bits), st.integers(0, 2)), min_size=1, max_size=25),
        st.lists(prefixes(bits), min_size=1, max_size=10),
        st.sets(st.integers(0, 24)),
    )
)


@given(CASES)
def test_a_lookup_finds_what_a_search_of_all_routes_finds(case: Any) -> None:
    given_routes, targets, removed = case
    routes = [
        Route(network, length, (Nexthop(str(number)),), metric=metric)
        for number, ((network, length), metric) in enumerate(given_routes)
    ]
    fib = fib_of(*routes)
    for number in removed:
        if number < len(routes):
            assert fib.remove(routes[number])
    left = [entry for number, entry in enumerate(routes) if number not in removed]
    for target, _ in targets:
        covering = [
            (-entry.prefix_length, entry.metric, number, entry)
            for number, entry in enumerate(left)
            if ip_address(target) in ip_network((entry.network, entry.prefix_length))
        ]
        expected = min(covering, key=lambda item: item[:3])[3] if covering else None
        assert next(fib.matches(target), None) == expected
    assert sorted(int(str(entry.device)) for entry in fib) == sorted(
        int(str(e.device)) for e in left
    )
