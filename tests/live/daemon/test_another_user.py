"""Processes that were root's and are somebody else's now."""

from __future__ import annotations

import ctypes
import os
import pwd
from pathlib import Path

import pytest

from vnet.live.daemon.background import call_process


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_who_has_become_another_user_still_has_a_name() -> None:
    assert ctypes, "a module of root's can be out of the other's reach"
    child = os.fork()
    if not child:
        nobody = pwd.getpwnam("nobody").pw_uid
        os.setresuid(nobody, nobody, nobody)
        try:
            call_process("monitor")
            os._exit(Path("/proc/self/comm").read_text() != "monitor\n")
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
