"""``vnet down``: the end of a live lab, from another process. Nothing that labs are made of is
needed for that, and nothing is imported."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from vnet.base.errors import StorageError, UsageError
from vnet.base.text import escaped
from vnet.live.daemon.pidfile import lock_owner
from vnet.live.lab.places import PIDFILE, Place, base_folder, crashed_labs, labs_up
from vnet.live.switch.leftovers import remove_pidfiles, remove_sockets, was_left

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
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return True  # It has ended by itself just now.
    except PermissionError:
        raise StorageError(f"process {pid}, which has the lab, is somebody else's") from None
    end_s = time.monotonic() + _PATIENCE_S
    while lock_owner(descriptor) == pid:
        if time.monotonic() > end_s:
            raise StorageError(
                f"process {pid} does not end", f"kill -9 {pid} ends it without its captures"
            )
        time.sleep(_LOOK_INTERVAL_S)
    return True


def clear(directory: Path) -> bool:
    """Remove what a lab that was killed has left in ``directory``: its pidfile, and those
    directories of its machines in which nothing else is; False where none was.

    Whoever brings a lab up there meanwhile is told that somebody has the place.
    """
    try:
        descriptor = os.open(directory / PIDFILE, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return _clear_machines(directory)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(descriptor), os.stat(directory / PIDFILE)):
            return False
        _clear_machines(directory)
        (directory / PIDFILE).unlink(missing_ok=True)
    except (BlockingIOError, PermissionError, FileNotFoundError):
        return False  # It is somebody's.
    finally:
        os.close(descriptor)
    if directory.parent == base_folder():
        _remove_if_empty(directory)
    return True


def _clear_machines(directory: Path) -> bool:
    """The directories of machines in a lab's, and this itself where a lone switch was."""
    try:
        below = [
            Path(entry) for entry in os.scandir(directory) if entry.is_dir(follow_symlinks=False)
        ]
    except OSError:
        return False
    left = [machine for machine in (directory, *sorted(below)) if was_left(machine)]
    for machine in left:
        remove_sockets(machine)
        remove_pidfiles(machine)
        if machine != directory:
            _remove_if_empty(machine)
    return bool(left)


def _remove_if_empty(directory: Path) -> None:
    with suppress(OSError):  # Somebody has put something there.
        directory.rmdir()


def found_by_name(lab: str) -> Place | None:
    """Where a lab is, or was when it was killed; None where it is nowhere. Raises
    :class:`UsageError` where it is in several places."""
    found = [place for place in labs_up() if place.lab == lab]
    if len(found) > 1:
        shown = ", ".join(escaped(str(place.directory)) for place in found)
        raise UsageError(f"{lab} is up in several places: {shown}", "say which: --rundir DIR")
    left = [place for place in crashed_labs() if place.lab == lab]
    return next(iter((*found, *left)), None)


def the_only_one() -> list[Place]:
    """The lab that is up, or where none is, those that were killed. Raises :class:`UsageError`
    where several are up."""
    labs = labs_up()
    if len(labs) > 1:
        raise UsageError(f"several labs are up: {', '.join(map(str, labs))}", "say which, or --all")
    return labs or crashed_labs()
