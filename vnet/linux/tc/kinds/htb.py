"""``htb``: what is said of the qdisc, and of each class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vnet.base.units import NS_PER_S
from vnet.linux.tc.errors import TcError
from vnet.linux.tc.numbers import (
    bytes_in,
    parse_rate,
    parse_size,
    parse_whole,
    rate_text,
    size_text,
    ticks_of,
)
from vnet.linux.tc.words import WordReader
from vnet.sim.qdisc.htb_queue import HtbQueue, HtbSettings, QueueClass
from vnet.sim.qdisc.htb_tree import ClassSettings
from vnet.sim.qdisc.psched import TICK_NS

USAGE = """\
Usage: ... qdisc add ... htb [default N] [r2q N]
                      [direct_qlen P] [offload]
 default  minor id of class to which unclassified packets are sent {0}
 r2q      DRR quantums are computed as rate in Bps/r2q {10}
 debug    string of 16 numbers each 0-3 {0}

 direct_qlen  Limit of the direct queue {in packets}
 offload  enable hardware offload
... class add ... htb rate R1 [burst B1] [mpu B] [overhead O]
                      [prio P] [slot S] [pslot PS]
                      [ceil R2] [cburst B2] [mtu MTU] [quantum Q]
 rate     rate allocated to this class (class can still borrow)
 burst    max bytes burst which can be accumulated during idle period {computed}
 mpu      minimum packet size used in rate computations
 overhead per-packet size overhead used in rate computations
 linklay  adapting to a linklayer e.g. atm
 ceil     definite upper class rate (no borrows) {rate}
 cburst   burst but for ceil {computed}
 mtu      max packet size we create rate map for {1600}
 prio     priority of leaf; lower are served first {0}
 quantum  how much bytes to serve from leaf at once {use r2q}

