"""State machines as the standard draws them (802.1D-2004, 17.16): states, and ways out of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

SubjectT = TypeVar("SubjectT")


@dataclass(frozen=True, slots=True, eq=False)
class State(Generic[SubjectT]):
    """A box of the drawing: ``enter`` is what is written in it, ``leave`` the arrows out of it.

    ``leave`` gives the next state, the state itself to have it entered anew, or None to stay.
    """

    name: str
    enter: Callable[[SubjectT], None] | None
    leave: Callable[[SubjectT], State[SubjectT] | None]


class Running(Generic[SubjectT]):
    """A machine at work for one port, or one bridge.

    It moves a state at a time, so that several of them, taken in turn, see what the others do.
    ``starts_at_once`` is whether its first step already enters the first state.
    """

    __slots__ = ("_first", "_is_entered", "_subject", "state")

    def __init__(
        self, first: State[SubjectT], subject: SubjectT, *, starts_at_once: bool = False
    ) -> None:
        self._subject = subject
        self._first = first
        self.state = first if starts_at_once else None
        self._is_entered = False

    def step(self) -> bool:
        """Enter the state if that is still to be done, and see where it leads: whether the
        machine has moved. One that enters the same state over and over stands still.
        """
        if self.state is None:
            self.state = self._first
            return True
        before = self.state, self._is_entered
        if not self._is_entered:
            if self.state.enter is not None:
                self.state.enter(self._subject)
            self._is_entered = True
        target = self.state.leave(self._subject)
        if target is not None:
            self.state = target
            self._is_entered = target.enter is None
        return before != (self.state, self._is_entered)


def nothing(_subject: object) -> None:
    """What is done on entering a state that is a step of its own all the same."""
