"""A request, or several, carried out as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

from vnet.ovs.ofproto.rules.changes import FlowChange, FlowEvent
from vnet.ovs.ofproto.rules.learned import LearnedCookie
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.openflow.messages import RemovedReason
from vnet.ovs.openflow.ofpacts import Ofpacts


class Transaction:
    """What has been done so far: how to undo it, and what there is to tell once it stands.

    Where flows are followed, ``changes`` says what became of them. ``position`` counts the
    requests; None: nobody has asked.
    """

    __slots__ = ("_undo", "changes", "dead_cookies", "is_followed", "position", "removed", "then")

    def __init__(self, *, is_followed: bool = False) -> None:
        self._undo: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self.removed: list[tuple[Rule, RemovedReason]] = []
        self.dead_cookies: list[LearnedCookie] = []
        self.then: list[Callable[[], None]] = []
        """What is to be done once all stands, and cannot fail."""
        self.is_followed = is_followed
        self.changes: list[FlowChange] = []
        self.position: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been done."""
        return not self._undo

    def on_undo(self, undo: Callable[..., object], *args: Any) -> None:
        """Something was done that ``undo(*args)`` takes back."""
        self._undo.append((undo, args))

    def note(
        self,
        event: FlowEvent,
        rule: Rule,
        reason: RemovedReason | None = None,
        old_actions: Ofpacts | None = None,
    ) -> None:
        """Something has become of a flow, for whoever follows it."""
        if self.is_followed and not rule.is_hidden:
            self.changes.append(
                FlowChange(event, rule, copy(rule), reason, old_actions, self.position)
            )

    def roll_back(self) -> None:
        """Take everything back, the last first."""
        while self._undo:
            undo, args = self._undo.pop()
            undo(*args)
