"""What a recorded case of the bridge does, to the kernel and to vnet alike.

A case is bridges ``br0`` in namespaces of their own, cables between them, and steps. A step is a
command line in a namespace (brctl, bridge link set, ip link set DEV up|down), a wait in seconds, or
a look, which is what ``brctl showstp`` prints everywhere, without what timers have left.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TIMER = re.compile(r"(timer\t+) *(\d+\.\d\d|-)")
_PENDING = "CONFIG_PENDING "
"""Whether a BPDU waits for a hold timer that ends in the same tick as the hello that made it is
for the kernel's CPUs to decide."""


@dataclass(frozen=True)
class Case:
    """``cables`` join ports, as in ``b1/x1``; their MACs count up in this order."""

    name: str
    bridges: tuple[str, ...]
    cables: tuple[tuple[str, str], ...]
    steps: tuple[tuple[str, str], ...]


def mac_text(number: int) -> str:
    """The MAC of the port that is joined as the ``number``-th of all."""
    return f"06:00:00:00:00:{number:02x}"


def without_timers(text: str) -> str:
    """``brctl showstp`` with dashes where timers are, and without what they decide."""
    return _TIMER.sub(r"\1-", text).replace(_PENDING, "")


def _fast(*bridges: str) -> tuple[tuple[str, str], ...]:
    """Short times, so that a recording takes seconds, and everything up."""
    steps: list[tuple[str, str]] = []
    for bridge in bridges:
        steps += [
            (bridge, "brctl setfd br0 2"),
            (bridge, "brctl setmaxage br0 6"),
            (bridge, "brctl sethello br0 1"),
            (bridge, "brctl stp br0 on"),
        ]
    steps += [(bridge, "ip link set br0 up") for bridge in bridges]
    return tuple(steps)


RING = (("b1/x2", "b2/x1"), ("b2/x3", "b3/x2"), ("b3/x1", "b1/x3"))
LINKS = (("b1/x1", "b2/x1"), ("b1/x2", "b2/x2"), ("b1/x3", "b2/x3"))
LINE = (("b1/x2", "b2/x1"), ("b2/x3", "b3/x2"), ("b3/x4", "b4/x3"))

CASES = (
    Case(
        "ring",
        ("b1", "b2", "b3"),
        RING,
        (
            *_fast("b1", "b2", "b3"),
            ("wait", "8"),
            ("look", ""),
            ("b3", "ip link set x1 down"),
            ("wait", "1.5"),
            ("look", ""),
            ("wait", "6"),
            ("look", ""),
            ("b3", "ip link set x1 up"),
            ("wait", "8"),
            ("look", ""),
        ),
    ),
    Case(
        "priorities",
        ("b1", "b2", "b3"),
        RING,
        (
            ("b3", "brctl setbridgeprio br0 4096"),
            *_fast("b1", "b2", "b3"),
            ("wait", "8"),
            ("look", ""),
            ("b1", "brctl setbridgeprio br0 100"),
            ("wait", "8"),
            ("look", ""),
            ("b1", "brctl setbridgeprio br0 40000"),
            ("wait", "14"),
            ("look", ""),
        ),
    ),
    Case(
        "costs",
        ("b1", "b2"),
        LINKS,
        (
            *_fast("b1", "b2"),
            ("wait", "10"),
            ("look", ""),
            ("b2", "brctl setpathcost br0 x1 20"),
            ("wait", "10"),
            ("look", ""),
            ("b1", "brctl setportprio br0 x3 16"),
            ("wait", "10"),
            ("look", ""),
            ("b2", "bridge link set dev x2 cost 1"),
            ("b1", "bridge link set dev x2 priority 8"),
            ("wait", "10"),
            ("look", ""),
        ),
    ),
    Case(
        "guards",
        ("b1", "b2", "b3"),
        RING,
        (
            ("b3", "bridge link set dev x1 root_block on"),
            ("b2", "bridge link set dev x3 guard on"),
            *_fast("b1", "b2", "b3"),
            ("wait", "8"),
            ("look", ""),
            ("b3", "bridge link set dev x1 root_block off"),
            ("wait", "8"),
            ("look", ""),
        ),
    ),
    Case(
        "off",
        ("b1", "b2"),
        LINKS[:2],
        (
            *_fast("b1", "b2"),
            ("wait", "8"),
            ("b2", "brctl stp br0 off"),
            ("wait", "2"),
            ("look", ""),
            ("wait", "8"),
            ("look", ""),
            ("b2", "brctl stp br0 on"),
            ("wait", "8"),
            ("look", ""),
        ),
    ),
    Case(
        "times",
        ("b1", "b2"),
        LINKS[:1],
        (
            *_fast("b1", "b2"),
            ("wait", "7"),
            ("b1", "brctl setfd br0 4.5"),
            ("b1", "brctl sethello br0 1.33"),
            ("b1", "brctl setmaxage br0 7.77"),
            ("b1", "brctl setageing br0 20"),
            ("wait", "3"),
            ("look", ""),
            ("b2", "brctl setbridgeprio br0 1"),
            ("wait", "4"),
            ("look", ""),
        ),
    ),
    Case(
        "line",
        ("b1", "b2", "b3", "b4"),
        LINE,
        (
            *_fast("b1", "b2", "b3", "b4"),
            ("wait", "9"),
            ("look", ""),
            ("b1", "ip link set br0 down"),
            ("wait", "12"),
            ("look", ""),
            ("b4", "brctl delif br0 x3"),
            ("wait", "3"),
            ("look", ""),
        ),
    ),
    Case(
        "by_hand",
        ("b1",),
        (("b1/x1", "b1/x2"),),
        (
            ("b1", "brctl delif br0 x2"),
            ("b1", "ip link set br0 up"),
            ("wait", "1.5"),
            ("look", ""),
            ("b1", "bridge link set dev x1 state 4"),
            ("look", ""),
            ("b1", "bridge link set dev x1 state 1"),
            ("look", ""),
            ("b1", "bridge link set dev x1 state 0"),
            ("look", ""),
            ("b1", "brctl stp br0 on"),
            ("b1", "brctl hairpin br0 x1 on"),
            ("look", ""),
            ("b1", "ip link set br0 down"),
            ("look", ""),
        ),
    ),
)
