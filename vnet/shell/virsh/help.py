"""What virsh says of its commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean
from vnet.shell.virsh.language import Command

Groups = Mapping[str, tuple[str, Mapping[str, Command]]]
"""By title: the keyword of a group, and its commands."""


def help_text(groups: Groups, words: Sequence[str]) -> str:
    """All commands, those of a group, or one."""
    if not words:
        shown = "\n".join(_group(title, *group) for title, group in groups.items())
        return f"Grouped commands:\n\n{shown}\n"
    (word, *_more) = words
    for title, (keyword, commands) in groups.items():
        if word == keyword:
            return _group(title, keyword, commands) + "\n"
        if word in commands:
            known = commands[word]
            return (
                f"  NAME\n    {word} - {known.about}\n\n  SYNOPSIS\n    {known.synopsis(word)}\n\n"
            )
    every = [name for _keyword, commands in groups.values() for name in commands]
    raise UsageError(
        f"error: command or command group '{word}' doesn't exist",
        did_you_mean(word, every, "there are"),
    )


def _group(title: str, keyword: str, commands: Mapping[str, Command]) -> str:
    lines = [f" {title} (help keyword '{keyword}'):"]
    lines += [f"    {name:<30} {known.about}" for name, known in commands.items()]
    return "\n".join(lines) + "\n"