TC HTB version 3.3"""

_US_PER_S = 1_000_000
_TICKS_PER_US = NS_PER_S // _US_PER_S / TICK_NS
_DEFAULT_MTU_BYTES = 1_600
_MOST_PRIORITY = 7
_LEAST_QUANTUM_BYTES, _MOST_QUANTUM_BYTES = 1_000, 200_000


def _hex(text: str) -> int:
    """The number of a class is written in hexadecimal, with or without 0x."""
    return int(text, 16)


def _wrong(keyword: str) -> TcError:
    return TcError(f'Illegal "{keyword}"\n{USAGE}')


def _what_is(word: str) -> TcError:
    return TcError(f'What is "{word}"?\n{USAGE}')


# -- the qdisc


def parse(words: WordReader) -> HtbSettings:
    """The settings of the qdisc."""
    found: dict[str, int] = {}
    readers: dict[str, Callable[[str], int]] = {
        "default": _hex,
        "r2q": parse_whole,
        "direct_qlen": parse_whole,
    }
    while words:
        word = words.take()
        if word == "debug":
            words.take()
        elif word in readers:
            try:
                found[word] = readers[word](words.take())
            except ValueError:
                raise _wrong(word) from None
        elif word != "offload":
            raise _what_is(word)
    # A quotient of nothing is taken for 1.
    return HtbSettings(
        found.get("default", 0) & 0xFFFF,
        max(found.get("r2q", 10), 1),
        found.get("direct_qlen"),
    )


def text(queue: HtbQueue, *, details: bool) -> str:
    """The options as ``tc qdisc show`` has them."""
    settings = queue.settings
    default = f"0x{settings.default:x}" if settings.default else "0"
    version = "ver 3.17 " if details else ""
    return (
        f"r2q {settings.rate_to_quantum} default {default} direct_packets_stat {queue.n_direct} "
        f"{version}direct_qlen {queue.direct_frames}"
    )


# -- its classes


@dataclass(frozen=True, slots=True)
class ClassOptions:
    """What is said of a class; None and 0 are left to be worked out."""

    rate: int
    ceil: int
    burst_bytes: int
    ceil_burst_bytes: int
    priority: int
    quantum_bytes: int
    overhead_bytes: int
    least_bytes: int

    def settings(self, rate_to_quantum: int) -> tuple[ClassSettings, str]:
        """The settings for the tree, and what the kernel finds strange about the quantum."""
        quantum, strange = self.quantum_bytes, ""
        if not quantum:
            quantum = self.rate // rate_to_quantum
            if quantum < _LEAST_QUANTUM_BYTES:
                quantum, strange = _LEAST_QUANTUM_BYTES, "small"
            elif quantum > _MOST_QUANTUM_BYTES:
                quantum, strange = _MOST_QUANTUM_BYTES, "big"
        settings = ClassSettings(
            self.rate,
            self.ceil,
            _burst_ns(self.rate, self.burst_bytes),
            _burst_ns(self.ceil, self.ceil_burst_bytes),
            min(self.priority, _MOST_PRIORITY),
            quantum,
            self.overhead_bytes,
            self.least_bytes,
        )
        return settings, strange


def _burst_ns(rate: int, burst_bytes: int) -> int:
    """A burst as tc tells the kernel: whole microseconds of the rate, in ticks."""
    time_us = int(_US_PER_S * (burst_bytes / rate))
    return int(time_us * _TICKS_PER_US) * TICK_NS


def _size_before_slash(text: str) -> int:
    return parse_size(text.partition("/")[0])


_CLASS_READERS: dict[str, Callable[[str], int]] = {
    "prio": parse_whole,
    "mtu": parse_whole,
    "mpu": parse_whole,
    "overhead": parse_whole,
    "quantum": parse_whole,
    "burst": _size_before_slash,
    "cburst": _size_before_slash,
    "ceil": parse_rate,
    "rate": parse_rate,
}
_ALSO = {"buffer": "burst", "maxburst": "burst", "cbuffer": "cburst", "cmaxburst": "cburst"}


def parse_class(words: WordReader) -> ClassOptions:
    """The options of a class."""
    found: dict[str, int] = {}
    while words:
        word = words.take()
        name = _ALSO.get(word, word)
        if word == "help":
            raise TcError(USAGE)
        if name == "linklayer":
            words.take()
            continue
        reader = _CLASS_READERS.get(name)
        if reader is None:
            raise _what_is(word)
        value = words.take()
        if name in ("rate", "ceil") and found.get(name):
            raise TcError(f'Double "{name}" spec')
        try:
            found[name] = reader(value)
        except ValueError:
            raise _wrong(name) from None
    rate = found.get("rate", 0)
    if not rate:
        raise TcError('"rate" is required.')
    ceil = found.get("ceil") or rate
    mtu = found.get("mtu", _DEFAULT_MTU_BYTES)
    return ClassOptions(
        rate,
        ceil,
        found.get("burst") or rate // NS_PER_S + mtu,
        found.get("cburst") or ceil // NS_PER_S + mtu,
        found.get("prio", 0),
        found.get("quantum", 0),
        found.get("overhead", 0),
        found.get("mpu", 0),
    )


def class_options_text(one: QueueClass, *, details: bool) -> str:
    """What ``tc class show`` has of a class behind its place."""
    settings, parts = one.htb.settings, []
    if not one.htb.level:
        parts.append(f"prio {settings.priority}")
        if details:
            parts.append(f"quantum {settings.quantum_bytes}")
    parts.append(f"rate {rate_text(settings.rate_bytes_per_s)}")
    if settings.overhead_bytes:
        parts.append(f"overhead {settings.overhead_bytes}")
    parts.append(f"ceil {rate_text(settings.ceil_bytes_per_s)}")
    parts += ["linklayer ethernet"] if details else []
    least = f"/1 mpu {size_text(settings.least_bytes)}" if details else ""
    burst = size_text(bytes_in(settings.rate_bytes_per_s, ticks_of(settings.burst_ns)))
    ceil_burst = size_text(bytes_in(settings.ceil_bytes_per_s, ticks_of(settings.ceil_burst_ns)))
    parts += [f"burst {burst}{least}", f"cburst {ceil_burst}{least}"]
    parts += [f"level {one.htb.level}"] if details else []
    return " ".join(parts) + " "


def class_stats_lines(one: QueueClass) -> list[str]:
    """What ``-s`` adds for a class behind its counters."""
    own_ns, ceil_ns = one.htb.tokens_ns
    return [
        f" lended: {one.htb.n_lent} borrowed: {one.htb.n_borrowed} giants: 0",
        f" tokens: {_ticks(own_ns)} ctokens: {_ticks(ceil_ns)}",
    ]


def _ticks(time_ns: int) -> int:
    return min(max(time_ns // TICK_NS, -(2**31)), 2**31 - 1)
