"""Why a frame died: a closed list of words, each with its cause and its cure.

A drop is a value. The room that throws a frame away declares the reason once,
at import, and hands it to the device that counts it; the trace, the capture
comment, the report and the reference page all read the same object.
"""

from __future__ import annotations

from collections.abc import Iterator


class DropReason:
    """A named cause of loss. Compared by identity; declared once, at import.

    ``routine`` marks what happens in any healthy network, such as a card turning away a
    frame that was flooded to it: counted and traced as the others, but not shouted about.
    """

    __slots__ = ("cause", "cure", "routine", "word")

    def __init__(self, word: str, cause: str, cure: str, routine: bool) -> None:
        self.word = word
        self.cause = cause
        self.cure = cure
        self.routine = routine

    def __repr__(self) -> str:
        return f"DropReason({self.word})"


_registry: dict[str, DropReason] = {}


def drop_reason(word: str, *, cause: str, cure: str, routine: bool = False) -> DropReason:
    """Declare a reason. A second claim to a word raises ``ValueError``."""
    if word in _registry:
        raise ValueError(f"drop reason {word!r} is declared twice")
    reason = DropReason(word, cause, cure, routine)
    _registry[word] = reason
    return reason


def all_drop_reasons() -> Iterator[DropReason]:
    """Every reason declared by the modules imported so far, by word."""
    return iter(sorted(_registry.values(), key=lambda reason: reason.word))
