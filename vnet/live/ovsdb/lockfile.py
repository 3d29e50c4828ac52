"""A file that says that another one is in use, as Open vSwitch locks its databases."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import NamedTuple

from vnet.live.daemon.pidfile import lock_owner

_MOST_LINKS = 10
"""Links that are followed one after the other: they may lead in a circle."""

_held: set[tuple[int, int]] = set()
"""Locks of this process, by device and inode: to close any descriptor of one would drop it."""


class LockedError(OSError):
    """The file cannot be locked. ``path`` is the lock's, ``pid`` who holds it, 0 if unknown."""

    def __init__(self, number: int, path: str, pid: int) -> None:
        super().__init__(number, os.strerror(number))
        self.path = path
        self.pid = pid

    def __str__(self) -> str:
        """The warning that Open vSwitch logs."""
        if self.pid == os.getpid():
            return f"{self.path}: cannot lock file because this process has already locked it"
        if self.pid:
            return f"{self.path}: cannot lock file because it is already locked by pid {self.pid}"
        return f"{self.path}: failed to lock file: {self.strerror}"


class Lockfile(NamedTuple):
    """A lock that is held until :meth:`release`. Children of this process do not inherit it."""

    descriptor: int
    identity: tuple[int, int]

    def release(self) -> None:
        """Let others lock. The file stays."""
        _held.discard(self.identity)
        os.close(self.descriptor)


def lockfile_path(path: str) -> str:
    """``.NAME.~lock~`` beside a file; of a symbolic link, beside what it leads to."""
    target = path
    for _ in range(_MOST_LINKS):
        if not os.path.islink(target):
            break
        target = os.path.join(os.path.dirname(target), os.readlink(target))
    directory, name = os.path.split(target)
    return os.path.join(directory, f".{name}.~lock~")


def lock(path: str) -> Lockfile:
    """Lock a file against other processes, and this one. Raises :class:`LockedError`."""
    lock_path = lockfile_path(path)
    try:
        return _lock(lock_path)
    except LockedError:
        raise
    except OSError as fault:
        raise LockedError(fault.errno or 0, lock_path, 0) from fault


def _lock(lock_path: str) -> Lockfile:
    if os.path.exists(lock_path) and _identity(os.stat(lock_path)) in _held:
        raise LockedError(errno.EDEADLK, lock_path, os.getpid())
    descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        pid = lock_owner(descriptor)
        os.close(descriptor)
        raise LockedError(errno.EAGAIN, lock_path, pid) from None
    except OSError:
        os.close(descriptor)
        raise
    identity = _identity(os.fstat(descriptor))
    _held.add(identity)
    return Lockfile(descriptor, identity)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
