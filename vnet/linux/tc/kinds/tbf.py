"""``tbf``: a rate, a burst, and how much may wait, in bytes or in time."""

from __future__ import annotations

from collections.abc import Callable

from vnet.linux.tc.errors import TcError
from vnet.linux.tc.numbers import (
    bytes_in,
    parse_rate,
    parse_size,
    parse_time_us,
    parse_whole,
    rate_text,
    size_text,
    ticks_of,
    ticks_to_us,
    time_us_text,
)
from vnet.linux.tc.words import WordReader, is_short_for
from vnet.sim.qdisc.tbf import TbfSettings

_USAGE = (
    "Usage: ... tbf limit BYTES burst BYTES[/BYTES] rate KBPS [ mtu BYTES[/BYTES] ]\n"
    "\t[ peakrate KBPS ] [ latency TIME ] [ overhead BYTES ] [ linklayer TYPE ]"
)
_US_PER_S = 1_000_000


def _with_cell(text: str) -> int:
    """A size, behind whose slash stands what old kernels wanted to know."""
    size, slash, cell = text.partition("/")
    if slash:
        cell_bytes = parse_whole(cell)
        if cell_bytes & (cell_bytes - 1) or not cell_bytes:
            raise ValueError(text)
    return parse_size(size)


def _linklayer(text: str) -> int:
    if not is_short_for(text, "ethernet"):
        raise ValueError(text)
    return 0


_READERS: dict[str, Callable[[str], int]] = {
    "limit": parse_size,
    "latency": parse_time_us,
    "burst": _with_cell,
    "mtu": _with_cell,
    "mpu": parse_size,
    "rate": parse_rate,
    "peakrate": parse_rate,
    "overhead": lambda text: parse_whole(text, 0xFFFF),
    "linklayer": _linklayer,
}
_ALSO = {"buffer": "burst", "maxburst": "burst", "minburst": "mtu"}
_SPELT_OUT = ("mtu", "mpu", "rate", *_ALSO)
"""Keywords that may not be cut short."""
_CALLED = {"burst": "buffer/burst/maxburst", "mtu": "mtu/minburst"}


def _keyword(word: str) -> str:
    for keyword in (*_READERS, *_ALSO):
        if word == keyword if keyword in _SPELT_OUT else is_short_for(word, keyword):
            return keyword
    raise TcError(_USAGE if word == "help" else f'tbf: unknown parameter "{word}"\n{_USAGE}')


def parse(words: WordReader) -> TbfSettings:
    """The settings. All that is missing is told at once."""
    found: dict[str, int] = {}
    while words:
        keyword = _keyword(words.take())
        name = _ALSO.get(keyword, keyword)
        value = words.take()
        if found.get(name):
            raise TcError(f'tbf: duplicate "{_CALLED.get(name, name)}" specification')
        if name == "limit" and found.get("latency"):
            raise TcError('tbf: specifying both "latency" and "limit" is not allowed')
        if name == "latency" and found.get("limit"):
            raise TcError('tbf: specifying both "limit" and "/latency" is not allowed')
        try:
            found[name] = _READERS[name](value)
        except ValueError:
            raise TcError(f'tbf: illegal value for "{keyword}": "{value}"') from None
    return _settings(found)


def _settings(found: dict[str, int]) -> TbfSettings:
    missing = [
        f'tbf: the "{name}" parameter is mandatory.'
        for name in ("rate", "burst")
        if not found.get(name)
    ]
    if found.get("peakrate") and not found.get("mtu"):
        missing.append('tbf: when "peakrate" is specified, "mtu" must also be specified.')
    if not found.get("limit") and not found.get("latency"):
        missing.append('tbf: either "limit" or "latency" is required.')
    if missing:
        raise TcError("\n".join((*missing, _USAGE)))
    return TbfSettings(
        found["rate"],
        found["burst"],
        found.get("limit") or _limit(found),
        found.get("peakrate", 0),
        found.get("mtu", 0) if found.get("peakrate") else 0,
        found.get("overhead", 0),
        found.get("mpu", 0),
    )


def _limit(found: dict[str, int]) -> int:
    """What may wait so that nothing waits longer than a latency."""
    latency_us = found["latency"]
    limit = found["rate"] * latency_us / _US_PER_S + found["burst"]
    if found.get("peakrate"):
        limit = min(limit, found["peakrate"] * latency_us / _US_PER_S + found["mtu"])
    return int(limit)


def text(settings: TbfSettings, *, details: bool) -> str:
    """The options as ``tc qdisc show`` has them, ``details`` with ``-d``."""
    rate, peak = settings.rate_bytes_per_s, settings.peak_bytes_per_s
    ticks, peak_ticks = ticks_of(settings.bucket().size_ns), 0
    least = size_text(settings.least_bytes)
    burst = size_text(bytes_in(rate, ticks))
    parts = [f"rate {rate_text(rate)} burst {burst}" + (f"/1 mpu {least}" if details else "")]
    if (bucket := settings.peak_bucket()) is not None:
        peak_ticks = ticks_of(bucket.size_ns)
        mtu = size_text(bytes_in(peak, peak_ticks))
        shown = f"mtu {mtu}/1 mpu {least}" if details else f"minburst {mtu}"
        parts.append(f"peakrate {rate_text(peak)} {shown}")
    latency_us = _US_PER_S * (settings.limit_bytes / rate) - ticks_to_us(ticks)
    if peak:
        other_us = _US_PER_S * (settings.limit_bytes / peak) - ticks_to_us(peak_ticks)
        latency_us = max(latency_us, other_us)
    if latency_us >= 0:
        parts.append(f"lat {time_us_text(int(latency_us))}")
    else:
        parts.append(f"limit {size_text(settings.limit_bytes)}")
    if settings.overhead_bytes:
        parts.append(f"overhead {settings.overhead_bytes}")
    if details:
        parts.append("linklayer ethernet")
    return " ".join(parts) + " "
