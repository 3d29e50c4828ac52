"""Numbers with units, as tc reads and writes them (UNITS of tc(8)).

Rates are in bytes a second here, and sizes in bytes; ``k`` of a size is 1,024, and of a rate
1,000. All of it is done with floating point in iproute2, and so here.
"""

from __future__ import annotations

import re

from vnet.base.units import NS_PER_MS, NS_PER_S, NS_PER_US
from vnet.sim.qdisc.psched import TICK_NS

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.ASCII | re.IGNORECASE)

_MOST_U32 = 2**32 - 1
_MOST_U64 = 2**64 - 1

_TICKS_PER_US = NS_PER_US / TICK_NS

_SIZES = {
    "": 1,
    "b": 1,
    "k": 1024,
    "kb": 1024,
    "kbit": 128,
    "m": 1024**2,
    "mb": 1024**2,
    "mbit": 1024**2 // 8,
    "g": 1024**3,
    "gb": 1024**3,
    "gbit": 1024**3 // 8,
}
_RATES = {"": 1.0, "bit": 1.0, "bps": 8.0} | {
    f"{letter}{binary}{unit}": base**power * factor
    for power, letter in enumerate("kmgt", 1)
    for binary, base in (("", 1000), ("i", 1024))
    for unit, factor in (("bit", 1.0), ("bps", 8.0))
}
_TIMES_NS = {
    **dict.fromkeys(("s", "sec", "secs"), NS_PER_S),
    **dict.fromkeys(("ms", "msec", "msecs"), NS_PER_MS),
    **dict.fromkeys(("us", "usec", "usecs"), NS_PER_US),
}
_NANOSECONDS = dict.fromkeys(("", "ns", "nsec", "nsecs"), 1)


def _parted(text: str) -> tuple[float, str]:
    """A number and what stands behind it. Raises ``ValueError``."""
    found = _NUMBER.match(text)
    if found is None:
        raise ValueError(text)
    return float(found[0]), text[found.end() :].lower()


def _in_unit(text: str, units: dict[str, float] | dict[str, int], most: int) -> float:
    number, unit = _parted(text)
    if unit not in units or number < 0 or number * units[unit] > most:
        raise ValueError(text)
    return number * units[unit]


def parse_size(text: str) -> int:
    """Bytes: ``10kb`` is 10,240. Raises ``ValueError``, as the others do."""
    return int(_in_unit(text, _SIZES, _MOST_U32))


def parse_rate(text: str) -> int:
    """Bytes a second: ``1mbit`` is 125,000."""
    return int(_in_unit(text, _RATES, _MOST_U64) / 8)


def parse_time_us(text: str) -> int:
    """Microseconds; a number without a unit is of those."""
    units = {"": NS_PER_US, **_TIMES_NS}
    return int(_in_unit(text, units, _MOST_U32 * NS_PER_US) / NS_PER_US)


def parse_time_ns(text: str) -> int:
    """Nanoseconds; a number without a unit is of those."""
    return int(_in_unit(text, _NANOSECONDS | _TIMES_NS, 2**63 - 1))


def parse_share(text: str) -> float:
    """``5%`` to 0.05; the sign may be left out."""
    number, sign = _parted(text)
    if sign not in ("", "%") or not 0 <= number <= 100:
        raise ValueError(text)
    return number / 100


def parse_whole(text: str, most: int = _MOST_U32) -> int:
    """A whole number, in hexadecimal behind ``0x``."""
    if not re.fullmatch(r"0[xX][0-9A-Fa-f]+|[0-9]+", text, re.ASCII):
        raise ValueError(text)
    number = int(text, 16 if text[:2].lower() == "0x" else 10)
    if number > most:
        raise ValueError(text)
    return number


def size_text(n_bytes: int) -> str:
    """``10Kb`` where that is all but exact, else ``10300b``."""
    for unit, scale, tolerance in (("Mb", 1024**2, 1024), ("Kb", 1024, 16)):
        units = round(n_bytes / scale)
        if n_bytes >= scale and abs(units * scale - n_bytes) < tolerance:
            return f"{units:g}{unit}"
    return f"{n_bytes}b"


def rate_text(bytes_per_s: int) -> str:
    """``1Mbit``; a number that would lose digits keeps the smaller unit, up to a million of it."""
    rate = bytes_per_s * 8
    letters = ["", "K", "M", "G", "T"]
    at = 0
    while at < len(letters) - 1 and rate >= 1000 and not (rate % 1000 and rate < 1_000_000):
        rate //= 1000
        at += 1
    return f"{rate}{letters[at]}bit"


def time_us_text(time_us: int) -> str:
    """``50ms``, with three digits."""
    if time_us >= 1_000_000:
        return f"{time_us / 1_000_000:.3g}s"
    return f"{time_us / 1_000:.3g}ms" if time_us >= 1_000 else f"{time_us}us"


def time_ns_text(time_ns: int) -> str:
    """``50ms``, with three digits."""
    for unit, scale in (("s", NS_PER_S), ("ms", NS_PER_MS), ("us", NS_PER_US)):
        if time_ns >= scale:
            return f"{time_ns / scale:.3g}{unit}"
    return f"{time_ns}ns"


def share_text(share: float) -> str:
    """``5%``, from what is left of it in 32 bits."""
    return f"{100 * round(share * _MOST_U32) / _MOST_U32:g}%"


def ticks_of(time_ns: int) -> int:
    """A time as the kernel tells it to tc, in 32 bits."""
    return time_ns // TICK_NS & _MOST_U32


def ticks_to_us(ticks: int) -> int:
    """Ticks as whole microseconds."""
    return int(ticks / _TICKS_PER_US)


def bytes_in(bytes_per_s: int, ticks: int) -> int:
    """How many bytes leave in so many ticks, as tc shows a burst."""
    return int(bytes_per_s * ticks_to_us(ticks) / 1_000_000)
