"""Chance that repeats: in this process, in any process, in any Python."""

from __future__ import annotations

from vnet.base.chance import Chance


def test_golden_numbers() -> None:
    """If these change, every recorded lab changes with them."""
    stream = Chance(1).stream("vm1 ping id")
    assert [stream.randrange(65_536) for _ in range(4)] == [59_423, 23_001, 32_231, 54_194]
    assert Chance(1).stream("link loss").random() == 0.8123507732509885
    assert Chance(2).stream("vm1 ping id").getrandbits(32) == 2_011_040_265


def test_asking_twice_starts_the_same_sequence_twice() -> None:
    chance = Chance(7)
    assert [chance.stream("a").random() for _ in range(3)] == [chance.stream("a").random()] * 3


def test_streams_do_not_disturb_each_other() -> None:
    alone = Chance(7).stream("a")
    wanted = [alone.random() for _ in range(5)]
    chance = Chance(7)
    ours, other = chance.stream("a"), chance.stream("b")
    seen = []
    for _ in range(5):
        other.random()
        seen.append(ours.random())
    assert seen == wanted


def test_seed_and_name_both_matter() -> None:
    numbers = {
        Chance(seed).stream(name).random() for seed in (0, 1, 11) for name in ("a", "b", "1/a")
    }
    assert len(numbers) == 9
