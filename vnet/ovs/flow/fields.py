"""The fields of a flow as users name them: one table for names, widths, rules and numbers.

What ovs-fields(7) describes is data here. Matching, text, actions, the documentation's table
and the wire format all read it; there is no second list.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from vnet.ovs.flow.flow import Bits


class Maskable(Enum):
    """How a match may mask a field."""

    NONE = "no"
    FULLY = "any bits"


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field. Compared by identity: each exists once, in :data:`FIELDS`.

    ``bits`` is its place in a :class:`~vnet.ovs.flow.flow.Flow`; fields that mean different
    headers may share one (``tcp_src`` and ``udp_src``). ``n_bits`` may be less than the place.
    """

    name: str
    bits: Bits
    n_bits: int


@dataclass(frozen=True, slots=True)
class Subfield:
    """Bits ``offset`` to ``offset + n_bits - 1`` of a field, bit 0 the least significant."""

    field: Field
    offset: int
    n_bits: int


FIELDS: dict[str, Field] = {}
