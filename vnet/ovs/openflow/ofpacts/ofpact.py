"""What every action and instruction is."""

from __future__ import annotations


class Ofpact:
    """An action or instruction.

    Some have a ``form``. Open vSwitch's own actions have grown over time: ``sample`` is written as
    NXAST_SAMPLE, as NXAST_SAMPLE2 if it has a port, and so on. An action is written in its form,
    or the first later one that can say it; so what came in a later one goes on in it.
    """

    __slots__ = ()


Ofpacts = tuple[Ofpact, ...]
