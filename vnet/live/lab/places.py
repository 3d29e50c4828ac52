"""Where labs that are up have their sockets, and who they are."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vnet.base.text import escaped
from vnet.live.daemon.pidfile import read_owner
from vnet.live.private_directory import make_private_directory

PIDFILE = "vnet.pid"


@dataclass(frozen=True)
class Place:
    """A lab and the directory where it is."""

    lab: str
    directory: Path

    @property
    def is_usual(self) -> bool:
        """Whether it is where it is looked for."""
        return self.directory == directory_of(self.lab)

    def __str__(self) -> str:
        return self.lab if self.is_usual else f"{self.lab} in {escaped(str(self.directory))}"


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


def places() -> list[Place]:
    """Where labs of this user are or were: those in their usual places first, by name, then those
    that somebody wanted elsewhere."""
    usual = [Place(name, directory_of(name)) for name in _entries(base_folder())]
    noted = [_place_noted_in(note) for note in _notes()]
    return [place for place in (*usual, *noted) if (place.directory / PIDFILE).exists()]


def labs_up() -> list[Place]:
    """The labs of this user that are up."""
    return [place for place in places() if owner_of(place.directory)]


def crashed_labs() -> list[Place]:
    """Those that were killed, and have left something."""
    return [place for place in places() if not owner_of(place.directory)]


@contextmanager
def noted(place: Place) -> Iterator[None]:
    """While the block lasts, a lab that is not where labs usually are can be found nevertheless."""
    if place.is_usual:
        yield
        return
    for note in _notes():
        if _is_stale(note):
            note.unlink(missing_ok=True)
    note = _notes_folder() / f"{os.getpid()}.{place.lab}"
    make_private_directory(note.parent)
    note.unlink(missing_ok=True)
    note.symlink_to(place.directory)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def _notes_folder() -> Path:
    """The notes are links to the directories, called by the number of the process and the lab."""
    return base_folder() / ".elsewhere"


def _notes() -> list[Path]:
    return [_notes_folder() / name for name in _entries(_notes_folder())]


def _place_noted_in(note: Path) -> Place:
    return Place(note.name.partition(".")[2], Path(os.path.realpath(note)))


def _is_stale(note: Path) -> bool:
    pid, _, _ = note.name.partition(".")
    return str(owner_of(note)) != pid


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name != ".elsewhere")
    except OSError:
        return []
