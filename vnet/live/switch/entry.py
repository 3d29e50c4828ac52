"""``vnet ovs`` as it is started: in a hurry where its words are plain.

Who starts switches waits for them. So words that need no explanation are read here, and nothing
is imported that the switch does not need at once; all others are the command line's, which
explains, refuses and helps.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from typing import NamedTuple

_LEVELS = ("", "system", "override")


class Wanted(NamedTuple):
    """What the words of ``vnet ovs`` say; ``dummies`` as :class:`DummyLevel` has it."""

    directory: str
    database: str | None = None
    dummies: str | None = None
    detach: bool = False
    logs_in_files: bool = False


def read_plain(words: Sequence[str]) -> Wanted | None:
    """The words of a command line that can only mean one thing, and something possible."""
    found: dict[str, str | bool | None] = {}
    left = iter(words)
    for word in left:
        name, has_value, value = word.partition("=")
        if name in ("--rundir", "--db"):
            found[name] = value if has_value else next(left, "")
        elif name == "--enable-dummy":
            found[name] = value
        elif word in ("--detach", "--log-file"):
            found[name] = True
        else:
            return None
    return _checked(found)


def _checked(found: dict[str, str | bool | None]) -> Wanted | None:
    directory, database = str(found.get("--rundir", "")), found.get("--db")
    dummies = found.get("--enable-dummy")
    if not directory or database == "" or dummies not in (None, *_LEVELS):
        return None
    if directory.startswith("-") or str(database).startswith("-"):
        return None
    if os.path.exists(directory) and not os.path.isdir(directory):
        return None
    if database is not None and not _is_fit(str(database)):
        return None
    file = None if database is None else str(database)
    level = None if dummies is None else str(dummies)
    return Wanted(
        *(os.path.realpath(directory), file, level),
        detach="--detach" in found,
        logs_in_files="--log-file" in found,
    )


def _is_fit(file: str) -> bool:
    """Whether it is a file that can be read, or none yet."""
    return not os.path.exists(file) or (os.path.isfile(file) and os.access(file, os.R_OK))


def run_plainly(words: Sequence[str]) -> int | None:
    """Be an Open vSwitch, and return its exit code; None where the words are not plain."""
    wanted = read_plain(words)
    if wanted is None:
        return None
    from vnet.base.errors import EXIT_HELD
    from vnet.live.daemon.entry import keep_bytecode

    keep_bytecode()
    # What is imported stays; to look through it for rubbish time and again takes a tenth longer.
    gc.disable()
    be_open_vswitch(wanted)
    return EXIT_HELD


def be_open_vswitch(wanted: Wanted) -> None:
    """Run it until somebody ends it. Raises VnetError."""
    from vnet.live.starting import go_to_background, say_where, told_in_our_words
    from vnet.live.switch.logs import Logs

    with told_in_our_words():
        logs = Logs(in_files=wanted.logs_in_files)
        ready = go_to_background(wanted.detach, logs)
        from pathlib import Path

        from vnet.live.devices.dummy_level import DummyLevel
        from vnet.live.switch.standalone import run_switch

        directory = Path(wanted.directory)

        def answers() -> None:
            say_where([directory])
            gc.enable()
            ready()

        file = None if wanted.database is None else Path(wanted.database)
        run_switch(directory, file, DummyLevel(wanted.dummies), answers, logs)
