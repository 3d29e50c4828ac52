"""Records behave as the standard library's frozen classes with slots do."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any, ClassVar

import pytest

from vnet.base.record import record


class Base:
    """What both have above them."""

    __slots__ = ()


@record(frozen=True, slots=True)
class Ours(Base):
    """A few fields of each kind."""

    first: int
    second: str = "two"
    many: tuple[int, ...] = field(default_factory=lambda: (1, 2))
    note: str = field(default="", compare=False, repr=False)
    kind: ClassVar[str] = "kind"

    @property
    def double(self) -> int:
        return self.first * 2


@dataclass(frozen=True, slots=True)
class Theirs(Base):
    """The same, as the standard library makes it."""

    first: int
    second: str = "two"
    many: tuple[int, ...] = field(default_factory=lambda: (1, 2))
    note: str = field(default="", compare=False, repr=False)
    kind: ClassVar[str] = "kind"


@record(frozen=True, slots=True)
class Derived(Ours):
    """One more field, and a check."""

    last: int = 0
    label: str = field(kw_only=True, default="")

    def __post_init__(self) -> None:
        if self.last < 0:
            raise ValueError("negative")


@record(frozen=True, slots=True)
class Empty(Base):
    """Nothing to say."""


ARGUMENTS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, "x"), {"many": ()}),
    ((), {"first": 3, "note": "n"}),
]


@pytest.mark.parametrize(("values", "named"), ARGUMENTS)
def test_objects_read_as_those_of_the_standard_library(
    values: tuple[Any, ...], named: dict[str, Any]
) -> None:
    ours, theirs = Ours(*values, **named), Theirs(*values, **named)
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert [one.name for one in fields(ours)] == [one.name for one in fields(theirs)]
    assert ours.many == theirs.many


def test_objects_are_equal_by_their_compared_fields_and_class() -> None:
    assert Ours(1, note="a") == Ours(1, note="b")
    assert hash(Ours(1, note="a")) == hash(Ours(1, note="b"))
    assert Ours(1) != Ours(2)
    other: object = Theirs(1)
    assert Ours(1) != other
    assert Derived(1) != Ours(1)
    assert Empty() == Empty()
    assert len({Empty(), Empty(), Ours(1), Ours(1)}) == 2


def test_nothing_of_an_object_changes() -> None:
    ours = Ours(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'first'"):
        ours.first = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'first'"):
        del ours.first
    assert not hasattr(ours, "__dict__")


def test_one_is_made_from_another() -> None:
    changed = replace(Ours(1, "x"), first=2)
    assert changed == Ours(2, "x")
    assert copy.deepcopy(changed) == copy.copy(changed) == changed
    assert pickle.loads(pickle.dumps(changed)) == changed


def test_derived_ones_have_all_fields_and_their_check() -> None:
    assert repr(Derived(1, last=3)) == (
        "Derived(first=1, second='two', many=(1, 2), last=3, label='')"
    )
    assert Derived(2).double == 4
    assert Derived(1, "", (), "", 3, label="x").label == "x"
    assert Derived.__match_args__ == ("first", "second", "many", "note", "last")
    with pytest.raises(ValueError, match="negative"):
        Derived(1, last=-1)


def test_they_are_matched_by_place() -> None:
    match Ours(1, "x"):
        case Ours(first, second):
            assert (first, second) == (1, "x")


@pytest.mark.parametrize("wrong", [{}, {"first": 1, "third": 2}])
def test_wrong_arguments_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"Ours\.__init__\(\)"):
        Ours(**wrong)
    with pytest.raises(TypeError, match=r"Ours\.__init__\(\)"):
        Ours(**wrong)
