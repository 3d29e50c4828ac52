"""OpenStack's library for Open vSwitch has tests that start both daemons; ours pass them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.ovs.private_ovs import IS_INSTALLED
from tests.ovs.tools.side import write_stand_ins
from tests.own_python import own_python

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.pypi,
    pytest.mark.slow,
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
    """A Python that has ovsdbapp."""
    return own_python(_REQUIREMENTS)


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
