"""Controllers that come by themselves, and ovs-ofctl."""

from __future__ import annotations

import os
from collections.abc import Callable

from vnet.live.openflow.conversation import Conversation
from vnet.live.openflow.service import probe_interval_ms
from vnet.live.openflow.silence import Silence
from vnet.live.openflow.wish import Around
from vnet.live.streams.listener import listen
from vnet.live.streams.stream import Stream
from vnet.live.streams.target import OPENFLOW_PORT
from vnet.ovs.connmgr.manager import ConnectionManager
from vnet.ovs.openflow.wire.connection.hello import Versions
from vnet.ovs.vswitchd.controller_config import ControllerConfig
from vnet.ovs.vswitchd.controller_status import NOT_CONNECTED, ControllerStatus


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
        self._config = config
        self._peers: dict[Stream, _Peer] = {}
        self._listener = listen(
            *(around.clock, config.target, self._accepted),
            directory=around.directory,
            default_port=OPENFLOW_PORT,
            vlog=around.vlog,
            tls=around.tls,
        )

    def configure(self, config: ControllerConfig) -> None:
        """Have those who are there, and those who come, treated so."""
        self._config = config
        for peer in self._peers.values():
            peer.configure(config)

    def status(self) -> ControllerStatus:
        """Of those who come nothing is told."""
        return NOT_CONNECTED

    @property
    def n_connections(self) -> int:
        """How many have come."""
        return len(self._peers)

    def reconnect(self) -> None:
        """Whoever is there has to come again."""
        for stream in list(self._peers):
            self._ended(stream)

    def close(self) -> None:
        """Wait for nobody any more, and end the connections."""
        self._listener.close()
        self.reconnect()

    def _accepted(self, stream: Stream) -> None:
        stream.on_closed = lambda _reason: self._ended(stream)
        peer = self._peers[stream] = _Peer(
            *(stream, self._around, self._connmgr, self._config, self.versions),
            ended=lambda: self._ended(stream),
        )
        peer.configure(self._config)

    def _ended(self, stream: Stream) -> None:
        peer = self._peers.pop(stream, None)
        if peer is not None:
            peer.closed()
        stream.close()


class _Peer:
    """A client that has come by ``stream``; ``ended`` is called when it is to go."""

    def __init__(
        self,
        stream: Stream,
        around: Around,
        connmgr: ConnectionManager,
        config: ControllerConfig,
        versions: Versions,
        *,
        ended: Callable[[], None],
    ) -> None:
        self._stream = stream
        self._name = f"{connmgr.ofproto.name}<->{stream.peer}"
        self._log = around.vlog.module("rconn")
        self._ended = ended
        self._silence = Silence(around.clock, self._name, around.vlog, self._probe, ended)
        self._conversation = Conversation(
            *(stream, self._name, versions, around.clock, connmgr),
            is_primary=config.is_primary,
            broken=self._broken,
            heard=lambda _message: self._silence.heard(),
        )

    def configure(self, config: ControllerConfig) -> None:
        """Treat it so from now on."""
        self._silence.configure(probe_interval_ms(config))
        self._conversation.configure(config)

    def closed(self) -> None:
        """It has gone, or has to."""
        self._silence.close()
        self._conversation.closed()
        if self._stream.error > 0:
            reason = os.strerror(self._stream.error)
            self._log.warn(f"{self._name}: connection dropped ({reason})")

    def _probe(self) -> None:
        self._conversation.probe()

    def _broken(self, error: int) -> None:
        self._log.warn(f"{self._name}: connection dropped ({os.strerror(error)})")
        self._ended()
