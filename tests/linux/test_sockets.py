"""UDP sockets, and large datagrams through fragmentation and reassembly."""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, IPv6, IPv6ExtHdrFragment

from tests.linux.kit import MS, Lab, Notes, S, address, dropped, host, ip, route, to_host
from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress, ip_from_text
from vnet.linux.netns import drops
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.echo import EchoReply
from vnet.linux.netns.sockets.errors import SocketError
from vnet.linux.netns.sockets.udp import Datagram
from vnet.wire import icmp, ipv4

PEERS = {
    "ipv4": ("10.0.0.1/24", "10.0.0.2/24"),
    "ipv6": ("fd00::1/64", "fd00::2/64"),
}


def bare(text: str) -> IpAddress:
    return ip_from_text(text.split("/")[0])


class Two:
    """Two machines on one cable."""

    def __init__(self, family: str) -> None:
        self.lab = Lab()
        self.one, self.two = self.lab.machine("one"), self.lab.machine("two")
        self.lab.join(self.one, "eth0", self.two, "eth0", ipv6=family == "ipv6")
        for machine, text in zip((self.one, self.two), PEERS[family], strict=True):
            address(machine, "eth0", text)
        self.one_ip, self.two_ip = map(bare, PEERS[family])
        self.lab.run(4 * S)

    def server(self) -> list[Datagram]:
        got: list[Datagram] = []
        self.two.sockets.open_udp(lambda _socket, datagram: got.append(datagram), 5000)
        return got


@pytest.fixture(params=["ipv4", "ipv6"])
def two(request: pytest.FixtureRequest) -> Two:
    return Two(request.param)


def test_a_datagram_arrives_with_its_addresses_and_ports(two: Two) -> None:
    got = two.server()
    client = two.one.sockets.open_udp(lambda *_: None, 4000)
    client.send_to(two.two_ip, 5000, b"hello")
    two.lab.run(10 * MS)
    assert got == [Datagram(two.one_ip, 4000, two.two_ip, b"hello", two.two.interface("eth0"))]


def test_an_answer_finds_its_way_back(two: Two) -> None:
    two.two.sockets.open_udp(
        lambda socket, d: socket.send_to(d.source, d.source_port, d.data.upper()), 5000
    )
    got: list[bytes] = []
    client = two.one.sockets.open_udp(lambda _socket, datagram: got.append(datagram.data))
    assert client.port in range(32_768, 61_000)
    client.send_to(two.two_ip, 5000, b"hello")
    two.lab.run(10 * MS)
    assert got == [b"HELLO"]


@pytest.mark.parametrize("size", [0, 1, 1400, 1452, 1453, 1472, 1473, 3000, 20_000, 65_000])
def test_any_size_arrives_whole(two: Two, size: int) -> None:
    got = two.server()
    data = bytes(n * 7 & 0xFF for n in range(size))
    two.one.sockets.open_udp(lambda *_: None, 4000).send_to(two.two_ip, 5000, data)
    two.lab.run(10 * MS)
    assert [datagram.data for datagram in got] == [data]


def test_a_closed_port_is_reported_to_the_sender(two: Two) -> None:
    told: list[SocketError] = []
    client = two.one.sockets.open_udp(lambda *_: None, 4000, told.append)
    client.send_to(two.two_ip, 5001, b"anybody?")
    two.lab.run(10 * MS)
    (error,) = told
    assert "ort" in error.text
    assert "nreachable" in error.text
    assert (error.reporter, error.target) == (two.two_ip, two.two_ip)
    assert dropped(two.two, drops.NO_SOCKET) == 1


def test_a_port_belongs_to_one_socket_until_it_closes(two: Two) -> None:
    socket = two.one.sockets.open_udp(lambda *_: None, 4000)
    with pytest.raises(UsageError, match="4000 is in use"):
        two.one.sockets.open_udp(lambda *_: None, 4000)
    socket.close()
    socket.close()
    two.one.sockets.open_udp(lambda *_: None, 4000)


def test_ephemeral_ports_differ(two: Two) -> None:
    ports = [two.one.sockets.open_udp(lambda *_: None).port for _ in range(50)]
    assert len(set(ports)) == 50


def test_who_opens_a_socket_anew_gets_another_port(two: Two) -> None:
    ports = set()
    for _ in range(20):
        socket = two.one.sockets.open_udp(lambda *_: None)
        ports.add(socket.port)
        socket.close()
    assert len(ports) == 20
    assert all(port in range(32_768, 61_000) for port in ports)


