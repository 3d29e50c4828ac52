"""Programs over TCP: an echo server and its client, iperf3, an HTTP server and curl."""

from __future__ import annotations

import pytest

from vnet.guest.apps.iperf.messages import COOKIE_BYTES, make_cookie
from vnet.guest.apps.iperf.stream import Interval
from vnet.guest.apps.iperf.table import Total, interval_row, number, rate_text, total_row
from vnet.lab.lab import Lab

S = 1_000_000_000
LINK = """
version: 1
name: link
hosts:
  h1: {hypervisor: kvm, nics: {eth0: {ip: 10.0.0.1/24}}}
  h2: {hypervisor: kvm, nics: {eth0: {ip: 10.0.0.2/24}}}
links: [{ends: ['h1:eth0', 'h2:eth0'], latency: 1ms, bandwidth: 10mbit, queue: 30}]
"""


def names(lab: Lab) -> tuple[list[str], list[str]]:
    """The sockets that are left on both machines."""
    return tuple(  # type: ignore[return-value]
        [socket.state.value for socket in lab.machine(name).namespace.sockets.tcp.sockets.values()]
        for name in ("h1", "h2")
    )


# an echo server


def test_what_is_sent_comes_back(two: Lab) -> None:
    server = two.vm("vm2").serve_tcp()
    app = two.vm("vm1").tcp("vm2", size=50_000)
    seen = app.seen()
    assert (seen["sent_bytes"], seen["received_bytes"], seen["errors"]) == (50_000, 50_000, 0)
    two.advance("1s")
    assert server.seen() == {"connections": 1, "received_bytes": 50_000}


def test_by_ipv6_too(six: Lab) -> None:
    six.advance("3s")
    six.vm("vm2").serve_tcp()
    assert six.vm("vm1").tcp("vm2", size=5_000).received_bytes == 5_000


def test_a_port_where_nobody_listens_refuses(two: Lab) -> None:
    app = two.vm("vm1").tcp("vm2", port=9)
    assert (app.remarks(), app.received_bytes) == (["Connection refused"], 0)


def test_a_host_that_does_not_answer_is_unreachable(two: Lab) -> None:
    assert two.vm("vm1").tcp("10.0.0.77").remarks() == ["No route to host"]


def test_a_network_that_no_route_leads_to(two: Lab) -> None:
    app = two.vm("vm1").tcp("192.0.2.1")
    assert app.remarks() == ["vm1: 192.0.2.1: Network is unreachable"]


def test_a_client_gives_up(two: Lab) -> None:
    two.advance("1s")
    two.vm("vm2").namespace.set_down("eth0")
    app = two.vm("vm1").tcp("vm2", timeout="2s")
    assert len(app.remarks()) == 1


def test_nothing_to_send_is_a_handshake_and_a_goodbye(two: Lab) -> None:
    two.vm("vm2").serve_tcp()
    app = two.vm("vm1").tcp("vm2", size=0)
    assert (app.seen()["received_bytes"], app.seen()["errors"]) == (0, 0)


# iperf3


def test_a_transfer_of_so_many_bytes() -> None:
    with Lab.from_text(LINK) as lab:
        server = lab.machine("h2").serve_iperf()
        app = lab.machine("h1").iperf3("h2", size=30_000)
        lab.advance("5s")
        assert (app.sent_bytes, app.received_bytes, app.retransmits) == (30_000, 30_000, 0)
        assert server.seen() == {"tests": 1, "received_bytes": 30_000}
        assert 3 < app.seen()["goodput_mbit"] < 10
        assert names(lab) == ([], [])


def test_a_transfer_of_so_long_fills_the_link() -> None:
    with Lab.from_text(LINK) as lab:
        lab.machine("h2").serve_iperf()
        app = lab.machine("h1").iperf3("h2", time="2s")
        assert app.duration_ns == 2 * S
        assert 8.5 < app.seen()["goodput_mbit"] < 10
        assert app.retransmits > 0  # the queue is short, and slow start runs into it


def test_in_reverse_the_server_sends() -> None:
    with Lab.from_text(LINK) as lab:
        lab.machine("h2").serve_iperf()
        app = lab.machine("h1").iperf3("h2", time="1s", reverse=True, parallel=2)
        assert 8 < app.seen()["goodput_mbit"] < 10
        assert "Reverse mode, remote host 10.0.0.2 is sending" in app.text()
        lab.advance("100s")
        assert names(lab) == ([], [])


def test_streams_share_what_there_is() -> None:
    with Lab.from_text(LINK) as lab:
        lab.machine("h2").serve_iperf()
        app = lab.machine("h1").iperf3("h2", size=300_001, parallel=3)
        assert [stream.moved_bytes for stream in app.streams] == [100_001, 100_000, 100_000]
        assert app.received_bytes == 300_001


def test_without_a_server_it_says_so() -> None:
    with Lab.from_text(LINK) as lab:
        text = lab.machine("h1").iperf3("h2").text()
        assert text == "iperf3: error - unable to connect to server: Connection refused"


