"""What is remembered of paths, and for how long."""

from __future__ import annotations

from vnet.tables.pmtu import LIFETIME_NS, MOST_PATHS, PathMtuCache

HERE, THERE = b"\x0a\0\0\1", b"\x0a\0\0\2"


def test_a_path_is_known_until_its_time_is_up() -> None:
    cache = PathMtuCache(552)
    cache.learn(HERE, 1280, 5)
    assert cache.lookup(HERE, LIFETIME_NS + 4) == 1280
    assert cache.lookup(THERE, 5) is None
    assert cache.lookup(HERE, LIFETIME_NS + 5) is None
    assert len(cache) == 0


def test_only_a_smaller_mtu_is_news() -> None:
    cache = PathMtuCache(552)
    assert cache.learn(HERE, 1280, 0)
    assert not cache.learn(HERE, 1400, 1)
    assert cache.lookup(HERE, 1) == 1280
    cache.learn(HERE, 1000, 2)
    assert cache.lookup(HERE, 2) == 1000


def test_nobody_is_believed_to_be_below_the_least() -> None:
    cache = PathMtuCache(1280)
    cache.learn(HERE, 68, 0)
    assert cache.lookup(HERE, 0) == 1280


def test_the_oldest_path_makes_room() -> None:
    cache = PathMtuCache(552)
    for number in range(MOST_PATHS + 1):
        cache.learn(number.to_bytes(4, "big"), 1000, number)
    assert len(cache) == MOST_PATHS
    assert cache.lookup(bytes(4), 0) is None
    assert cache.lookup(MOST_PATHS.to_bytes(4, "big"), 0) == 1000
