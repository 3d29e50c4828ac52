"""Listening, refusing, TIME-WAIT, paths that narrow, ICMP errors, and options of sockets."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.linux.kit import Lab, Probe, drops, host, ip, to_host
from tests.linux.tcp.kit import MS, Pump, S, Sink, Wire, lose_data
from vnet.base.errors import UsageError
from vnet.base.ids import ip_from_text
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.tcp import TcpListener, TcpSocket
from vnet.linux.netns.sockets.tcp_table import FlowKey, TcpTable
from vnet.linux.tcp.outcome import Failure
from vnet.linux.tcp.states import TRANSITIONS, Event, State, after
from vnet.tables.fib import Nexthop, Route, RouteMetrics, RouteScope
from vnet.wire import tcp_options
from vnet.wire.tcp import SYN, Tcp

SERVER = ip_from_text("10.9.0.2")


def ignore(_listener: TcpListener) -> None:
    """A program that never accepts."""


def told(socket: TcpSocket) -> list[Failure | None]:
    """What a socket's program is told when the connection ends."""
    heard: list[Failure | None] = []
    socket.on_closed = lambda _socket, failure: heard.append(failure)
    return heard


# -- RFC 9293's table


def test_every_state_has_a_row_and_only_leads_to_states() -> None:
    assert set(TRANSITIONS) == set(State)
    assert after(State.FIN_WAIT_1, Event.FIN) is State.CLOSING
    assert all(isinstance(state, State) for row in TRANSITIONS.values() for state in row.values())


def test_what_cannot_happen_raises() -> None:
    with pytest.raises(KeyError):
        after(State.LISTEN, Event.ACK_OF_FIN)


# -- connecting


def test_a_port_where_nobody_listens_answers_with_a_reset() -> None:
    wire = Wire()
    heard = told(wire.a.sockets.tcp.connect(SERVER, 81))
    wire.run(S)
    assert heard == [Failure.REFUSED]
    assert wire.lines()[1:] == ["<  R. 0:0(0) ack 1 win 0 <>"]
    assert wire.log[-1].segment.sequence == 0


def test_syns_are_repeated_as_the_kernel_repeats_them_and_then_it_gives_up() -> None:
    wire = Wire(lose=lambda end, segment, _wire: True)
    heard = told(wire.a.sockets.tcp.connect(SERVER, 80))
    wire.run(200 * S)
    times_s = [(passed.time_ns - wire.log[0].time_ns) / S for passed in wire.log]
    # Recorded: 1.014 2.038 3.062 4.086 5.110 7.126 11.254 s; five steady ones, then doubling.
    assert times_s == pytest.approx([0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67], rel=0.06)
    assert heard == [Failure.TIMED_OUT]


def test_ephemeral_ports_are_even_and_another_each_time() -> None:
    wire = Wire()
    ports = {wire.a.sockets.tcp.connect(SERVER, 80).local[1] for _ in range(20)}
    assert len(ports) == 20
    assert all(port % 2 == 0 for port in ports)


def test_a_pair_of_ends_can_be_connected_once() -> None:
    wire = Wire()
    wire.a.sockets.tcp.connect(SERVER, 80, source_port=4000)
    with pytest.raises(UsageError, match="Address already in use"):
        wire.a.sockets.tcp.connect(SERVER, 80, source_port=4000)


def test_a_port_can_be_listened_on_once() -> None:
    wire = Wire()
    wire.b.sockets.tcp.listen(80, ignore)
    with pytest.raises(UsageError, match="Address already in use"):
        wire.b.sockets.tcp.listen(80, ignore)


def test_both_may_open_at_once() -> None:
    wire = Wire()
    one = wire.a.sockets.tcp.connect(SERVER, 6000, source_port=5000)
    other = wire.b.sockets.tcp.connect(ip_from_text("10.9.0.1"), 5000, source_port=6000)
    wire.run(S)
    assert (one.state, other.state) == (State.ESTABLISHED, State.ESTABLISHED)
    sink = Sink(other)
    one.send(b"hello")
    wire.run(S)
    assert bytes(sink.data) == b"hello"


def test_to_itself_it_goes_by_the_loopback() -> None:
    wire = Wire()
    accepted: list[TcpSocket] = []

    def accept(listener: TcpListener) -> None:
        accepted.extend(socket for socket in [listener.accept()] if socket)

    wire.a.sockets.tcp.listen(80, accept)
    client = wire.a.sockets.tcp.connect(ip_from_text("127.0.0.1"), 80)
    wire.run(S)
    sink = Sink(accepted[0])
    Pump(client, bytes(300_000))
    wire.run(S)
    assert len(sink.data) == 300_000
    assert wire.log == []
    assert client.connection.mss == 65_495


