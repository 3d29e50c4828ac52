"""How much memory a daemon takes, in the log when it has grown; and ``memory/show``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.live.clock import WallClock
from vnet.ovs.unixctl.table import Command, answering
from vnet.ovs.vlog.vlog import LogModule, Vlog

_INTERVAL_NS = 10 * NS_PER_S
_NOTABLE_GROWTH = 1.5
_MCL_CURRENT, _MCL_FUTURE = 1, 2  # <sys/mman.h>

Usage = Callable[[], Mapping[str, int]]
"""Numbers of things that take memory, by their names."""


class Memory:
    """Looks every ten seconds."""

    def __init__(self, clock: WallClock, vlog: Vlog) -> None:
        self._clock = clock
        self._log = vlog.module("memory")
        self._sources: list[Usage] = []
        self._reported_ns = 0
        self._reported_kb = 0
        clock.at(clock.real_now_ns + _INTERVAL_NS, self._look)

    def add(self, usage: Usage) -> None:
        """Ask this, too, whenever somebody wants to know. Numbers of the same name are added."""
        self._sources.append(usage)

    def commands(self) -> list[Command]:
        """What ovs-appctl may ask of it."""
        return [Command("memory/show", "", 0, 0, answering(self._show))]

    def _look(self) -> None:
        """Log how much it is, the first time and when it has grown by half."""
        now_ns = self._clock.real_now_ns
        self._clock.at(now_ns + _INTERVAL_NS, self._look)
        peak_kb = _peak_kb()
        if not self._reported_kb:
            self._log.info(
                f"{peak_kb} kB peak resident set size after {now_ns / NS_PER_S:.1f} seconds"
            )
        elif peak_kb >= self._reported_kb * _NOTABLE_GROWTH:
            growth = (peak_kb / self._reported_kb - 1) * 100
            elapsed_s = (now_ns - self._reported_ns) // NS_PER_MS / 1000
            self._log.info(
                f"peak resident set size grew {growth:.0f}% in last {elapsed_s:.1f} seconds, "
                f"from {self._reported_kb} kB to {peak_kb} kB"
            )
        else:
            return
        self._reported_ns, self._reported_kb = now_ns, peak_kb
        usage = self._show(())
        if usage:
            self._log.info(usage)

    def _show(self, _words: Sequence[str]) -> str:
        numbers: dict[str, int] = {}
        for source in self._sources:
            for name, number in source().items():
                numbers[name] = numbers.get(name, 0) + number
        return " ".join(f"{name}:{number}" for name, number in sorted(numbers.items()))


def lock_memory(log: LogModule) -> None:
    """Keep all of the process in memory (``--mlockall``); the log says where that is refused."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).mlockall(_MCL_CURRENT | _MCL_FUTURE):
        log.err(f"mlockall failed: {os.strerror(ctypes.get_errno())}")


def _peak_kb() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
