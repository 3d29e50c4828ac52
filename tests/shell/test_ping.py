"""ping in the shell, in the words of iputils."""

from __future__ import annotations

import pytest

from tests.shell.conftest import Shell
from vnet.lab.lab import Lab

PAIR = """
version: 1
hosts:
  h1: {hypervisor: kvm, nics: {eth0: {ip: [10.0.0.1/24, '2001:db8::1/64']}}}
  h2: {hypervisor: kvm, nics: {eth0: {ip: [10.0.0.2/24, '2001:db8::2/64']}}}
links: [{ends: ['h1:eth0', 'h2:eth0']}]
"""

REDIRECTING = """
version: 1
routers:
  h: {nics: {eth0: {ip: 10.0.0.1/24}}, routes: [{to: 10.1.0.0/24, via: 10.0.0.254}]}
  r1: {nics: {eth0: {ip: 10.0.0.254/24}}, routes: [{to: 10.1.0.0/24, via: 10.0.0.253}]}
  r2: {nics: {eth0: {ip: 10.0.0.253/24}, eth1: {ip: 10.1.0.1/24}}}
  far: {nics: {eth0: {ip: 10.1.0.2/24}}, routes: [{to: 10.0.0.0/24, via: 10.1.0.1}]}
switches: {sw: {}}
links:
  - {ends: ['h:eth0', 'sw:1']}
  - {ends: ['r1:eth0', 'sw:2']}
  - {ends: ['r2:eth0', 'sw:3']}
  - {ends: ['r2:eth1', 'far:eth0']}
"""


def lines(shell: Shell, command: str, text: str = PAIR) -> list[str]:
    """What a command prints two seconds after the start."""
    lab = Lab.from_text(text)
    ran = shell(lab, "wait 2s", command)
    return (ran.out + ran.err).splitlines()[1:]


@pytest.mark.parametrize(
    ("options", "first"),
    [
        ("10.0.0.2", "PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data."),
        ("h2 -n", "PING h2 (10.0.0.2) 56(84) bytes of data."),
        ("10.0.0.2 -I eth0", "PING 10.0.0.2 (10.0.0.2) from 10.0.0.1 eth0: 56(84) bytes of data."),
        ("10.0.0.2 -I 10.0.0.1", "PING 10.0.0.2 (10.0.0.2) from 10.0.0.1 : 56(84) bytes of data."),
        ("h2 -I 2001:db8::1", "PING h2(h2 (2001:db8::2)) from 2001:db8::1 : 56 data bytes"),
        ("ff02::1%eth0", "PING ff02::1%eth0(ff02::1%eth0) 56 data bytes"),
        ("0.0.0.0", "PING 0.0.0.0 (127.0.0.1) 56(84) bytes of data."),
        ("::", "PING ::(::) 56 data bytes"),
        ("2001:db8::2", "PING 2001:db8::2(2001:db8::2) 56 data bytes"),
        ("h2 -6 -s 100", "PING h2(h2 (2001:db8::2)) 100 data bytes"),
        (
            "-I eth0 2001:db8::2",
            "PING 2001:db8::2(2001:db8::2) from 2001:db8::1 eth0: 56 data bytes",
        ),
    ],
)
def test_the_first_line(shell: Shell, options: str, first: str) -> None:
    shown = lines(shell, f"h1 ping {options} -c 1")
    assert shown[0] == first
    assert any(line.startswith("1 packets transmitted, 1 received, ") for line in shown)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("192.0.2.1", "ping: connect: Network is unreachable"),
        ("10.0.0.255", "ping: Do you want to ping broadcast? Then -b. If not, check your local"),
        ("-6 10.0.0.2", "ping: 10.0.0.2: Address family for hostname not supported"),
        ("-I 10.0.0.1 2001:db8::2", "ping: 2001:db8::2: Address family for hostname not"),
        ("-I 10.0.0.77 10.0.0.2", "ping: bind: Cannot assign requested address"),
        ("-I eth9 10.0.0.2", "ping: SO_BINDTODEVICE eth9: No such device"),
    ],
)
def test_what_it_refuses(shell: Shell, options: str, words: str) -> None:
    (shown,) = lines(shell, f"h1 ping {options} -c 1")
    assert shown.startswith(words)


def test_a_packet_too_large_is_a_local_error(shell: Shell) -> None:
    assert lines(shell, "h1 ping 10.0.0.2 -c 2 -i 0.2 -s 1473 -M do") == [
        "PING 10.0.0.2 (10.0.0.2) 1473(1501) bytes of data.",
        "ping: local error: message too long, mtu=1500",
        "ping: local error: message too long, mtu=1500",
        "",
        "--- 10.0.0.2 ping statistics ---",
        "2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 200ms",
        "",
    ]