# -- listening


def test_who_is_not_accepted_waits_and_no_more_than_the_backlog() -> None:
    wire = Wire()
    listener = wire.b.sockets.tcp.listen(80, ignore, backlog=2)
    clients = [wire.a.sockets.tcp.connect(SERVER, 80) for _ in range(5)]
    wire.run(300 * MS)
    assert len(listener.waiting) <= 3
    assert "tcp-listen-queue-full" in drops(wire.b.interface("eth0").device)
    while listener.accept() is not None:
        wire.run(3 * S)
    assert all(client.state is State.ESTABLISHED for client in clients)


def test_a_listener_that_closes_resets_who_waits() -> None:
    wire = Wire()
    listener = wire.b.sockets.tcp.listen(80, ignore)
    heard = told(wire.a.sockets.tcp.connect(SERVER, 80))
    wire.run(S)
    listener.close()
    wire.run(S)
    assert heard == [Failure.RESET]
    assert not wire.b.sockets.tcp.sockets


def test_syn_acks_are_repeated_five_times() -> None:
    wire = Wire(lose=lambda end, segment, _wire: end == 0 and not segment.flags & SYN)
    wire.b.sockets.tcp.listen(80, ignore)
    client = wire.a.sockets.tcp.connect(SERVER, 80)
    wire.run(100 * S)
    answers = [p for p in wire.log if p.end == 1 and p.segment.flags & SYN]
    times_s = [(passed.time_ns - answers[0].time_ns) / S for passed in answers]
    assert times_s == pytest.approx([0, 1, 3, 7, 15, 31], rel=0.06)
    assert not wire.b.sockets.tcp.sockets
    assert client.state is State.ESTABLISHED  # for it has heard the SYN-ACK


# -- closing


def test_who_closes_first_remembers_for_a_minute() -> None:
    wire = Wire()
    client, server = wire.connect()
    client.close()
    wire.run(100 * MS)
    server.close()
    wire.run(S)
    assert len(wire.a.sockets.tcp.remains) == 1
    assert not wire.b.sockets.tcp.remains
    wire.run(58 * S)
    assert len(wire.a.sockets.tcp.remains) == 1
    wire.run(6 * S)
    assert not wire.a.sockets.tcp.remains


def test_a_new_connection_may_take_the_ports_of_an_old_one() -> None:
    """The client's end closed last, so that the server's remembers (RFC 6191)."""
    wire = Wire()
    wire.b.sockets.tcp.listen(8080, ignore)
    client, server = wire.connect(80)
    server.close()
    wire.run(100 * MS)
    client.close()
    wire.run(S)
    assert len(wire.b.sockets.tcp.remains) == 1
    wire.b.sockets.tcp.listen(80, ignore)
    again = wire.a.sockets.tcp.connect(SERVER, 80, source_port=client.local[1])
    wire.run(S)
    assert again.state is State.ESTABLISHED
    assert not wire.b.sockets.tcp.remains


def test_a_peer_that_never_closes_is_left_after_a_minute() -> None:
    wire = Wire()
    client, _server = wire.connect()
    client.close()
    wire.run(S)
    assert client.state is State.FIN_WAIT_2
    wire.run(70 * S)
    assert not wire.a.sockets.tcp.sockets


def test_a_silent_peer_is_given_up_after_a_quarter_of_an_hour() -> None:
    wire = Wire()
    client, _server = wire.connect()
    heard = told(client)
    wire.lose = lambda end, segment, _wire: True
    client.send(b"hello?")
    wire.run(800 * S)
    assert heard == []
    wire.run(300 * S)
    assert heard == [Failure.TIMED_OUT]


# -- paths


def test_a_smaller_path_mtu_cuts_what_is_in_flight() -> None:
    wire = Wire()
    client, server = wire.connect()
    sink = Sink(server)
    wire.lose = lambda end, segment, _wire: len(segment.payload) > 1000
    Pump(client, bytes(20_000))
    wire.run(5 * MS)
    wire.a.ipv4.learn_mtu(SERVER, 1000)
    client.connection.path_narrowed(960, wire.scheduler.now_ns)
    client.settle()
    wire.run(S)
    assert len(sink.data) == 20_000
    assert max(len(p.segment.payload) for p in wire.log if not p.lost) == 948
    # As recorded: the two segments of a chunk are cut anew as one.
    again = [p.segment for p in wire.log if p.end == 0 and p.segment.payload][10:14]
    assert [len(segment.payload) for segment in again] == [948, 948, 948, 52]
    assert client.connection.sender.reno.window >= 10, "that says nothing of congestion"


