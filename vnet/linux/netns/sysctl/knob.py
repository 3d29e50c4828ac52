"""What a setting is: its default, what it may be set to, and how ``all`` joins a device's own.

A group of settings is a frozen dataclass whose fields are made by :func:`knob`. Machines that
have changed nothing share one instance, and reading a setting is reading an attribute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from enum import Enum, auto
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

Value: TypeAlias = int | str | tuple[int, ...]

_KNOB = "knob"
_INT_LEAST, _INT_MOST = -(1 << 31), (1 << 31) - 1


class Combine(Enum):
    """What holds on a device, given the value of ``all`` and its own (inetdevice.h)."""

    OWN = auto()  # the device's own; that of ``all`` has no effect
    BOTH = auto()  # set if both are
    EITHER = auto()  # set if either is
    LARGER = auto()
    SMALLER = auto()
    ALL_FIRST = auto()  # that of ``all``, unless it is 0


class Spread(Enum):
    """What else is set when ``all`` is."""

    NOWHERE = auto()
    DEVICES = auto()
    DEVICES_AND_DEFAULT = auto()


@dataclass(frozen=True, slots=True)
class Knob:
    """A setting. ``at_all`` is the default of ``all``; ``least`` and ``most`` bound each number.

    ``only_default`` is one that no device has. A text with ``choices`` is the name of one of them.
    The two numbers of one that ``is_range`` come in their order.
    """

    name: str
    default: Value
    combine: Combine
    at_all: Value
    least: int
    most: int
    spread: Spread
    only_default: bool
    choices: tuple[str, ...]
    is_range: bool


def knob(
    default: Value,
    combine: Combine = Combine.OWN,
    *,
    at_all: Value | None = None,
    least: int = _INT_LEAST,
    most: int = _INT_MOST,
    spread: Spread = Spread.NOWHERE,
    only_default: bool = False,
    choices: tuple[str, ...] = (),
    is_range: bool = False,
) -> Any:
    """A field of a group of settings."""
    everywhere = default if at_all is None else at_all
    made = Knob(
        "", default, combine, everywhere, least, most, spread, only_default, choices, is_range
    )
    return field(default=default, metadata={_KNOB: made})


ConfT = TypeVar("ConfT")


def knobs_of(group: type[Any]) -> dict[str, Knob]:
    """The settings of a group, by name."""
    if group not in _known:
        _known[group] = {f.name: replace(f.metadata[_KNOB], name=f.name) for f in fields(group)}
    return _known[group]


_known: dict[type[Any], dict[str, Knob]] = {}


def changed(conf: ConfT, name: str, value: Value) -> ConfT:
    """``conf`` with one setting changed. Equal ones are one instance, however many machines."""
    made: ConfT = _changed(conf, name, value)
    return made


def combined(everywhere: ConfT, own: ConfT) -> ConfT:
    """What holds on a device whose own settings are ``own``."""
    made: ConfT = _combined(everywhere, own)
    return made


@lru_cache(maxsize=4096)
def _changed(conf: Any, name: str, value: Value) -> Any:
    return replace(conf, **{name: value})


@lru_cache(maxsize=4096)
def _combined(everywhere: Any, own: Any) -> Any:
    values = {
        name: _COMBINED[knob.combine](getattr(everywhere, name), getattr(own, name))
        for name, knob in knobs_of(type(own)).items()
        if knob.combine is not Combine.OWN
    }
    return replace(own, **values)


_COMBINED: dict[Combine, Callable[[int, int], int]] = {
    Combine.BOTH: lambda everywhere, own: int(bool(everywhere and own)),
    Combine.EITHER: lambda everywhere, own: int(bool(everywhere or own)),
    Combine.LARGER: max,
    Combine.SMALLER: min,
    Combine.ALL_FIRST: lambda everywhere, own: everywhere or own,
}
