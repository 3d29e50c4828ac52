"""What BPDUs are judged by: priority vectors and times (802.1D-2004, 17.5, 17.6)."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple


class Comparison(Enum):
    """How one vector does against another."""

    WORSE = auto()
    BETTER = auto()
    SAME = auto()

    def __bool__(self) -> bool:
        """Better or the same, which is what mostly counts."""
        return self is not Comparison.WORSE


class Vector(NamedTuple):
    """A way to the root: less is better, and the first member counts most.

    ``bridge_id`` and ``port_id`` are of whoever announces it, ``bridge_port_id`` is the port that
    hears it, which settles ties; 0 where that does not matter.
    """

    root_id: int = 0
    root_path_cost: int = 0
    bridge_id: int = 0
    port_id: int = 0
    bridge_port_id: int = 0

    def compare(self, other: Vector) -> Comparison:
        """Whatever the same port of the same bridge said before, what it says now is better."""
        if self[:4] == other[:4]:
            if self.bridge_port_id == other.bridge_port_id:
                return Comparison.SAME
            is_better = self.bridge_port_id < other.bridge_port_id
        else:
            is_better = self[:4] < other[:4] or self[2:4] == other[2:4]
        return Comparison.BETTER if is_better else Comparison.WORSE


class Times(NamedTuple):
    """Whole seconds."""

    message_age: int = 0
    max_age: int = 0
    hello_time: int = 0
    forward_delay: int = 0
