"""The DNS server on the wire: both transports, other servers, what it keeps and refuses."""

from __future__ import annotations

import pytest
from dnslib import DNSRecord

from tests.linux.dns.kit import Names, dns_messages, ip
from tests.linux.kit import MS, Notes, S, address, dropped
from vnet.linux.netns.sockets.udp import Datagram, UdpSocket
from vnet.linux.resolv_conf import ResolvConf
from vnet.linux.services.dns.query import emit_query
from vnet.linux.services.dns.stream import MessageReader, prefixed
from vnet.linux.services.dns_server import drops
from vnet.linux.services.dns_server.settings import Upstream
from vnet.linux.services.resolver.lookup import LookupFailure

MANY = tuple(f"many.test A 10.8.0.{number}" for number in range(1, 61))
FAR = (
    "up.example 300 A 198.51.100.8",
    "alias.example 50 CNAME up.example",
    "txt.example TXT hello",
    *(f"many.example 30 A 198.51.100.{number}" for number in range(60)),
)


def test_a_name_of_a_machine_is_answered_with_authority() -> None:
    app = Names().dig("vm1.test")
    assert app.seen() | {"time_ms": 0} == {
        "sent": 1,
        "received": 1,
        "status": "NOERROR",
        "answers": 1,
        "data": "10.0.0.2",
        "authoritative": True,
        "tcp": False,
        "time_ms": 0,
    }


def test_without_another_server_strange_names_are_refused_as_not_ready() -> None:
    message = Names().dig("www.example.org").result.message
    assert message is not None
    assert message.header.rcode == 5
    (option,) = message.ar[0].rdata
    assert (option.code, option.data) == (15, b"\0\x0e")


def test_a_question_is_passed_on_from_a_port_and_with_an_identifier_of_its_own() -> None:
    names = Names(far=FAR)
    notes = Notes()
    names.far.interface("eth0").device.add_sniffer(notes)
    assert names.dig("up.example").seen()["data"] == "198.51.100.8"
    query, answer = dns_messages([data for _time, data, _out in notes.seen])
    assert query.header.id == answer.header.id
    frames = [data for _time, data, _out in notes.seen if data[23] == 17]
    assert int.from_bytes(frames[0][34:36], "big") >= 32768
    assert len(query.ar) == 1


def test_answers_are_kept_for_as_long_as_they_hold() -> None:
    names = Names(far=FAR)
    assert names.dig("up.example").seen()["authoritative"]
    names.lab.run(2 * S)
    again = names.dig("UP.example").result
    assert again.message is not None
    assert (again.message.header.aa, again.message.rr[0].ttl) == (0, 298)
    assert str(again.message.rr[0].rname) == "UP.example."
    assert names.upstream is not None
    assert names.upstream.statistics.hits == 1
    names.lab.run(300 * S)
    names.dig("up.example")
    assert names.upstream.statistics.hits == 2


def test_aliases_are_kept_with_what_they_lead_to() -> None:
    names = Names(far=FAR)
    first, second = (names.dig("alias.example").seen()["data"] for _ in range(2))
    assert first == second == "up.example., 198.51.100.8"
    assert names.upstream is not None
    assert names.upstream.statistics.hits == 1


def test_the_own_domain_is_never_asked_for_elsewhere() -> None:
    names = Names(far=("nosuch.test A 10.9.9.9",))
    assert names.dig("nosuch.test").seen()["status"] == "NXDOMAIN"
    open_names = Names(far=("nosuch.test A 10.9.9.9",), local=False)
    assert open_names.dig("nosuch.test").seen()["data"] == "10.9.9.9"


@pytest.mark.parametrize("name", ["many.test", "many.example"])
def test_what_does_not_fit_comes_by_tcp(name: str) -> None:
    names = Names(*MANY, far=FAR)
    app = names.dig(name, size_bytes=600)
    assert app.result.remarks == [";; Truncated, retrying in TCP mode."]
    assert (app.seen()["answers"], app.seen()["tcp"]) == (60, True)
    assert not names.dig(name, size_bytes=4096).seen()["tcp"]


def test_a_server_that_fails_is_asked_once_more_and_then_the_client_is_told() -> None:
    names = Names(far=FAR)
    notes = Notes()
    names.far.interface("eth0").device.add_sniffer(notes)
    assert names.dig("refused.elsewhere").seen()["status"] == "REFUSED"
    asked = [data for _time, data, out in notes.seen if data[23] == 17 and not out]
    assert len(asked) == 2
    assert asked[0][34:44] == asked[1][34:44]


def test_several_servers_are_asked_in_order_and_the_last_failure_is_kept_silent() -> None:
    names = Names(far=FAR, upstreams=(Upstream(ip("10.1.0.2")), Upstream(ip("10.1.0.3"))))
    address(names.far, "eth0", "10.1.0.3/24")
    notes = Notes()
    names.far.interface("eth0").device.add_sniffer(notes)
    assert names.dig("up.example").seen()["data"] == "198.51.100.8"
    app = names.dig("refused.elsewhere", timeout_ns=S, tries=1)
    assert app.seen()["status"] == "none"
    asked = [data[33] for _time, data, out in notes.seen if data[23] == 17 and not out]
    assert asked == [2, 2, 3]