def test_a_machine_talks_to_itself_over_loopback(two: Two) -> None:
    got = two.server()
    two.two.sockets.open_udp(lambda *_: None, 4000).send_to(two.two_ip, 5000, b"to myself")
    two.lab.run(0)
    assert [datagram.source for datagram in got] == [two.two_ip]


def test_a_fragment_lost_is_a_datagram_lost(two: Two) -> None:
    got = two.server()
    two.one.sockets.open_udp(lambda *_: None, 4000).send_to(two.two_ip, 5000, b"warm up")
    two.lab.run(10 * MS)
    victim = two.two.interface("eth0").device
    handler, seen = victim.rx_handler, []

    def lossy(frame: object) -> None:
        seen.append(frame)
        if len(seen) != 2:
            handler(frame)  # type: ignore[arg-type]

    victim.rx_handler = lossy
    two.one.sockets.open_udp(lambda *_: None, 4001).send_to(two.two_ip, 5000, bytes(5000))
    two.lab.run(100 * S)
    assert [datagram.data for datagram in got] == [b"warm up"]
    assert dropped(two.two, drops.FRAGMENT_TIMEOUT) == 3


# -- on the wire


def test_ipv4_sets_df_on_what_fits_and_fragments_the_rest() -> None:
    lab = Lab()
    machine, probe = host(lab)
    probe.answers_arp("10.0.0.2")
    socket = machine.sockets.open_udp(lambda *_: None, 4000)
    socket.send_to(ip_from_text("10.0.0.2"), 5000, bytes(1472))
    socket.send_to(ip_from_text("10.0.0.2"), 5000, bytes(1473))
    lab.run(0)
    packets = [p[IP] for p in probe.of(IP)]
    assert [(p.len, int(p.flags), p.frag) for p in packets] == [
        (1500, 2, 0),
        (1500, 1, 0),
        (21, 0, 185),
    ]
    assert packets[1].id == packets[2].id != 0


def test_ipv6_fragments_carry_one_identification() -> None:
    lab = Lab()
    one, two = lab.machine("one"), lab.machine("two")
    lab.join(one, "eth0", two, "eth0", ipv6=True)
    address(one, "eth0", "fd00::1/64")
    address(two, "eth0", "fd00::2/64")
    lab.run(4 * S)
    notes = Notes()
    two.interface("eth0").device.add_sniffer(notes)
    socket = one.sockets.open_udp(lambda *_: None, 4000)
    for _ in range(2):
        socket.send_to(ip_from_text("fd00::2"), 5000, bytes(2000))
    lab.run(0)
    frames = [data for _time_ns, data, _outbound in notes.seen if data[12:14] == b"\x86\xdd"]
    packets = [IPv6(data[14:]) for data in frames if data[20] == 44]
    pieces = [p[IPv6ExtHdrFragment] for p in packets]
    assert [(p.offset * 8, p.m) for p in pieces] == [(0, 1), (1448, 0)] * 2
    assert len({p.id for p in pieces[:2]}) == 1
    assert pieces[0].id != pieces[2].id
    assert not any(p.haslayer(ICMPv6DestUnreach) for p in packets)


def test_a_wrong_checksum_is_dropped_and_none_is_accepted() -> None:
    lab = Lab()
    machine, probe = host(lab)
    got: list[bytes] = []
    machine.sockets.open_udp(lambda _socket, datagram: got.append(datagram.data), 5000)
    for check, text in ((1, b"wrong"), (0, b"none"), (None, b"right")):
        packet = ip("10.0.0.2", "10.0.0.1") / UDP(dport=5000, chksum=check) / text
        probe.send(to_host(probe, packet))
    assert got == [b"none", b"right"]
    assert dropped(machine, drops.TRANSPORT_MALFORMED) == 1


# -- echo sockets and our own refusals


def ping(machine: Namespace, target: str, size: int = 0, flags: int = 0) -> None:
    request = icmp.emit(icmp.Icmp(icmp.ECHO_REQUEST, 0, b"\0\7\0\1", bytes(size)))
    source = machine.interface("eth0").addresses[0].ip
    packet = ipv4.emit(source, ip_from_text(target), 1, request, ident=1, flags_offset=flags)
    machine.ipv4.send(packet)


def test_an_echo_reply_reaches_whoever_asked() -> None:
    lab = Lab()
    machine, probe = host(lab)
    replies: list[EchoReply] = []
    socket = machine.sockets.open_echo(7, replies.append, lambda _: None)
    reply = ip("10.0.0.2", "10.0.0.1", ttl=61) / ICMP(type=0, id=7, seq=3) / b"data"
    probe.send(to_host(probe, reply))
    assert replies == [EchoReply(ip_from_text("10.0.0.2"), 3, b"data", 61)]
    socket.close()
    probe.send(to_host(probe, reply))
    assert len(replies) == 1
    assert dropped(machine, drops.NOT_WANTED) == 1