def test_so_it_is_with_ipv6(shell: Shell) -> None:
    shown = lines(shell, "h1 ping 2001:db8::2 -c 1 -s 2000 -M do")
    assert shown[1] == "ping: local error: message too long, mtu: 1500"
    assert shown[4] == "1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms"


def test_a_device_s_own_route_is_taken(shell: Shell) -> None:
    text = """
version: 1
routers:
  a:
    nics: {eth0: {ip: '2001:db8:1::1/64'}}
    routes: [{to: '2001:db8:2::/64', via: '2001:db8:1::9'}]
  r: {nics: {eth0: {ip: '2001:db8:1::9/64'}, eth1: {ip: '2001:db8:2::9/64'}}}
  b:
    nics: {eth0: {ip: '2001:db8:2::1/64'}}
    routes: [{to: '2001:db8:1::/64', via: '2001:db8:2::9'}]
links: [{ends: ['a:eth0', 'r:eth0']}, {ends: ['r:eth1', 'b:eth0']}]
"""
    shown = lines(shell, "a ping -I eth0 2001:db8:2::1 -c 1", text)
    assert shown[1].startswith("64 bytes from 2001:db8:2::1: icmp_seq=1 ttl=63 time=")


def test_requests_under_way_at_once_are_the_pipe(shell: Shell) -> None:
    assert lines(shell, "h1 ping 10.0.0.9 -c 3 -q")[2:] == [
        "--- 10.0.0.9 ping statistics ---",
        "3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 2000ms",
        "pipe 3",
    ]


def test_without_room_for_the_time_there_are_no_round_trips(shell: Shell) -> None:
    shown = lines(shell, "h1 ping 10.0.0.2 -c 1 -s 4")
    assert shown[1] == "12 bytes from 10.0.0.2: icmp_seq=1 ttl=64"
    assert shown[-1] == ""


def test_a_deadline_ends_it(shell: Shell) -> None:
    assert lines(shell, "h1 ping 10.0.0.2 -w 2 -q")[3].startswith("2 packets transmitted, 2 rec")
    assert lines(shell, "h1 ping 10.0.0.9 -w 1 -c 3")[3].startswith("1 packets transmitted, 0 rec")


def test_a_broadcast_is_pinged_with_b(shell: Shell) -> None:
    lab = Lab.from_text(PAIR)
    lab.machine("h2").namespace.sysctls["net.ipv4.icmp_echo_ignore_broadcasts"] = 0
    shown = shell(lab, "h1 ping -b 10.0.0.255 -c 1").out.splitlines()
    assert shown[:2] == [
        "WARNING: pinging broadcast address",
        "PING 10.0.0.255 (10.0.0.255) 56(84) bytes of data.",
    ]
    assert shown[2].startswith("64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=")


def test_a_redirect_is_shown_and_no_error(shell: Shell) -> None:
    shown = lines(shell, "h ping 10.1.0.2 -c 1", REDIRECTING)
    assert shown[1] == "From 10.0.0.254: icmp_seq=1 Redirect Host(New nexthop: 10.0.0.253)"
    assert shown[2].startswith("64 bytes from 10.1.0.2: icmp_seq=1 ttl=63 time=")
    assert shown[5] == "1 packets transmitted, 1 received, 0% packet loss, time 0ms"


def test_a_device_is_kept_to_whatever_the_routes_say(shell: Shell) -> None:
    lab = Lab.from_text(PAIR)
    card = lab.machine("h1").vnic("eth0")
    shell(lab, "h1 ping -I eth0 192.0.2.1 -c 1")
    asked = [str(f.summary()) for f in card.sent]
    assert any("192.0.2.1" in line for line in asked)


@pytest.mark.parametrize(
    ("latency", "shown"),
    [("0.25ms", "0.5"), ("2.5ms", "5.0"), ("6ms", "12.0"), ("100ms", "200")],
)
def test_times_have_three_digits(shell: Shell, latency: str, shown: str) -> None:
    text = PAIR.replace("'h2:eth0']", f"'h2:eth0'], latency: {latency}")
    line = lines(shell, "h1 ping 10.0.0.2 -c 2", text)[2]
    time = line.rpartition("time=")[2].removesuffix(" ms")
    assert time.startswith(shown)
    assert len(time.replace(".", "").lstrip("0")) == 3
