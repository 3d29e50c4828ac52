"""A file that holds a daemon's process number, and is locked for as long as the daemon lives.

By the lock others know that the number is true (``F_GETLK``). Closing *any* descriptor of the file
would give the lock up, so nobody opens it a second time in this process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct

from vnet.live.daemon.errors import FatalError
from vnet.ovs.vlog.vlog import LogModule

_FLOCK = struct.Struct("hhqqi4x")
"""``struct flock`` of Linux on 64 bits: type, whence, start, length, process."""


class Pidfile:
    """Written and locked by :meth:`create`, removed by :meth:`remove`."""

    def __init__(self, path: str, *, overwrite: bool, log: LogModule) -> None:
        self.path = path
        self._overwrite = overwrite
        self._log = log
        self._descriptor = -1

    def create(self) -> None:
        """Put this process's number there. Raises :class:`FatalError` where another one lives."""
        temporary = self.path + (f".tmp{os.getpid()}" if self._overwrite else ".tmp")
        try:
            descriptor = os.open(
                temporary, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666
            )
        except OSError as error:
            raise self._fatal(f"{temporary}: create failed ({error.strerror})") from error
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise self._fatal(f"{temporary}: fcntl(F_SETLK) failed ({error.strerror})") from error
        self._descriptor = descriptor
        try:
            if not self._overwrite:
                self._check_nobody_lives()
            os.ftruncate(descriptor, 0)
            os.write(descriptor, b"%d\n" % os.getpid())
            os.rename(temporary, self.path)
        except OSError as error:
            _unlink(temporary)
            raise self._fatal(
                f'failed to rename "{temporary}" to "{self.path}" ({error.strerror})'
            ) from error
        except FatalError:
            _unlink(temporary)
            raise

    def remove(self) -> None:
        """The daemon ends. The lock goes with the process."""
        if self._descriptor >= 0:
            _unlink(self.path)

    def _check_nobody_lives(self) -> None:
        try:
            owner = read_owner(self.path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._fatal(
                f"{self.path}: pidfile check failed ({error.strerror}), aborting"
            ) from error
        if owner:
            raise self._fatal(f"{self.path}: already running as pid {owner}, aborting")
        self._log.dbg(f"{self.path}: deleted stale pidfile")

    def _fatal(self, text: str) -> FatalError:
        return FatalError(text, module="daemon_unix")


def read_owner(path: str) -> int:
    """Which process holds a pidfile's lock; 0 where none does. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        return lock_owner(descriptor)
    finally:
        os.close(descriptor)


def lock_owner(descriptor: int) -> int:
    """Which process holds the lock of an open file; 0 where none does. Raises OSError."""
    asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, _, _, _, owner = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    return 0 if kind == fcntl.F_UNLCK else int(owner)


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
