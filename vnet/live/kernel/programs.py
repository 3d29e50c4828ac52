"""The machine's programs: where they are, and what they say when they are run to their end."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

from vnet.live.kernel.errors import KernelError

PATIENCE_S = 20.0
"""How long a program may take that has nothing to wait for."""

_MORE_FOLDERS = "/usr/sbin:/sbin:/usr/local/sbin"


def has_program(name: str) -> bool:
    """Whether a program is installed; those of administrators are not on everybody's path."""
    return _where(name) is not None


def find_program(name: str) -> str:
    """The path of a program. Raises :class:`KernelError`."""
    found = _where(name)
    if found is None:
        raise KernelError(f"the program {name} is not installed")
    return found


def _where(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=_MORE_FOLDERS)


def run_program(
    words: Sequence[str], text: str = "", patience_s: float = PATIENCE_S
) -> subprocess.CompletedProcess[str]:
    """Run a program with ``text`` to read, where the caller is, and wait for its end.

    What it returns is the caller's to judge. Raises :class:`KernelError` where it is not there,
    or does not end: another program may hold what it waits for.
    """
    program = find_program(words[0])
    try:
        return subprocess.run(
            [program, *words[1:]],
            input=text,
            text=True,
            capture_output=True,
            check=False,
            timeout=patience_s,
        )
    except subprocess.TimeoutExpired:
        raise KernelError(f"{' '.join(words)}: no end after {patience_s:g} s") from None
