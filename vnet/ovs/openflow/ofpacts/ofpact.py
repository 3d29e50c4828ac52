"""What every action and instruction is."""

from __future__ import annotations


class Ofpact:
    """An action or instruction."""

    __slots__ = ()


Ofpacts = tuple[Ofpact, ...]
