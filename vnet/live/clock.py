"""A scheduler whose time is the wall clock's, and that waits for files besides.

Whoever was written for virtual time runs on it unchanged: events come when they are due, or as
soon after as the machine can. Nothing runs at the same time as anything else.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable
from typing import Protocol

from vnet.base.units import NS_PER_S
from vnet.sim.scheduler import Scheduler


class Readable(Protocol):
    """What a selector can wait for."""

    def fileno(self) -> int:
        """Its descriptor."""

    def close(self) -> None:
        """Read no more."""


class WallClock(Scheduler):
    """Time begins at 0 with :meth:`begin`.

    What was heard before is told first: ``before`` is called before files are, each time there is
    something to read. ``real_now_ns`` is the time now, where ``now_ns`` is when an event was due.

    Who tries something out may have it stand still (:meth:`freeze`) and jump (:meth:`warp`); files
    are watched meanwhile.
    """

    __slots__ = ("_after_turn", "_began_ns", "_frozen_ns", "_selector", "_stopped", "before")

    def __init__(self) -> None:
        super().__init__()
        self._selector = selectors.DefaultSelector()
        self._began_ns = time.monotonic_ns()
        self._frozen_ns: int | None = None
        self._after_turn: list[Callable[[], None]] = []
        self._stopped = False
        self.before: Callable[[], None] | None = None

    def begin(self) -> None:
        """It is 0 now."""
        self._began_ns = time.monotonic_ns()

    @property
    def real_now_ns(self) -> int:
        """How long it has been since :meth:`begin`, to the nanosecond."""
        if self._frozen_ns is not None:
            return self._frozen_ns
        return time.monotonic_ns() - self._began_ns

    # -- files

    def watch(self, file: Readable, readable: Callable[[], None]) -> None:
        """Call ``readable`` whenever there is something to read, or an error."""
        self._selector.register(file, selectors.EVENT_READ, readable)

    def watch_writable(self, file: Readable, wanted: bool, *, readable: bool = True) -> None:
        """Call what :meth:`watch` was told also when there is room to write, and not when there is
        something to read unless ``readable``. One of both must be wanted."""
        reading = selectors.EVENT_READ if readable else 0
        writing = selectors.EVENT_WRITE if wanted else 0
        self._selector.modify(file, reading | writing, self._selector.get_key(file).data)

    def forget(self, file: Readable) -> None:
        """Watch a file no more; harmless where it was not."""
        if file in self._selector.get_map():
            self._selector.unregister(file)

    # -- time

    def stop(self) -> None:
        """End :meth:`run_live` once the present event returns."""
        self._stopped = True

    def freeze(self) -> None:
        """Time passes no more, but by :meth:`warp`."""
        self._frozen_ns = self.real_now_ns

    def next_turn(self, then: Callable[[], None]) -> None:
        """Call ``then`` when files have been looked after, so that whoever has much to do lets
        others have their turn."""
        self._after_turn.append(then)

    def warp(self, duration_ns: int, then: Callable[[], None]) -> None:
        """It is ``duration_ns`` later. ``then`` is called when all has happened that is due by now,
        and files have been looked after."""
        if self._frozen_ns is None:
            self._began_ns -= duration_ns
        else:
            self._frozen_ns += duration_ns
        self._after_turn.append(then)

    def run_live(self, until_ns: int | None = None) -> None:
        """Let time pass: until somebody calls :meth:`stop`, or to ``until_ns``."""
        self._stopped = False
        while not self._stopped:
            now_ns = self.real_now_ns
            if until_ns is not None and now_ns >= until_ns:
                return
            self._look(self._wait_s(now_ns, until_ns))
            if not self._stopped:
                self._turn()

    def _turn(self) -> None:
        """Have happen what is due."""
        waiting, self._after_turn = self._after_turn, []
        self.run(max(self.real_now_ns, self.now_ns))
        for each in waiting:
            each()

    def _wait_s(self, now_ns: int, until_ns: int | None) -> float | None:
        """How long to wait for files; None: until there is one. Nobody is woken for nothing."""
        if self._after_turn:
            return 0
        if self._frozen_ns is not None:
            next_ns = self.next_event_ns
            return 0 if next_ns is not None and next_ns <= now_ns else None
        ends = [end for end in (self.next_event_ns, until_ns) if end is not None]
        return max(0, min(ends) - now_ns) / NS_PER_S if ends else None

    def _look(self, wait_s: float | None) -> None:
        """Wait for files, and tell who waits for them, before anything is done that is due by now:
        on a busy machine an answer has come in time that is read too late."""
        ready = self._selector.select(wait_s)
        if not ready:
            return
        self.now_ns = max(self.real_now_ns, self.now_ns)
        if self.before is not None:
            self.before()
        for key, _ in ready:
            # By its number, for an event may have closed the file, which then has none any more.
            watched = self._selector.get_map().get(key.fd)
            if watched is not None and watched.fileobj is key.fileobj:
                key.data()

    def close(self) -> None:
        """Watch nothing any more, and close all that was watched: nobody will read it."""
        for key in tuple(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            if not isinstance(key.fileobj, int):
                key.fileobj.close()  # type: ignore[attr-defined]
        self._selector.close()
