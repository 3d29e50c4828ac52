"""ss: the table as iproute2 6.1 printed it of the same sockets, states, filters, the summary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vnet.base.errors import UsageError
from vnet.base.ids import ip_from_text
from vnet.lab.lab import Lab
from vnet.shell.socket_filter import parse_filter, split_states
from vnet.shell.views.sockets import Columns, Row, sockets_text

Shell = Callable[..., Any]


def row(kind: str, state: str, local: str, remote: str, *, queues: tuple[int, int] = (0, 0)) -> Row:
    def end(text: str) -> tuple[bytes, int]:
        host, _, port = text.rpartition(":")
        ip = b"" if host == "*" else bytes(ip_from_text(host.strip("[]")))
        return ip, 0 if port == "*" else int(port)

    return Row(kind, state, *queues, end(local), end(remote))


ROWS = [
    row("udp", "UNCONN", "0.0.0.0:5353", "0.0.0.0:*"),
    row("udp", "UNCONN", "10.9.0.2:5354", "0.0.0.0:*"),
    row("udp", "UNCONN", "*:5356", "*:*"),
    row("tcp", "LISTEN", "0.0.0.0:8080", "0.0.0.0:*", queues=(0, 5)),
    row("tcp", "ESTAB", "10.9.0.2:8080", "10.9.0.2:37956"),
    row("tcp", "ESTAB", "10.9.0.2:37956", "10.9.0.2:8080"),
    row("tcp", "TIME-WAIT", "10.9.0.2:37966", "10.9.0.2:8080"),
    row("tcp", "LISTEN", "[2001:db8:9::2]:8082", "[::]:*", queues=(0, 128)),
    row("tcp", "LISTEN", "*:8081", "*:*", queues=(1, 128)),
    row("tcp", "ESTAB", "[::1]:8081", "[::1]:33090"),
]
TCP = [each for each in ROWS if each.protocol == "tcp"]
ALL = """\
State     Recv-Q Send-Q   Local Address:Port  Peer Address:Port Process
LISTEN    0      5              0.0.0.0:8080       0.0.0.0:*
ESTAB     0      0             10.9.0.2:8080      10.9.0.2:37956
ESTAB     0      0             10.9.0.2:37956     10.9.0.2:8080
TIME-WAIT 0      0             10.9.0.2:37966     10.9.0.2:8080
LISTEN    0      128    [2001:db8:9::2]:8082          [::]:*
LISTEN    1      128                  *:8081             *:*
ESTAB     0      0                [::1]:8081         [::1]:33090"""
LISTENING = """\
Netid State  Recv-Q Send-Q   Local Address:Port Peer Address:PortProcess
udp   UNCONN 0      0              0.0.0.0:5353      0.0.0.0:*
udp   UNCONN 0      0             10.9.0.2:5354      0.0.0.0:*
udp   UNCONN 0      0                    *:5356            *:*
tcp   LISTEN 0      5              0.0.0.0:8080      0.0.0.0:*
tcp   LISTEN 0      128    [2001:db8:9::2]:8082         [::]:*
tcp   LISTEN 1      128                  *:8081            *:*"""
NAMED = """\
State     Recv-Q Send-Q Local Address:Port     Peer Address:Port    Process
LISTEN    0      5            0.0.0.0:http-alt      0.0.0.0:*
ESTAB     0      0           10.9.0.2:http-alt     10.9.0.2:37956
ESTAB     0      0           10.9.0.2:37956        10.9.0.2:http-alt
TIME-WAIT 0      0           10.9.0.2:37966        10.9.0.2:http-alt"""
OF_ONE_STATE = """\
Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess
0      0           10.9.0.2:37966     10.9.0.2:8080"""


def table(rows: list[Row], columns: Columns) -> str:
    return "\n".join(line.rstrip() for line in sockets_text(rows, columns).splitlines())


def test_the_columns_are_those_of_ss() -> None:
    assert table(TCP, Columns(False, True, True)) == ALL
    waiting = [each for each in ROWS if each.state in ("LISTEN", "UNCONN")]
    assert table(waiting, Columns(True, True, True)) == LISTENING
    ipv4 = [each for each in TCP if each.family == 4]
    assert table(ipv4, Columns(False, True, False)) == NAMED
    old = [each for each in TCP if each.state == "TIME-WAIT"]
    assert table(old, Columns(False, False, True)) == OF_ONE_STATE


@pytest.mark.parametrize(
    ("words", "ports"),
    [
        ("sport = :8080", [8080, 8080]),
        ("sport = :8080 and dst 10.9.0.2", [8080]),
        ("sport=8080 dst 10.9.0.2", [8080]),
        ("dport eq 8080", [37956, 37966]),
        ("dst 10.9.0.0/24", [8080, 37956, 37966]),
        ("src 10.9.0.2:8080", [8080]),
        ("( sport = :8080 or sport = :8081 )", [8080, 8080, 8081, 8081]),
        ("sport gt 8080", [37956, 37966, 8082, 8081, 8081]),
        ("not dst 10.9.0.2", [8080, 8082, 8081, 8081]),
        ("src [::1]", [8081]),
        ("src = [::1]:8081", [8081]),
        ("sport = :http-alt and ! dport = :37956", [8080]),
        ("sport != 8080 & sport <= 8082", [8082, 8081, 8081]),
        ("", [8080, 8080, 37956, 37966, 8082, 8081, 8081]),
    ],
)
def test_filters_choose_by_the_ends(words: str, ports: list[int]) -> None:
    test = parse_filter(words.split())
    assert [each.local[1] for each in TCP if test(each)] == ports


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("dst", 'ss: bison bellows (while parsing filter): "syntax error!" Sorry.'),
        ("( sport = :1", "syntax error!"),
        ("bogus 3", "syntax error!"),
        ("sport bogus", 'Error: "bogus" does not look like a port.'),
        ("dst 10.0.0.300", 'Error: an inet prefix is expected rather than "10.0.0.300".'),
    ],
)
def test_what_is_no_filter(words: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_filter(words.split())
    assert said in str(caught.value)


def test_states_are_named_added_and_taken_away() -> None:
    everything = frozenset(each.state for each in ROWS)
    assert split_states(["state", "time-wait"], everything) == (frozenset({"TIME-WAIT"}), [])
    states, rest = split_states(["state", "all", "exclude", "listening", "sport", "1"], everything)
    assert "LISTEN" not in states
    assert {"ESTAB", "UNCONN"} <= states
    assert rest == ["sport", "1"]
    with pytest.raises(UsageError, match="ss: wrong state name: bogus"):
        split_states(["state", "bogus"], everything)


LAB = """
version: 1
hosts: {h1: {hypervisor: kvm, switches: {br0: {uplink: none, ip: 10.0.0.1/24, dns: true}}}}
vms: {vm1: {host: h1, vnics: [{ip: 10.0.0.2/24}]}}
"""


def test_a_machine_shows_its_sockets(shell: Shell) -> None:
    ran = shell(
        Lab.from_text(LAB),
        *("h1 httpd /a=5", "vm1 curl h1/a"),
        *("h1 ss -tuln", "h1 ss -tan4", "h1 ss -s", "h1 ss -H -u -a", "h1 ss -tan sport = :http"),
    )
    out = ran.out
    assert "udp   UNCONN 0      0           10.0.0.1:53        0.0.0.0:*" in out
    assert "tcp   LISTEN 0      128                *:80              *:*" in out
    assert "UDP\t  1         1         0" in out
    assert "UNCONN 0      0      10.0.0.1:domain 0.0.0.0:*" in out


NETWORKS = """
version: 1
hosts:
  h1:
    nics: {eth0: {ip: 203.0.113.1/24}}
    switches: {virbr0: {mode: nat}, virbr1: {mode: isolated, ip: 10.1.0.1/24}}
"""


def test_a_server_of_one_interface_says_which(shell: Shell) -> None:
    # As ss showed it of two dnsmasq that libvirt might have started.
    with Lab.from_text(NETWORKS) as lab:
        lines = shell(lab, "ss h1 -lun").out.splitlines()[1:]
        assert sorted(line.split()[3:] for line in lines) == [
            ["0.0.0.0%virbr0:67", "0.0.0.0:*"],
            ["0.0.0.0%virbr1:67", "0.0.0.0:*"],
            ["10.1.0.1:53", "0.0.0.0:*"],
            ["192.168.122.1:53", "0.0.0.0:*"],
        ]
        assert "0.0.0.0%virbr0:bootps" in shell(lab, "ss h1 -lu").out
        assert shell(lab, "ss h1 -lun -6").out.splitlines()[1:] == []
        listening = shell(lab, "ss h1 -ltn").out.splitlines()[1:]
        assert {tuple(line.split()[:3]) for line in listening} == {("LISTEN", "0", "32")}
