"""What is wrong with a filter's text, and where."""

from __future__ import annotations

from vnet.base.errors import VnetError


class FilterError(VnetError, ValueError):
    """A filter that cannot be compiled; ``column`` counts from 1 in its text."""

    def __init__(self, what: str, hint: str, column: int) -> None:
        super().__init__(what, hint)
        self.column = column

    def __str__(self) -> str:
        return f"column {self.column}: {super().__str__()}"
