"""Segments nobody would send, into every state: nothing raises, and the machine goes on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.linux.tcp.kit import MS, S, Wire
from vnet.base.ids import ip_from_text
from vnet.linux.netns.sockets.tcp import TcpSocket
from vnet.linux.tcp.states import State
from vnet.sim.frame import Frame
from vnet.wire import ipv4, tcp, tcp_options
from vnet.wire.ether import TYPE_IPV4, frame
from vnet.wire.tcp import Tcp
from vnet.wire.tcp_options import TcpOptions

OURS, PEER = ip_from_text("10.9.0.2"), ip_from_text("10.9.0.1")

options = st.builds(
    TcpOptions,
    mss=st.none() | st.integers(0, 0xFFFF),
    window_scale=st.none() | st.integers(0, 14),
    sack_permitted=st.booleans(),
    timestamps=st.none() | st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    sack=st.just(()),
)


@given(st.binary(max_size=40))
def test_any_bytes_are_options_or_are_not(data: bytes) -> None:
    parsed = tcp_options.parse(data)
    assert parsed is None or isinstance(parsed, TcpOptions)


@given(options)
def test_what_a_syn_says_is_what_is_read(said: TcpOptions) -> None:
    emitted = tcp_options.emit_syn(said)
    assert len(emitted) % 4 == 0
    assert tcp_options.parse(emitted) == said


@pytest.mark.parametrize("data", [b"\x02", b"\x02\x00", b"\x02\x01", b"\x08\x0b" + bytes(8)])
def test_a_length_that_cannot_be_is_malformed(data: bytes) -> None:
    assert tcp_options.parse(data) is None


@pytest.mark.parametrize("data", [b"\x02\x03\x05\x01", b"\x05\x03\x01\x00", b"\xfd\x04\x00\x00"])
def test_an_option_of_a_strange_kind_or_length_is_passed_over(data: bytes) -> None:
    assert tcp_options.parse(data) == tcp_options.NONE


def in_state(state: State) -> tuple[Wire, TcpSocket | None]:
    """A wire whose ``b`` has a connection to ``a``'s port 1000, or a listening port, in a state."""
    wire = Wire(MS)
    if state is State.LISTEN:
        wire.b.sockets.tcp.listen(80, lambda listener: None)
        return wire, None
    if state is State.SYN_RECEIVED:
        wire.lose = lambda end, segment, _wire: end == 0 and not segment.flags & tcp.SYN
        wire.b.sockets.tcp.listen(80, lambda listener: None)
        wire.a.sockets.tcp.connect(OURS, 80)
        wire.run(10 * MS)
        return wire, next(iter(wire.b.sockets.tcp.sockets.values()))
    if state is State.SYN_SENT:
        wire.lose = lambda end, segment, _wire: True
        return wire, wire.b.sockets.tcp.connect(PEER, 1000)
    client, server = wire.connect()
    if state in (State.FIN_WAIT_2, State.CLOSING, State.TIME_WAIT):
        server.shutdown()
    if state in (State.CLOSE_WAIT, State.CLOSING, State.LAST_ACK):
        client.shutdown()
    if state is State.CLOSING:
        _cut_acks(wire)
    wire.run(60 * MS)
    if state in (State.FIN_WAIT_1, State.LAST_ACK):
        _cut(wire)
        server.shutdown()
    if state is State.TIME_WAIT:
        client.shutdown()
        wire.run(60 * MS)
    return wire, server


def _cut(wire: Wire) -> None:
    wire.lose = lambda end, segment, _wire: True


def _cut_acks(wire: Wire) -> None:
    wire.lose = lambda end, segment, _wire: not segment.flags & tcp.FIN


STATES = [state for state in State if state is not State.CLOSED]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.value)
def test_the_states_can_be_brought_about(state: State) -> None:
    _wire, socket = in_state(state)
    assert socket is None or socket.state is state


segments = st.builds(
    Tcp,
    source_port=st.just(0),
    target_port=st.just(0),
    sequence=st.integers(-3, 3) | st.integers(-100_000, 100_000) | st.integers(0, 2**32 - 1),
    acknowledgement=st.integers(-3, 3) | st.integers(-100_000, 100_000) | st.integers(0, 2**32),
    flags=st.integers(0, 0x1FF),
    window=st.sampled_from([0, 1, 500, 65_535]),
    urgent=st.integers(0, 0xFFFF),
    options=st.binary(max_size=40) | options.map(tcp_options.emit_syn),
    payload=st.binary(max_size=20) | st.integers(1, 1400).map(bytes),
)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.value)
@settings(max_examples=examples(20), deadline=None)
@given(st.lists(segments, min_size=1, max_size=8), st.binary(max_size=60))
def test_no_segment_is_too_odd(state: State, odd: list[Tcp], noise: bytes) -> None:
    wire, socket = in_state(state)
    wire.lose = None
    for segment in odd:
        _inject(wire, tcp.emit(PEER, OURS, _aimed(segment, socket)))
        wire.run(0)
    _inject(wire, noise)
    wire.run(700 * S)
    _client, server = wire.connect(8080)
    assert server.state is State.ESTABLISHED


def _aimed(segment: Tcp, socket: TcpSocket | None) -> Tcp:
    """The segment with the connection's ports, its numbers counted from where that stands."""
    if socket is None:
        return segment._replace(
            source_port=1000,
            target_port=80,
            sequence=segment.sequence % 2**32,
            acknowledgement=segment.acknowledgement % 2**32,
        )
    connection = socket.connection
    return segment._replace(
        source_port=socket.remote[1],
        target_port=socket.local[1],
        sequence=(connection.receiver.nxt + segment.sequence) % 2**32,
        acknowledgement=(connection.sender.nxt + segment.acknowledgement) % 2**32,
    )


def _inject(wire: Wire, data: bytes) -> None:
    device = wire.b.interface("eth0").device
    source = wire.a.interface("eth0").device.mac
    packet = ipv4.emit(PEER, OURS, tcp.PROTOCOL, data)
    device.receive(Frame(frame(device.mac, source, TYPE_IPV4, packet)))
