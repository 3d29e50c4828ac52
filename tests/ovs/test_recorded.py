"""Our switch does what the real one did: cases that are kept, and one of each kind drawn anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ovs.private_ovs import IS_INSTALLED, private_ovs
from tests.ovs.recorded.case import DATA, Case, read
from tests.ovs.recorded.real import RealSwitch, real_switch
from tests.ovs.recorded.record import KINDS, disagreements, recorded

KEPT = [case for path in sorted(DATA.glob("*.json")) for case in read(path)]
FRESH = 100_001


def test_every_kind_is_kept() -> None:
    assert {case.kind for case in KEPT} == set(KINDS)


@pytest.mark.parametrize("case", KEPT, ids=lambda case: f"{case.kind}-{case.seed}")
def test_a_kept_case_goes_as_it_went_in_open_vswitch(case: Case) -> None:
    assert disagreements(case) == []


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    with private_ovs(tmp_path_factory.mktemp("ovs")) as ovs, real_switch(ovs) as switch:
        yield switch


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_case_goes_as_in_open_vswitch(kind: str, real: RealSwitch) -> None:
    assert disagreements(recorded(kind, FRESH, real)) == []