def test_a_router_that_says_too_large_is_believed() -> None:
    machine, probe, socket = connected_to_probe()
    Pump(socket, bytes(3000))
    probe.send(frag_needed(probe.of(TCP)[-1], 1200))
    sizes = [len(p[TCP].payload) for p in probe.of(TCP)][-3:]
    assert max(sizes) <= 1200 - 52
    assert machine.ipv4.mtu_to(ip_from_text("10.0.0.2")) == 1200


def test_a_syn_names_what_fits_through_the_path_as_far_as_that_is_known() -> None:
    """As Linux 6.18 was seen to: a ping was told of the path before."""
    wire = Wire()
    wire.a.ipv4.learn_mtu(SERVER, 1300)
    client, _server = wire.connect()
    syn = wire.log[0].segment
    assert syn.flags == SYN
    options = tcp_options.parse(syn.options)
    assert options is not None
    assert options.mss == 1260
    assert syn.window == 52 * 1260
    assert client.connection.sender.mss == 1260 - 12


def test_a_syn_names_what_its_route_says() -> None:
    wire = Wire()
    hop = Nexthop(wire.a.interface("eth0").device, None)
    metrics = RouteMetrics(advmss_bytes=1000)
    wire.a.routes.add(Route(SERVER, 32, (hop,), scope=RouteScope.LINK, metrics=metrics))
    wire.connect()
    options = tcp_options.parse(wire.log[0].segment.options)
    assert options is not None
    assert options.mss == 1000


def test_an_error_about_numbers_never_sent_is_not_believed() -> None:
    machine, probe, socket = connected_to_probe()
    Pump(socket, bytes(3000))
    forged = probe.of(TCP)[-1].copy()
    forged[TCP].seq += 1_000_000
    before = socket.connection.sender.mss
    probe.send(frag_needed(forged, 1200))
    assert socket.connection.sender.mss == before
    assert machine.sockets.tcp.sockets


def test_an_icmp_error_ends_an_attempt_and_only_warns_later() -> None:
    lab = Lab()
    machine, probe = host(lab)
    probe.answers_arp("10.0.0.2")
    attempt = machine.sockets.tcp.connect(ip_from_text("10.0.0.2"), 80)
    heard = told(attempt)
    lab.run(10 * MS)
    probe.send(unreachable(probe.of(TCP)[-1]))
    assert heard == [Failure.NO_HOST]
    machine, probe, socket = connected_to_probe()
    heard = told(socket)
    Pump(socket, b"data")
    probe.send(unreachable(probe.of(TCP)[-1]))
    assert heard == []
    assert socket.connection.soft_failure is Failure.NO_HOST


def connected_to_probe() -> tuple[Namespace, Probe, TcpSocket]:
    """A machine whose socket is connected to a probe that answers by hand."""
    lab = Lab()
    machine, probe = host(lab)
    probe.answers_arp("10.0.0.2")
    socket = machine.sockets.tcp.connect(ip_from_text("10.0.0.2"), 80)
    lab.run(10 * MS)
    syn = probe.of(TCP)[-1]
    answer = TCP(sport=80, dport=syn[TCP].sport, seq=7, ack=syn[TCP].seq + 1, flags="SA")
    answer.options = [("MSS", 1460), ("Timestamp", (1, syn[TCP].options[2][1][0]))]
    probe.send(to_host(probe, ip("10.0.0.2", "10.0.0.1") / answer))
    assert socket.state is State.ESTABLISHED
    return machine, probe, socket


def frag_needed(packet: Any, mtu: int) -> Any:
    quoted = Raw(bytes(packet[IP])[:28])
    return _from_router(ICMP(type=3, code=4, nexthopmtu=mtu) / quoted)


def unreachable(packet: Any) -> Any:
    return _from_router(ICMP(type=3, code=1) / Raw(bytes(packet[IP])[:28]))


def _from_router(message: Any) -> Any:
    source = "0a:00:00:00:00:01"
    frame = Ether(src=source, dst="02:00:00:00:00:01")
    return frame / IP(src="10.0.0.254", dst="10.0.0.1") / message


# -- what else a segment can be


