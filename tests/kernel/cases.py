"""What a case is, and what the machines of all kinds have in common."""

from __future__ import annotations

from typing import NamedTuple

from tests.kernel.play import Step
from tests.kernel.setup import Lab

UNLIMITED = {
    "net.ipv4.icmp_msgs_per_sec": 1_000_000,
    "net.ipv4.icmp_msgs_burst": 1_000_000,
}
"""How many errors a machine may send in all; there are more of them in a lab than in real life."""


class Case(NamedTuple):
    """A lab, and what happens in it."""

    lab: Lab
    steps: list[Step]


def station_mac(port: int, number: int) -> str:
    return f"0a:00:00:00:{port:02x}:{number:02x}"


def port_mac(port: int) -> str:
    return f"02:00:00:00:00:{port:02x}"
