"""What a bridge says on a stream to whoever speaks OpenFlow there."""

from __future__ import annotations

import errno
from collections.abc import Callable

from vnet.live.streams.stream import Stream
from vnet.ovs.openflow.wire.connection import SwitchConnection
from vnet.ovs.openflow.wire.hello import Versions
from vnet.ovs.openflow.wire.message import Message, ProtocolError
from vnet.ovs.vlog.vlog import Vlog

_UNSENT_LIMIT_BYTES = 4 << 20
"""Who asks and does not read the answers is cut off."""


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
        xid: int,
        vlog: Vlog,
        *,
        broken: Callable[[int], None],
        heard: Callable[[int], None] = lambda _type: None,
        greeted: Callable[[], None] = lambda: None,
    ) -> None:
        self._stream = stream
        self._name = name
        self._vlog = vlog
        self._broken = broken
        self._greeted = greeted
        self._connection = SwitchConnection(versions, xid, refused=self._refused, heard=heard)
        stream.unsent_limit_bytes = _UNSENT_LIMIT_BYTES
        stream.on_data = self._take
        stream.send(self._connection.start())

    def probe(self) -> None:
        """Ask for a sign of life."""
        self._stream.send(self._connection.probe())

    def _take(self, data: bytes) -> None:
        was_greeted = self._connection.version is not None
        try:
            self._stream.send(self._connection.take(data))
        except ProtocolError as error:
            self._stream.send(error.answer)
            self._vlog.module(error.module).warn(f"{self._stream.peer}: {error.text}")
            self._broken(errno.EPROTO)
            return
        if not was_greeted and self._connection.version is not None:
            self._greeted()

    def _refused(self, _message: Message, error: str) -> None:
        if error == "OFPBRC_BAD_TYPE":
            text = f"{self._name}: sending {error} error reply to invalid message"
            self._vlog.module("connmgr").info(text)
