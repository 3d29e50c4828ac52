"""How long something has been there, by a clock that counts milliseconds as Open vSwitch's does."""

from __future__ import annotations

from vnet.base.units import NS_PER_MS


def elapsed_ns(since_ns: int, now_ns: int) -> int:
    """A whole number of milliseconds, in nanoseconds."""
    return (now_ns // NS_PER_MS - since_ns // NS_PER_MS) * NS_PER_MS
