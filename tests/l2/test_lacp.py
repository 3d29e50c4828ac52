"""Two ends that negotiate over links that a test can cut."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from vnet.base.ids import Mac
from vnet.base.units import NS_PER_S
from vnet.l2.lacp.aggregation import Aggregation, Negotiation, Settings
from vnet.l2.lacp.member import PortSettings, Status
from vnet.wire import lacp
from vnet.wire.lacp import State

LINKS = ("a", "b")


class Pair:
    """A system on either side of the links; ``cut`` links carry nothing, and nobody notices."""

    def __init__(self, left: Settings, right: Settings, *, key: int = 0) -> None:
        self.now_ns = 0
        self.sides = (Aggregation[str](left), Aggregation[str](right))
        self.cut: set[str] = set()
        self.n_sent = 0
        for side in self.sides:
            for number, link in enumerate(LINKS, 1):
                side.set_port(link, PortSettings(link, number, key=key), self.now_ns)
                side.may_enable(link)  # whoever asks says that there is a carrier
        self.run()

    def run(self) -> None:
        """Let both ends speak until neither has anything to say."""
        for _ in range(50):
            if not any([self._speak(0), self._speak(1)]):  # both must
                return
        raise AssertionError("they never stop talking")

    def _speak(self, number: int) -> bool:
        pdus = self.sides[number].run(self.now_ns)
        self.n_sent += len(pdus)
        for link, pdu in pdus:
            if link not in self.cut:
                self.sides[1 - number].receive(link, lacp.emit(pdu), self.now_ns)
        return bool(pdus)

    def pass_s(self, seconds: float) -> None:
        """Let time pass, stopping where something is due."""
        end_ns = self.now_ns + round(seconds * NS_PER_S)
        while True:
            due = [t for side in self.sides if (t := side.next_due_ns()) is not None]
            if not due or min(due) > end_ns:
                break
            self.now_ns = min(due)
            self.run()
        self.now_ns = end_ns

    def usable(self, number: int = 0) -> list[str]:
        side = self.sides[number]
        return [link for link in LINKS if side.may_enable(link)]

    def statuses(self, number: int = 0) -> list[Status]:
        return [member.status for member in self.sides[number].members()]


def system(number: int, **changes: object) -> Settings:
    mac = Mac(bytes(5) + bytes((number,)))
    return replace(Settings(f"bond{number}", mac, 0xFFFE, active=True), **changes)  # type: ignore[arg-type]


def test_two_active_systems_agree_on_all_links_at_once() -> None:
    pair = Pair(system(1), system(2))
    assert pair.usable(0) == pair.usable(1) == list(LINKS)
    assert pair.sides[0].status is Negotiation.NEGOTIATED
    assert pair.now_ns == 0


def test_a_passive_system_answers() -> None:
    pair = Pair(system(1), system(2, active=False))
    assert pair.usable(1) == list(LINKS)


def test_two_passive_systems_never_speak() -> None:
    pair = Pair(system(1, active=False), system(2, active=False))
    pair.pass_s(100)
    assert pair.n_sent == 0
    assert pair.sides[0].next_due_ns() is None
    assert pair.sides[0].status is Negotiation.CONFIGURED


@pytest.mark.parametrize(("fast", "n_heard"), [(True, 60), (False, 2)])
def test_the_listener_decides_how_often_it_is_spoken_to(fast: bool, n_heard: int) -> None:
    pair = Pair(system(1, fast=fast), system(2, active=False))
    pair.pass_s(100)
    before = [[m.counters.rx_pdus for m in side.members()] for side in pair.sides]
    pair.pass_s(60)
    after = [[m.counters.rx_pdus for m in side.members()] for side in pair.sides]
    assert [b - a for a, b in zip(before[0], after[0], strict=True)] == [n_heard] * 2
    assert [b - a for a, b in zip(before[1], after[1], strict=True)] == [2] * 2


def test_a_silent_link_expires_after_three_periods_and_is_forgotten_after_three_seconds() -> None:
    pair = Pair(system(1, fast=True), system(2, fast=True))
    pair.cut = {"a"}
    pair.pass_s(2.5)
    assert pair.usable() == list(LINKS)
    pair.pass_s(1)
    assert pair.usable() == ["b"]
    assert pair.statuses() == [Status.EXPIRED, Status.CURRENT]
    pair.pass_s(3)
    assert pair.statuses() == [Status.DEFAULTED, Status.CURRENT]
    assert [m.counters.link_defaulted for m in pair.sides[0].members()] == [1, 0]


def test_a_mended_link_comes_back() -> None:
    pair = Pair(system(1, fast=True), system(2, fast=True))
    pair.cut = {"a"}
    pair.pass_s(10)
    pair.cut = set()
    pair.pass_s(31)
    assert pair.usable(0) == pair.usable(1) == list(LINKS)


def test_slow_systems_take_ninety_seconds_to_notice() -> None:
    pair = Pair(system(1), system(2))
    pair.cut = {"a"}
    pair.pass_s(89)
    assert pair.usable() == list(LINKS)
    pair.pass_s(1)
    assert pair.usable() == ["b"]


def test_a_lost_carrier_is_noticed_at_once() -> None:
    pair = Pair(system(1), system(2))
    pair.sides[0].carrier_changed("a", False, pair.now_ns)
    assert [m.carrier for m in pair.sides[0].members()] == [False, True]
    assert pair.statuses()[0] is Status.EXPIRED
    assert not pair.sides[0].receive("a", lacp.emit(lacp.Pdu(lacp.NOBODY, lacp.NOBODY)), 0)


def test_links_to_different_partners_do_not_aggregate() -> None:
    one, other, third = (Aggregation[str](system(n)) for n in (1, 2, 3))
    for link in LINKS:
        one.set_port(link, PortSettings(link, 1), 0)
        one.may_enable(link)
    for neighbour, link in ((other, "a"), (third, "b")):
        neighbour.set_port(link, PortSettings(link, 1), 0)
        neighbour.may_enable(link)
    for _ in range(5):
        for link, pdu in one.run(0):
            (other if link == "a" else third).receive(link, lacp.emit(pdu), 0)
        for neighbour in (other, third):
            for link, pdu in neighbour.run(0):
                one.receive(link, lacp.emit(pdu), 0)
    assert [link for link in LINKS if one.may_enable(link)] == ["a"]


def test_a_bond_connected_to_itself_is_not_used() -> None:
    pair = Pair(system(1), system(1))
    assert pair.usable() == []


def test_with_fallback_links_are_usable_until_a_partner_speaks_on_one() -> None:
    alone = Aggregation[str](system(1, active=False, fallback=True))
    for number, link in enumerate(LINKS, 1):
        alone.set_port(link, PortSettings(link, number), 0)
    alone.run(0)
    assert [link for link in LINKS if alone.may_enable(link)] == list(LINKS)
    assert alone.status is Negotiation.CONFIGURED
    partner = lacp.Info(0xFFFF, Mac(b"\x02" * 6), 1, 1, 1, State.SYNCHRONIZATION)
    assert alone.receive("b", lacp.emit(lacp.Pdu(partner, lacp.NOBODY)), 0)
    alone.run(0)
    assert [link for link in LINKS if alone.may_enable(link)] == ["b"]


def test_an_aggregation_is_named_by_its_first_port_unless_a_key_is_set() -> None:
    assert Pair(system(1), system(2)).sides[0].key == 1
    assert Pair(system(1), system(2), key=7).sides[0].key == 7
    side = Pair(system(1), system(2)).sides[0]
    side.remove_port("a")
    assert side.key == 2
    side.remove_port("b")
    assert side.key is None


@pytest.mark.parametrize(
    ("payload", "counter"),
    [(b"", "rx_bad"), (b"\x01" * 110, "rx_bad"), (b"\x02" + bytes(109), "rx_markers")],
)
def test_what_cannot_be_read_is_counted_and_changes_nothing(payload: bytes, counter: str) -> None:
    pair = Pair(system(1), system(2))
    assert not pair.sides[0].receive("a", payload, 0)
    counters = next(iter(pair.sides[0].members())).counters
    assert getattr(counters, counter) == 1
    assert pair.statuses() == [Status.CURRENT, Status.CURRENT]


def test_new_settings_are_told_at_once() -> None:
    pair = Pair(system(1), system(2))
    pair.sides[0].configure(system(1, system_priority=5))
    pair.run()
    partner: Iterable[int] = {m.partner.system_priority for m in pair.sides[1].members()}
    assert partner == {5}
