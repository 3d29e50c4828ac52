"""How the tests of this room ask what is wrong with a text."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeAlias

import pytest

from vnet.base.errors import EXIT_BAD_INPUT, TopologyError
from vnet.topology.load import parse_topology

Trace: TypeAlias = Callable[[FrameType, str, Any], Any]


def problems_of(text: str) -> list[str]:
    """What is said about ``text``, without the file's name."""
    with pytest.raises(TopologyError) as caught:
        parse_topology(text, "t")
    assert caught.value.exit_code == EXIT_BAD_INPUT
    return [str(problem).removeprefix("t:") for problem in caught.value.problems]


@pytest.fixture
def problems() -> Callable[[str], list[str]]:
    return problems_of


@pytest.fixture
def assert_problem() -> Callable[[str, str], None]:
    """Asserts that a message is all that is said, and points at the ``^`` in the text."""

    def check(marked: str, message: str) -> None:
        before, _, after = marked.partition("^")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        assert problems_of(before + after) == [f"{line}:{column}: {message}"]

    return check


def lines_of(work: Callable[[], object]) -> int:
    """How many lines ``work`` runs: a measure of effort that no other process disturbs.

    Each round of a loop or comprehension counts, be it on one line.
    """
    lines = 0

    def count(_frame: FrameType, event: str, _argument: object) -> Trace:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines


@pytest.fixture
def assert_linear() -> Callable[[Callable[[int], object]], None]:
    """Asserts that twice the machines are no more than twice the work, or little more."""

    def check(work: Callable[[int], object]) -> None:
        work(1)
        assert lines_of(lambda: work(800)) < 2.2 * lines_of(lambda: work(400))

    return check
