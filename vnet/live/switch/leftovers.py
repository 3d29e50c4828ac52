"""What a switch that was killed leaves in its run directory: sockets that nobody answers any more,
and pidfiles that nobody holds."""

from __future__ import annotations

import errno
import os
import re
import socket
import stat
from pathlib import Path

from vnet.live.daemon.pidfile import read_owner

_PIDFILES = ("ovs-vswitchd.pid", "ovsdb-server.pid")
_SOCKETS = re.compile(r"db\.sock|(ovs-vswitchd|ovsdb-server)\.\d+\.ctl|.+\.(mgmt|snoop)", re.DOTALL)


def was_left(directory: Path) -> bool:
    """Whether a switch was here that was killed, and no switch is here now."""
    owners = [_owner(directory / name) for name in _PIDFILES]
    return 0 in owners and not any(owners)


def remove_pidfiles(directory: Path) -> None:
    """Remove those of a switch that was killed."""
    for name in _PIDFILES:
        (directory / name).unlink(missing_ok=True)


def remove_sockets(directory: Path) -> None:
    """Remove the sockets of a switch that nobody answers. What else is there is not touched."""
    for entry in os.scandir(directory):
        if _SOCKETS.fullmatch(entry.name) and _is_dead_socket(entry):
            Path(entry).unlink(missing_ok=True)


def _owner(pidfile: Path) -> int | None:
    """Who holds it; None where there is none that could be looked at."""
    try:
        return read_owner(str(pidfile))
    except OSError:
        return None


def _is_dead_socket(entry: os.DirEntry[str]) -> bool:
    if not stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode):
        return False
    # By way of /proc a path may be longer than an address of a socket.
    folder = os.open(os.path.dirname(entry.path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.setblocking(False)
            found = asking.connect_ex(f"/proc/self/fd/{folder}/{entry.name}")
            return found == errno.ECONNREFUSED
    finally:
        os.close(folder)
