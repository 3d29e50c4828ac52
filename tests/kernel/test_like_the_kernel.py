"""Random frames into random labs: what comes out is what comes out of Linux.

Most of the cases were recorded and need no kernel. Where there are root and network namespaces,
others are played on the kernel of this machine. ``python -m tests.kernel`` plays any number.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel import recorded
from tests.kernel.known import known_steps
from tests.kernel.play import Difference, compare
from tests.kernel.real import reason_to_skip
from tests.kernel.verdict import in_vnet, judge

RECORDED = sorted(recorded.FOLDER.glob("*.json"))
KINDS = sorted({path.stem.rsplit("-", 1)[0] for path in RECORDED})
REFERENCE = "6.18"
"""The kernel that vnet is held against. Others differ from it here and there."""

LIVE_SEEDS = range(1001, 1003)
LIVE_FRAMES = 60


def check(kind: str, seed: int, differences: list[Difference]) -> None:
    odd = {difference.number: difference for difference in differences}
    assert set(odd) == known_steps(kind, seed), "\n".join(map(str, odd.values()))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_what_the_kernel_sent_is_sent(path: Path) -> None:
    kind, seed = path.stem.rsplit("-", 1)
    case, kernel = recorded.load(path)
    check(kind, int(seed), list(compare(case.steps, kernel, in_vnet(case, kernel))))


def test_these_tests_are_found_where_there_is_no_rtnetlink() -> None:
    code = "import sys; sys.modules['pyroute2'] = None; import tests.kernel.real"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)


@pytest.mark.kernel
@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_this_kernel_sends_is_sent(kind: str) -> None:
    if (reason := reason_to_skip()) is not None:
        pytest.skip(reason)
    if not (release := os.uname().release).startswith(f"{REFERENCE}."):
        pytest.skip(f"this is Linux {release}, and the reference {REFERENCE}")
    for verdict in judge(kind, LIVE_SEEDS, LIVE_FRAMES):
        check(kind, verdict.seed, verdict.differences)
