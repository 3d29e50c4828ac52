"""``vnet ovsdb-server`` and ``vnet ovs-vswitchd``, past all else that vnet's command line is.

Who starts daemons waits for them, thousands of times in a test suite: nothing is imported that
they do not need at once.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

PROGRAMS = {
    "ovs-vswitchd": ("vnet.live.vswitchd.program", "VswitchdProgram"),
    "ovsdb-server": ("vnet.live.ovsdb.program", "OvsdbServerProgram"),
}
"""Where each of them is."""


def run_daemon(name: str, arguments: Sequence[str]) -> NoReturn:
    """Run a daemon to its end, and exit."""
    keep_to_ourselves()
    keep_bytecode()
    # What is imported stays; to look through it for rubbish time and again takes a tenth longer.
    gc.disable()
    from vnet.live.daemon.main import run_program

    module, program = PROGRAMS[name]
    run_program(getattr(import_module(module), program)(), arguments)


def keep_to_ourselves() -> None:
    """Let nobody's ``PYTHONPATH`` bring modules in, as ``python -I`` does: test suites of Open
    vSwitch set it to their own tree. If vnet itself comes from there, it stays, as the last."""
    from vnet import __path__

    ours = os.path.dirname(os.path.abspath(__path__[0]))
    given = os.environ.get("PYTHONPATH", "")
    foreign = {os.path.abspath(path) for path in given.split(os.pathsep) if given}
    foreign |= {os.getcwd(), ours}
    kept = [path for path in sys.path if os.path.abspath(path) not in foreign]
    sys.path[:] = [*kept, ours]


def keep_bytecode() -> None:
    """Let what Python makes of sources be kept where it is not kept beside them, be it that nobody
    may write there, or that the environment says so (as test suites do, to keep their own tree
    clean): in the user's cache. To compile hundreds of files anew takes longer than all the rest.
    """
    import vnet

    if sys.pycache_prefix is not None or os.path.exists(vnet.__cached__):
        return
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = os.path.join(caches, "vnet", "bytecode")
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        status = os.stat(folder)
    except OSError:
        return
    is_private = status.st_uid == os.geteuid() and not status.st_mode & 0o022
    if is_private and os.path.isabs(folder):
        sys.pycache_prefix = folder
        sys.dont_write_bytecode = False
