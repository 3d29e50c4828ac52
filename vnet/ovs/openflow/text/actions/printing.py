"""Printing actions as ``ovs-ofctl`` does (ovs-actions(7))."""

from __future__ import annotations

from vnet.ovs.flow.names import NO_NAMES, Names
from vnet.ovs.openflow.ofpacts import Ofpacts
from vnet.ovs.openflow.text.actions.registry import KINDS


def actions_text(actions: Ofpacts, names: Names = NO_NAMES) -> str:
    """``actions`` in one line, ``drop`` if there are none."""
    return _Printer(names).actions(actions)


class _Printer:
    """One printing; see :class:`~vnet.ovs.openflow.text.actions.kind.Printer`."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def actions(self, actions: Ofpacts) -> str:
        return ",".join(KINDS[type(action)].text(action, self) for action in actions) or "drop"
