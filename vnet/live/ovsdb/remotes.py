"""Where clients come from: the remotes of a server, passive and active."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from vnet.live.clock import WallClock
from vnet.live.ovsdb.connection import PROBE, AcceptedConnection, Connection
from vnet.live.streams.listener import Listener, listen
from vnet.live.streams.reconnect import MAX_BACKOFF_MS, PROBE_INTERVAL_MS, State
from vnet.live.streams.reconnecting import Reconnecting
from vnet.live.streams.stream import Stream
from vnet.live.streams.target import is_passive
from vnet.live.streams.tls_files import TlsFiles
from vnet.ovs.ovsdb.server.server import Server
from vnet.ovs.vlog.vlog import Vlog


@dataclass(frozen=True, slots=True)
class RemoteOptions:
    """How to treat a remote's clients. ``probe_interval_ms`` None: as is usual for its kind."""

    max_backoff_ms: int = MAX_BACKOFF_MS
    probe_interval_ms: int | None = None
    is_read_only: bool = False

    def probe_interval_for(self, target: str) -> int:
        """How long a client may be silent; local ones may be for ever."""
        if self.probe_interval_ms is not None:
            return self.probe_interval_ms
        return 0 if target.startswith(("unix:", "punix:")) else PROBE_INTERVAL_MS


@dataclass(frozen=True, slots=True)
class RemoteStatus:
    """What a Manager row says of its remote: ``is_connected``, and the pairs of ``status``."""

    is_connected: bool
    pairs: Mapping[str, str]


class Surroundings:
    """What all remotes of a server have in common."""

    def __init__(
        self,
        clock: WallClock,
        server: Server,
        *,
        vlog: Vlog,
        tls: TlsFiles,
        directory: str | None,
    ) -> None:
        self.clock = clock
        self.server = server
        self.vlog = vlog
        self.tls = tls
        self.directory = directory


class Remote(Protocol):
    """A remote that is in use."""

    def set_options(self, options: RemoteOptions) -> None:
        """Treat clients so from now on."""

    def status(self) -> RemoteStatus:
        """How it stands."""

    def close(self) -> None:
        """Use it no more, and end its connections."""


class PassiveRemote:
    """Waits for clients. Raises OSError where it cannot."""

    def __init__(self, around: Surroundings, target: str, options: RemoteOptions) -> None:
        self._around = around
        self._target = target
        self._options = options
        self._connections: dict[Connection, AcceptedConnection] = {}
        self._listener: Listener = listen(
            around.clock,
            target,
            self._accepted,
            directory=around.directory,
            vlog=around.vlog,
            tls=around.tls,
        )

    @property
    def port(self) -> int:
        """The port in use, 0 for unix sockets."""
        return self._listener.port

    def set_options(self, options: RemoteOptions) -> None:
        """Treat clients so from now on."""
        if options == self._options:
            return
        self._options = options
        for connection in self._connections.values():
            connection.set_probe_interval(options.probe_interval_for(self._target))

    def status(self) -> RemoteStatus:
        """How it stands."""
        n_connections = len(self._connections)
        pairs = {"sec_since_connect": "0", "sec_since_disconnect": "0"}
        if n_connections > 1:
            pairs["n_connections"] = str(n_connections)
        if self.port:
            pairs["bound_port"] = str(self.port)
        return RemoteStatus(n_connections > 0, pairs)

    def close(self) -> None:
        """Wait for nobody any more, and end the connections."""
        self._listener.close()
        for connection in list(self._connections):
            connection.disconnect()

    def _accepted(self, stream: Stream) -> None:
        connection = AcceptedConnection(
            *(self._around.clock, self._around.server, stream, self._gone),
            is_read_only=self._options.is_read_only,
            probe_interval_ms=self._options.probe_interval_for(self._target),
            vlog=self._around.vlog,
        )
        self._connections[connection] = connection

    def _gone(self, connection: Connection) -> None:
        self._connections.pop(connection, None)