def test_numbers_may_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(lose=lose_data(5, 40))
    make = TcpTable._make

    def make_near_the_end(table: TcpTable, key: FlowKey, isn: int | None = None) -> TcpSocket:
        return make(table, key, 0xFFFFFFF0)

    monkeypatch.setattr(TcpTable, "_make", make_near_the_end)
    client, server = wire.connect()
    sink = Sink(server)
    Pump(client, bytes(200_000), close=True)
    wire.run(10 * S)
    assert len(sink.data) == 200_000
    assert {p.segment.sequence >> 31 for p in wire.log if p.end == 0} == {0, 1}


def test_a_bad_checksum_and_malformed_options_are_named_drops() -> None:
    lab = Lab()
    machine, probe = host(lab)
    probe.answers_arp("10.0.0.2")
    machine.sockets.tcp.listen(80, ignore)
    syn = ip("10.0.0.2", "10.0.0.1") / TCP(sport=1000, dport=80, flags="S")
    bad = syn.copy()
    bad[TCP].chksum = 0x1234
    probe.send(to_host(probe, bad))
    odd = ip("10.0.0.2", "10.0.0.1") / TCP(sport=1000, dport=80, flags="S", dataofs=6)
    probe.send(to_host(probe, odd / Raw(b"\x02\x00\x05\xb4")))
    counted = drops(machine.interface("eth0").device)
    assert counted["transport-malformed"] == 1
    assert counted["tcp-options-malformed"] == 1
    assert probe.of(TCP) == []


@pytest.mark.parametrize("knob", ["tcp_sack", "tcp_timestamps", "tcp_window_scaling"])
def test_what_is_switched_off_is_not_offered(knob: str) -> None:
    wire = Wire()
    wire.a.sysctls[f"net.ipv4.{knob}"] = 0
    client, server = wire.connect()
    word = {"tcp_sack": "sackOK", "tcp_timestamps": "TS", "tcp_window_scaling": "wscale"}[knob]
    assert not any(word in line for line in wire.lines()[:2])
    sink = Sink(server)
    Pump(client, bytes(150_000))
    wire.run(10 * S)
    assert len(sink.data) == 150_000


def test_a_peer_that_offers_nothing_gets_536_bytes_at_most() -> None:
    lab = Lab()
    machine, probe = host(lab)
    probe.answers_arp("10.0.0.2")
    socket = machine.sockets.tcp.connect(ip_from_text("10.0.0.2"), 80)
    lab.run(10 * MS)
    syn = probe.of(TCP)[-1]
    answer = TCP(sport=80, dport=syn[TCP].sport, seq=7, ack=syn[TCP].seq + 1, flags="SA")
    probe.send(to_host(probe, ip("10.0.0.2", "10.0.0.1") / answer))
    Pump(socket, bytes(2000))
    lab.run(0)
    assert max(len(p[TCP].payload) for p in probe.of(TCP)) == 536
    assert all(p[TCP].options == [] for p in probe.of(TCP)[1:])


def test_a_segment_to_everybody_is_nobodys() -> None:
    lab = Lab()
    machine, probe = host(lab)
    machine.sockets.tcp.listen(80, ignore)
    syn = ip("10.0.0.2", "10.0.0.255") / TCP(sport=1000, dport=80, flags="S")
    probe.send(Ether(src=probe.mac, dst="ff:ff:ff:ff:ff:ff") / syn)
    assert probe.of(TCP) == []
    assert drops(machine.interface("eth0").device)["no-socket"] == 1


def test_one_seed_makes_the_same_segments() -> None:
    def segments(seed: int) -> list[Tcp]:
        wire = Wire(seed=seed, lose=lose_data(3, 9))
        client, server = wire.connect()
        Sink(server)
        Pump(client, bytes(50_000), close=True)
        wire.run(5 * S)
        return [passed.segment for passed in wire.log]

    assert segments(1) == segments(1)
    assert segments(1)[0].sequence != segments(2)[0].sequence


def test_a_timeout_that_was_needless_is_undone() -> None:
    """Recorded: a flight that is 600 ms late; its first segment is sent again by the timer, and
    the echo of the first acknowledgement tells that the original had arrived."""
    wire = Wire()
    client, server = wire.connect()
    sink = Sink(server)
    Pump(client, bytes(100_000))
    wire.run(S)
    wire.log.clear()
    wire.fates = lambda end, segment: [600 * MS if end == 0 else 0]
    Pump(client, bytes(20_000))
    wire.run(500 * MS)
    wire.fates = None
    wire.run(2 * S)
    assert len(sink.data) == 120_000
    sent = [p.segment.sequence for p in wire.log if p.end == 0]
    resent = {sequence for sequence in sent if sent.count(sequence) > 1}
    assert len(resent) == 2, "the timer's, and the one that new data had overtaken"
    assert client.connection.sender.reno.window >= 10
