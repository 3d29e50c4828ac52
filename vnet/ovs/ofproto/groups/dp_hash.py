"""Which bucket of a select group serves which hash of the datapath.

The hashes are dealt out to the buckets as seats in a parliament are to parties, by the method
of Webster: the seat goes to whoever has the greatest quotient of weight and next odd number.
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_SLOTS = 256
MIN_SLOTS = 16


def n_slots_for(weights: Sequence[int]) -> int:
    """How many slots the weights ask for; 0 where there is none."""
    total = sum(weights)
    if total == 0:
        return 0
    lightest = min(weight for weight in weights if weight)
    needed = -(-total // lightest)
    return max(MIN_SLOTS, 1 << (needed - 1).bit_length())


def slots_of_buckets(weights: Sequence[int]) -> tuple[int, ...]:
    """For each hash value the position of a bucket; empty where the weights do not allow it.

    The number of slots is a power of two, so large that the lightest bucket gets one. No bucket
    with a weight, or a need for more than :data:`MAX_SLOTS`, gives none.
    """
    n_slots = n_slots_for(weights)
    if not 0 < n_slots <= MAX_SLOTS:
        return ()
    quotients = [float(weight) for weight in weights]
    divisors = [1] * len(weights)
    slots = []
    for _ in range(n_slots):
        winner = quotients.index(max(quotients))
        divisors[winner] += 2
        quotients[winner] = weights[winner] / divisors[winner]
        slots.append(winner)
    return tuple(slots)
