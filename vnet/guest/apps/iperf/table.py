"""iperf3's table: an interval a line, and what it all came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vnet.guest.apps.iperf.stream import Interval

_RULE = "- - - - - - - - - - - - - - - - - - - - - - - - -"
_BINARY = ("Bytes", "KBytes", "MBytes", "GBytes", "TBytes")
_DECIMAL = ("bits/sec", "Kbits/sec", "Mbits/sec", "Gbits/sec", "Tbits/sec")


class Total(NamedTuple):
    """What a stream, or all of them, did in the whole test; None where nobody knows."""

    name: str
    end_ns: int
    moved_bytes: int
    retransmits: int | None


def number(value: float) -> str:
    """Three digits and a unit's worth of room, as unit_snprintf() of iperf3 has it."""
    if value < 9.995:
        return f"{value:4.2f}"
    return f"{value:4.1f}" if value < 99.95 else f"{value:4.0f}"


def _scaled(value: float, base: int, units: Sequence[str]) -> str:
    unit = 0
    while value >= base and unit < len(units) - 1:
        value /= base
        unit += 1
    return f"{number(value)} {units[unit]}"


def size_text(size_bytes: int) -> str:
    """``1.10 GBytes``, of 1024."""
    return _scaled(size_bytes, 1024, _BINARY)


def rate_text(moved_bytes: int, duration_ns: int) -> str:
    """``941 Mbits/sec``, of 1000."""
    rate = moved_bytes * 8e9 / duration_ns if duration_ns else 0.0
    return _scaled(rate, 1000, _DECIMAL)


def heading(*, retransmits: bool, window: bool = False) -> str:
    """The column names."""
    text = "[ ID] Interval           Transfer     Bitrate"
    text += "         Retr" if retransmits else ""
    return text + ("  Cwnd" if window else "")


def _row(name: str, start_ns: int, end_ns: int, moved_bytes: int) -> str:
    span = f"{start_ns / 1e9:6.2f}-{end_ns / 1e9:<6.2f} sec"
    rate = rate_text(moved_bytes, end_ns - start_ns)
    return f"[{name:>3}] {span}  {size_text(moved_bytes)}  {rate}"


def interval_row(name: str, interval: Interval, *, sending: bool, window: bool = True) -> str:
    """A line of the first part."""
    row = _row(name, interval.start_ns, interval.end_ns, interval.moved_bytes)
    if not sending:
        return row + " " * 18
    tail = f"   {size_text(interval.window_bytes)}       " if window else " " * 13
    return f"{row}  {interval.retransmits:3d}{tail}"


def total_row(total: Total, role: str) -> str:
    """A line of the second part; ``role`` is sender or receiver."""
    row = _row(total.name, 0, total.end_ns, total.moved_bytes)
    if role == "sender" and total.retransmits is not None:
        return f"{row}  {total.retransmits:3d}             {role}"
    return f"{row}{' ' * 18}{role}"


def rule() -> str:
    """What stands between the two."""
    return _RULE
