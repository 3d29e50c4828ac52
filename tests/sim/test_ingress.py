"""What is judged on its way in: filters, policers, and what they count."""

from __future__ import annotations

import pytest

from tests.sim.qdisc_kit import Shaper, frame_of
from vnet.base.units import NS_PER_MS
from vnet.sim.frame import Frame


class Gate:
    """A card whose ingress has filters; ``marks`` has what came through."""

    def __init__(self, *filters: str) -> None:
        self.lab = Shaper("qdisc add dev eth0 ingress")
        for each in filters:
            self.lab.tc(f"filter add dev eth0 ingress {each}")
        self.passed: list[bytes] = []
        self.lab.nic.rx_handler = lambda frame: self.passed.append(frame.data)

    def receive(self, *frames: Frame) -> None:
        for frame in frames:
            self.lab.nic.receive(frame)

    def stats(self) -> str:
        return self.lab.tc("-s qdisc show dev eth0 ingress").splitlines()[1]


def test_without_filters_all_may_pass_and_nothing_is_counted() -> None:
    gate = Gate()
    gate.receive(frame_of())
    assert len(gate.passed) == 1
    assert gate.stats().startswith(" Sent 0 bytes 0 pkt")


def test_frames_count_without_their_ethernet_header() -> None:
    """As recorded: ten frames of 1,000 bytes are 9,860."""
    gate = Gate("protocol ip u32 match u32 0 0 flowid :1")
    gate.receive(*(frame_of() for _ in range(10)))
    assert gate.stats() == " Sent 9860 bytes 10 pkt (dropped 0, overlimits 0 requeues 0) "


def test_a_policer_passes_its_burst_and_then_its_rate() -> None:
    gate = Gate("protocol ip u32 match u32 0 0 police rate 800kbit burst 1972 drop flowid :1")
    gate.receive(*(frame_of() for _ in range(4)))
    assert len(gate.passed) == 2
    assert gate.lab.lost == {"tc-policed": 2}
    # A frame of 986 bytes has its tokens again after 9.86 ms.
    gate.lab.scheduler.run(int(9.8 * NS_PER_MS))
    gate.receive(frame_of())
    gate.lab.scheduler.run(int(9.9 * NS_PER_MS))
    gate.receive(frame_of(), frame_of())
    assert len(gate.passed) == 3
    assert gate.lab.lost == {"tc-policed": 4}


def test_what_is_larger_than_the_mtu_of_a_policer_is_too_much() -> None:
    gate = Gate("matchall action police rate 1gbit burst 100k conform-exceed drop")
    gate.receive(frame_of(2_040 + 14), frame_of(2_041 + 14))
    assert len(gate.passed) == 1
    assert gate.lab.lost == {"tc-police-mtu": 1}


def test_frames_may_be_policed_by_number() -> None:
    gate = Gate("matchall action police pkts_rate 100 pkts_burst 3 conform-exceed drop")
    gate.receive(*(frame_of(60) for _ in range(5)))
    assert len(gate.passed) == 3


@pytest.mark.parametrize(
    ("exceed", "passed", "lost"),
    [
        ("drop", 1, {"tc-policed": 2}),
        ("pass", 3, {}),
        ("pipe", 3, {}),
        # Classified anew, until that has been tried too often.
        ("reclassify", 1, {"tc-policed": 2}),
        # On to the next filter, which drops.
        ("continue", 1, {"tc-filter": 2}),
    ],
)
def test_what_is_too_much_fares_as_was_said(exceed: str, passed: int, lost: dict[str, int]) -> None:
    gate = Gate(
        f"prio 1 protocol ip u32 match u32 0 0 police rate 8kbit burst 986 {exceed}",
        "prio 2 protocol ip matchall action drop",
    )
    gate.receive(*(frame_of() for _ in range(3)))
    assert len(gate.passed) == passed
    assert gate.lab.lost == lost


def test_a_filter_takes_only_its_protocol_and_its_words() -> None:
    gate = Gate("protocol ip u32 match ip tos 0x10 0xff match ip protocol 17 0xff action drop")
    arp = frame_of().data.replace(b"\x08\x00\x45", b"\x08\x06\x45", 1)
    gate.receive(frame_of(tos=0x10), frame_of(tos=0x10, protocol=6), frame_of(), Frame(arp))
    assert len(gate.passed) == 3


def test_the_filters_show_what_they_policed() -> None:
    gate = Gate("protocol ip u32 match u32 0 0 police rate 1mbit burst 10k drop flowid :1")
    gate.receive(frame_of())
    gate.lab.scheduler.run(2_500 * NS_PER_MS)
    assert gate.lab.tc("-s filter show dev eth0 ingress").splitlines()[2:] == [
        "filter protocol ip pref 49152 u32 chain 0 fh 800::800 order 2048 key ht 800 bkt 0 "
        "flowid :1 not_in_hw ",
        "  match 00000000/00000000 at 0",
        " police 0x1 rate 1Mbit burst 10Kb mtu 2Kb action drop overhead 0b ",
        "\tref 1 bind 1  installed 2 sec used 2 sec",
    ]


def test_actions_of_their_own_count_what_they_took() -> None:
    gate = Gate("protocol ip matchall action police rate 8kbit burst 986 conform-exceed drop")
    gate.receive(frame_of(), frame_of())
    assert gate.lab.tc("-s filter show dev eth0 ingress").splitlines() == [
        "filter protocol ip pref 49152 matchall chain 0 ",
        "filter protocol ip pref 49152 matchall chain 0 handle 0x1 ",
        "  not_in_hw",
        "\taction order 1:  police 0x1 rate 8Kbit burst 986b mtu 2Kb action drop overhead 0b ",
        "\tref 1 bind 1 ",
        "\tAction statistics:",
        "\tSent 1972 bytes 2 pkt (dropped 1, overlimits 1 requeues 0) ",
        "\tbacklog 0b 0p requeues 0",
    ]
