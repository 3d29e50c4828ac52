"""What ``vnet ovs`` and ``vnet up`` have in common: a run directory, the way into the background,
and errors in vnet's own words."""

from __future__ import annotations

import errno
import os
import shlex
import sys
import termios
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vnet.base.errors import EXIT_EXPECTATION_FAILED, StorageError, VnetError
from vnet.live.daemon.background import Background, open_descriptors
from vnet.live.daemon.errors import FatalError
from vnet.live.switch.logs import SWITCH, Logs
from vnet.ovs.ovsdb.errors import OvsdbError


class NotStartedError(VnetError):
    """It cannot be here: somebody else is already."""

    exit_code = EXIT_EXPECTATION_FAILED


def go_to_background(detach: bool, logs: Logs) -> Callable[[], None]:
    """Detach from the terminal where that is asked for; returns what to call when all is ready,
    upon which whoever waits at the terminal goes on, and ``logs`` reach it no more."""
    background = Background(
        detach=detach,
        supervise=False,
        changes_folder=False,
        inherited=open_descriptors(),
        vlog=logs[SWITCH],
        log_file=logs.file(SWITCH),
    )
    background.start()

    def ready() -> None:
        background.ready()
        if detach:
            logs.leave_console()

    return ready


def leave_lost_terminal() -> None:
    """Where the terminal has closed, nobody is to be told anything any more."""
    for descriptor in (1, 2):
        try:
            termios.tcgetattr(descriptor)
        except termios.error as error:
            if error.args[0] == errno.EIO:
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, descriptor)
                os.close(null)


@contextmanager
def told_in_our_words() -> Iterator[None]:
    """Errors of daemons become errors of vnet's."""
    try:
        yield
    except FatalError as error:
        raise NotStartedError(error.text) from None
    except OvsdbError as error:
        raise StorageError(str(error)) from None
    except OSError as error:
        raise StorageError(f"cannot start: {error.strerror or error}") from None


def say_where(directories: Iterable[Path], *, err: bool = False) -> None:
    """Tell what to set in another terminal, for each directory."""
    stream = sys.stderr if err else sys.stdout
    for directory in directories:
        stream.write(f"export OVS_RUNDIR={shlex.quote(str(directory))}\n")
    stream.flush()
