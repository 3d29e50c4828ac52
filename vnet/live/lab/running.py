"""``vnet up``: a live lab as a process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vnet.base.text import escaped
from vnet.live.daemon.errors import FatalError
from vnet.live.daemon.pidfile import Pidfile
from vnet.live.daemon.signals import EndingSignals
from vnet.live.lab.places import PIDFILE, Place, base_folder, noted, owner_of
from vnet.live.lab.taking_down import clear
from vnet.live.private_directory import make_private_directory, private_directory
from vnet.live.starting import NotStartedError, leave_lost_terminal
from vnet.ovs.vlog.vlog import SILENT

if TYPE_CHECKING:
    from vnet.lab.report import Report
    from vnet.live.lab.lab import LiveLab

_PATIENCE_S = 30
_LOOK_INTERVAL_S = 0.02

Ready = Callable[[list[Path]], None]


@contextmanager
def held(directory: Path, lab: str) -> Iterator[None]:
    """Hold a lab's directory while it is up. Raises :class:`NotStartedError` where another
    process does. What a lab that was killed has left there goes first."""
    if directory.parent == base_folder():
        make_private_directory(directory.parent)
    clear(directory)
    place = Place(lab, directory)
    # What is noted first looks at labs that were killed, perhaps here: to open and close a pidfile
    # of one's own would give its lock away.
    with private_directory(directory), noted(place), _lock(directory, lab):
        yield


@contextmanager
def captures_held(folder: Path | None) -> Iterator[None]:
    """Hold a folder of captures while a lab is up, if it has one: two labs would write over each
    other's files. Raises :class:`NotStartedError` where another process holds it."""
    descriptor = None if folder is None else _open_folder(folder)
    if folder is None or descriptor is None:
        yield
        return
    try:
        _hold(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _hold(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotStartedError(
            f"another lab that is up writes its captures to {escaped(str(folder))}",
            "name another place: --pcap-dir DIR",
        ) from None


def _open_folder(folder: Path) -> int | None:
    """None where there can be none, which whoever writes there will say."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None


@contextmanager
def _lock(directory: Path, lab: str) -> Iterator[None]:
    owner = owner_of(directory)
    if owner:
        shown = escaped(str(directory))
        raise NotStartedError(
            f"a lab is up in {shown} already, as process {owner}",
            f"vnet down takes it down; or name another place for {lab}: --rundir DIR",
        )
    pidfile = Pidfile(str(directory / PIDFILE), overwrite=False, log=SILENT.module("daemon_unix"))
    try:
        pidfile.create()
    except FatalError as error:
        raise NotStartedError(error.text) from None
    try:
        yield
    finally:
        pidfile.remove()


def run_lab(
    lab: LiveLab,
    directory: Path,
    ready: Ready,
    *,
    plays: bool = True,
    until_ns: int | None = None,
    stays: bool = True,
    detached: bool = False,
    logs_in_files: bool = False,
) -> Report:
    """Let a lab live in ``directory`` until a signal ends it, which SIGHUP does not where it is
    ``detached``; ``ready`` is told where its switches are once everything answers.

    The rest is as for :meth:`LiveLab.serve` and :meth:`LiveLab.live`. Returns how it went.
    """
    try:
        with closing(EndingSignals(lab.clock, lab.clock.stop, has_no_terminal=detached)):
            ready(lab.serve(directory, logs_in_files=logs_in_files))
            lab.live(plays=plays, until_ns=until_ns, stays=stays)
    except BaseException:
        lab.close()
        raise
    leave_lost_terminal()
    return lab.close()
