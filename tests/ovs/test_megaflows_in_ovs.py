"""Workloads leave the same megaflows here and in the real Open vSwitch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.megaflows import WORKLOADS, Workload, ours, theirs
from tests.ovs.private_ovs import IS_INSTALLED, PrivateOvs, private_ovs

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

FRAMES = 200
"""Of each workload: enough for a scan to pass the ports that the rules name."""


@pytest.fixture(scope="module")
def ovs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateOvs]:
    with private_ovs(tmp_path_factory.mktemp("ovs")) as running:
        yield running


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_the_same_frames_leave_the_same_megaflows(ovs: PrivateOvs, workload: Workload) -> None:
    shorter = workload._replace(packets=workload.packets[:FRAMES])
    assert sorted(ours(shorter)) == sorted(theirs(shorter, ovs))
