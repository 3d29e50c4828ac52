"""Where a live daemon's lines go: stderr, a file; and what lines may say of the process."""

from __future__ import annotations

import os
import sys
import time

from vnet.live.daemon.errors import FatalError
from vnet.live.directories import log_directory
from vnet.ovs.vlog.level import Destination
from vnet.ovs.vlog.vlog import Vlog


class Process:
    """What surrounds a live log."""

    def __init__(self, program: str) -> None:
        self.program = program
        self._began_ns = time.monotonic_ns()

    @property
    def pid(self) -> int:
        """Of the process that writes, which is another after each fork."""
        return os.getpid()

    @property
    def host(self) -> str:
        """The machine's name."""
        return os.uname().nodename

    def wall_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Milliseconds since the program began."""
        return (time.monotonic_ns() - self._began_ns) // 1_000_000


class Console:
    """Lines on stderr, behind a ``label``."""

    def __init__(self, label: str = "") -> None:
        self._label = label

    def write(self, line: str) -> None:
        """What cannot be written is lost."""
        _write(2, self._label + line)


class Nowhere:
    """What goes to the system's log: nobody reads it, yet its lines count."""

    def write(self, line: str) -> None:
        """Nothing comes of it."""


class LogFile:
    """Lines in a file; opened, closed and opened again as ``vlog/reopen`` and its like ask."""

    def __init__(self, vlog: Vlog) -> None:
        self.path: str | None = None
        self._vlog = vlog
        self._log = vlog.module("vlog")
        self._descriptor = -1

    def write(self, line: str) -> None:
        """Append a line, at once and as one piece. What cannot be written is lost."""
        _write(self._descriptor, line)

    def open(self, path: str | None) -> None:
        """Write to ``path``, or without one to the program's usual log file. Raises OSError, having
        logged why."""
        if path is None:
            path = os.path.join(log_directory(), f"{self._vlog.around.program}.log")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o660)
        except OSError as error:
            self._log.warn(f"failed to open {path} for logging: {error.strerror}")
            raise
        if self._descriptor >= 0 and os.path.sameopenfile(descriptor, self._descriptor):
            os.close(descriptor)
            return
        if self._descriptor >= 0:
            self._log.info("closing log file")
            os.close(self._descriptor)
        self.path, self._descriptor = path, descriptor
        self._vlog.set_sink(Destination.FILE, self)
        self._log.info(f"opened log file {path}")

    def close(self) -> None:
        """Write to it no more, until it is opened again."""
        if self._descriptor >= 0:
            self._vlog.set_sink(Destination.FILE, None)
            os.close(self._descriptor)
            self._descriptor = -1

    def give_to(self, uid: int, gid: int) -> None:
        """Let another user own the file, so that it can be opened again."""
        if self._descriptor >= 0:
            os.fchown(self._descriptor, uid, gid)

    def reopen(self) -> None:
        """Open it again by its name, as after somebody has moved it. Raises OSError."""
        if self.path is not None:
            self.open(self.path)


def say_on_stderr(program: str, text: str) -> None:
    """A sentence for whoever has started the daemon."""
    sys.stdout.flush()
    _write(2, f"{program}: {text}\n")


def fail(vlog: Vlog, fatal: FatalError) -> None:
    """Say why it ends, on stderr and where an emergency is logged."""
    if not fatal.text:
        return
    if fatal.module is not None:
        vlog.set_sink(Destination.CONSOLE, None)
        vlog.module(fatal.module).emer(fatal.text)
    say_on_stderr(vlog.around.program, fatal.text)


def _write(descriptor: int, line: str) -> None:
    data = line.encode("utf-8", "surrogateescape")
    try:
        os.write(descriptor, data)
    except OSError:
        return
