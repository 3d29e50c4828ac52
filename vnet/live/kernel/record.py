"""What has been made on this machine for a lab: written down before it is made.

One file for each lab that is up, of which its owner holds the lock while it builds or runs. It is
replaced as a whole at each change, so whatever happens to the owner, what the file says is all
there can be. It lies where a restart of the machine removes it, as it does namespaces.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from vnet.base.errors import StorageError
from vnet.base.text import escaped
from vnet.live.kernel.errors import NotAsExpectedError

_SYSTEM_FOLDER = Path("/run/vnet")


def folders() -> list[Path]:
    """Where records may be; new ones go to the first."""
    own = os.environ.get("XDG_RUNTIME_DIR")
    return [*([Path(own) / "vnet"] if own else []), _SYSTEM_FOLDER]


@dataclass
class Made:
    """A namespace; ``inode`` None while it is just being made."""

    name: str
    inode: int | None = None


@dataclass
class Record:
    """What exists of ``lab``. Change it by its methods, which write it down."""

    lab: str
    folder: Path
    namespaces: list[Made] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / f"{self.lab}.json"

    def will_make(self, namespace: str) -> Made:
        """A namespace is about to be made."""
        made = Made(namespace)
        self.namespaces.append(made)
        self.write()
        return made

    def will_write(self, file: Path) -> None:
        """A file is about to be written, which is of no use without the lab."""
        self.files.append(str(file))
        self.write()

    def write(self) -> None:
        """Replace the file by one that says what this does."""
        content = {
            "lab": self.lab,
            "namespaces": [asdict(made) for made in self.namespaces],
            "files": self.files,
        }
        fresh = self.path.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            fresh.replace(self.path)
        except OSError as error:
            what = f"cannot write {escaped(str(self.path))}: {error.strerror}"
            raise StorageError(what, "it says what has to be removed again") from None

    def forget(self) -> None:
        """Nothing of it exists any more. Only who holds the lock may say so."""
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(".new").unlink(missing_ok=True)
        self.path.with_suffix(".lock").unlink(missing_ok=True)


def read_record(path: Path) -> Record:
    """The record in a file. Raises :class:`StorageError`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Record(
            content["lab"],
            path.parent,
            [Made(**made) for made in content["namespaces"]],
            list(content["files"]),
        )
    except OSError as error:
        raise StorageError(f"cannot read {escaped(str(path))}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        what = f"{escaped(str(path))} is no record of a lab: {escaped(str(error))}"
        raise StorageError(what, "remove it, and the namespaces called vnet-... by hand") from None


def find_record(lab: str) -> Record | None:
    """The record of a lab that is up, or was not wholly taken down."""
    for folder in folders():
        path = folder / f"{lab}.json"
        if path.exists():
            return read_record(path)
    return None


def labs_up() -> list[str]:
    """The labs that have a record, by name."""
    return sorted({path.stem for folder in folders() for path in folder.glob("*.json")})


@contextmanager
def locked(lab: str) -> Iterator[Path]:
    """Nobody else makes or removes the lab meanwhile; gives the folder for its record.

    The lock goes with the process that holds it. Raises :class:`NotAsExpectedError` where
    somebody else has it.
    """
    record = find_record(lab)
    folder = folders()[0] if record is None else record.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{lab}.lock"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        what = f"cannot use {escaped(str(folder))}: {error.strerror}"
        raise StorageError(what, "it says what has to be removed again") from None
    try:
        _lock(handle, path)
        try:
            yield folder
        finally:
            if not path.with_suffix(".json").exists():
                path.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _lock(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        owner = "" if path.exists() else "nobody any more"
    except BlockingIOError:
        owner = os.pread(handle, 20, 0).decode(errors="replace").strip() or "not known yet"
    if owner:
        what = f"another vnet is just making, running or removing {path.stem}"
        raise NotAsExpectedError(what, f"its process is {owner}; wait for it, or end it")
    os.truncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
