"""Text to numbers with a unit, and back: time in ns, rates in bit/s, shares of 1.

Suffixes are those of tc(8): ``kbit`` is 1000 bit/s. A bare number is refused where a unit
is due, because guessing one is how labs go wrong.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

_DURATION_NS = {
    "ns": 1,
    "us": NS_PER_US,
    "ms": NS_PER_MS,
    "s": NS_PER_S,
    "m": 60 * NS_PER_S,
    "min": 60 * NS_PER_S,
    "h": 3600 * NS_PER_S,
}
_RATE_BPS = {"bit": 1, "kbit": 10**3, "mbit": 10**6, "gbit": 10**9, "tbit": 10**12}

_PERCENTAGE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(%?)\s*", re.ASCII)
_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-zµ]*)\s*", re.ASCII)


def _parse(text: str, units: dict[str, int], kind: str) -> int:
    match = _QUANTITY.fullmatch(text.replace("µ", "u"))
    suffix = match.group(2).lower() if match else ""
    if match is None or (suffix not in units and (suffix or Decimal(match.group(1)) != 0)):
        raise ValueError(f"{text!r} is not a {kind}: write a number and one of {', '.join(units)}")
    quantity = Decimal(match.group(1)) * units.get(suffix, 1)
    if quantity != int(quantity):
        raise ValueError(f"{text!r} is finer than a {kind} can be")
    return int(quantity)


def parse_duration_ns(text: str) -> int:
    """``1ms``, ``2.5s``, ``0`` to nanoseconds. Raises ``ValueError``."""
    return _parse(text, _DURATION_NS, "duration")


def parse_rate_bps(text: str) -> int:
    """``1gbit``, ``100mbit`` to bits per second. Raises ``ValueError``."""
    return _parse(text, _RATE_BPS, "rate")


def parse_share(text: str) -> float:
    """``2.5%`` to 0.025, ``0`` to 0; more than 100% is more than 1. Raises ``ValueError``."""
    match = _PERCENTAGE.fullmatch(text)
    if match is None or (not match.group(2) and Decimal(match.group(1)) != 0):
        raise ValueError(f"{text!r} is not a percentage: write a number and %")
    return float(Decimal(match.group(1)) / 100)


def duration_text(ns: int) -> str:
    """A duration exactly, in its largest fitting unit: ``1ms``, ``2.5s``, ``0s``."""
    for suffix, scale in (("s", NS_PER_S), ("ms", NS_PER_MS), ("us", NS_PER_US)):
        if ns >= scale or ns == 0:
            return f"{(Decimal(ns) / scale).normalize():f}{suffix}"
    return f"{ns}ns"


def rate_text(bps: int) -> str:
    """``1gbit``, ``100mbit``: the largest unit that divides the rate."""
    for suffix, scale in reversed(_RATE_BPS.items()):
        if bps >= scale and bps % scale == 0:
            return f"{bps // scale}{suffix}"
    return f"{bps}bit"


def share_text(share: float) -> str:
    """A share from 0 to 1 as a percentage: ``2.5%``."""
    return f"{share * 100:.12g}%"


def time_of_day(unix_ns: int) -> str:
    """Nanoseconds since 1970 as asctime(3) has them, in UTC: ``Wed Jan  1 00:00:07 2025``."""
    now = datetime.fromtimestamp(unix_ns // NS_PER_S, UTC)
    return f"{now:%a %b} {now.day:>2} {now:%H:%M:%S %Y}"
