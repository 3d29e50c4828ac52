"""Where labs that are up have their sockets, and who they are."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from vnet.live.daemon.pidfile import read_owner

PIDFILE = "vnet.pid"


def base_folder() -> Path:
    """The folder with a folder for each lab: in ``XDG_RUNTIME_DIR``, which is the user's own and
    goes when they log out, or else one by the user's number among the temporary files."""
    own = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(own):
        return Path(own) / "vnet"
    return Path(tempfile.gettempdir()) / f"vnet-{os.geteuid()}"


def directory_of(lab: str) -> Path:
    """Where a lab is unless somebody says otherwise."""
    return base_folder() / lab


def owner_of(directory: Path) -> int:
    """The process that has a lab up there; 0 where none has."""
    try:
        return read_owner(str(directory / PIDFILE))
    except OSError:
        return 0


def labs_up() -> list[str]:
    """The labs of this user that are up in their usual places."""
    try:
        found = sorted(base_folder().iterdir())
    except OSError:
        return []
    return [path.name for path in found if owner_of(path)]
