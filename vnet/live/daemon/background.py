"""The way into the background: the one who started a daemon goes on when it is ready, not before.

The parent waits at a pipe. A byte means that the daemon is ready; an end without one that it is
not, and never will be.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import NoReturn

from vnet.live.daemon.errors import FatalError
from vnet.live.daemon.log import LogFile, fail
from vnet.ovs.vlog.level import Destination, Level
from vnet.ovs.vlog.vlog import Vlog

_CRASHES = frozenset(
    (
        *(signal.SIGABRT, signal.SIGALRM, signal.SIGBUS, signal.SIGFPE, signal.SIGILL),
        *(signal.SIGPIPE, signal.SIGSEGV, signal.SIGXCPU, signal.SIGXFSZ),
    )
)
"""Signals after which a supervised daemon is started again (ovs-vswitchd(8), ``--monitor``)."""

_RESTART_INTERVAL_S = 10

_PR_SET_NAME = 15


class Background:
    """How far into the background a daemon goes: ``detach`` from the terminal, ``supervise`` by a
    process that starts it again."""

    def __init__(
        self,
        *,
        detach: bool,
        supervise: bool,
        changes_folder: bool,
        inherited: list[int],
        vlog: Vlog,
        log_file: LogFile,
    ) -> None:
        self.detach = detach
        self._supervise = supervise
        self._changes_folder = changes_folder
        self._vlog = vlog
        self._log = vlog.module("daemon_unix")
        self._log_file = log_file
        self._inherited = inherited
        self._pipe = -1
        self._child = 0

    def start(self) -> None:
        """Go there. Returns in the daemon alone; those who wait exit from within."""
        if self.detach:
            if self._fork():
                if not self._wait_until_ready():
                    raise FatalError(
                        "could not detach from foreground session", module="daemon_unix"
                    )
                os._exit(0)
            os.setsid()
            self._close_inherited()
        if self._supervise:
            self._start_supervised()

    def ready(self) -> None:
        """The daemon is of use now: let go all that is its parent's, and then the parent."""
        if self.detach:
            if self._changes_folder:
                os.chdir("/")
            self._leave_terminal()
        self._tell_parent()

    # -- parent and child

    def _fork(self) -> int:
        """Like fork, with a pipe from the child."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writing)
            self._pipe, self._child = reading, pid
        else:
            os.close(reading)
            self._pipe = writing
        return pid

    def _wait_until_ready(self) -> bool:
        """Whether the child is ready. Exits as the child does, where that exits with an error."""
        if os.read(self._pipe, 1):
            return True
        _, status = os.waitpid(self._child, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status):
            os._exit(os.WEXITSTATUS(status))
        self._log.err(f"fork child died before signaling startup ({describe_status(status)})")
        return False

    def _tell_parent(self) -> None:
        if self._pipe >= 0:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._pipe, b"\0")
            os.close(self._pipe)
            self._pipe = -1

    def _close_inherited(self) -> None:
        """Whatever was open at the start is somebody else's, who may wait for its end."""
        for descriptor in self._inherited:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _leave_terminal(self) -> None:
        """Nothing is read there any more, and nothing said."""
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)
        os.close(null)
        self._vlog.set_levels(None, Destination.CONSOLE, Level.OFF)

    # -- supervision

    def _start_supervised(self) -> None:
        to_parent, self._pipe = self._pipe, -1
        if not self._fork():
            if to_parent >= 0:
                os.close(to_parent)
            return
        if not self._wait_until_ready():
            raise FatalError("could not initiate process monitoring", module="daemon_unix")
        from_child, self._pipe = self._pipe, to_parent
        self._tell_parent()
        os.close(from_child)
        if self.detach:
            self._leave_terminal()
        call_process("monitor")
        try:
            self._watch_over()
            call_process(self._vlog.around.program)
        except FatalError as fatal:
            fail(self._vlog, fatal)
            os._exit(1)

    def _watch_over(self) -> None:
        """Start the daemon again when it crashes. Returns in a new daemon alone."""
        n_crashes, restarted_s = 0, -_RESTART_INTERVAL_S
        is_ready = True
        status = 0
        while True:
            if is_ready:
                self._log_file.close()
                _, status = os.waitpid(self._child, 0)
                self._log_file.reopen()
            if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) in _CRASHES):
                self._exit_with_it(status)
            n_crashes += 1
            what = f"{n_crashes} crashes: pid {self._child} died, {describe_status(status)}"
            import resource

            resource.setrlimit(
                resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1])
            )
            wait_s = restarted_s + _RESTART_INTERVAL_S - int(time.monotonic())
            if wait_s > 0:
                self._log.warn(f"{what}, waiting until 10 seconds since last restart")
                time.sleep(wait_s)
            restarted_s = int(time.monotonic())
            self._log.err(f"{what}, restarting")
            if not self._fork():
                return
            is_ready = self._wait_until_ready()
            os.close(self._pipe)

    def _exit_with_it(self, status: int) -> NoReturn:
        self._log.info(f"pid {self._child} died, {describe_status(status)}, exiting")
        os._exit(0)


def call_process(name: str) -> None:
    """The name that ``ps`` shows."""
    try:
        with open("/proc/self/comm", "w", encoding="ascii") as file:
            file.write(name)
    except PermissionError:
        # Who has become another user may not write there: prctl(2) knows no such difference.
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode("ascii"), 0, 0, 0)


def describe_status(status: int) -> str:
    """How a process ended, in words."""
    if os.WIFEXITED(status):
        return f"exit status {os.WEXITSTATUS(status)}"
    if not os.WIFSIGNALED(status):
        return f"terminated abnormally ({status:x})"
    name = signal.strsignal(os.WTERMSIG(status))
    return f"killed ({name})" + (", core dumped" if os.WCOREDUMP(status) else "")


def open_descriptors() -> list[int]:
    """Those from 3 on that are open now: at the start of a program, those it was given."""
    return [
        number
        for name in os.listdir("/proc/self/fd")
        if (number := int(name)) > 2
        if _is_open(number)
    ]


def _is_open(descriptor: int) -> bool:
    """The list of descriptors is read through one that is in it."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