def test_a_server_does_one_test_at_a_time() -> None:
    with Lab.from_text(LINK) as lab:
        lab.machine("h2").serve_iperf()
        machine = lab.network.machine("h1")
        assert machine is not None
        first = machine.make_iperf(b"\x0a\0\0\2", duration_ns=2 * S)
        first.start()
        lab.advance("1s")
        second = lab.machine("h1").iperf3("h2", time="1s")
        busy = "iperf3: error - the server is busy running a test. try again later"
        assert second.remarks() == [busy]
        lab.advance("5s")
        assert (first.done, first.errors) == (True, [])


def test_the_table_is_iperf3s() -> None:
    with Lab.from_text(LINK) as lab:
        lab.machine("h2").serve_iperf()
        text = lab.machine("h1").iperf3("h2", time="2s", interval="1s").text()
    lines = text.splitlines()
    assert lines[0] == "Connecting to host 10.0.0.2, port 5201"
    assert lines[2] == "[ ID] Interval           Transfer     Bitrate         Retr  Cwnd"
    assert lines[3].startswith("[  5]   0.00-1.00   sec  1.")
    assert lines[5] == "- - - - - - - - - - - - - - - - - - - - - - - - -"
    assert lines[7].endswith("sender")
    assert lines[8].endswith("                  receiver")
    assert lines[-1] == "iperf Done."


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            interval_row("5", Interval(0, S, 6_060_769, 27, 15_974), sending=True),
            "[  5]   0.00-1.00   sec  5.78 MBytes  48.5 Mbits/sec   27   15.6 KBytes       ",
        ),
        (
            interval_row("5", Interval(0, S, 568_328_192, 0, 0), sending=False),
            "[  5]   0.00-1.00   sec   542 MBytes  4.55 Gbits/sec                  ",
        ),
        (
            interval_row("SUM", Interval(0, S // 2, 3_150_000, 25, 0), sending=True, window=False),
            "[SUM]   0.00-0.50   sec  3.00 MBytes  50.4 Mbits/sec   25             ",
        ),
        (
            total_row(Total("5", 3 * S, 17_962_500, 80), "sender"),
            "[  5]   0.00-3.00   sec  17.1 MBytes  47.9 Mbits/sec   80             sender",
        ),
        (
            total_row(Total("5", 10 * S, 17_825_792, None), "receiver"),
            "[  5]   0.00-10.00  sec  17.0 MBytes  14.3 Mbits/sec                  receiver",
        ),
    ],
)
def test_lines_are_as_the_real_program_prints_them(line: str, wanted: str) -> None:
    assert line == wanted


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.00"), (9.99, "9.99"), (9.996, "10.0"), (99.96, " 100"), (541, " 541")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_a_rate_over_no_time_is_none() -> None:
    assert rate_text(100, 0) == "0.00 bits/sec"


def test_a_cookie_is_letters_and_a_zero() -> None:
    cookie = make_cookie(12345)
    assert len(cookie) == COOKIE_BYTES
    assert cookie.endswith(b"\0")


# HTTP


def test_a_file_that_is_there(two: Lab) -> None:
    two.vm("vm2").serve_http().files["/index.html"] = b"hello"
    app = two.vm("vm1").http_get("vm2", "/index.html")
    assert (app.status, bytes(app.body), app.remarks()) == (200, b"hello", [])
    assert "Content-Length: 5" in app.head.split("\r\n")
    assert "Date: Wed, 01 Jan 2025 00:00:00 GMT" in app.head.split("\r\n")


def test_a_file_that_is_not_there(two: Lab) -> None:
    two.vm("vm2").serve_http()
    app = two.vm("vm1").http_get("vm2", "/nothing")
    assert (app.status, b"404" in app.body) == (404, True)


def test_a_large_file_comes_whole(two: Lab) -> None:
    server = two.vm("vm2").serve_http(8080)
    server.files["/big"] = bytes(range(256)) * 2000
    app = two.vm("vm1").http_get("vm2", "/big", port=8080)
    assert bytes(app.body) == server.files["/big"]


def test_no_server_is_an_error(two: Lab) -> None:
    app = two.vm("vm1").http_get("vm2")
    assert (app.status, app.remarks()) == (0, ["Connection refused"])


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET / HTTP/1.1", b"404"),
        (b"PUT / HTTP/1.1", b"501"),
        (b"nonsense", b"400"),
        (b"GET / FTP/1", b"400"),
    ],
)
def test_the_server_answers_what_it_does_not_know(
    two: Lab, request_line: bytes, status: bytes
) -> None:
    two.vm("vm2").serve_http()
    client = two.vm("vm1").namespace.sockets.tcp.connect(b"\x0a\0\0\2", 80)
    two.advance("100ms")
    client.send(request_line + b"\r\n\r\n")
    two.advance("1s")
    assert client.receive().split()[1] == status
