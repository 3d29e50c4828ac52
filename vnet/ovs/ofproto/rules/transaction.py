"""A request, or several, carried out as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vnet.ovs.ofproto.rules.learned import LearnedCookie
from vnet.ovs.ofproto.rules.rule import RemovedReason, Rule


class Transaction:
    """What has been done so far: how to undo it, and what there is to tell once it stands."""

    __slots__ = ("_undo", "dead_cookies", "removed")

    def __init__(self) -> None:
        self._undo: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self.removed: list[tuple[Rule, RemovedReason]] = []
        self.dead_cookies: list[LearnedCookie] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been done."""
        return not self._undo

    def on_undo(self, undo: Callable[..., object], *args: Any) -> None:
        """Something was done that ``undo(*args)`` takes back."""
        self._undo.append((undo, args))

    def roll_back(self) -> None:
        """Take everything back, the last first."""
        while self._undo:
            undo, args = self._undo.pop()
            undo(*args)
