"""The bijection between what the kernels of two captures chose freely."""

from __future__ import annotations

from collections.abc import Hashable

from vnet.base.units import NS_PER_S
from vnet.compare.field import Label

_REMEMBERED_NS = {"ip.id": NS_PER_S}
_REMEMBERED_OTHERWISE_NS = 60 * NS_PER_S
"""A number that was not seen for so long may be used for something else: they are few."""

_Key = tuple[str, Hashable, Hashable]


class Bijection:
    """Which label of the first capture stands for which of the second."""

    def __init__(self) -> None:
        self._there: dict[_Key, tuple[Hashable, int]] = {}
        self._back: dict[_Key, tuple[Hashable, int]] = {}

    def agree(self, first: Label, second: Label, first_ns: int, second_ns: int) -> bool:
        """Whether both may be the same thing; if so, they are from now on.

        The times say when the labels were seen, each in its own capture.
        """
        there = (first.kind, first.scope, first.value)
        back = (second.kind, second.scope, second.value)
        remembered_ns = _REMEMBERED_NS.get(first.kind, _REMEMBERED_OTHERWISE_NS)
        known = self._there.get(there)
        if known and first_ns - known[1] <= remembered_ns and known[0] != second.value:
            return False
        known = self._back.get(back)
        if known and second_ns - known[1] <= remembered_ns and known[0] != first.value:
            return False
        self._there[there] = second.value, first_ns
        self._back[back] = first.value, second_ns
        return True

    def why(self, first: Label, second: Label) -> str:
        """What both stood for so far, where they do not agree."""
        said = []
        there = self._there.get((first.kind, first.scope, first.value))
        if there and there[0] != second.value:
            said.append(f"{_shown(first.value)} was {_shown(there[0])} so far")
        back = self._back.get((second.kind, second.scope, second.value))
        if back and back[0] != first.value:
            said.append(f"{_shown(second.value)} was {_shown(back[0])}'s so far")
        return f"{first.kind}: {', '.join(said)}"


def _shown(value: Hashable) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
