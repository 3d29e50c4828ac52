"""htb as tc has it: shares, lending through several levels, ceilings, what goes past classes."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.sim.qdisc_kit import Shaper, frame_of
from vnet.linux.tc.errors import TcError

LINK = 100_000_000
ROOT = "qdisc add dev eth0 root handle 1: htb default 30"
MATCH = "filter add dev eth0 parent 1: protocol ip u32 match ip tos {tos} 0xff flowid 1:{number}"
TOS = {0x10: 4, 0x20: 8, 0x30: 12}


def lab(*classes: str, root: str = ROOT) -> Shaper:
    """Frames of TOS 4 go to class 1:10, of 8 to 1:20, all others to 1:30."""
    added = [f"class add dev eth0 {words}" for words in classes]
    filters = [MATCH.format(tos=tos, number=f"{number:x}") for number, tos in TOS.items()]
    return Shaper(root, *added, *filters, bandwidth_bps=LINK)


def shares(shaper: Shaper, *tos: int, seconds: float = 1.0, frames: int = 900) -> Counter[int]:
    """Kilobits a second of each TOS while there is more than enough of all of them."""
    for number in range(frames):
        shaper.send(*(frame_of(1_000, tos=each, mark=each * 1000 + number) for each in tos))
    shaper.run(seconds)
    found: Counter[int] = Counter()
    for _time, mark in shaper.arrived:
        found[mark // 1000] += round(8 / seconds)
    return found


def test_each_class_gets_its_rate_and_what_is_left_is_lent() -> None:
    shaper = lab(
        "parent 1: classid 1:1 htb rate 6mbit",
        "parent 1:1 classid 1:10 htb rate 3mbit ceil 6mbit",
        "parent 1:1 classid 1:20 htb rate 1mbit ceil 6mbit",
    )
    found = shares(shaper, 4, 8)
    # Each has its own, and the two million that nobody claims go by quantum: three to one.
    assert found[4] == pytest.approx(4_500, rel=0.04)
    assert found[8] == pytest.approx(1_500, rel=0.08)


def test_a_lower_priority_number_borrows_first() -> None:
    shaper = lab(
        "parent 1: classid 1:1 htb rate 6mbit",
        "parent 1:1 classid 1:10 htb rate 1mbit ceil 6mbit prio 1",
        "parent 1:1 classid 1:20 htb rate 1mbit ceil 6mbit prio 0",
    )
    found = shares(shaper, 4, 8)
    assert found[8] == pytest.approx(5_000, rel=0.04)
    assert found[4] == pytest.approx(1_000, rel=0.08)


def test_a_ceiling_holds_though_there_is_more_to_borrow() -> None:
    shaper = lab(
        "parent 1: classid 1:1 htb rate 6mbit",
        "parent 1:1 classid 1:10 htb rate 1mbit ceil 2mbit",
    )
    assert shares(shaper, 4)[4] == pytest.approx(2_000, rel=0.04)


def test_tenants_share_by_their_own_rates_before_their_neighbours_borrow() -> None:
    shaper = lab(
        "parent 1: classid 1:1 htb rate 8mbit",
        "parent 1:1 classid 1:2 htb rate 6mbit ceil 8mbit",
        "parent 1:1 classid 1:3 htb rate 2mbit ceil 8mbit",
        "parent 1:2 classid 1:10 htb rate 1mbit ceil 8mbit",
        "parent 1:2 classid 1:20 htb rate 1mbit ceil 8mbit",
        "parent 1:3 classid 1:30 htb rate 1mbit ceil 8mbit",
    )
    found = shares(shaper, 4, 8, 12)
    assert found[4] + found[8] == pytest.approx(6_000, rel=0.04)
    assert found[12] == pytest.approx(2_000, rel=0.06)
    assert found[4] == pytest.approx(found[8], rel=0.04)


def test_what_no_class_is_for_goes_past_all_of_them() -> None:
    shaper = lab("parent 1: classid 1:10 htb rate 100kbit")
    shaper.send(*(frame_of(1_000, mark=number) for number in range(100)))
    shaper.run(0.1)
    assert len(shaper.arrived) == 100
    assert "direct_packets_stat 100 " in shaper.tc("qdisc show dev eth0")


def test_counters_tell_who_lent_and_who_borrowed() -> None:
    shaper = lab(
        "parent 1: classid 1:1 htb rate 6mbit",
        "parent 1:1 classid 1:10 htb rate 1mbit ceil 6mbit",
    )
    shares(shaper, 4, frames=300)
    text = shaper.tc("-s class show dev eth0")
    leaf, root = (part for part in text.split("class htb ") if part)
    assert " Sent 300000 bytes 300 pkt (dropped 0, overlimits " in root
    assert " Sent 300000 bytes 300 pkt (dropped 0, overlimits " in leaf
    lent = int(root.split("lended: ")[1].split()[0])
    assert f"borrowed: {lent} " in leaf
    assert f"lended: {300 - lent} " in leaf
    assert lent > 200


def test_a_leaf_may_have_a_discipline_of_its_own() -> None:
    shaper = lab("parent 1: classid 1:10 htb rate 10mbit")
    shaper.tc("qdisc add dev eth0 parent 1:10 handle 10: tbf rate 1mbit burst 2kb limit 1mb")
    assert shares(shaper, 4, frames=300)[4] == pytest.approx(1_000, rel=0.05)


def test_a_class_that_goes_loses_what_waits_in_it() -> None:
    shaper = lab("parent 1: classid 1:20 htb rate 8kbit burst 1100 cburst 1100")
    shaper.send(*(frame_of(1_000, tos=8, mark=number) for number in range(5)))
    shaper.tc("filter del dev eth0 parent 1:")
    shaper.tc("class del dev eth0 classid 1:20")
    assert shaper.lost == {"queue-removed": 4}
    assert " backlog 0b 0p" in shaper.tc("-s qdisc show dev eth0")


def test_a_class_with_a_filter_or_with_classes_below_stays() -> None:
    shaper = lab("parent 1: classid 1:1 htb rate 1mbit", "parent 1:1 classid 1:10 htb rate 1mbit")
    for number in ("1", "10"):
        with pytest.raises(TcError, match="HTB class in use"):
            shaper.tc(f"class del dev eth0 classid 1:{number}")
