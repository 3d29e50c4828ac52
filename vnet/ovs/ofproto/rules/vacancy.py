"""When a controller is told how much of a table is free (OpenFlow 1.4, section 6.8)."""

from __future__ import annotations

from vnet.ovs.openflow.messages import TableReason


class Vacancy:
    """Below ``down`` per cent it is told, and then no more before there are more than ``up``; and
    the other way round."""

    __slots__ = ("_next", "down", "up")

    def __init__(self, down: int, up: int, free_percent: int) -> None:
        self.down = down
        self.up = up
        is_full = free_percent < up
        self._next = TableReason.VACANCY_UP if is_full else TableReason.VACANCY_DOWN

    def look(self, free_percent: int) -> TableReason | None:
        """So much is free: what is to be told, if anything."""
        if free_percent < self.down:
            reason = TableReason.VACANCY_DOWN
        elif free_percent > self.up:
            reason = TableReason.VACANCY_UP
        else:
            return None
        if reason is not self._next:
            return None
        is_down = reason is TableReason.VACANCY_DOWN
        self._next = TableReason.VACANCY_UP if is_down else TableReason.VACANCY_DOWN
        return reason
