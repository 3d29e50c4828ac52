"""A switch's end of an OpenFlow connection, as a machine that is told of bytes.

Greetings and echoes are answered here. Whoever answers more than those gives ``answers``, by
the type of the message in the version that was agreed on; the rest is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.wire.errors import error_reply
from vnet.ovs.openflow.wire.hello import Versions, hello, negotiate
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

Answer = Callable[[Message], bytes]

_OF_ANY_VERSION = (HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY)


class SwitchConnection:
    """Speaks one of ``versions``; ``version`` is which, once that is agreed on.

    ``refused`` is told of each message that is answered with an error, and of the error's name;
    ``heard`` of the type of each message once a version is agreed on.
    """

    def __init__(
        self,
        versions: Versions,
        xid: int,
        answers: Mapping[int, Answer] | None = None,
        refused: Callable[[Message, str], None] = lambda _message, _name: None,
        heard: Callable[[int], None] = lambda _type: None,
    ) -> None:
        self.version: int | None = None
        self._versions = versions
        self._xid = xid
        self._answers = answers or {}
        self._refused = refused
        self._heard = heard
        self._reader = MessageReader()

    def start(self) -> bytes:
        """What to say first."""
        return hello(self._versions, self._xid)

    def probe(self) -> bytes:
        """Asks for a sign of life; of use once a version is agreed on."""
        assert self.version is not None
        return encode(self.version, ECHO_REQUEST, 0)

    def take(self, data: bytes) -> bytes:
        """What to answer to bytes that came.

        Raises :class:`ProtocolError` where the connection is to end, with what to say before.
        """
        self._reader.take(data)
        answers = bytearray()
        try:
            while (message := self._reader.next()) is not None:
                answers += self._answer(message)
        except ProtocolError as error:
            answers += error.answer
            raise ProtocolError(error.module, error.text, bytes(answers)) from None
        return bytes(answers)

    def _answer(self, message: Message) -> bytes:
        if self.version is None:
            self.version = negotiate(self._versions, message)
            return b""
        self._heard(message.type)
        if message.version != self.version and message.type not in _OF_ANY_VERSION:
            return self._refuse(message, "OFPBRC_BAD_VERSION")
        if message.type == ECHO_REQUEST:
            return encode(message.version, ECHO_REPLY, message.xid, message.body)
        if message.type == ECHO_REPLY:
            return b""
        answer = self._answers.get(message.type)
        if answer is not None:
            return answer(message)
        return self._refuse(message, "OFPBRC_BAD_TYPE")

    def _refuse(self, message: Message, name: str) -> bytes:
        self._refused(message, name)
        return error_reply(message, OpenFlowError(name))
