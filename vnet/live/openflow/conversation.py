"""What a bridge says on a stream to whoever speaks OpenFlow there."""

from __future__ import annotations

import errno
from collections.abc import Callable

from vnet.live.clock import WallClock
from vnet.live.streams.stream import Stream
from vnet.ovs.connmgr.manager import ConnectionManager
from vnet.ovs.openflow.wire.hello import Versions
from vnet.ovs.openflow.wire.message import ProtocolError


class Conversation:
    """One connection, from its greeting on. ``name`` is what logs call it.

    ``broken`` is called with an error number where the peer breaks the protocol; ``heard`` with
    the type of each message that comes after the greetings.
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
        heard: Callable[[int], None] = lambda _type: None,
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

    def probe(self) -> None:
        """Ask for a sign of life."""
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
