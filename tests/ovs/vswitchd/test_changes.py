"""Which interfaces go, and in which order those that come are given numbers."""

from __future__ import annotations

from vnet.ovs.flow.ports import OFPP_LOCAL, OfpPort
from vnet.ovs.vswitchd.changes import RunningInterface, interfaces_to_drop, wanted_interfaces
from vnet.ovs.vswitchd.config import BridgeConfig, BridgePortConfig, InterfaceConfig
from vnet.ovs.vswitchd.numbers import OfpNumbers

HOUR_NS = 3600 * 10**9


def running(**numbers: int) -> dict[str, RunningInterface]:
    return {name: RunningInterface("", OfpPort(number)) for name, number in numbers.items()}


def wanted(**requests: int | None) -> dict[str, InterfaceConfig]:
    return {name: InterfaceConfig(name, ofport_request=n) for name, n in requests.items()}


def bridge(*names: str, bridge_name: str = "br0", **requests: int) -> BridgeConfig:
    ports = tuple(
        BridgePortConfig(name, (InterfaceConfig(name, ofport_request=requests.get(name)),))
        for name in names
    )
    return BridgeConfig(bridge_name, ports=ports)


def test_an_interface_that_stays_as_it_is_stays() -> None:
    assert interfaces_to_drop(running(a=1, b=2), wanted(a=None, b=2)) == []


def test_an_interface_that_nobody_wants_goes() -> None:
    assert interfaces_to_drop(running(a=1, b=2), wanted(b=None)) == ["a"]


def test_an_interface_of_another_type_is_made_anew() -> None:
    other = {"a": InterfaceConfig("a", type="internal")}
    assert interfaces_to_drop(running(a=1), other) == ["a"]


def test_an_interface_that_asks_for_a_free_number_is_made_anew() -> None:
    assert interfaces_to_drop(running(a=1), wanted(a=7)) == ["a"]


def test_whoever_has_a_number_by_chance_gives_it_up() -> None:
    assert interfaces_to_drop(running(a=1, b=2), wanted(a=2, b=None)) == ["a", "b"]


def test_two_that_swap_numbers_both_go() -> None:
    assert interfaces_to_drop(running(a=1, b=2), wanted(a=2, b=1)) == ["a", "b"]


def test_of_two_that_ask_for_one_number_the_holder_keeps_it() -> None:
    assert interfaces_to_drop(running(a=1, b=2), wanted(a=2, b=2)) == []


def test_the_local_port_keeps_its_number() -> None:
    assert interfaces_to_drop(running(br0=OFPP_LOCAL), wanted(br0=5)) == []


def test_interfaces_that_ask_for_a_number_come_first() -> None:
    names = list(wanted_interfaces(bridge("a", "b", "c", "d", d=9)))
    assert names[0] == "d"
    assert sorted(names) == ["a", "b", "br0", "c", "d"]


def test_numbers_are_given_out_in_the_order_that_open_vswitch_was_seen_to_use() -> None:
    names = ("eth0", "vm7", "a", "b", "c", "veth-x", "uplink", "p10", "p11", "p1")
    # Within a bucket of its hash table, Open vSwitch goes by the random names of rows.
    buckets = ({"a"}, {"vm7"}, {"p1", "p11", "uplink"}, {"veth-x"}, {"eth0", "b"}, {"p10", "c"})
    ordered = list(wanted_interfaces(bridge(*names, bridge_name="b1")))
    ordered.remove("b1")
    for bucket in buckets:
        assert {ordered.pop(0) for _ in bucket} == bucket


def test_a_request_is_honoured_and_other_numbers_go_up() -> None:
    numbers = OfpNumbers()
    assert numbers.take("a", 5, 0) == 5
    assert [numbers.take(name, None, 0) for name in "bcdefg"] == [1, 2, 3, 4, 6, 7]


def test_a_freed_number_rests_for_an_hour_unless_its_owner_returns() -> None:
    numbers = OfpNumbers()
    first = numbers.take("a", None, 0)
    numbers.give_back(first, 10)
    assert numbers.take("b", None, 20) == 2
    assert numbers.take("a", None, 30) == first
    numbers.give_back(first, 40)
    for _ in range(32766 - 1):
        numbers.take("x", None, 50)
    assert numbers.take("c", None, 60 + HOUR_NS) == first
