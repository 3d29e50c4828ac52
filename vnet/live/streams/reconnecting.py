"""A connection to somebody that is made again whenever it breaks."""

from __future__ import annotations

import errno
from collections.abc import Callable

from vnet.base.units import NS_PER_MS
from vnet.live.clock import WallClock
from vnet.live.streams.connecting import Attempt
from vnet.live.streams.reconnect import Action, Reconnect
from vnet.live.streams.stream import Stream
from vnet.live.streams.target import OVSDB_PORT, parse_active
from vnet.live.streams.tls_files import TlsFiles
from vnet.ovs.vlog.vlog import SILENT, Vlog


class Reconnecting:
    """Goes to ``target`` from now on, until :meth:`close`.

    ``connected`` is given each new stream; its owner sets ``on_data`` there, and calls
    :meth:`activity` whenever something has come. ``disconnected`` is told why a stream ended.
    ``probe`` is called to ask a silent peer for a sign of life; without it nobody is asked.
    The owner may change times and tries by ``state``, which is made by ``machine``. Where the peers
    have to greet each other first (``greets``), the connection counts from :meth:`greeted` on.
    Raises OSError for a target that is none.
    """

    def __init__(
        self,
        clock: WallClock,
        target: str,
        connected: Callable[[Stream], None],
        disconnected: Callable[[str], None],
        probe: Callable[[], None] | None = None,
        *,
        directory: str | None = None,
        default_port: int = OVSDB_PORT,
        machine: Callable[[str, int, Vlog], Reconnect] = Reconnect,
        greets: bool = False,
        vlog: Vlog = SILENT,
        tls: TlsFiles | None = None,
    ) -> None:
        self._clock = clock
        self._target = parse_active(
            target, directory=directory, default_port=default_port, vlog=vlog
        )
        self._greets = greets
        self._connected = connected
        self._disconnected = disconnected
        self._probe = probe
        self._vlog = vlog
        self._tls = tls
        self._attempt: Attempt | None = None
        self._alarm_ns: int | None = None
        self._is_closed = False
        self.stream: Stream | None = None
        self.state = machine(target, self._now_ms, vlog)
        if probe is None:
            self.state.probe_interval_ms = 0
        self.state.enable(self._now_ms)
        self._set_alarm()

    @property
    def name(self) -> str:
        """The target as it was given."""
        return self._target.text

    @property
    def is_connected(self) -> bool:
        """Whether a stream stands."""
        return self.stream is not None

    def send(self, data: bytes) -> bool:
        """Send bytes on the stream that stands; False where none does, and nothing is kept."""
        if self.stream is None:
            return False
        self.stream.send(data)
        return True

    def activity(self) -> None:
        """The peer has shown that it lives."""
        self.state.activity(self._now_ms)

    def greeted(self) -> None:
        """The peer is one that one can talk to."""
        self.state.connected(self._now_ms)
        self._set_alarm()

    def drop(self, error: int) -> None:
        """End the connection that stands, for a reason of the owner's; others are tried."""
        if self.stream is not None:
            self._ended(error)

    def set_probe_interval(self, interval_ms: int) -> None:
        """Ask a peer after so long a silence; 0: never."""
        self.state.set_probe_interval(interval_ms)
        self._set_alarm()

    def reconnect(self) -> None:
        """Drop the connection there is, and make another."""
        self.state.force_reconnect(self._now_ms)
        self._set_alarm()

    def close(self) -> None:
        """Go there no more. Nobody is told."""
        self._is_closed = True
        self._drop()

    # -- within

    @property
    def _now_ms(self) -> int:
        return self._clock.real_now_ns // NS_PER_MS

    def _set_alarm(self) -> None:
        """Come back when something is to be done. There is one event at a time; where it comes
        early, because the peer has spoken meanwhile, the next is set then."""
        deadline_ms = self.state.deadline_ms
        if deadline_ms is None or self._is_closed:
            return
        due_ns = max(deadline_ms * NS_PER_MS, self._clock.now_ns)
        if self._alarm_ns is None or due_ns < self._alarm_ns:
            self._alarm_ns = due_ns
            self._clock.at(due_ns, self._alarm, due_ns)

    def _alarm(self, due_ns: int) -> None:
        if due_ns != self._alarm_ns or self._is_closed:
            return
        self._alarm_ns = None
        action = self.state.due(self._now_ms)
        if action is Action.CONNECT:
            self._connect()
        elif action is Action.PROBE:
            if self._probe is not None:
                self._probe()
        elif action is Action.DISCONNECT:
            self._ended(0)
        self._set_alarm()

    def _connect(self) -> None:
        self.state.connecting(self._now_ms)
        try:
            self._attempt = Attempt(
                *(self._clock, self._target, self._reached, self._ended),
                vlog=self._vlog,
                tls=self._tls,
            )
        except OSError as error:  # This process has as many files as it may.
            self._ended(error.errno or errno.EIO)

    def _reached(self, stream: Stream) -> None:
        self._attempt = None
        self.stream = stream
        stream.on_closed = lambda _reason: self._ended(stream.error)
        if not self._greets:
            self.greeted()
        self._connected(stream)

    def _ended(self, error: int) -> None:
        """A stream has ended, or an attempt has failed, or its time is up (0)."""
        was_connected = self.stream is not None
        at_once = self._attempt is not None and self._attempt.failed_at_once
        reason = "" if self.stream is None else self.stream.reason
        self._drop()
        if at_once:
            self.state.refused(self._now_ms, error)
        else:
            self.state.disconnected(self._now_ms, error)
        self._set_alarm()
        if was_connected:
            self._disconnected(reason)

    def _drop(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
            self._attempt = None
        if self.stream is not None:
            self.stream.close()
            self.stream = None
