"""Numbers that may be unknown, which all ones stand for: counters, and how long there has been
something, in seconds and nanoseconds beyond."""

from __future__ import annotations

from vnet.base.units import NS_PER_S

_UNKNOWN = 0xFFFFFFFFFFFFFFFF
_UNKNOWN_S = 0xFFFFFFFF


def counter(value: int | None) -> int:
    """A counter of 64 bits."""
    return _UNKNOWN if value is None else value


def counter_of(number: int) -> int | None:
    """What a counter of 64 bits says."""
    return None if number == _UNKNOWN else number


def duration(value_ns: int | None) -> tuple[int, int]:
    """Seconds and nanoseconds of 32 bits each."""
    return (_UNKNOWN_S, _UNKNOWN_S) if value_ns is None else divmod(value_ns, NS_PER_S)


def duration_ns(seconds: int, nanoseconds: int) -> int | None:
    """What seconds and nanoseconds say; those never make a second more."""
    if seconds == _UNKNOWN_S:
        return None
    return seconds * NS_PER_S + min(nanoseconds, NS_PER_S - 1)