class ActiveRemote:
    """Goes to one client, again and again."""

    def __init__(self, around: Surroundings, target: str, options: RemoteOptions) -> None:
        self._around = around
        self._target = target
        self._options = options
        self._connection: Connection | None = None
        self._last_error = ""
        self._link = Reconnecting(
            around.clock,
            target,
            self._connected,
            self._disconnected,
            self._probe,
            directory=around.directory,
            vlog=around.vlog,
            tls=around.tls,
        )
        self._apply(options)

    def set_options(self, options: RemoteOptions) -> None:
        """Treat the client so from now on."""
        if options != self._options:
            self._options = options
            self._apply(options)

    def _apply(self, options: RemoteOptions) -> None:
        self._link.state.set_backoff(self._link.state.min_backoff_ms, options.max_backoff_ms)
        self._link.set_probe_interval(options.probe_interval_for(self._target))

    def status(self) -> RemoteStatus:
        """How it stands."""
        state = self._link.state
        now_ms = self._around.clock.real_now_ns // 1_000_000
        pairs = {"state": state.state.value}
        if state.last_connected_ms is not None:
            pairs["sec_since_connect"] = str((now_ms - state.last_connected_ms) // 1000)
        if state.last_disconnected_ms is not None:
            pairs["sec_since_disconnect"] = str((now_ms - state.last_disconnected_ms) // 1000)
        if self._last_error:
            pairs["last_error"] = self._last_error
        if self._connection is not None:
            pairs |= _locks(self._connection)
        return RemoteStatus(state.state in (State.ACTIVE, State.IDLE), pairs)

    def close(self) -> None:
        """Go there no more."""
        self._link.close()
        if self._connection is not None:
            self._connection.closed()

    def _connected(self, stream: Stream) -> None:
        self._connection = Connection(
            self._around.server,
            stream,
            self._ended,
            is_read_only=self._options.is_read_only,
            heard=self._link.activity,
            vlog=self._around.vlog,
        )

    def _disconnected(self, reason: str) -> None:
        self._last_error = reason
        if self._connection is not None:
            self._connection.closed()

    def _ended(self, _connection: Connection) -> None:
        self._connection = None
        self._link.reconnect()

    def _probe(self) -> None:
        self._link.send(PROBE)


def _locks(connection: Connection) -> dict[str, str]:
    """The locks that a client has asked for, by what became of that."""
    waiters = connection.session.lock_waiters.values()
    held = [waiter.name for waiter in waiters if waiter.is_owner]
    lost = [waiter.name for waiter in waiters if not waiter.is_owner and waiter.is_thief]
    waiting = [waiter.name for waiter in waiters if not waiter.is_owner and not waiter.is_thief]
    named = {"locks_held": held, "locks_waiting": waiting, "locks_lost": lost}
    return {name: " ".join(locks) for name, locks in named.items() if locks}


class NoRemote:
    """A remote that leads nowhere, for its name is none."""

    def set_options(self, options: RemoteOptions) -> None:
        """There is nobody to be treated so."""

    def status(self) -> RemoteStatus:
        """It is like one that nobody answers at."""
        return RemoteStatus(False, {"state": State.BACKOFF.value})

    def close(self) -> None:
        """There is nothing to be ended."""


def _active(around: Surroundings, target: str, options: RemoteOptions) -> Remote:
    try:
        return ActiveRemote(around, target, options)
    except OSError as error:
        log = around.vlog.module("reconnect")
        log.info(f"{target}: connecting...")
        log.info(f"{target}: connection attempt failed ({error.strerror})")
        return NoRemote()


class Remotes:
    """The remotes that a server is to have, and has as far as that is possible."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._log = around.vlog.module("ovsdb_jsonrpc_server")
        self._limit = self._log.limit(1, 5)
        self._remotes: dict[str, Remote] = {}
        self.failing: set[str] = set()
        """Those that could not be set up, to be tried again."""

    def set(self, wanted: Mapping[str, RemoteOptions]) -> None:
        """Have these remotes and no others; also tries again those that failed."""
        for target in [target for target in self._remotes if target not in wanted]:
            self._log.info(f"{target}: remote deconfigured")
            self._remotes.pop(target).close()
        self.failing.clear()
        for target, options in wanted.items():
            remote = self._remotes.get(target)
            if remote is None:
                self._add(target, options)
            else:
                remote.set_options(options)

    def _add(self, target: str, options: RemoteOptions) -> None:
        if not is_passive(target):
            self._remotes[target] = _active(self._around, target, options)
            return
        try:
            self._remotes[target] = PassiveRemote(self._around, target, options)
        except OSError as error:
            self.failing.add(target)
            self._log.err(f"{target}: listen failed: {error.strerror}", self._limit)

    def status(self, target: str) -> RemoteStatus:
        """How one stands; one that there is not is not connected."""
        remote = self._remotes.get(target)
        if remote is None:
            return RemoteStatus(False, {"sec_since_connect": "0", "sec_since_disconnect": "0"})
        return remote.status()

    def ports(self) -> dict[str, int]:
        """The ports of passive remotes, by target."""
        return {
            target: remote.port
            for target, remote in self._remotes.items()
            if isinstance(remote, PassiveRemote)
        }

    def close(self) -> None:
        """End them all."""
        for remote in self._remotes.values():
            remote.close()
        self._remotes.clear()
