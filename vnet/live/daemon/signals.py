"""Signals that end a daemon: it ends in good order, and then as by that signal."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable

from vnet.live.clock import WallClock

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM)


class EndingSignals:
    """Tells of the first signal that comes, from the loop; ``received`` keeps it. What
    ``has_no_terminal`` has none to lose, and goes on after SIGHUP."""

    def __init__(
        self, clock: WallClock, on_signal: Callable[[], None], *, has_no_terminal: bool = False
    ) -> None:
        self.received: signal.Signals | None = None
        self._clock = clock
        self._on_signal = on_signal
        self._woken, waking = socket.socketpair()
        self._waking = waking
        for end in (self._woken, waking):
            end.setblocking(False)
        # Python only notes that a signal came; a byte here is what wakes a loop that sleeps.
        signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        clock.watch(self._woken, self._wake)
        self._before = {number: signal.signal(number, self._note) for number in ENDING}
        if has_no_terminal:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def close(self) -> None:
        """Signals do again what they did before."""
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._clock.forget(self._woken)
        self._woken.close()
        self._waking.close()

    def _note(self, number: int, _frame: object) -> None:
        if self.received is None:
            self.received = signal.Signals(number)
        with contextlib.suppress(BlockingIOError):
            self._waking.send(b"\0")  # The byte of the system's may have been read already.

    def _wake(self) -> None:
        self._woken.recv(64)
        if self.received is not None:
            self._on_signal()


def end_as_by(number: signal.Signals) -> None:
    """End this process so that its parent sees the signal."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
