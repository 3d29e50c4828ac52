"""The oracle's own ``verify.py`` drives our switch by the real clients: ovs-vsctl, ovs-ofctl, the
sockets of ovs-appctl and of a controller. What they say in process is in ``test_ovs_cases``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import vnet
from tests.oracle.path import oracle_path
from tests.ovs.private_ovs import IS_INSTALLED

VERIFY = oracle_path("ovs", "verify.py")
HERE = Path(__file__).parent
ROOT = Path(vnet.__file__).parents[1]

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.ovs,
    pytest.mark.slow,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
    pytest.mark.skipif(VERIFY is None, reason="VNET_ORACLE does not lead to ovs/verify.py"),
]


def test_real_clients_see_in_our_switch_what_they_saw_in_open_vswitch() -> None:
    assert VERIFY is not None
    cases = sorted((VERIFY.parent / "cases").glob("*.json"))
    scripts = {"OVS_START": str(HERE / "start_switch"), "OVS_STOP": str(HERE / "stop_switch")}
    ours = {"PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, VERIFY, "--dut", "ovs", "--stats", *cases],
        env={**os.environ, **scripts, **ours},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stdout.splitlines()[-1:]
    assert last == [f"agree {len(cases)}, differ 0"], done.stdout + done.stderr
