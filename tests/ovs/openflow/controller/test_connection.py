"""A controller's end: greetings, what it asks for first, and what it hears then."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from vnet.base.ids import Mac
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.controller.connection import ControllerConnection
from vnet.ovs.openflow.controller.heard import Heard
from vnet.ovs.openflow.controller.heard_text import heard_text
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    Capabilities,
    FragmentHandling,
    PortDesc,
    PortMod,
    PortReason,
    PortStatus,
    SwitchConfig,
    SwitchFeatures,
)
from vnet.ovs.openflow.messages.port import PortConfig
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.connection.hello import hello
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.message import (
    ECHO_REQUEST,
    Message,
    MessageReader,
    ProtocolError,
    encode,
)
from vnet.ovs.openflow.wire.packing import pack, pack_multipart
from vnet.ovs.openflow.wire.port.description import encode_port, encode_port_status
from vnet.ovs.openflow.wire.recognition import kind_of
from vnet.ovs.openflow.wire.switch import decode_config, encode_config, encode_features

OF10, OF13, OF15 = OpenFlowVersion.OF10, OpenFlowVersion.OF13, OpenFlowVersion.OF15
P1 = PortDesc(OfpPort(1), "p1", Mac(b"\2\0\0\0\0\1"))
P2 = PortDesc(OfpPort(2), "p2", Mac(b"\2\0\0\0\0\2"))


class Peer:
    """A connection, what it has sent, and what it has told."""

    def __init__(self, *versions: OpenFlowVersion) -> None:
        self.sent = MessageReader()
        self.heard: list[Heard] = []
        self.n_ready = 0
        self.connection = ControllerConnection(
            versions, self.sent.take, ready=self.ready, tell=self.heard.append
        )
        self.connection.start()

    def ready(self) -> None:
        self.n_ready += 1

    def said(self) -> list[Message]:
        """What it has sent since the last time."""
        found = []
        while (message := self.sent.next()) is not None:
            found.append(message)
        return found

    def kinds(self) -> list[Kind]:
        return [kind_of(message)[0] for message in self.said()]

    def answer(self, version: OpenFlowVersion, kind: Kind, body: bytes = b"", xid: int = 0) -> None:
        self.connection.take(pack(kind, version, xid, body))


def greeted(version: OpenFlowVersion) -> Peer:
    peer = Peer(*OpenFlowVersion)
    assert [message.type for message in peer.said()] == [0]
    peer.connection.take(hello([version], 1))
    return peer


def ready(version: OpenFlowVersion) -> Peer:
    peer = greeted(version)
    ports = (P1, P2) if version < OF13 else ()
    features = SwitchFeatures(7, 0, 254, Capabilities.NONE, ports=ports)
    peer.answer(version, kinds.OFPT_FEATURES_REPLY, encode_features(features, version))
    config = SwitchConfig(FragmentHandling.DROP, 0)
    peer.answer(version, kinds.OFPT_GET_CONFIG_REPLY, encode_config(config, version))
    if version >= OF13:
        for part in pack_multipart(
            kinds.OFPST_PORT_DESC_REPLY, version, 0, [encode_port(P1, version)] * 1000
        ):
            peer.connection.take(part)
    peer.said()
    return peer


def test_the_highest_common_version_is_spoken() -> None:
    peer = Peer(OF10, OF13)
    peer.connection.take(hello(tuple(OpenFlowVersion), 1))
    assert peer.connection.version is OF13
    with pytest.raises(ProtocolError, match="version negotiation failed"):
        Peer(OF10, OF13).connection.take(hello([OF15], 1))


@pytest.mark.parametrize(
    ("version", "asked"),
    [
        (
            OF10,
            [
                *(kinds.NXT_SET_FLOW_FORMAT, kinds.NXT_FLOW_MOD_TABLE_ID),
                *(kinds.OFPT_FEATURES_REQUEST, kinds.OFPT_GET_CONFIG_REQUEST),
            ],
        ),
        (
            OF13,
            [
                *(kinds.OFPT_FEATURES_REQUEST, kinds.OFPT_GET_CONFIG_REQUEST),
                kinds.OFPST_PORT_DESC_REQUEST,
            ],
        ),
        (
            OF15,
            [
                *(kinds.OFPT_FEATURES_REQUEST, kinds.OFPT_GET_CONFIG_REQUEST),
                kinds.OFPST_PORT_DESC_REQUEST,
            ],
        ),
    ],
)
def test_it_asks_what_the_switch_is(version: OpenFlowVersion, asked: list[Kind]) -> None:
    assert greeted(version).kinds() == asked


def test_packets_come_whole_and_fragments_as_before() -> None:
    peer = greeted(OF13)
    peer.said()
    config = encode_config(SwitchConfig(FragmentHandling.DROP, 128), OF13)
    peer.answer(OF13, kinds.OFPT_GET_CONFIG_REPLY, config)
    set_config, form = peer.said()
    assert decode_config(set_config.body, OF13) == SwitchConfig(FragmentHandling.DROP, 0xFFFF)
    assert kind_of(form)[0] is kinds.NXT_SET_PACKET_IN_FORMAT
    assert form.raw[-4:] == struct.pack("!I", 2)


@pytest.mark.parametrize("version", [OF10, OF13, OF15])
def test_it_is_ready_once_all_is_told(version: OpenFlowVersion) -> None:
    peer = ready(version)
    assert peer.n_ready == 1
    assert peer.connection.features is not None
    assert peer.connection.features.datapath_id == 7
    assert len(peer.connection.ports) == (1000 if version >= OF13 else 2)
    assert peer.connection.ports[0].name == "p1"


def test_questions_are_answered_and_news_are_told() -> None:
    peer = ready(OF13)
    peer.connection.take(encode(OF13, ECHO_REQUEST, 9, b"are you there"))
    (reply,) = peer.said()
    assert (reply.type, reply.xid, reply.body) == (3, 9, b"are you there")
    before = len(peer.heard)
    status = PortStatus(PortReason.ADD, P2)
    data = pack(kinds.OFPT_PORT_STATUS, OF13, 0, encode_port_status(status, OF13))
    for byte in data:
        peer.connection.take(bytes((byte,)))
    (heard,) = peer.heard[before:]
    assert (heard.kind, heard.content) == (kinds.OFPT_PORT_STATUS, status)
    assert peer.n_ready == 1


def test_what_no_switch_says_is_refused() -> None:
    peer = ready(OF13)
    with pytest.raises(OpenFlowError, match="OFPBRC_BAD_TYPE"):
        peer.connection.take(encode(OF13, 99, 1))


@pytest.mark.parametrize("version", [OF10, OF13, OF15])
@settings(max_examples=examples(60))
@given(data=st.data())
def test_whatever_comes_ends_the_connection_at_worst(
    version: OpenFlowVersion, data: st.DataObject
) -> None:
    """Messages that a switch could send, with bytes exchanged, cut or left out."""
    peer = ready(version) if data.draw(st.booleans()) else greeted(version)
    known = [kind for kind in vars(kinds).values() if isinstance(kind, Kind)]
    kind = data.draw(st.sampled_from([k for k in known if version in k.numberings]))
    body = data.draw(st.binary(max_size=120))
    raw = bytearray(pack(kind, version, 0, body))
    with contextlib.suppress(OpenFlowError, ProtocolError):
        peer.connection.take(bytes(raw))
    for heard in peer.heard:
        assert heard_text(heard)


def test_each_request_has_a_number_of_its_own() -> None:
    peer = ready(OF13)
    mod = PortMod(OfpPort(1), PortConfig.PORT_DOWN, PortConfig.PORT_DOWN)
    first, barrier = peer.connection.say(mod), peer.connection.barrier()
    assert [(kind_of(m)[0], m.xid) for m in peer.said()] == [
        (kinds.OFPT_PORT_MOD, first),
        (kinds.OFPT_BARRIER_REQUEST, barrier),
    ]
    assert first != barrier


def test_what_is_no_request_is_not_sent() -> None:
    peer = ready(OF13)
    with pytest.raises(TypeError, match="a str cannot be sent to a switch; FlowMod, "):
        peer.connection.say("priority=0,actions=drop")
    assert peer.said() == []
