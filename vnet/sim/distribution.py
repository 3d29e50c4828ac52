"""How delays scatter: the tables of tc-netem(8), computed instead of read from files.

A table has 4,096 entries. Whoever draws one at random gets the deviation from the mean in units
of a standard deviation, times :data:`SCALE`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import erf, sqrt

SCALE = 8_192
_ENTRIES = 4_096
_MOST, _LEAST = 32_767, -32_768

_PARETO_SHAPE = 3.0
_NORMAL_SHARE = 0.25
"""Of paretonormal: the rest is Pareto's."""
_GRID = 5e-5
"""The steps in which tc's makers looked for the quantiles of the normal distribution."""


@cache
def table(name: str) -> Sequence[int]:
    """The table of ``normal``, ``pareto`` or ``paretonormal``."""
    return tuple(_MAKERS[name]())


def deviation(jitter: int, entry: int) -> int:
    """How far from the mean an entry is where the standard deviation is ``jitter``.

    In two parts, each cut towards zero, as a kernel without fractions has it.
    """
    whole, rest = divmod(jitter, SCALE)
    part = rest * entry
    rounded = part + SCALE // 2 if part >= 0 else part - SCALE // 2
    return abs(rounded) // SCALE * (1 if rounded >= 0 else -1) + whole * entry


def _bounded(value: float) -> int:
    return min(max(round(value), _LEAST), _MOST)


def _quantile(share: float) -> float:
    """The largest point of the grid up to which no more than ``share`` of a normal lies."""
    low, high = -200_000, 200_000
    while high - low > 1:
        middle = (low + high) // 2
        if (1 + erf(middle * _GRID / sqrt(2))) / 2 <= share:
            low = middle
        else:
            high = middle
    return low * _GRID


def _normal() -> list[int]:
    return [_bounded(value) for value in _quantiles()]


def _quantiles() -> list[int]:
    return [round(_quantile((at + 1 / 8) / _ENTRIES) * SCALE) for at in range(_ENTRIES)]


def _pareto() -> list[int]:
    """Of mean 1.5 and standard deviation 3/4, brought to 0 and 1."""
    return [
        _bounded(((1 - at / _ENTRIES) ** (-1 / _PARETO_SHAPE) - 1.5) * 4 / 3 * SCALE)
        for at in range(_ENTRIES)
    ]


def _paretonormal() -> list[int]:
    return [
        _bounded(int(normal * _NORMAL_SHARE + pareto * (1 - _NORMAL_SHARE)))
        for normal, pareto in zip(_quantiles(), _pareto(), strict=True)
    ]


_MAKERS = {"normal": _normal, "pareto": _pareto, "paretonormal": _paretonormal}
NAMES = tuple(_MAKERS)
