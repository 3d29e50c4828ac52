"""One daemon's log: its modules, how much each of them says where, and the lines that come of it.

Who has something to say asks for its module once (``log = vlog.module("bridge")``) and calls
``log.warn("...")``. What is costly to put together is put together only where
``log.is_enabled(Level.DBG)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from vnet.ovs.vlog.level import Destination, Level
from vnet.ovs.vlog.modules import ALL_MODULES
from vnet.ovs.vlog.pattern import Message, Piece, Surroundings, parse_pattern, write_line
from vnet.ovs.vlog.rate_limit import RateLimit

DEFAULT_PATTERNS = {
    Destination.SYSLOG: "ovs|%05N|%c%T|%p|%m",
    Destination.CONSOLE: "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m",
    Destination.FILE: "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m",
}


class Sink(Protocol):
    """Where lines go."""

    def write(self, line: str) -> None:
        """Take a line that ends with a newline. Never raises: a log must not stop a daemon."""


class LogModule:
    """What one part of a daemon says. Ask :meth:`Vlog.module` for it."""

    __slots__ = ("_most", "_vlog", "honours_rate_limits", "levels", "name")

    def __init__(self, vlog: Vlog, name: str) -> None:
        self.name = name
        self.levels = dict.fromkeys(Destination, Level.INFO)
        self.honours_rate_limits = True
        self._vlog = vlog
        self._most = Level.OFF

    def update(self) -> None:
        """Take note of changed levels or sinks: what goes nowhere is not even asked for."""
        self._most = max((self.levels[place] for place in self._vlog.sinks), default=Level.OFF)

    def is_enabled(self, level: Level) -> bool:
        """Whether a message of this level goes anywhere."""
        return level <= self._most

    def limit(self, per_minute: int, burst: int) -> RateLimit:
        """A new limit for messages that may come in numbers."""
        return RateLimit(per_minute, burst)

    def log(
        self, level: Level, text: str, limit: RateLimit | None = None, *, thread: str = ""
    ) -> None:
        """Say something, where somebody listens and ``limit`` lets it pass."""
        if limit is None:
            if level <= self._most:
                self._vlog.write(self, level, text, thread)
        elif self.lets_pass(level, limit, thread=thread):
            self._vlog.write(self, level, text, thread)

    def lets_pass(self, level: Level, limit: RateLimit, *, thread: str = "") -> bool:
        """Whether somebody listens and ``limit`` has room for one more message, which is then to
        come: for those that are costly to put together."""
        if level > self._most:
            return False
        if not self.honours_rate_limits:
            return True
        now_ms = self._vlog.around.monotonic_ms()
        if not limit.take(now_ms):
            return False
        summary = limit.summary(now_ms)
        if summary is not None:
            self._vlog.write(self, level, summary, thread)
        return True

    def emer(self, text: str, limit: RateLimit | None = None) -> None:
        """The daemon cannot go on."""
        self.log(Level.EMER, text, limit)

    def err(self, text: str, limit: RateLimit | None = None) -> None:
        """Something failed."""
        self.log(Level.ERR, text, limit)

    def warn(self, text: str, limit: RateLimit | None = None) -> None:
        """Something may be wrong."""
        self.log(Level.WARN, text, limit)

    def info(self, text: str, limit: RateLimit | None = None) -> None:
        """Something worth knowing happened."""
        self.log(Level.INFO, text, limit)

    def dbg(self, text: str, limit: RateLimit | None = None) -> None:
        """Of use to those who look for a fault."""
        self.log(Level.DBG, text, limit)

    def fault(self, what: str, fault: Exception) -> None:
        """Something failed in a way that nobody thought of: all that is known, line by line."""
        import traceback

        self.err(f"{what}: {fault!r}")
        for line in "".join(traceback.format_exception(fault)).splitlines():
            self.err(line)


class Vlog:
    """A daemon's log. Modules have the names that the real daemon's have; others are a KeyError."""

    def __init__(self, around: Surroundings, modules: Iterable[str] = ALL_MODULES) -> None:
        self.around = around
        self.sinks: dict[Destination, Sink] = {}
        self.patterns = dict(DEFAULT_PATTERNS)
        self.facility = 0
        self.on_change: list[Callable[[], None]] = []
        """Called when modules may have begun or ceased to be heard."""
        self._pieces: dict[Destination, tuple[Piece, ...]] = {
            place: parse_pattern(pattern) for place, pattern in DEFAULT_PATTERNS.items()
        }
        self._numbers: dict[str, int] = {}
        self.modules = {name: LogModule(self, name) for name in sorted(modules)}

    def module(self, name: str) -> LogModule:
        """A module by its name, as ``vlog/list`` shows it."""
        return self.modules[name]

    def set_sink(self, destination: Destination, sink: Sink | None) -> None:
        """Where lines for a destination go; None: nowhere."""
        if sink is None:
            self.sinks.pop(destination, None)
        else:
            self.sinks[destination] = sink
        self._update()

    def set_pattern(self, destination: Destination, pattern: str) -> None:
        """How lines for a destination are put together."""
        self.patterns[destination] = pattern
        self._pieces[destination] = parse_pattern(pattern)

    def set_levels(
        self, module: LogModule | None, destination: Destination | None, level: Level
    ) -> None:
        """Let a module (None: all) say so much to a destination (None: all)."""
        for one in self.modules.values() if module is None else (module,):
            for place in Destination if destination is None else (destination,):
                one.levels[place] = level
        self._update()

    def write(self, module: LogModule, level: Level, text: str, thread: str) -> None:
        """Write a line wherever the module's level lets it. Modules call this."""
        places = [place for place in self.sinks if module.levels[place] >= level]
        if not places:
            return
        number = self._numbers[thread] = self._numbers.get(thread, 0) + 1
        message = Message(module.name, level, text, number, thread, self.facility)
        for place in places:
            self.sinks[place].write(write_line(self._pieces[place], message, self.around) + "\n")

    def _update(self) -> None:
        for module in self.modules.values():
            module.update()
        for changed in self.on_change:
            changed()


class _Nowhere:
    """What is around a log that nobody reads."""

    program = "vnet"
    pid = 0
    host = ""

    def wall_ms(self) -> int:
        return 0

    def monotonic_ms(self) -> int:
        return 0


SILENT = Vlog(_Nowhere())
"""For those who need a log and have nobody to read it. Nobody may give it a sink."""
