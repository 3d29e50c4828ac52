"""The words of a command, taken one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vnet.linux.tc.errors import TcError


class WordReader:
    """Where the reading of a command has got to."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = list(words)
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._words)

    def take(self) -> str:
        """The next word; there must be one, or the command is not complete."""
        if not self:
            raise TcError('Command line is not complete. Try option "help"')
        self._at += 1
        return self._words[self._at - 1]

    def peek(self) -> str | None:
        """The next word, left where it is."""
        return self._words[self._at] if self else None

    def rest(self) -> list[str]:
        """All that is left, left where it is."""
        return self._words[self._at :]

    @property
    def at_number(self) -> bool:
        """Whether a digit comes next."""
        return (self.peek() or "")[:1].isdigit()


def is_short_for(word: str, keyword: str) -> bool:
    """Whether a word is a keyword cut short, as iproute2 allows it."""
    return word != "" and keyword.startswith(word)


Reader = Callable[[str], int]
