"""iperf3, curl, httpd and ss in the shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Shell = Callable[..., Any]


def test_iperf3_wants_a_server_first(shell: Shell) -> None:
    ran = shell(
        "two-vms", "vm1 iperf3 -c vm2 -n 10K", "iperf3 vm2 -s", "vm1 iperf3 -c vm2 -n 10K -i 1"
    )
    lines = ran.out.splitlines()
    assert lines[0] == "iperf3: error - unable to connect to server: Connection refused"
    assert lines[1] == "Server listening on 5201"
    assert lines[2] == "Connecting to host 10.0.0.2, port 5201"
    assert lines[-1] == "iperf Done."
    assert any(line.endswith("receiver") and "10.0 KBytes" in line for line in lines)


def test_iperf3_is_client_or_server(shell: Shell) -> None:
    for command, message in (
        ("vm1 iperf3", "must either be a client (-c) or a server (-s)"),
        ("vm1 iperf3 -s -c vm2", "cannot be both a client (-c) and a server (-s)"),
        ("vm1 iperf3 -c vm2 -t 1 -n 5", "only one test end condition (-t, -n) may be specified"),
        ("vm1 iperf3 -c vm2 -n many", "bytes, such as 500K or 10M"),
    ):
        assert message in shell("two-vms", command).err


def test_curl_shows_what_a_server_has(shell: Shell) -> None:
    ran = shell(
        "two-vms",
        "vm2 httpd /a.html=2K",
        "vm1 curl -i http://vm2/a.html",
        "vm1 curl 10.0.0.2/b.html",
        "vm1 curl vm2:81/",
    )
    lines = ran.out.splitlines()
    assert lines[0] == "Serving HTTP on 0.0.0.0 port 80: /a.html"
    assert "HTTP/1.0 200 OK" in lines
    assert "Content-Length: 2048" in lines
    assert "2048 bytes received" in lines
    assert "<p>Error code: 404</p>" in lines
    assert lines[-1] == (
        "curl: (7) Failed to connect to vm2 port 81 after 0 ms: Couldn't connect to server"
    )
    for command, message in (
        ("vm1 curl ftp://vm2/", "is no URL that starts with http://"),
        ("vm2 httpd a=5", "is no file"),
        ("vm2 httpd /a=-5", "is no file"),
        ("vm1 curl vm2:99999/", "has no port that there is"),
    ):
        assert message in shell("two-vms", command).err


def test_ss_shows_sockets_as_the_real_one(shell: Shell) -> None:
    ran = shell("two-vms", "vm2 httpd /a=5", "vm2 ss -tln", "vm1 curl vm2/a", "vm2 ss -tan")
    lines = ran.out.splitlines()
    assert lines[1:3] == [
        "State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess",
        "LISTEN 0      128                *:80              *:*",
    ]
    assert lines[-2].split()[0] == "FIN-WAIT-1"
    assert lines[-2].split()[3] == "10.0.0.2:80"


def test_ss_tells_more_of_a_connection(shell: Shell) -> None:
    ran = shell("two-vms", "vm2 iperf3 -s", "vm1 iperf3 -c vm2 -n 9K -i 1", "vm1 ss -ti")
    details = ran.out.splitlines()[-1].split()
    assert details[:2] == ["reno", "wscale:7,7"]
    assert {"mss:1448", "bytes_received:152"} & set(details)


def test_an_empty_file_is_served(shell: Shell) -> None:
    ran = shell("two-vms", "vm2 httpd /a=0", "vm1 curl -i vm2/a")
    assert "HTTP/1.0 200 OK" in ran.out
    assert "Content-Length: 0" in ran.out
    assert ran.err == ""


def test_a_second_iperf3_server_finds_the_port_taken(shell: Shell) -> None:
    taken = "iperf3: error - unable to start listener for connections: Address already in use\n"
    assert shell("two-vms", "vm1 iperf3 -s", "vm1 iperf3 -s").err == taken
    assert shell("two-vms", "vm1 httpd -p 5201", "vm1 iperf3 -s").err == taken
    assert shell("two-vms", "vm1 iperf3 -s", "vm1 iperf3 -s -p 5202").err == ""


def test_a_test_without_an_end_is_refused(shell: Shell) -> None:
    ran = shell("two-vms", "vm2 iperf3 -s", "vm1 iperf3 -c vm2 -t 0")
    assert ran.err == "iperf3: -t: a test of 0 would not end\n"


def test_reno_is_the_congestion_control_there_is(shell: Shell) -> None:
    key = "net.ipv4.tcp_congestion_control"
    ran = shell("two-vms", f"vm1 sysctl {key}", f"vm1 sysctl -w {key}=reno")
    assert ran.out == f"{key} = reno\n" * 2
    ran = shell("two-vms", f"vm1 sysctl -w {key}=cubic")
    assert ran.err == f'sysctl: setting key "{key}": No such file or directory\n'
