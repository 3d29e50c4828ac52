"""The defaults of the kernel's settings, as Linux 6.18 has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vnet.linux.netns.sysctl.sysctls import Sysctls

FILE = Path(os.environ.get("VNET_ORACLE", ""), "linux", "sysctl-defaults.txt")

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(not FILE.exists(), reason="VNET_ORACLE does not lead to sysctl-defaults"),
]


def test_the_defaults_are_those_of_linux() -> None:
    here = dict(Sysctls().items())
    for line in FILE.read_text().splitlines():
        key, _, value = line.partition(" =")
        # Connection tracking has none of its settings here yet.
        if not key.startswith("net.netfilter."):
            assert here[key] == value.strip(), key
