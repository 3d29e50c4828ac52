"""Moving load from the busiest link of a bond to the least busy one.

The numbers are Open vSwitch's: nothing moves for less than 100 kB or 3 % of difference, nor unless
it evens out a tenth of what could be evened out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vnet.ovs.ofproto.bond.bond import Bond
from vnet.ovs.ofproto.bond.member import LOAD_MASK, Bucket, Member

LEAST_OVERLOAD_BYTES = 100_000
"""About 1 Mbit/s over ten seconds."""

_OVERLOAD_SHIFT = 5  # a difference of less than 1/32 is none
_LEAST_GAIN = 10  # the gain must be at least 1/10


@dataclass(slots=True, eq=False)
class _Load:
    """A link and its buckets, the heaviest first."""

    member: Member
    n_bytes: int = 0
    buckets: list[Bucket] = field(default_factory=list)


def rebalance(bond: Bond) -> bool:
    """Move buckets between links, and let what was counted fade; whether any has moved."""
    order = _loads(bond)
    has_moved = False
    while len(order) > 1:
        busiest, idlest = order[0], order[-1]
        overload = busiest.n_bytes - idlest.n_bytes
        if overload < max(idlest.n_bytes >> _OVERLOAD_SHIFT, LEAST_OVERLOAD_BYTES):
            break
        chosen = _buckets_to_move(busiest, idlest.n_bytes)
        if not chosen:
            order.remove(busiest)
            continue
        for bucket in chosen:
            bucket.member = idlest.member
            busiest.buckets.remove(bucket)
            busiest.n_bytes = busiest.n_bytes - bucket.tx_bytes & LOAD_MASK
            idlest.n_bytes = idlest.n_bytes + bucket.tx_bytes & LOAD_MASK
            _put_in_order(order, busiest)
            _put_in_order(order, idlest)
        bond.changed = has_moved = True
    for bucket in bond.buckets:
        bucket.tx_bytes //= 2
    return has_moved


def _loads(bond: Bond) -> list[_Load]:
    """The links that work, the busiest first."""
    loads = {member: _Load(member) for member in bond.members.values()}
    for bucket in sorted(bond.buckets, key=lambda bucket: -bucket.tx_bytes):
        if bucket.member is not None and bucket.tx_bytes:
            load = loads[bucket.member]
            load.n_bytes = load.n_bytes + bucket.tx_bytes & LOAD_MASK
            load.buckets.append(bucket)
    enabled = (load for load in loads.values() if load.member.enabled)
    return sorted(enabled, key=lambda load: -load.n_bytes)


def _put_in_order(order: list[_Load], load: _Load) -> None:
    """Move a link to its place, behind those that are as busy."""
    order.remove(load)
    at = next((at for at, other in enumerate(order) if load.n_bytes > other.n_bytes), len(order))
    order.insert(at, load)


def _buckets_to_move(busiest: _Load, idlest_bytes: int) -> list[Bucket]:
    """The buckets that bring both links nearest to their middle, but never past it; where even the
    lightest is too much for that, the lightest.
    """
    if len(busiest.buckets) < 2:
        return []
    middle_bytes = (busiest.n_bytes + idlest_bytes & LOAD_MASK) // 2
    ideal_bytes = middle_bytes - idlest_bytes & LOAD_MASK
    least_gain_bytes = ideal_bytes // _LEAST_GAIN
    chosen: list[Bucket] = []
    moved_bytes = 0
    for bucket in busiest.buckets:
        if (moved_bytes + bucket.tx_bytes & LOAD_MASK) <= ideal_bytes:
            chosen.append(bucket)
            moved_bytes = moved_bytes + bucket.tx_bytes & LOAD_MASK
        if ideal_bytes - moved_bytes < least_gain_bytes:
            break
    if not chosen:
        chosen = [busiest.buckets[-1]]
        moved_bytes = chosen[0].tx_bytes
    higher_bytes = busiest.n_bytes - moved_bytes & LOAD_MASK
    lower_bytes = min(higher_bytes, idlest_bytes + moved_bytes & LOAD_MASK)
    gain_bytes = lower_bytes - idlest_bytes
    return chosen if gain_bytes > 0 and gain_bytes >= least_gain_bytes else []
