"""The controllers of a bridge: those that it goes to, and those that it waits for."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from vnet.base.units import NS_PER_MS
from vnet.live.openflow.conversation import Conversation
from vnet.live.openflow.rconn import Rconn
from vnet.live.openflow.wish import Around
from vnet.live.streams.listener import listen
from vnet.live.streams.reconnect import State
from vnet.live.streams.reconnecting import Reconnecting
from vnet.live.streams.stream import Stream
from vnet.live.streams.target import OPENFLOW_PORT
from vnet.ovs.connmgr.manager import ConnectionManager
from vnet.ovs.openflow.wire.hello import Versions
from vnet.ovs.vswitchd.controller_config import ControllerConfig
from vnet.ovs.vswitchd.controller_status import NOT_CONNECTED, ControllerStatus

_MS_PER_S = 1000
_LEAST_PROBE_S = 5
_ADMITTED_AFTER_MS = 30_000
"""A controller that has stayed for so long has admitted the bridge, whatever it says."""
_SAYS_NOTHING = frozenset((0, 1, 2, 3, 5, 6, 7, 8, 9))
"""Greetings, errors, echoes, features, settings: of all versions, and said to anybody."""


class Service(Protocol):
    """A controller that there is. ``kind`` is what logs call it."""

    versions: Versions

    def configure(self, config: ControllerConfig) -> None:
        """Its row may have changed."""

    def status(self) -> ControllerStatus:
        """What its row is to say."""

    @property
    def n_connections(self) -> int:
        """How many peers there are."""

    def reconnect(self) -> None:
        """Make the connection anew."""

    def close(self) -> None:
        """End it."""


class PassiveService:
    """Waits for whoever wants to speak OpenFlow. Raises OSError where it cannot."""

    def __init__(
        self,
        around: Around,
        connmgr: ConnectionManager,
        config: ControllerConfig,
        versions: Versions,
    ) -> None:
        self.versions = versions
        self._around = around
        self._connmgr = connmgr
        self._is_primary = config.is_primary
        self._streams: dict[Stream, Conversation] = {}
        self._listener = listen(
            *(around.clock, config.target, self._accepted),
            directory=around.directory,
            default_port=OPENFLOW_PORT,
            vlog=around.vlog,
            tls=around.tls,
        )

    def configure(self, config: ControllerConfig) -> None:
        """There is nothing to be set: those who come are not asked for signs of life."""

    def status(self) -> ControllerStatus:
        """Of those who come nothing is told."""
        return NOT_CONNECTED

    @property
    def n_connections(self) -> int:
        """How many have come."""
        return len(self._streams)

    def reconnect(self) -> None:
        """Whoever is there has to come again."""
        for stream in list(self._streams):
            self._ended(stream)

    def close(self) -> None:
        """Wait for nobody any more, and end the connections."""
        self._listener.close()
        self.reconnect()

    def _accepted(self, stream: Stream) -> None:
        name = f"{self._connmgr.ofproto.name}<->{stream.peer}"

        def broken(_error: int) -> None:
            self._around.vlog.module("rconn").warn(f"{name}: connection dropped (Protocol error)")
            self._ended(stream)

        stream.on_closed = lambda _reason: self._ended(stream)
        self._streams[stream] = Conversation(
            *(stream, name, self.versions, self._around.clock, self._connmgr),
            is_primary=self._is_primary,
            broken=broken,
        )

    def _ended(self, stream: Stream) -> None:
        conversation = self._streams.pop(stream, None)
        if conversation is not None:
            conversation.closed()
        stream.close()


class ActiveService:
    """Goes to a controller, again and again. Raises OSError for a target that is none.

    ``admitted`` is told when the controller shows that it takes the bridge for one of its own,
    ``dropped`` when it is no more.
    """

    def __init__(
        self,
        around: Around,
        connmgr: ConnectionManager,
        config: ControllerConfig,
        versions: Versions,
        admitted: Callable[[str], None],
        dropped: Callable[[str], None],
    ) -> None:
        self.versions = versions
        self._around = around
        self._connmgr = connmgr
        self._is_primary = config.is_primary
        self._target = target = config.target
        self._name = f"{connmgr.ofproto.name}<->{target}"
        self._admitted = admitted
        self._dropped = dropped
        self._conversation: Conversation | None = None
        self._state = Rconn(self._name, 0, around.vlog)
        self._link = Reconnecting(
            *(around.clock, target, self._connected, self._disconnected),
            None if target.startswith("unix:") else self._probe,
            directory=around.directory,
            default_port=OPENFLOW_PORT,
            machine=lambda *_: self._state,
            greets=True,
            vlog=around.vlog,
            tls=around.tls,
        )

    def configure(self, config: ControllerConfig) -> None:
        """As Open vSwitch does, who is not there yet is gone to as is usual."""
        if self._state.is_connected:
            self._state.set_backoff(_MS_PER_S, config.max_backoff_s * _MS_PER_S)
            probe_s = config.probe_interval_s
            self._link.set_probe_interval(max(probe_s, _LEAST_PROBE_S) * _MS_PER_S * bool(probe_s))

    def status(self) -> ControllerStatus:
        """How it stands."""
        state, now_ms = self._state, self._now_ms
        pairs = {"state": state.state.value}
        if state.last_error_text:
            pairs["last_error"] = state.last_error_text
        for name, since_ms in (
            ("sec_since_connect", state.last_connected_ms),
            ("sec_since_disconnect", state.last_disconnected_ms),
        ):
            if since_ms is not None:
                pairs[name] = str((now_ms - since_ms) // _MS_PER_S)
        is_connected = state.is_connected
        return ControllerStatus(is_connected, "other" if is_connected else None, pairs)

    @property
    def n_connections(self) -> int:
        """One or none."""
        return int(self._state.is_connected)

    def reconnect(self) -> None:
        """Drop the connection there is, and make another after the usual wait."""
        self._state.force_reconnect(self._now_ms)
        if self._state.state is State.RECONNECT:
            self._link.drop(0)

    def close(self) -> None:
        """Go there no more."""
        self._link.close()
        if self._conversation is not None:
            self._conversation.closed()
            self._conversation = None

    @property
    def _now_ms(self) -> int:
        return self._around.clock.real_now_ns // NS_PER_MS

    def _connected(self, stream: Stream) -> None:
        self._conversation = Conversation(
            *(stream, self._name, self.versions, self._around.clock, self._connmgr),
            is_primary=self._is_primary,
            broken=self._link.drop,
            heard=self._heard,
            greeted=self._link.greeted,
        )

    def _disconnected(self, _reason: str) -> None:
        if self._conversation is not None:
            self._conversation.closed()
            self._conversation = None
        self._dropped(self._target)

    def _heard(self, kind: int) -> None:
        self._link.activity()
        connected_ms = self._state.last_connected_ms
        lasts_ms = 0 if connected_ms is None else self._now_ms - connected_ms
        if kind not in _SAYS_NOTHING or lasts_ms >= _ADMITTED_AFTER_MS:
            self._admitted(self._target)

    def _probe(self) -> None:
        if self._conversation is not None:
            self._conversation.probe()


class LostService:
    """A controller that cannot be gone to, for its address is none."""

    def __init__(self, around: Around, bridge: str, target: str, error: OSError) -> None:
        self.versions: Versions = ()
        self._reason = os.strerror(error.errno or 0)
        log, name = around.vlog.module("rconn"), f"{bridge}<->{target}"
        log.info(f"{name}: connecting...")
        log.warn(f"{name}: connection failed ({self._reason})")

    def configure(self, config: ControllerConfig) -> None:
        """There is nobody to be treated so."""

    def status(self) -> ControllerStatus:
        """It is like one that nobody answers at."""
        pairs = {"state": State.BACKOFF.value, "last_error": self._reason}
        return ControllerStatus(False, None, pairs)

    n_connections = 0

    def reconnect(self) -> None:
        """There is nothing to be made anew."""

    def close(self) -> None:
        """There is nothing to be ended."""
