"""Pythons of their own for packages that tests drive, and that do not belong beside vnet."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

_PAUSES_S = (5, 20, 60) if "pypi" in os.environ.get("VNET_REQUIRE", "").split(",") else ()
"""How long to wait before asking again where packages must be had: networks come back."""


def own_python(requirements: Path, *, is_complete: bool = False) -> Path:
    """A Python that has what a file of requirements names, and nothing that they need besides if
    the file ``is_complete``.

    It is kept in the user's cache, for making it takes a while. Where it cannot be had the test is
    skipped.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    name = requirements.stem.removesuffix("-requirements")
    folder = caches / "vnet-tests" / f"{name}-{sys.version_info.major}.{sys.version_info.minor}"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = requirements.read_text(encoding="utf-8")
    done = folder / "made-of.txt"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text(encoding="utf-8") != wanted:
            _make(folder / "venv", requirements, ["--no-deps"] if is_complete else [])
            done.write_text(wanted, encoding="utf-8")
    return folder / "venv" / "bin" / "python"


def _make(venv: Path, requirements: Path, options: list[str]) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--clear", venv], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python")]
    install = [*pip, "install", "-q", *options, "-r", str(requirements)]
    for pause_s in (*_PAUSES_S, None):
        made = subprocess.run(install, capture_output=True, text=True, check=False)
        if made.returncode == 0:
            return
        if pause_s is None:
            why = made.stderr.strip().splitlines()[-1]
            pytest.skip(f"{requirements.name} cannot be had: {why}")
        time.sleep(pause_s)