def test_two_pings_get_different_identifiers() -> None:
    lab = Lab()
    machine, _probe = host(lab)
    sockets = [machine.sockets.open_echo(7, lambda _: None, lambda _: None) for _ in range(2)]
    assert [socket.ident for socket in sockets] == [7, 8]


def test_pings_one_after_the_other_at_one_instant_get_different_identifiers() -> None:
    """To a connection tracker they would be one, and to who reads a capture, too."""
    lab = Lab()
    machine, _probe = host(lab)
    idents = []
    for _ in range(3):
        socket = machine.sockets.open_echo(7, lambda _: None, lambda _: None)
        idents.append(socket.ident)
        socket.close()
    assert idents == [7, 8, 9]
    lab.run(lab.scheduler.now_ns + 1)
    assert machine.sockets.open_echo(7, lambda _: None, lambda _: None).ident == 7


@pytest.mark.parametrize(
    ("target", "size", "flags", "text"),
    [
        ("192.0.2.1", 0, 0, "Network is unreachable"),
        ("10.0.0.2", 1500, ipv4.DONT_FRAGMENT, "Message too long, mtu=1500"),
    ],
)
def test_what_cannot_be_sent_is_told_at_once(target: str, size: int, flags: int, text: str) -> None:
    lab = Lab()
    machine, _probe = host(lab)
    told: list[SocketError] = []
    machine.sockets.open_echo(7, lambda _: None, told.append)
    ping(machine, target, size, flags)
    assert [error.text for error in told] == [text]


def test_without_a_route_there_is_no_source() -> None:
    lab = Lab()
    machine, _probe = host(lab)
    with pytest.raises(UsageError, match="Network is unreachable"):
        machine.sockets.source_for(ip_from_text("192.0.2.1"))
    route(machine, "0.0.0.0/0", "10.0.0.254")
    assert machine.sockets.source_for(ip_from_text("192.0.2.1")) == ip_from_text("10.0.0.1")


def test_a_socket_of_one_address_hears_before_one_of_all(two: Two) -> None:
    wide, narrow = two.server(), list[Datagram]()
    bound = two.two.sockets.open_udp(
        lambda _socket, datagram: narrow.append(datagram), 5000, None, address=two.two_ip
    )
    client = two.one.sockets.open_udp(lambda *_: None, 4000)
    client.send_to(two.two_ip, 5000, b"hello")
    two.lab.run(10 * MS)
    assert (len(wide), len(narrow)) == (0, 1)
    with pytest.raises(UsageError, match="in use"):
        two.two.sockets.open_udp(lambda *_: None, 5000, address=two.two_ip)
    bound.close()
    client.send_to(two.two_ip, 5000, b"hello")
    two.lab.run(10 * MS)
    assert (len(wide), len(narrow)) == (1, 1)


def test_what_a_program_refuses_is_dropped_with_its_reason_and_no_error(two: Two) -> None:
    reason = drops.TRANSPORT_MALFORMED
    two.two.sockets.open_udp(lambda socket, _datagram: socket.refuse(reason), 5000)
    errors: list[SocketError] = []
    client = two.one.sockets.open_udp(lambda *_: None, 4000, errors.append)
    client.send_to(two.two_ip, 5000, b"hello")
    two.lab.run(10 * MS)
    assert dropped(two.two, reason) == 1
    assert not errors


def test_ports_are_of_the_range_that_the_setting_says(two: Two) -> None:
    two.one.sysctls["net.ipv4.ip_local_port_range"] = "5000 5003"
    opened = [two.one.sockets.open_udp(lambda *_: None) for _ in range(4)]
    assert sorted(socket.port for socket in opened) == [5000, 5001, 5002, 5003]
    with pytest.raises(UsageError, match="no UDP port is free: Address already in use"):
        two.one.sockets.open_udp(lambda *_: None)


def test_a_connection_takes_the_only_port_there_is(two: Two) -> None:
    two.one.sysctls["net.ipv4.ip_local_port_range"] = "5001 5001"
    socket = two.one.sockets.tcp.connect(two.two_ip, 80)
    assert socket.key[1] == 5001
    with pytest.raises(UsageError, match="Cannot assign requested address"):
        two.one.sockets.tcp.connect(two.two_ip, 80)
