"""When a switch goes to a controller again: what Open vSwitch's rconn does and says.

It is much like what other connections do (:mod:`vnet.live.streams.reconnect`). But a connection
that has lasted, or an attempt that has, makes the next wait a short one; and what fails before it
has begun to wait is told every time.
"""

from __future__ import annotations

import errno
import os

from vnet.live.streams.reconnect import Reconnect, State
from vnet.live.streams.stream import END_OF_FILE
from vnet.ovs.vlog.vlog import Vlog


class Rconn(Reconnect):
    """A bridge's connection to a controller; ``name`` has both."""

    def __init__(self, name: str, now_ms: int, vlog: Vlog) -> None:
        super().__init__(name, now_ms, vlog)
        self.last_error = 0
        """Why it last failed: an error number, END_OF_FILE, or 0."""
        self._log = vlog.module("rconn")
        self._backoff_until_ms: int | None = 0

    @property
    def last_error_text(self) -> str:
        """The same in words; empty where it has not."""
        if self.last_error == END_OF_FILE:
            return "End of file"
        return os.strerror(self.last_error) if self.last_error else ""

    def connecting(self, now_ms: int) -> None:
        """An attempt has begun."""
        if self.state is not State.CONNECTING:
            self._backoff_until_ms = now_ms + self.backoff_ms
        super().connecting(now_ms)

    def disconnected(self, now_ms: int, error: int) -> None:
        """The connection has ended, or the attempt has failed."""
        if self.state in (State.VOID, State.BACKOFF):
            return
        if self.state is State.IDLE and error == 0:
            error = errno.ETIMEDOUT
        elif self.state is State.CONNECTING and error == 0:
            error = errno.ETIMEDOUT
            self._backoff_until_ms = None
            if self._tells_attempts:
                self._log.info(f"{self.name}: connection timed out")
        else:
            if self._is_attempt and error == END_OF_FILE:
                error = errno.ECONNRESET
            self._tell(error)
        self.last_disconnected_ms = now_ms
        self._go_back(now_ms, error)

    def refused(self, now_ms: int, error: int) -> None:
        """The attempt has failed at once."""
        self._backoff_until_ms = None
        self._log.warn(f"{self.name}: connection failed ({os.strerror(error)})")
        self._go_back(now_ms, error)

    def force_reconnect(self, now_ms: int) -> None:
        """Drop the connection there is, and make a new one after the usual wait."""
        if self.is_connected:
            self._log.info(f"{self.name}: disconnecting")
            self._enter(State.RECONNECT, now_ms)

    # -- within

    @property
    def _is_attempt(self) -> bool:
        return self.state is State.CONNECTING

    @property
    def _tells_attempts(self) -> bool:
        return self.backoff_ms < self.max_backoff_ms

    def _tell(self, error: int) -> None:
        if self.state is State.RECONNECT:
            return
        if self._is_attempt:
            if self._tells_attempts:
                self._log.info(f"{self.name}: connection failed ({os.strerror(error)})")
        elif error == END_OF_FILE:
            self._log.info(f"{self.name}: connection closed by peer")
        else:
            self._log.warn(f"{self.name}: connection dropped ({os.strerror(error)})")

    def _report_silence(self, waited_ms: int) -> None:
        self._log.err(
            f"{self.name}: no response to inactivity probe after {waited_ms // 1000} seconds, "
            "disconnecting"
        )

    def _go_back(self, now_ms: int, error: int) -> None:
        self.last_error = error
        deadline_ms = self._backoff_until_ms
        if deadline_ms is not None and now_ms >= deadline_ms:
            self.backoff_ms = self.min_backoff_ms
        elif self.backoff_ms < self.max_backoff_ms // 2:
            self.backoff_ms = max(self.min_backoff_ms, 2 * self.backoff_ms)
            self._log.info(
                f"{self.name}: waiting {self.backoff_ms // 1000} seconds before reconnect"
            )
        else:
            if self._tells_attempts:
                self._log.info(
                    f"{self.name}: continuing to retry connections in the background but "
                    "suppressing further logging"
                )
            self.backoff_ms = self.max_backoff_ms
        self._backoff_until_ms = now_ms + self.backoff_ms
        self._enter(State.BACKOFF, now_ms)
