"""Every reason to drop a frame, as a page and one by one.

Reasons are declared where frames are dropped, so that all of them are known only once all
of those rooms are imported; nothing else here needs that.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import walk_packages

from vnet.base.drops import DropReason, all_drop_reasons
from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, quote

_ROOMS = ("vnet.sim", "vnet.tables", "vnet.netdev", "vnet.linux", "vnet.ovs", "vnet.hypervisor")
"""The rooms that frames pass through."""

_HEAD = """\
# Why frames are dropped

No frame disappears without one of these reasons. `vnet run` and the shell's `drops` count them
by device, a capture has them as comments, a trace as leaves. This page is what
`vnet drops --markdown` prints; `vnet drops WORD` explains one.
"""


def every_reason() -> list[DropReason]:
    """All reasons there are, by word, whatever has been imported so far."""
    for room in _ROOMS:
        package = import_module(room)
        for module in walk_packages(package.__path__, f"{room}."):
            import_module(module.name)
    return list(all_drop_reasons())


def explained_word(word: str) -> str:
    """The reason called ``word``; where none is, those of whose name it is a part.

    Raises :class:`UsageError` where there are none of these either.
    """
    reasons = {reason.word: reason for reason in every_reason()}
    if word in reasons:
        return explained(reasons[word])
    part = f"-{word.lower()}-"
    alike = [reason for name, reason in reasons.items() if part in f"-{name}-"]
    if not alike:
        hint = did_you_mean(word, list(reasons), "there are")
        raise UsageError(f"there is no drop reason {quote(word)}", hint)
    head = f"no drop reason is called {quote(word)}; with it in their name there are:"
    return "\n\n".join([head, *map(explained, alike)])


def explained(reason: DropReason) -> str:
    """A reason in a few lines: word, cause, cure."""
    routine = " (routine: this happens in any healthy network)" if reason.routine else ""
    return f"{reason.word}: {reason.cause}{routine}\n  cure: {reason.cure}"


def markdown() -> str:
    """The reference page, ``docs/drops.md``."""
    reasons = every_reason()
    trouble = _table(reason for reason in reasons if not reason.routine)
    routine = _table(reason for reason in reasons if reason.routine)
    return (
        f"{_HEAD}\n{trouble}\n## Routine\n\nThese happen in any healthy network. They are counted "
        f"like the rest, but kept out of\ncomments and the short report.\n\n{routine}"
    )


def _table(reasons: Iterable[DropReason]) -> str:
    lines = ["| word | cause | cure |", "|---|---|---|"]
    lines += [
        f"| `{reason.word}` | {_cell(reason.cause)} | {_cell(reason.cure)} |" for reason in reasons
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
