"""Commands at the beginning of a line, as files of flows and groups have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import TypeVar

CommandT = TypeVar("CommandT", bound=Enum)

_FIRST_WORD = re.compile(r"[ \t\r\n]*([^, \t\r\n]*)")


def take_command(text: str, commands: Sequence[CommandT]) -> tuple[CommandT, str]:
    """The command that ``text`` begins with, and the rest.

    A beginning of a command's name will do, and stands for the first of ``commands`` that it
    fits. A text without any is for the first of all.
    """
    found = _FIRST_WORD.match(text)
    assert found is not None, "every part of the pattern may be empty"
    for command in commands:
        if command.value.startswith(found[1]):
            return command, text[found.end() :]
    return commands[0], text
