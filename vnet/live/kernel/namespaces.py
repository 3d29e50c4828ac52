"""Network namespaces by name, as ip-netns(8) keeps them below /run/netns."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from vnet.live.kernel.errors import KernelError

FOLDER = Path("/run/netns")

MARK = "VNET_KERNEL_LAB"
"""The variable that has the name of the lab, in the environment of programs started for one."""

_HERE = Path("/proc/thread-self/ns/net")
_CLONE_NEWNET = 0x4000_0000
_MS_BIND, _MS_REC, _MS_SHARED = 1 << 12, 1 << 14, 1 << 20
_MNT_DETACH = 2


def name_of(lab: str, node: str) -> str:
    """The namespace that a node of a lab becomes."""
    return f"vnet-{lab}-{node}"


def path_of(name: str) -> Path:
    """Where the namespace is known by its name."""
    return FOLDER / name


def exists(name: str) -> bool:
    """Whether something is there by that name."""
    return path_of(name).exists()


def inode_of(name: str) -> int | None:
    """What tells a namespace from any other on this machine, ever; None where there is none."""
    try:
        return path_of(name).stat().st_ino
    except FileNotFoundError:
        return None


def create(name: str) -> int:
    """Make a namespace, and say which it is (:func:`inode_of`)."""
    path = path_of(name)
    try:
        _share_folder()
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o444))
        with _staying_here():
            _call("unshare", _CLONE_NEWNET)
            _mount(_HERE, path, _MS_BIND)
    except OSError as error:
        what = f"cannot make the network namespace {name}: {error.strerror}"
        raise KernelError(what, "a container may need CAP_SYS_ADMIN for it") from None
    return path.stat().st_ino


def _share_folder() -> None:
    """Have whoever keeps mounts of his own see the namespaces, too, as ip-netns(8) does."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        _mount(None, FOLDER, _MS_SHARED | _MS_REC)
    except OSError:
        _mount(FOLDER, FOLDER, _MS_BIND | _MS_REC)
        _mount(None, FOLDER, _MS_SHARED | _MS_REC)


def remove(name: str) -> None:
    """Take its name away; the kernel ends it with the last process in it."""
    path = path_of(name)
    # What was half made has a file, and no namespace is mounted on it.
    with suppress(OSError):
        _call("umount2", os.fsencode(path), _MNT_DETACH)
    path.unlink(missing_ok=True)


@contextmanager
def inside(name: str) -> Iterator[None]:
    """Be in the namespace while the ``with`` lasts: sockets made there stay in it.

    Raises ``OSError`` where there is none.
    """
    with path_of(name).open("rb") as there, _staying_here():
        _call("setns", there.fileno(), _CLONE_NEWNET)
        yield


@contextmanager
def _staying_here() -> Iterator[None]:
    """Be in the namespace that we are in now when it is over."""
    with _HERE.open("rb") as here:
        try:
            yield
        finally:
            _call("setns", here.fileno(), _CLONE_NEWNET)


def _mount(source: Path | None, target: Path, flags: int) -> None:
    given = b"none" if source is None else os.fsencode(source)
    _call("mount", given, os.fsencode(target), b"none", flags, None)


def _call(name: str, *arguments: Any) -> None:
    """A function of the C library. Raises ``OSError``."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def processes_in(inode: int) -> list[int]:
    """The processes whose network is the namespace."""
    return [pid for pid, found in processes_by_namespace().items() if found == inode]


def processes_by_namespace() -> dict[int, int]:
    """Every process, with the namespace (:func:`inode_of`) that its network is."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                found[int(entry.name)] = (entry / "ns/net").stat().st_ino
    return dict(sorted(found.items()))
