"""A run directory while a switch has it: private, and with the pidfiles of both daemons."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from vnet.live.daemon.pidfile import Pidfile
from vnet.live.private_directory import private_directory
from vnet.live.switch.leftovers import remove_sockets
from vnet.live.switch.logs import PROGRAMS, Logs


@contextmanager
def run_directory(directory: Path, logs: Logs) -> Iterator[None]:
    """Have ``directory`` while the block lasts. The pidfiles hold this process's number; what a
    switch that was killed has left there goes. Logs that are to be files are there, too, and stay.

    Raises :class:`~vnet.live.daemon.errors.FatalError` where another process has it, and as
    :func:`private_directory` does.
    """
    with private_directory(directory), ExitStack() as held:
        for program in PROGRAMS:
            log = logs[program].module("daemon_unix")
            pidfile = Pidfile(str(directory / f"{program}.pid"), overwrite=False, log=log)
            pidfile.create()
            held.callback(pidfile.remove)
        remove_sockets(directory)
        if logs.in_files:
            logs.open_files(directory)
            held.callback(logs.close_files)
        yield
