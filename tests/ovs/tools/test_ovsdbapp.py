"""OpenStack's library for Open vSwitch has tests that start both daemons; ours pass them."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ovs.private_ovs import IS_INSTALLED
from tests.ovs.tools.side import write_stand_ins

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.pypi,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

_REQUIREMENTS = Path(__file__).with_name("ovsdbapp-requirements.txt")
_RUNNER = Path(__file__).with_name("ovsdbapp_without_ovn.py")
_TESTS = "ovsdbapp.tests.functional"
_OF_OPEN_VSWITCH = (
    f"{_TESTS}.schema.open_vswitch.test_impl_idl",
    f"{_TESTS}.schema.open_vswitch.test_common_db",
    f"{_TESTS}.backend.ovs_idl.test_connection.TestOvsdbIdl",
)
_OF_THE_DATABASE_ALONE = (
    f"{_TESTS}.backend.ovs_idl.test_idlutils",
    f"{_TESTS}.backend.ovs_idl.test_rowview",
)


@pytest.fixture(scope="module")
def python() -> Path:
    """A Python that has ovsdbapp. It is kept in the user's cache: making it takes a while."""
    caches = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = caches / "vnet-tests" / f"ovsdbapp-{sys.version_info.major}.{sys.version_info.minor}"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = _REQUIREMENTS.read_text(encoding="utf-8")
    done = folder / "made-of.txt"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text(encoding="utf-8") != wanted:
            _make(folder / "venv")
            done.write_text(wanted, encoding="utf-8")
    return folder / "venv" / "bin" / "python"


def _make(venv: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--clear", venv], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python")]
    made = subprocess.run(
        [*pip, "install", "-q", "-r", str(_REQUIREMENTS)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip(f"ovsdbapp cannot be had: {made.stderr.strip().splitlines()[-1]}")


def _run(python: Path, programs: Path, tests: tuple[str, ...]) -> str:
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [python, _RUNNER, *tests],
        env=environment,
        cwd=programs,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    found = re.search(r"^Ran (\d+) tests.*\n\n(OK|FAILED.*)$", done.stderr, re.M)
    assert found is not None, done.stderr[-4000:]
    assert found[2] == "OK", done.stderr[-8000:]
    return found[1]


def test_its_tests_of_open_vswitch_pass(python: Path, tmp_path: Path) -> None:
    assert _run(python, write_stand_ins(tmp_path / "programs"), _OF_OPEN_VSWITCH) == "38"


def test_its_tests_of_the_database_alone_pass(python: Path, tmp_path: Path) -> None:
    programs = write_stand_ins(tmp_path / "programs", ("ovsdb-server",))
    assert _run(python, programs, _OF_THE_DATABASE_ALONE) == "14"
