"""What a bridge says on a stream to whoever speaks OpenFlow there."""

from __future__ import annotations

import errno
from collections.abc import Callable

from vnet.live.clock import WallClock
from vnet.live.streams.stream import Stream
from vnet.ovs.connmgr.manager import ConnectionManager
from vnet.ovs.connmgr.packet_ins import DEFAULT_QUEUE_SIZE, PacketIns
from vnet.ovs.openflow.messages import ControllerRole
from vnet.ovs.openflow.wire.connection.hello import Versions
from vnet.ovs.openflow.wire.message import Message, ProtocolError
from vnet.ovs.vswitchd.controller_config import ControllerConfig


class Conversation:
    """One connection, from its greeting on. ``name`` is what logs call it.

    ``broken`` is called with an error number where the peer breaks the protocol; ``heard`` with
    each message that comes after the greetings.
    """

    def __init__(
        self,
        stream: Stream,
        name: str,
        versions: Versions,
        clock: WallClock,
        connmgr: ConnectionManager,
        *,
        is_primary: bool,
        broken: Callable[[int], None],
        heard: Callable[[Message], None] = lambda _message: None,
        greeted: Callable[[], None] = lambda: None,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._vlog = connmgr.vlog
        self._broken = broken
        self._greeted = greeted
        self._is_waiting = False
        self._ofconn = connmgr.connect(
            stream.send,
            name=name,
            is_primary=is_primary,
            versions=versions,
            backlog=lambda: stream.unsent_bytes,
        )
        self._ofconn.heard = heard
        stream.on_data = self._take
        stream.on_drained = self._run
        self._ofconn.start()

    def configure(self, config: ControllerConfig) -> None:
        """Tell the peer what its row says that it is to be told."""
        self._ofconn.wishes.is_told_unasked = config.is_told_unasked
        self._ofconn.packet_ins.configure(
            config.controller_rate_limit or 0,
            config.controller_burst_limit or 0,
            config.controller_queue_size or DEFAULT_QUEUE_SIZE,
        )

    @property
    def role(self) -> ControllerRole:
        """What the peer is to the bridge."""
        return self._ofconn.role

    @property
    def packet_ins(self) -> PacketIns:
        """The packets that are on their way to it."""
        return self._ofconn.packet_ins

    def watch(self, watcher: Callable[[bytes], None]) -> None:
        """Show somebody each message that comes or goes."""
        self._ofconn.watchers.append(watcher)

    def probe(self) -> None:
        """Ask for a sign of life, if there has been a greeting."""
        if self._ofconn.version is not None:
            self._ofconn.probe()

    def closed(self) -> None:
        """The stream is no more."""
        self._ofconn.closed()

    def _take(self, data: bytes) -> None:
        was_greeted = self._ofconn.version is not None
        try:
            self._ofconn.take(data)
        except ProtocolError as error:
            self._vlog.module(error.module).warn(f"{self._stream.peer}: {error.text}")
            self._broken(errno.EPROTO)
            return
        if not was_greeted and self._ofconn.version is not None:
            self._greeted()
        self._run()

    def _run(self) -> None:
        """Have a share of what was asked for carried out, and come back for the rest. Nothing is
        read while there is any: who asks for more than that has to wait."""
        if not self._stream.is_open:
            return
        has_more = self._ofconn.run()
        if self._ofconn.is_behind:
            self._stream.pause()
        else:
            self._stream.resume()
        if has_more and not self._is_waiting:
            self._is_waiting = True
            self._clock.next_turn(self._go_on)

    def _go_on(self) -> None:
        self._is_waiting = False
        self._run()
