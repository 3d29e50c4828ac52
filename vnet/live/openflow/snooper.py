"""Who looks on while a bridge and a controller talk (``ovs-ofctl snoop``)."""

from __future__ import annotations

from collections.abc import Callable

from vnet.live.streams.stream import Stream
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.connection.hello import hello, negotiate
from vnet.ovs.openflow.wire.message import MessageReader, ProtocolError

_VERSIONS = tuple(OpenFlowVersion)


class Snooper:
    """A client that has come to a bridge's ``.snoop``; ``ended`` is told when it has gone.

    It is shown messages from its greeting on. What it says besides is not listened to; what is
    said while it does not read, it misses.
    """

    def __init__(self, stream: Stream, xid: int, ended: Callable[[Snooper], None]) -> None:
        self._stream = stream
        self._ended = ended
        self._is_greeted = False
        self._reader = MessageReader()
        stream.on_data = self._take
        stream.on_closed = lambda _reason: self.close()
        stream.send(hello(_VERSIONS, xid))

    def show(self, message: bytes) -> None:
        """Show it a message."""
        if self._is_greeted and not self._stream.unsent_bytes:
            self._stream.send(message)

    def close(self) -> None:
        """There is nothing to be seen any more."""
        self._stream.close()
        self._ended(self)

    def _take(self, data: bytes) -> None:
        self._reader.take(data)
        try:
            while (message := self._reader.next()) is not None:
                if not self._is_greeted:
                    negotiate(_VERSIONS, message)
                    self._is_greeted = True
        except ProtocolError as error:
            self._stream.send(error.answer)
            self.close()
