"""What is particular to one kind of action, in one place: its words, its text and the rules it
obeys. How it stands in messages is told in :mod:`vnet.ovs.openflow.wire.actions`.

The families of actions beside this file are tables of :class:`ActionKind`; the walks over lists
of actions (reading, printing, checking) are written once and look the particulars up
there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Generic, Protocol, TypeVar

from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.names import Names
from vnet.ovs.openflow.ofpacts import Ofpact, Ofpacts

ActionT = TypeVar("ActionT", bound=Ofpact)


class Instruction(IntEnum):
    """The instruction that an action belongs to, in the order in which they must appear
    (ovs-actions(7), "Instructions").
    """

    METER = 0
    APPLY_ACTIONS = 1
    CLEAR_ACTIONS = 2
    WRITE_ACTIONS = 3
    WRITE_METADATA = 4
    GOTO_TABLE = 5

    @property
    def text(self) -> str:
        """Its name in messages."""
        return self.name.lower()


class Reader(Protocol):
    """The reading of a text of actions.

    ``names`` are those of ports and tables. ``usable`` are the protocols that can say what was
    read so far (``vnet.ovs.flow.protocols``).
    """

    names: Names
    usable: int

    def nested(self, text: str, outer: type[Ofpact]) -> Ofpacts:
        """Read ``text``, the actions within an action or instruction of type ``outer``."""


class Printer(Protocol):
    """The printing of actions. ``names`` are those of ports and tables."""

    names: Names

    def actions(self, actions: Ofpacts) -> str:
        """A list of actions, ``drop`` if there are none."""


class Checker(Protocol):
    """The checking of actions against the match of their flow.

    ``flow`` is what the match demands and what the actions before have made of it; ``mask`` are
    the bits that the match looks at. Ports and tables are those that the switch may have;
    ``table_id`` is the flow's, TABLE_ALL if it is not known.
    """

    flow: Flow
    mask: Flow
    max_ports: int
    table_id: int
    n_tables: int

    def inconsistent(self) -> None:
        """The action does not go with the match, which OpenFlow 1.0 alone forgives."""

    def nested(self, actions: Ofpacts) -> Ofpacts:
        """Check actions within an action; what they do to the flow stays within."""

    def action_set(self, actions: Ofpacts) -> Ofpacts:
        """Check what is written into an action set. Whether it goes with the match is not known
        before the set is carried out.
        """


Parse = Callable[[str, Reader], Ofpact]


def _unchanged(action: ActionT, _checker: Checker) -> ActionT:
    return action


@dataclass(frozen=True)
class ActionKind(Generic[ActionT]):
    """One kind of action.

    ``name`` is what messages call it. ``words`` are all that it can be written as, each with the
    function that reads what follows. ``check`` raises :class:`OpenFlowError` where the action
    cannot stand, and returns it, with what it must know of the match filled in.
    """

    action: type[ActionT]
    name: str
    words: Mapping[str, Parse]
    text: Callable[[ActionT, Printer], str]
    check: Callable[[ActionT, Checker], ActionT] = _unchanged
    instruction: Instruction = Instruction.APPLY_ACTIONS


AnyKind = ActionKind[Any]
