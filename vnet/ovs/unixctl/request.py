"""A command on its way to an answer, which may come later."""

from __future__ import annotations

from collections.abc import Callable


class Request:
    """Answer it once, by :meth:`reply` or :meth:`fail`, at once or at any later time.

    ``answered`` is told whether it went well, and the text.
    """

    __slots__ = ("_answered", "is_answered")

    def __init__(self, answered: Callable[[bool, str], None]) -> None:
        self._answered = answered
        self.is_answered = False

    def reply(self, text: str = "") -> None:
        """It went well. A last newline is added where there is none."""
        self._answer(True, text)

    def fail(self, text: str) -> None:
        """It did not; the text says why."""
        self._answer(False, text)

    def _answer(self, succeeded: bool, text: str) -> None:
        if self.is_answered:
            raise RuntimeError("a request was answered twice")
        self.is_answered = True
        self._answered(succeeded, text)
