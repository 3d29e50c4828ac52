"""Why a daemon does not start, or ends."""

from __future__ import annotations


class FatalError(Exception):
    """It cannot go on: the text goes to stderr behind the program's name, and it exits with 1.

    With ``module`` it is logged as an emergency besides, but not a second time on stderr. Without
    ``text`` all has been said.
    """

    def __init__(self, text: str = "", *, module: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.module = module
