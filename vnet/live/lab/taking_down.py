"""``vnet down``: the end of a live lab, from another process. Nothing that labs are made of is
needed for that, and nothing is imported."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from vnet.base.errors import StorageError, UsageError
from vnet.base.text import escaped
from vnet.live.daemon.pidfile import lock_owner
from vnet.live.lab.places import PIDFILE, labs_up

_PATIENCE_S = 30
_LOOK_INTERVAL_S = 0.02


def take_down(directory: Path) -> bool:
    """End the lab that is up in ``directory``, and wait until it is gone; False where none is."""
    try:
        descriptor = os.open(directory / PIDFILE, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        shown = escaped(str(directory / PIDFILE))
        raise StorageError(f"cannot look at {shown}: {error.strerror}") from None
    try:
        return _end(descriptor)
    finally:
        os.close(descriptor)


def _end(descriptor: int) -> bool:
    """End who holds the lock of a file. It goes with the process, and with nothing before."""
    pid = lock_owner(descriptor)
    if not pid:
        return False
    os.kill(pid, signal.SIGTERM)
    end_s = time.monotonic() + _PATIENCE_S
    while lock_owner(descriptor) == pid:
        if time.monotonic() > end_s:
            raise StorageError(
                f"process {pid} does not end", f"kill -9 {pid} ends it without its captures"
            )
        time.sleep(_LOOK_INTERVAL_S)
    return True


def the_lab_that_is_up() -> str | None:
    """The only one in the usual places; None where there is none. Raises :class:`UsageError` where
    there are more."""
    labs = labs_up()
    if len(labs) > 1:
        raise UsageError(f"several labs are up: {', '.join(labs)}", "say which, or --all")
    return labs[0] if labs else None
