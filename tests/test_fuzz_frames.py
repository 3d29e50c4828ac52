"""Ten thousand hostile frames: no exception, none unaccounted for, time and all.

``python -m benchmarks.fuzz_frames 1000000`` does the same on a larger scale, and watches
the memory.
"""

from __future__ import annotations

import pytest

from benchmarks import fuzz_frames
from benchmarks.fuzzing.readers import ReadersTarget
from vnet.base.chance import Chance

FRAMES = 10_000


@pytest.fixture
def without_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same frames everywhere, whatever the machine that tests has recorded."""
    monkeypatch.delenv("VNET_ORACLE", raising=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(fuzz_frames.SHARES))
@pytest.mark.usefixtures("without_recordings")
def test_every_frame_is_accounted_for(name: str) -> None:
    count = int(FRAMES * fuzz_frames.SHARES[name])
    (outcome,) = fuzz_frames.fuzz(count, seed=1, only=name)
    assert outcome.faults == []
    assert outcome.frames == count
    assert sum(outcome.fates.values()) > count


@pytest.mark.slow
@pytest.mark.usefixtures("without_recordings")
def test_the_frames_reach_deep_and_time_passes() -> None:
    """Or else the rest would prove little: these are reasons of the deeper floors."""
    (outcome,) = fuzz_frames.fuzz(FRAMES // 2, seed=1, only="machine")
    deep = {
        *("fragment-overlap", "fragment-timeout", "fragmentation-needed", "ttl-exceeded"),
        *("nd-invalid", "transport-malformed", "no-socket", "no-neighbor", "icmp-not-wanted"),
    }
    assert deep <= set(outcome.fates)


@pytest.mark.slow
@pytest.mark.usefixtures("without_recordings")
def test_the_same_seed_gives_the_same_fates() -> None:
    one, other = (fuzz_frames.fuzz(500, seed=4, only="lab") for _ in range(2))
    assert one[0].fates == other[0].fates


def test_an_exception_names_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    target = ReadersTarget(Chance(1))

    def raises(_data: bytes) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(target, "take", raises)
    with pytest.raises(ZeroDivisionError) as caught:
        fuzz_frames.throw(target, 1, seed=1)
    assert caught.value.__notes__[0].startswith("readers, frame 0: ")
