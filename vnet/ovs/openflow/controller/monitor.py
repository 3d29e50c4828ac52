"""The end of a connection at which somebody looks on (``ovs-ofctl monitor``), without a socket.

It asks for what is wanted, one thing after the other, and then hears whatever comes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from itertools import count
from typing import NamedTuple

from vnet.ovs.openflow.controller.heard import Heard, hear
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowMonitorRequest, PacketInFormat, SwitchConfig
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.connection.hello import Versions, hello, negotiate
from vnet.ovs.openflow.wire.errors import ReceivedError
from vnet.ovs.openflow.wire.flow import encode_flow_monitor_request
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.message import ECHO_REPLY, ECHO_REQUEST, Message, MessageReader, encode
from vnet.ovs.openflow.wire.nicira.settings import encode_packet_in_format
from vnet.ovs.openflow.wire.packing import pack
from vnet.ovs.openflow.wire.switch import encode_config

_FIRST_XID = 6
"""ovs-ofctl has used up the numbers below by then, to learn the names of ports and tables."""


class PacketBytes(NamedTuple):
    """Packets without a flow are to come, with so many bytes of each (``miss_send_len``)."""

    n_bytes: int


class InvalidTtl(NamedTuple):
    """Packets whose time to live is up are to come; by 1.0 to 1.2."""


Wish = PacketBytes | InvalidTtl | FlowMonitorRequest
_Talk = Generator[bytes, Heard]
"""Gives what is asked, and is sent what answers it."""


class MonitorConnection:
    """Speaks one of ``versions``. ``send`` takes bytes at any time.

    ``tell`` is called with what answers each FlowMonitorRequest, and with each message that comes
    once all ``wishes`` are said. Where one is refused, ``refusal`` is why, and nothing is told.
    """

    def __init__(
        self,
        versions: Versions,
        wishes: Sequence[Wish],
        send: Callable[[bytes], object],
        tell: Callable[[Heard], None],
    ) -> None:
        self.refusal = ""
        self._versions = versions
        self._wishes = wishes
        self._send = send
        self._tell = tell
        self._reader = MessageReader()
        self._new_xid = count(_FIRST_XID).__next__
        self._version: OpenFlowVersion | None = None
        self._talk: _Talk | None = None
        self._asked_xid = 0

    def start(self) -> None:
        """Send the greeting."""
        self._send(hello(self._versions, 1))

    def take(self, data: bytes) -> None:
        """Bytes have come. Raises as :meth:`ControllerConnection.take`."""
        self._reader.take(data)
        while (message := self._reader.next()) is not None:
            if self._version is None:
                self._greeted(message)
            else:
                self._came(message)

    def _greeted(self, greeting: Message) -> None:
        self._version = OpenFlowVersion(negotiate(self._versions, greeting))
        self._talk = self._say_wishes(self._version)
        self._go_on(None)

    def _came(self, message: Message) -> None:
        heard = hear(message)
        if self._talk is None:
            if not self.refusal:
                self._tell(heard)
        elif message.xid == self._asked_xid:
            self._go_on(heard)
        if message.type == ECHO_REQUEST:
            self._send(encode(message.version, ECHO_REPLY, message.xid, message.body))

    def _go_on(self, heard: Heard | None) -> None:
        assert self._talk is not None
        try:
            self._send(next(self._talk) if heard is None else self._talk.send(heard))
        except StopIteration:
            self._talk = None
        except OpenFlowError as error:
            self._talk, self.refusal = None, error.name

    # -- what is said

    def _say_wishes(self, version: OpenFlowVersion) -> _Talk:
        for wish in self._wishes:
            match wish:
                case PacketBytes() | InvalidTtl():
                    yield from self._configure(version, wish)
                case FlowMonitorRequest():
                    self._asked_xid = xid = self._new_xid()
                    self._tell(_accepted((yield encode_flow_monitor_request(wish, version, xid))))
        form = encode_packet_in_format(PacketInFormat.NXT_PACKET_IN2)
        self._order(kinds.NXT_SET_PACKET_IN_FORMAT, version, form)
        yield self._question(kinds.OFPT_BARRIER_REQUEST, version)

    def _configure(self, version: OpenFlowVersion, wish: PacketBytes | InvalidTtl) -> _Talk:
        heard = _accepted((yield self._question(kinds.OFPT_GET_CONFIG_REQUEST, version)))
        assert isinstance(heard.content, SwitchConfig), "that is what it answers"
        wanted = _with(heard.content, wish)
        self._order(kinds.OFPT_SET_CONFIG, version, encode_config(wanted, version))
        _accepted((yield self._question(kinds.OFPT_BARRIER_REQUEST, version)))

    def _question(self, kind: Kind, version: OpenFlowVersion) -> bytes:
        self._asked_xid = self._new_xid()
        return pack(kind, version, self._asked_xid)

    def _order(self, kind: Kind, version: OpenFlowVersion, body: bytes) -> None:
        self._send(pack(kind, version, self._new_xid(), body))


def _with(config: SwitchConfig, wish: PacketBytes | InvalidTtl) -> SwitchConfig:
    if isinstance(wish, PacketBytes):
        return replace(config, miss_send_len=wish.n_bytes)
    return replace(config, invalid_ttl_to_controller=True)


def _accepted(heard: Heard) -> Heard:
    """Raise what a request is refused with."""
    if isinstance(heard.content, ReceivedError):
        raise OpenFlowError(heard.content.name or "an error that Open vSwitch does not know")
    return heard
