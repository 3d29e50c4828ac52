"""The program that a server runs for (ovsdb-server(1), ``--run``)."""

from __future__ import annotations

import subprocess

from vnet.base.units import NS_PER_MS
from vnet.live.daemon.background import describe_status
from vnet.live.daemon.errors import FatalError
from vnet.live.daemon.running import RunningDaemon

_LOOK_INTERVAL_NS = 5 * NS_PER_MS


class Child:
    """A command of the shell. When it ends, so does the daemon."""

    def __init__(self, daemon: RunningDaemon, command: str) -> None:
        self._daemon = daemon
        self._command = command
        try:
            self._process = subprocess.Popen(["/bin/sh", "-c", command])
        except OSError as error:
            raise FatalError(f"{command}: process failed to start ({error.strerror})") from error

    def look(self) -> None:
        """Look whether it has ended, from now on until it has."""
        status = self._process.poll()
        if status is None:
            self._daemon.clock.after(_LOOK_INTERVAL_NS, self.look)
        elif status:
            raw = -status if status < 0 else status << 8
            raise FatalError(f"{self._command}: child exited, {describe_status(raw)}")
        else:
            self._daemon.exit()
