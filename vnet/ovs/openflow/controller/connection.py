"""A controller's end of a connection, as a machine that is told of bytes.

After the greetings it asks what the switch is and what ports it has, and has packets come whole,
with all that the pipeline knows of them (NXT_PACKET_IN2), as ``ovs-ofctl monitor`` does. Then the
switch is ready.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

from vnet.ovs.flow.ports import OFPP_NONE
from vnet.ovs.openflow.controller.heard import Heard, hear
from vnet.ovs.openflow.controller.said import encode_request
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import PacketInFormat, PortDesc, SwitchConfig, SwitchFeatures
from vnet.ovs.openflow.version import OpenFlowVersion, most_able_protocol
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.connection.hello import Versions, hello, negotiate
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.message import ECHO_REPLY, ECHO_REQUEST, Message, MessageReader, encode
from vnet.ovs.openflow.wire.nicira.settings import (
    encode_flow_format,
    encode_flow_mod_table_id,
    encode_packet_in_format,
)
from vnet.ovs.openflow.wire.packing import has_more, pack
from vnet.ovs.openflow.wire.port.request import encode_port_request
from vnet.ovs.openflow.wire.switch import encode_config

_WHOLE_PACKETS = 0xFFFF


class ControllerConnection:
    """Speaks one of ``versions``; ``version`` is which, once that is agreed on.

    ``send`` takes bytes at any time. ``ready`` is called once the switch has told of its
    ``features`` and ``ports``, ``tell`` with each message that comes after the greetings and is
    no question.
    """

    def __init__(
        self,
        versions: Versions,
        send: Callable[[bytes], None],
        *,
        ready: Callable[[], None] = lambda: None,
        tell: Callable[[Heard], None] = lambda _heard: None,
    ) -> None:
        self.version: OpenFlowVersion | None = None
        self.features: SwitchFeatures | None = None
        self.ports: tuple[PortDesc, ...] = ()
        self._versions = versions
        self._send = send
        self._ready = ready
        self._tell = tell
        self._reader = MessageReader()
        self._new_xid = count(1).__next__
        self._unanswered: set[Kind] = set()

    def start(self) -> None:
        """Send the greeting."""
        self._send(hello(self._versions, self._new_xid()))

    def say(self, record: object) -> int:
        """Send a FlowMod, a PacketOut or whatever else a controller says, as messages of one
        transaction; its number, by which an error refers to it.

        Raises :class:`~vnet.ovs.flow.errors.OvsTextError` for what the version cannot say.
        """
        xid = self._new_xid()
        self._send(encode_request(record, self.spoken_version, xid))
        return xid

    def barrier(self) -> int:
        """Ask for a word (OFPT_BARRIER_REPLY) when all that was said is done; its number."""
        return self.ask(kinds.OFPT_BARRIER_REQUEST)

    @property
    def spoken_version(self) -> OpenFlowVersion:
        """The version, once there is one."""
        assert self.version is not None, "nothing can be said before the greetings"
        return self.version

    @property
    def protocol(self) -> int:
        """What flows are said in: the version, in 1.0 with Nicira's extensions."""
        return most_able_protocol(self.spoken_version)

    def ask(self, kind: Kind, body: bytes = b"") -> int:
        """Send a message of a ``kind`` that the version has; its number, which the answer has."""
        xid = self._new_xid()
        self._send(pack(kind, self.spoken_version, xid, body))
        return xid

    # -- what comes in

    def take(self, data: bytes) -> None:
        """Bytes have come.

        Raises :class:`~vnet.ovs.openflow.wire.message.ProtocolError` or
        :class:`~vnet.ovs.openflow.errors.OpenFlowError` where it is no switch that sends them.
        """
        self._reader.take(data)
        while (message := self._reader.next()) is not None:
            if self.version is None:
                self._greeted(message)
            elif message.type == ECHO_REQUEST:
                self._send(encode(message.version, ECHO_REPLY, message.xid, message.body))
            else:
                self._heard(hear(message))

    def _greeted(self, greeting: Message) -> None:
        self.version = version = OpenFlowVersion(negotiate(self._versions, greeting))
        self._unanswered = {kinds.OFPT_FEATURES_REPLY, kinds.OFPT_GET_CONFIG_REPLY}
        if version is OpenFlowVersion.OF10:
            self.ask(kinds.NXT_SET_FLOW_FORMAT, encode_flow_format(is_nxm=True))
            self.ask(kinds.NXT_FLOW_MOD_TABLE_ID, encode_flow_mod_table_id(enable=True))
        self.ask(kinds.OFPT_FEATURES_REQUEST)
        self.ask(kinds.OFPT_GET_CONFIG_REQUEST)
        if version >= OpenFlowVersion.OF13:
            self._unanswered.add(kinds.OFPST_PORT_DESC_REPLY)
            is_of_one = version is OpenFlowVersion.OF15
            body = encode_port_request(OFPP_NONE, version) if is_of_one else b""
            self.ask(kinds.OFPST_PORT_DESC_REQUEST, body)

    def _heard(self, heard: Heard) -> None:
        content = heard.content
        if isinstance(content, OpenFlowError) and heard.kind in self._unanswered:
            raise content
        if isinstance(content, SwitchFeatures):
            self.features = content
            self.ports += content.ports
        elif isinstance(content, SwitchConfig):
            self._configure(content)
        elif heard.kind is kinds.OFPST_PORT_DESC_REPLY and isinstance(content, tuple):
            self.ports += content
        self._tell(heard)
        if self._unanswered and not _has_more(heard):
            self._unanswered.discard(heard.kind)
            if not self._unanswered:
                self._ready()

    def _configure(self, config: SwitchConfig) -> None:
        """Packets are to come whole; what becomes of fragments stays."""
        whole = replace(config, miss_send_len=_WHOLE_PACKETS)
        self.ask(kinds.OFPT_SET_CONFIG, encode_config(whole, self.spoken_version))
        form = encode_packet_in_format(PacketInFormat.NXT_PACKET_IN2)
        self.ask(kinds.NXT_SET_PACKET_IN_FORMAT, form)


def _has_more(heard: Heard) -> bool:
    return heard.kind.is_multipart and has_more(heard.message)
