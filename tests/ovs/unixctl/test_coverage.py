"""Counters of events, and their rates over spans of time."""

from __future__ import annotations

import re

import pytest

from vnet.ovs.unixctl.coverage import Coverage
from vnet.ovs.unixctl.coverage_names import OVSDB_SERVER_EVENTS, VSWITCHD_EVENTS
from vnet.ovs.unixctl.request import Request
from vnet.ovs.unixctl.table import CommandTable


class Counting:
    """Counters, and a clock for them."""

    def __init__(self) -> None:
        self.ms = 0
        self.coverage = Coverage(("a", "b", "seen"), lambda: self.ms)

    def shown(self) -> list[str]:
        return re.sub("hash=[0-9a-f]{8}", "hash=", self.coverage.show()).split("\n")


def test_rates_are_of_the_last_span_minute_and_hour() -> None:
    counting = Counting()
    counting.coverage.count("a", 30)
    counting.ms = 5_000
    counting.coverage.count("a", 60)
    assert counting.shown() == [
        "Event coverage, avg rate over last: 5 seconds, last minute, last hour,  hash=:",
        "a                          6.0/sec     0.500/sec        0.0083/sec   total: 90",
        "2 events never hit",
    ]
    counting.ms = 15_000
    assert counting.shown()[1] == (
        "a                          6.0/sec     1.500/sec        0.0250/sec   total: 90"
    )
    counting.ms = 3_700_000
    assert counting.shown()[1] == (
        "a                          0.0/sec     0.000/sec        0.0000/sec   total: 90"
    )


def test_what_is_counted_elsewhere_is_followed() -> None:
    counting, seen = Counting(), [3]
    counting.coverage.follow("seen", lambda: seen[0])
    seen[0] = 5
    assert counting.shown()[1].endswith("total: 5")


@pytest.mark.parametrize(
    ("counter", "answer"), [("a", (True, "2")), ("nothing", (False, "No such counter"))]
)
def test_one_counter_is_read(counter: str, answer: tuple[bool, str]) -> None:
    counting, table = Counting(), CommandTable("")
    table.register(*counting.coverage.commands())
    counting.coverage.count("a", 2)
    answers: list[tuple[bool, str]] = []
    request = Request(lambda well, text: answers.append((well, text)))
    table.dispatch("coverage/read-counter", [counter], request)
    assert answers == [answer]


def test_events_that_are_none_are_a_mistake() -> None:
    with pytest.raises(KeyError):
        Counting().coverage.count("nothing")
    assert len(set(VSWITCHD_EVENTS)) == 151
    assert len(set(OVSDB_SERVER_EVENTS)) == 112
