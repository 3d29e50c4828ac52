"""The registry of drop reasons, and the errors beside it."""

from __future__ import annotations

import pytest

from vnet.base import drops
from vnet.base.drops import DropReason, all_drop_reasons, drop_reason
from vnet.base.errors import (
    EXIT_BAD_INPUT,
    EXIT_FAILURE,
    Problem,
    StorageError,
    TopologyError,
    UsageError,
    VnetError,
)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, DropReason]:
    """An empty registry, for the length of one test."""
    empty: dict[str, DropReason] = {}
    monkeypatch.setattr(drops, "_registry", empty)
    return empty


def test_a_reason_is_declared_once_and_listed(registry: dict[str, DropReason]) -> None:
    late = drop_reason("ttl", cause="It was old.", cure="Send it closer.")
    early = drop_reason("mtu", cause="It was long.", cure="Send less.")
    assert list(all_drop_reasons()) == [early, late]
    assert (late.word, late.cause, late.cure) == ("ttl", "It was old.", "Send it closer.")
    assert repr(late) == "DropReason(ttl)"


def test_a_second_claim_is_refused_and_changes_nothing(registry: dict[str, DropReason]) -> None:
    first = drop_reason("ttl", cause="a", cure="b")
    with pytest.raises(ValueError, match="drop reason 'ttl' is declared twice"):
        drop_reason("ttl", cause="c", cure="d")
    assert list(all_drop_reasons()) == [first]


def test_an_error_carries_its_hint_and_exit_code() -> None:
    assert str(VnetError("no such host")) == "no such host"
    assert str(UsageError("no such host", "try h1")) == "no such host (try h1)"
    assert UsageError("").exit_code == EXIT_BAD_INPUT
    assert StorageError("").exit_code == EXIT_FAILURE


def test_a_topology_error_tells_every_problem_in_file_order() -> None:
    late = Problem("lab.yaml", 9, 1, "no such switch", "have xenbr0")
    early = Problem("lab.yaml", 2, 5, "unknown key")
    error = TopologyError([late, early])
    assert error.problems == (early, late)
    assert str(error).splitlines() == [
        "lab.yaml:2:5: unknown key",
        "lab.yaml:9:1: no such switch (have xenbr0)",
    ]
