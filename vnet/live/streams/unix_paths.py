"""Unix sockets at paths of any length, for their owner alone.

A socket's address has room for 107 bytes. A longer path is reached through its folder, which
``/proc/self/fd`` gives a short name.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager

_LONGEST_PATH_BYTES = 107


@contextmanager
def short_path(path: str) -> Iterator[str]:
    """A name for ``path`` that fits into an address, good while the block lasts. Raises OSError."""
    if len(os.fsencode(path)) <= _LONGEST_PATH_BYTES:
        yield path
        return
    folder, name = os.path.split(path)
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        short = f"/proc/self/fd/{descriptor}/{name}"
        if len(os.fsencode(short)) > _LONGEST_PATH_BYTES:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        yield short
    finally:
        os.close(descriptor)


def bind_privately(sock: socket.socket, path: str) -> None:
    """Give a socket its name, in place of an older socket of that name. Raises OSError."""
    _remove_socket(path)
    # Linux gives the new file the mode of the socket, so that at no time others may use it.
    os.fchmod(sock.fileno(), 0o600)
    with short_path(path) as short:
        sock.bind(short)


def connect(sock: socket.socket, path: str) -> None:
    """Go to the socket of this name. Raises OSError."""
    with short_path(path) as short:
        sock.connect(short)


def _remove_socket(path: str) -> None:
    """Remove what a socket has left behind; what is no socket is somebody's, and stays."""
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        return
