"""What bridges announce to each other: ways to the root, and the times that it prescribes."""

from __future__ import annotations

from typing import NamedTuple

from vnet.base.record import record


class Offer(NamedTuple):
    """A way to the root, as a BPDU announces it; less is better, and the first member counts most.

    ``bridge_id`` and ``port_id`` are of whoever announces it.
    """

    root_id: int
    cost: int
    bridge_id: int
    port_id: int


@record(frozen=True, slots=True)
class StpTimes:
    """What the root prescribes to all bridges, in units of 1/256 second."""

    max_age: int = 20 * 256
    hello_time: int = 2 * 256
    forward_delay: int = 15 * 256
