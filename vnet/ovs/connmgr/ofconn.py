"""One OpenFlow connection of a bridge, as a machine that is told of bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.ovs.connmgr.dispatch import answers_to
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.errors import error_reply
from vnet.ovs.openflow.wire.hello import Versions, hello, negotiate
from vnet.ovs.openflow.wire.kinds import name_of
from vnet.ovs.openflow.wire.message import (
    ECHO_REPLY,
    ECHO_REQUEST,
    ERROR,
    HELLO,
    Message,
    MessageReader,
    ProtocolError,
    encode,
)

if TYPE_CHECKING:
    from vnet.ovs.connmgr.manager import ConnectionManager, Send

_SHARE = 50
"""How many messages are carried out before others have their turn."""
_MOST_UNSENT_BYTES = 1 << 20
"""Who has so much to read already is asked for nothing more before it has read some."""
_OF_ANY_VERSION = (HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY)


class Ofconn:
    """Speaks one of ``versions``; ``version`` is which, once that is agreed on.

    ``heard`` is told of the type of each message that comes after the greetings.
    """

    def __init__(
        self,
        manager: ConnectionManager,
        send: Send,
        name: str,
        versions: Versions,
        xid: int,
        *,
        is_primary: bool,
        backlog: Callable[[], int],
    ) -> None:
        self.manager = manager
        self.name = name
        self.is_primary = is_primary
        self.version: OpenFlowVersion | None = None
        self.send = send
        self.backlog = backlog
        self.heard: Callable[[int], None] = lambda _type: None
        self._versions = versions
        self._xid = xid
        self._reader = MessageReader()
        self._waiting: deque[Message] = deque()
        self._log = manager.vlog.module("connmgr")
        self._error_limit = self._log.limit(10, 10)

    def start(self) -> None:
        """Send the greeting."""
        self.send(hello(self._versions, self._xid))

    def probe(self) -> None:
        """Ask for a sign of life; of use once a version is agreed on."""
        assert self.version is not None
        self.send(encode(self.version, ECHO_REQUEST, 0))

    def closed(self) -> None:
        """The connection is no more."""
        self._waiting.clear()
        self.manager.forget(self)

    # -- what comes in

    def take(self, data: bytes) -> None:
        """Bytes have come; :meth:`run` carries out what they ask for.

        Raises :class:`ProtocolError` where the connection is to end, once what came before is
        carried out and what is to be said of it has been sent.
        """
        self._reader.take(data)
        try:
            while (message := self._reader.next()) is not None:
                self._sort(message)
        except ProtocolError as error:
            while self.run():
                pass
            if error.answer:
                self.send(error.answer)
            raise

    def _sort(self, message: Message) -> None:
        if self.version is None:
            self.version = OpenFlowVersion(negotiate(self._versions, message))
            return
        self.heard(message.type)
        self._waiting.append(message)

    def run(self) -> bool:
        """Carry out some of the messages that wait; whether there are more to be carried out.

        Who does not read what it asked for has to wait: call this again when it has.
        """
        for _ in range(_SHARE):
            if not self._waiting or self.backlog() > _MOST_UNSENT_BYTES:
                break
            self._carry_out(self._waiting.popleft())
        return bool(self._waiting) and self.backlog() <= _MOST_UNSENT_BYTES

    def _carry_out(self, message: Message) -> None:
        try:
            if message.version != self.version and message.type not in _OF_ANY_VERSION:
                raise OpenFlowError("OFPBRC_BAD_VERSION")
            for answer in answers_to(self, message):
                self.send(answer)
        except OpenFlowError as error:
            self.refuse(message, error)

    def refuse(self, message: Message, error: OpenFlowError) -> None:
        """Answer a message with an error."""
        text = f"{self.name}: sending {error.name} error reply to {name_of(message)} message"
        self._log.info(text, self._error_limit)
        self.send(error_reply(message, error))
