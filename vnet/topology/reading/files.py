"""Text files that a topology is read from: the file itself, and those that it names."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from vnet.base.text import escaped


class UnreadableError(Exception):
    """A file that cannot be used: what is wrong with it, a hint, and where in it that is."""

    def __init__(self, what: str, hint: str = "", line: int = 1, column: int = 1) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.line = line
        self.column = column


def read_text(path: str | Path, most_bytes: int, *, elsewhere: str, shorter: str = "") -> str:
    """The text of a regular file of UTF-8. Raises :class:`UnreadableError`.

    ``elsewhere`` and ``shorter`` are hints for what is no regular file, and for what is too long.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise UnreadableError("this is not a regular file", elsewhere)
            data = stream.read(most_bytes + 1)
    except FileNotFoundError:
        raise UnreadableError("there is no such file") from None
    except IsADirectoryError:
        raise UnreadableError("this is a directory", "name the file in it") from None
    except (OSError, ValueError) as error:
        # ValueError: a NUL in the path.
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableError(f"the file cannot be read: {escaped(reason)}") from None
    if len(data) > most_bytes:
        raise UnreadableError(f"the file is longer than {most_bytes // 1_000_000} MB", shorter)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        what = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise UnreadableError(what, "save the file as UTF-8 text", line, column) from None


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for somebody to write into a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