def test_bytes_that_are_no_query_are_dropped_with_their_reason() -> None:
    names = Names()
    socket = names.client.sockets.open_udp(lambda *_: None)
    for data in (b"", b"short", bytes(12)[:11], b"\0\1\x81\0\0\1" + bytes(11)):
        socket.send_to(ip("10.0.0.1"), 53, data)
    names.lab.run(10 * MS)
    assert dropped(names.server, drops.QUERY_MALFORMED) == 4


def test_an_answer_to_another_question_is_dropped() -> None:
    names = Names(far=FAR)
    assert names.upstream is not None
    names.upstream.stop()

    def lie(socket: UdpSocket, datagram: Datagram) -> None:
        wrong = bytes((datagram.data[0] ^ 1,)) + datagram.data[1:2] + b"\x81\x80"
        socket.send_to(datagram.source, datagram.source_port, wrong + datagram.data[4:])

    names.far.sockets.open_udp(lie, 53)
    app = names.dig("up.example", timeout_ns=S, tries=1)
    assert app.seen()["status"] == "none"
    assert dropped(names.server, drops.STRAY_ANSWER) == 1


def test_programs_find_a_machine_by_its_bare_name() -> None:
    assert Names().lookup("vm1") == [ip("10.0.0.2")]


def test_programs_are_told_why_there_is_no_address() -> None:
    names = Names(far=FAR)
    assert names.lookup("nosuch") is LookupFailure.TRY_AGAIN
    assert names.lookup("nosuch.test.") is LookupFailure.NO_NAME
    assert names.lookup("txt.example", family=6) is LookupFailure.TRY_AGAIN


def test_a_silent_server_is_asked_twice_and_given_five_seconds_each_time() -> None:
    names = Names()
    names.daemon.stop()
    names.server.sockets.open_udp(lambda *_: None, 53)
    notes = Notes()
    names.client.interface("eth0").device.add_sniffer(notes)
    began_ns = names.lab.scheduler.now_ns
    assert names.lookup("silent.example") is LookupFailure.TRY_AGAIN
    sent = [(time_ns, data) for time_ns, data, out in notes.seen if out and data[23] == 17]
    assert [(time_ns - began_ns) // S for time_ns, _data in sent] == [0, 0, 5, 5]
    assert len({data[34:36] for _time, data in sent}) == 1
    assert len({data[42:44] for _time, data in sent}) == 2
    assert names.lab.scheduler.now_ns - began_ns >= 10 * S


def test_a_closed_port_sends_the_resolver_to_the_next_server_at_once() -> None:
    names = Names()
    names.client.resolv_conf = ResolvConf((ip("10.1.0.2"), ip("10.0.0.1")), ("test",))
    names.server.sysctls["net.ipv4.ip_forward"] = 1
    began_ns = names.lab.scheduler.now_ns
    assert names.lookup("vm1") == [ip("10.0.0.2")]
    assert names.lab.scheduler.now_ns - began_ns < S


def test_an_answer_that_was_cut_off_is_fetched_by_tcp() -> None:
    found = Names(*MANY).lookup("many", family=4)
    assert isinstance(found, list)
    assert len(found) == 60


def test_an_address_whose_port_is_taken_is_left_to_whoever_has_it() -> None:
    """It can be added, and deleted again; the log says that nobody is answered there."""
    names = Names()
    taken = ip("10.0.0.7")
    names.server.sockets.open_udp(lambda _socket, _datagram: None, 53, address=taken)
    address(names.server, "eth0", "10.0.0.7/24")
    assert taken not in names.daemon.addresses
    ((_time, text),) = names.daemon.log
    assert text.startswith("failed to create listening socket for 10.0.0.7")
    names.server.addresses.delete("eth0", taken)
    assert names.daemon.addresses == [ip("10.0.0.1")]
    assert names.dig("vm1.test").seen()["status"] == "NOERROR"


def test_who_reads_late_gets_every_answer_whole() -> None:
    """More of them than the server's send buffer holds, and questions that wait meanwhile."""
    names = Names(*MANY)
    query, count = emit_query(7, [b"many", b"test"], 1), 400
    socket = names.client.sockets.tcp.connect(ip("10.0.0.1"), 53)
    names.lab.run(MS)
    socket.send(prefixed(query) * count)
    names.lab.run(10 * S)
    reader, answers = MessageReader(), 0
    for _ in range(100):
        reader.feed(socket.receive())
        while (data := reader.next()) is not None:
            assert DNSRecord.parse(data).header.a == len(MANY)
            answers += 1
        names.lab.run(500 * MS)
    assert answers == count
