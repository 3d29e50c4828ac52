"""One command of a line for ovs-vsctl(8), taken apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class VsctlCommand(NamedTuple):
    """One command: its options by name, with their values, and its words."""

    options: Mapping[str, str]
    words: Sequence[str]

    @property
    def name(self) -> str:
        return self.words[0]

    def has(self, option: str) -> bool:
        return option in self.options

    @property
    def text(self) -> str:
        """The command as it was written, in complaints."""
        return " ".join([*self.options, *self.words])
