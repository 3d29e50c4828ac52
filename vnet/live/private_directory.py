"""Directories that nobody else may enter: whoever can reach a socket there commands the switch."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vnet.base.errors import StorageError, UsageError
from vnet.base.text import escaped

_PRIVATE = 0o700
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


@contextmanager
def private_directory(path: Path) -> Iterator[None]:
    """Have a private directory while the block lasts. If it was made for that and is empty then,
    it goes again. Raises as :func:`make_private_directory`."""
    is_new = not path.exists()
    make_private_directory(path)
    try:
        yield
    finally:
        if is_new:
            with suppress(OSError):  # Somebody has put something there.
                path.rmdir()


def make_private_directory(path: Path) -> None:
    """Make ``path``, and what is above it as far as need be, for this user alone.

    One that is there already is taken as it is. Raises :class:`UsageError` where it belongs to
    somebody else or others may write to it, :class:`StorageError` where it cannot be made.
    """
    shown = escaped(str(path))
    try:
        for missing in reversed([p for p in (path, *path.parents) if not p.exists()]):
            missing.mkdir(mode=_PRIVATE, exist_ok=True)
        found = path.stat()
        named = path.lstat()
    except OSError as error:
        raise StorageError(
            f"cannot make the run directory {shown}: {error.strerror}", "name another: --rundir DIR"
        ) from None
    if not stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{shown} is no directory", "name another: --rundir DIR")
    # Who owns a link could have it lead elsewhere later.
    if {found.st_uid, named.st_uid} != {os.geteuid()}:
        raise UsageError(
            f"the run directory {shown} belongs to somebody else", "name another: --rundir DIR"
        )
    if found.st_mode & _OTHERS_MAY_WRITE:
        raise UsageError(
            f"others may write to the run directory {shown}",
            f"chmod go-w {shown}, or name another: --rundir DIR",
        )
    if not os.access(path, os.W_OK | os.X_OK):
        raise StorageError(
            f"cannot write to the run directory {shown}: Permission denied",
            "name another: --rundir DIR",
        )
