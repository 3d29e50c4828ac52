"""What no two runs have in common: processes, directories, times, random identifiers."""

from __future__ import annotations

import re
from pathlib import Path

from tests.ovs.tools.side import Answer

_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIMES = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC)?")
_AGES = re.compile(r"(?<=duration=)[\d.]+s|(?<=used:)[\d.]+s|(?<=_date\":)\d+")
_CONTROL = re.compile(r"(?<=\.)\d+(?=\.ctl)")
_PID = re.compile(r"(?<=pid )\d+|(?<=process )\d+")
_HELD_UP = re.compile(r"(?m)^TIME\|\d+\|(timeval|coverage)\|.*\n")
_LOG_NUMBER = re.compile(r"(?m)(?<=^TIME\|)\d+(?=\|)")
_REPLACED = (
    (_TIMES, "TIME"),
    (_HELD_UP, ""),  # a program did not have the processor for a second
    (_LOG_NUMBER, "N"),  # and so it may have logged more
    (_AGES, "AGE"),
    (_CONTROL, "PID"),
    (_PID, "PID"),
)


class Uuids:
    """Names for identifiers, in the order in which a side shows them."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def named(self, text: str) -> str:
        def name(found: re.Match[str]) -> str:
            return self._names.setdefault(found[0], f"UUID{len(self._names) + 1}")

        return _UUID.sub(name, text)


def masked(answer: Answer, directory: Path, uuids: Uuids, mark: str) -> Answer:
    """An answer as it may be compared."""
    return answer._replace(
        output=_masked(answer.output, directory, uuids, mark),
        errors=_masked(answer.errors, directory, uuids, mark),
    )


def _masked(text: str, directory: Path, uuids: Uuids, mark: str) -> str:
    text = text.replace(str(directory), "DIR")
    for pattern, name in _REPLACED:
        text = pattern.sub(name, text)
    if mark == "%":
        return "\n".join(sorted(_UUID.sub("UUID", text).splitlines()))
    text = uuids.named(text)
    return re.sub(r" *\d[\d.]*", " N", text) if mark == "#" else text
