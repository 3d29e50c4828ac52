"""When to try again, when to give up, when to ask whether the peer still lives.

A machine of states that is told what happened and when, and asked what to do; it knows no
sockets. A first attempt is made at once; the next after a second, and each wait is twice as long
as the one before, up to eight seconds. Who has been silent for five seconds is asked; who has not
answered after five more is given up.
"""

from __future__ import annotations

import os
from enum import Enum

from vnet.live.streams.stream import END_OF_FILE
from vnet.ovs.vlog.level import Level
from vnet.ovs.vlog.vlog import Vlog

MIN_BACKOFF_MS = 1000
MAX_BACKOFF_MS = 8000
PROBE_INTERVAL_MS = 5000


class State(Enum):
    """Where a connection is; named as logs name it."""

    VOID = "VOID"
    BACKOFF = "BACKOFF"
    CONNECTING = "CONNECTING"
    ACTIVE = "ACTIVE"
    IDLE = "IDLE"
    RECONNECT = "RECONNECT"


class Action(Enum):
    """What is to be done."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    PROBE = "probe"


class Reconnect:
    """A connection to ``name``. ``probe_interval_ms`` 0 never asks."""

    def __init__(self, name: str, now_ms: int, vlog: Vlog) -> None:
        self.name = name
        self.state = State.VOID
        self.state_entered_ms = now_ms
        self.backoff_ms = 0
        self.last_connected_ms: int | None = None
        self.last_disconnected_ms: int | None = None
        self.is_quiet = False
        self.min_backoff_ms = MIN_BACKOFF_MS
        self.max_backoff_ms = MAX_BACKOFF_MS
        self.probe_interval_ms = PROBE_INTERVAL_MS
        self.tries_left: int | None = None
        """None: it never gives up."""
        self._last_activity_ms = now_ms
        self._log = vlog.module("reconnect")

    # -- what its owner wants

    def set_probe_interval(self, interval_ms: int) -> None:
        """Ask after so long a silence, at least a second; 0: never."""
        self.probe_interval_ms = max(1000, interval_ms) if interval_ms else 0

    def set_backoff(self, min_ms: int, max_ms: int) -> None:
        """Wait so long between attempts; at least a second. A ``max_ms`` of 0 is the usual one."""
        self.min_backoff_ms = max(min_ms, 1000)
        self.max_backoff_ms = max(max_ms or MAX_BACKOFF_MS, self.min_backoff_ms)
        if self.state is State.BACKOFF:
            self.backoff_ms = min(self.backoff_ms, self.max_backoff_ms)

    def enable(self, now_ms: int) -> None:
        """Go and connect."""
        if self.state is State.VOID and self._may_try():
            self._enter(State.BACKOFF, now_ms)
            self.backoff_ms = 0

    def force_reconnect(self, now_ms: int) -> None:
        """Drop the connection there is, and make a new one."""
        if self.state in (State.CONNECTING, State.ACTIVE, State.IDLE):
            self._enter(State.RECONNECT, now_ms)

    # -- what happened

    def connecting(self, now_ms: int) -> None:
        """An attempt has begun."""
        if self.state is not State.CONNECTING:
            if self.backoff_ms < self.max_backoff_ms:
                self._say(f"{self.name}: connecting...")
            self._enter(State.CONNECTING, now_ms)

    def connected(self, now_ms: int) -> None:
        """The attempt was successful."""
        if not self.is_connected:
            self.connecting(now_ms)
            self._say(f"{self.name}: connected")
            self._enter(State.ACTIVE, now_ms)
            self.last_connected_ms = now_ms

    def activity(self, now_ms: int) -> None:
        """The peer lives: something has come."""
        if self.state is State.IDLE:
            self._enter(State.ACTIVE, now_ms)
        self._last_activity_ms = now_ms

    def disconnected(self, now_ms: int, error: int) -> None:
        """The connection has ended, or the attempt has failed: an error number, END_OF_FILE, or 0
        where nothing failed but time ran out."""
        if self.state in (State.VOID, State.BACKOFF):
            return
        self._report(error)
        if self.is_connected:
            self.last_disconnected_ms = now_ms
        if not self._may_try():
            self._enter(State.VOID, now_ms)
            return
        self._back_off()
        self._enter(State.BACKOFF, now_ms)

    def refused(self, now_ms: int, error: int) -> None:
        """The attempt has failed at once."""
        self.disconnected(now_ms, error)

    # -- what to do

    @property
    def is_connected(self) -> bool:
        """Whether the peer is there, as far as one knows."""
        return self.state in (State.ACTIVE, State.IDLE)

    @property
    def deadline_ms(self) -> int | None:
        """When :meth:`due` will next have something to do."""
        match self.state:
            case State.BACKOFF:
                return self.state_entered_ms + self.backoff_ms
            case State.CONNECTING:
                return self.state_entered_ms + max(1000, self.backoff_ms)
            case State.ACTIVE if self.probe_interval_ms:
                return self._silent_since_ms + self.probe_interval_ms
            case State.IDLE if self.probe_interval_ms:
                return self.state_entered_ms + self.probe_interval_ms
            case State.RECONNECT:
                return self.state_entered_ms
        return None

    def due(self, now_ms: int) -> Action | None:
        """What to do now, if anything."""
        deadline_ms = self.deadline_ms
        if deadline_ms is None or now_ms < deadline_ms:
            return None
        if self.state is State.BACKOFF:
            return Action.CONNECT
        if self.state is State.ACTIVE:
            silence_ms = now_ms - self._silent_since_ms
            self._log.dbg(f"{self.name}: idle {silence_ms} ms, sending inactivity probe")
            self._enter(State.IDLE, now_ms)
            return Action.PROBE
        if self.state is State.IDLE:
            self._report_silence(now_ms - self.state_entered_ms)
        return Action.DISCONNECT

    # -- within

    @property
    def _silent_since_ms(self) -> int:
        return max(self._last_activity_ms, self.state_entered_ms)

    def _may_try(self) -> bool:
        if self.tries_left is None:
            return True
        self.tries_left -= 1
        return self.tries_left >= 0

    def _report(self, error: int) -> None:
        if self.is_connected:
            if error > 0:
                self._log.warn(f"{self.name}: connection dropped ({os.strerror(error)})")
            elif error == END_OF_FILE:
                self._say(f"{self.name}: connection closed by peer")
            else:
                self._say(f"{self.name}: connection dropped")
        elif self.backoff_ms < self.max_backoff_ms:
            if error > 0:
                self._log.info(f"{self.name}: connection attempt failed ({os.strerror(error)})")
            else:
                self._say(f"{self.name}: connection attempt timed out")

    def _report_silence(self, waited_ms: int) -> None:
        self._log.err(
            f"{self.name}: no response to inactivity probe after {waited_ms / 1000:.3g} "
            "seconds, disconnecting"
        )

    def _back_off(self) -> None:
        lasted_ms = self._last_activity_ms - (self.last_connected_ms or 0)
        was_of_use = self.is_connected and lasted_ms >= self.backoff_ms
        if was_of_use or self.backoff_ms < self.min_backoff_ms:
            self.backoff_ms = self.min_backoff_ms
        elif self.backoff_ms < self.max_backoff_ms // 2:
            self.backoff_ms *= 2
            seconds = self.backoff_ms / 1000
            self._say(f"{self.name}: waiting {seconds:.3g} seconds before reconnect")
        else:
            if self.backoff_ms < self.max_backoff_ms:
                self._log.info(
                    f"{self.name}: continuing to reconnect in the background but "
                    "suppressing further logging"
                )
            self.backoff_ms = self.max_backoff_ms

    def _enter(self, state: State, now_ms: int) -> None:
        self._log.dbg(f"{self.name}: entering {state.value}")
        self.state = state
        self.state_entered_ms = now_ms

    def _say(self, text: str) -> None:
        self._log.log(Level.DBG if self.is_quiet else Level.INFO, text)
