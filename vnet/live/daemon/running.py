"""A daemon that runs: its loop, its log, its commands, and how it ends."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence

from vnet.live.clock import WallClock
from vnet.live.daemon.background import Background
from vnet.live.daemon.errors import FatalError
from vnet.live.daemon.log import LogFile
from vnet.live.daemon.memory import Memory
from vnet.live.daemon.options import CommonOptions
from vnet.live.unixctl import UnixctlServer
from vnet.ovs.unixctl.coverage import Coverage
from vnet.ovs.unixctl.table import CommandTable
from vnet.ovs.unixctl.vlog_commands import vlog_commands
from vnet.ovs.vlog.vlog import Vlog


class RunningDaemon:
    """What a :class:`~vnet.live.daemon.program.Program` works with."""

    def __init__(
        self,
        name: str,
        version: str,
        options: CommonOptions,
        *,
        vlog: Vlog,
        log_file: LogFile,
        events: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.version = version
        self.options = options
        self.tls = options.tls
        self.vlog = vlog
        self.clock = WallClock()
        self.clock.begin()
        self.commands = CommandTable(version)
        self.coverage = Coverage(events, vlog.around.monotonic_ms)
        self.memory = Memory(self.clock, vlog)
        self.commands.register(
            *vlog_commands(vlog, log_file, options.syslog_prefix),
            *self.coverage.commands(),
            *self.memory.commands(),
        )
        self.status = 0
        self.is_ready = False
        self._is_ending = False
        self.background: Background | None = None
        self._unixctl: UnixctlServer | None = None
        self._at_exit: list[Callable[[], None]] = []

    def open_unixctl(self) -> None:
        """Open the control socket. Raises :class:`FatalError`."""
        path = self.options.unixctl
        try:
            self._unixctl = UnixctlServer(
                self.clock, self.commands, self.name, path, vlog=self.vlog
            )
        except OSError as error:
            where = UnixctlServer.path_of(self.name, path)
            raise FatalError(
                f"{where}: could not initialize control socket ({error.strerror})"
            ) from error

    def ready(self) -> None:
        """It is of use from now on: whoever started it may go on. Harmless the second time."""
        if not self.is_ready:
            self.is_ready = True
            gc.freeze()  # What has been imported is never rubbish.
            gc.enable()
            if self.background is not None:
                self.background.ready()

    def at_exit(self, callback: Callable[[], None]) -> None:
        """Call this when it ends, the last one first."""
        self._at_exit.append(callback)

    def exit(self, status: int = 0) -> None:
        """End once the present event returns."""
        self.status = status
        self._is_ending = True
        self.clock.stop()

    def run(self) -> None:
        """Serve until :meth:`exit`."""
        if not self._is_ending:
            self.clock.run_live()

    def close(self) -> None:
        """Give up all there is; what is answered already still gets out."""
        while self._at_exit:
            self._at_exit.pop()()
        if self._unixctl is not None:
            self._unixctl.close()
            self._unixctl = None
