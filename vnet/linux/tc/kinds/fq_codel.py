"""``fq_codel``: how much may wait, for how long, and in how many queues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vnet.linux.tc.errors import TcError
from vnet.linux.tc.numbers import parse_size, parse_time_us, parse_whole, size_text, time_us_text
from vnet.linux.tc.words import WordReader
from vnet.sim.qdisc.fq_codel import FqCodel, FqCodelSettings

_USAGE = """\
Usage: ... fq_codel\t[ limit PACKETS ] [ flows NUMBER ]
[ memory_limit BYTES ]
[ target TIME ] [ interval TIME ]
[ quantum BYTES ] [ [no]ecn ]
[ ce_threshold TIME ]
[ ce_threshold_selector VALUE/MASK ]
[ drop_batch SIZE ]"""
_NS_PER_US = 1_000
_TICK_NS = 1_024


def _time_ns(text: str) -> int:
    return parse_time_us(text) * _NS_PER_US


_READERS: dict[str, tuple[str, Callable[[str], int]]] = {
    "limit": ("limit_frames", parse_whole),
    "flows": ("flows", parse_whole),
    "quantum": ("quantum_bytes", parse_whole),
    "target": ("target_ns", _time_ns),
    "ce_threshold": ("ce_threshold_ns", _time_ns),
    "memory_limit": ("memory_limit_bytes", parse_size),
    "interval": ("interval_ns", _time_ns),
    "drop_batch": ("drop_batch", parse_whole),
}


def parse(words: WordReader) -> dict[str, Any]:
    """What is said; the rest stays as it is, or as the kernel has it."""
    found: dict[str, Any] = {}
    while words:
        word = words.take()
        if word in ("ecn", "noecn"):
            found["ecn"] = word == "ecn"
        elif word == "help":
            raise TcError(_USAGE)
        elif word not in _READERS:
            raise TcError(f'What is "{word}"?\n{_USAGE}')
        else:
            name, read = _READERS[word]
            try:
                found[name] = read(words.take())
            except ValueError:
                raise TcError(f'Illegal "{word}"') from None
    return found


def is_sound(found: dict[str, Any]) -> bool:
    """Whether the kernel takes it."""
    return FqCodelSettings(**found).is_sound()


def text(queue: FqCodel) -> str:
    """The options as ``tc qdisc show`` has them."""
    settings = queue.settings
    parts = [
        f"limit {settings.limit_frames}p",
        f"flows {settings.flows}",
        f"quantum {queue.quantum_bytes}",
        f"target {_time(settings.target_ns)}",
    ]
    if settings.ce_threshold_ns is not None:
        parts.append(f"ce_threshold {_time(settings.ce_threshold_ns)}")
    parts += [f"interval {_time(settings.interval_ns)}"]
    parts += [f"memory_limit {size_text(settings.memory_limit_bytes)}"]
    parts += ["ecn"] if settings.ecn else []
    parts += [f"drop_batch {settings.drop_batch}"] if settings.drop_batch else []
    return " ".join(parts) + " "


def stats_lines(queue: FqCodel) -> list[str]:
    """What ``-s`` adds behind the counters that all have."""
    first = (
        f"  maxpacket {queue.max_packet} drop_overlimit {queue.drop_overlimit} "
        f"new_flow_count {queue.new_flow_count} ecn_mark {queue.ecn_mark}"
    )
    for name, value in (
        ("ce_mark", queue.ce_mark),
        ("memory_used", queue.memory_bytes),
        ("drop_overmemory", queue.drop_overmemory),
    ):
        first += f" {name} {value}" if value else ""
    return [first, f"  new_flows_len {queue.new_flows} old_flows_len {queue.old_flows}"]


def _time(time_ns: int) -> str:
    """A time as the kernel gives it back: rounded down to what CoDel counts in."""
    return time_us_text(time_ns // _TICK_NS * _TICK_NS // _NS_PER_US)
