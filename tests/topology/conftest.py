"""How the tests of this room ask what is wrong with a text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vnet.base.errors import EXIT_BAD_INPUT, TopologyError
from vnet.topology.load import parse_topology


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
