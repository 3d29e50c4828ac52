"""``ip route``, ``rule``, ``addr`` and ``neigh``: changes, and what iproute2 answers to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Shell = Callable[..., Any]


def said(shell: Shell, *lines: str) -> list[str]:
    """What is printed, without spaces at the ends of lines."""
    ran = shell("two-vms", *lines)
    assert ran.code == 0, ran.err
    return [line.rstrip() for line in ran.out.splitlines()]


def test_routes_are_added_replaced_and_deleted(shell: Shell) -> None:
    assert said(
        shell,
        "vm1 ip route add default via 10.0.0.254",
        "vm1 ip route add blackhole 10.8.0.0/16",
        "vm1 ip ro add 10.9.0.0/16 nexthop via 10.0.0.9 weight 2 nexthop via 10.0.0.8",
        "vm1 ip route add 10.77.0.0/16 via 10.77.0.1 dev eth0 onlink src 10.0.0.1 mtu lock 1400",
        "vm1 ip route append default via 10.0.0.253 metric 7",
        "vm1 ip route replace default via 10.0.0.252",
        "vm1 ip route del blackhole 10.8.0.0/16",
        "vm1 ip route",
        "vm1 ip -d route show type unicast exact 10.0.0.0/24",
    ) == [
        "default via 10.0.0.252 dev eth0",
        "default via 10.0.0.253 dev eth0 metric 7",
        "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1",
        "10.9.0.0/16",
        "\tnexthop via 10.0.0.9 dev eth0 weight 2",
        "\tnexthop via 10.0.0.8 dev eth0 weight 1",
        "10.77.0.0/16 via 10.77.0.1 dev eth0 src 10.0.0.1 onlink mtu lock 1400",
        "unicast 10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1",
    ]


def test_every_table_in_the_kernels_order(shell: Shell) -> None:
    assert said(
        shell,
        "vm1 ip route add throw 10.66.0.0/16 table 100",
        "vm1 ip -4 route show table all type local",
        "vm1 ip route show table 100",
    ) == [
        "local 10.0.0.1 dev eth0 table local proto kernel scope host src 10.0.0.1",
        "local 127.0.0.0/8 dev lo table local proto kernel scope host src 127.0.0.1",
        "local 127.0.0.1 dev lo table local proto kernel scope host src 127.0.0.1",
        "throw 10.66.0.0/16",
    ]


def test_all_tables_are_those_of_both_families(shell: Shell) -> None:
    four = ["local 127.0.0.0/8 dev lo", "local 127.0.0.1 dev lo"]
    six = ["local ::1 dev lo"]
    for family, wanted in {"": four + six, "-4 ": four, "-6 ": six}.items():
        lines = said(shell, f"vm1 ip {family}route show table all dev lo type local")
        assert [f"{line.split(' table')[0]} dev lo" for line in lines] == wanted


def test_the_way_of_one_packet(shell: Shell) -> None:
    assert said(
        shell,
        "vm1 ip route get 10.0.0.2",
        "vm1 ip route get 10.0.0.1",
        "vm1 ip route get 10.0.0.255",
        "vm1 ip route get 10.0.0.2 from 10.0.0.1",
        "vm1 ip route get 10.0.0.2 mark 5",
        "vm1 ip route get fibmatch 10.0.0.2",
        "vm1 sysctl -w net.ipv4.ip_forward=1",
        "vm1 ip route get 10.0.0.2 from 10.0.0.3 iif eth0",
    ) == [
        "10.0.0.2 dev eth0 src 10.0.0.1 uid 0",
        "    cache",
        "local 10.0.0.1 dev lo src 10.0.0.1 uid 0",
        "    cache <local>",
        "broadcast 10.0.0.255 dev eth0 src 10.0.0.1 uid 0",
        "    cache <local,brd>",
        "10.0.0.2 from 10.0.0.1 dev eth0 uid 0",
        "    cache",
        "10.0.0.2 dev eth0 src 10.0.0.1 mark 5 uid 0",
        "    cache",
        "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1",
        "net.ipv4.ip_forward = 1",
        "10.0.0.2 from 10.0.0.3 dev eth0",
        "    cache iif eth0",
    ]


def test_rules_are_added_shown_and_deleted(shell: Shell) -> None:
    assert said(
        shell,
        "vm1 ip rule add from 10.0.0.0/8 iif eth0 lookup 100",
        "vm1 ip rule add to 1.2.3.4 fwmark 0x10/0xff tos 0x10 blackhole pref 50",
        "vm1 ip rule add goto 32766 pref 60",
        "vm1 ip rule add iif nope table 5 pref 77",
        "vm1 ip rule add not fwmark 3 dport 80 sport 5-9 ipproto tcp table 9 pref 78",
        "vm1 ip rule add table main suppress_prefixlength 0 pref 79",
        "vm1 ip rule add goto 400 pref 80",
        "vm1 ip rule add nop pref 81",
        "vm1 ip rule del pref 81",
        "vm1 ip rule",
    ) == [
        "0:\tfrom all lookup local",
        "50:\tfrom all to 1.2.3.4 tos 0x10 fwmark 0x10/0xff blackhole",
        "60:\tfrom all goto 32766",
        "77:\tfrom all iif nope [detached] lookup 5",
        "78:\tnot from all fwmark 0x3 ipproto tcp sport 5-9 dport 80 lookup 9",
        "79:\tfrom all lookup main suppress_prefixlength 0",
        "80:\tfrom all goto 400 [unresolved]",
        "32765:\tfrom 10.0.0.0/8 iif eth0 lookup 100",
        "32766:\tfrom all lookup main",
        "32767:\tfrom all lookup default",
    ]


def test_addresses_and_their_routes(shell: Shell) -> None:
    assert said(
        shell,
        "vm1 ip addr add 10.1.0.1/24 dev eth0",
        "vm1 ip addr add 10.1.0.2/24 dev eth0",
        "vm1 ip addr del 10.1.0.1/24 dev eth0",
        "vm1 ip addr add 192.0.2.1/31 dev eth0",
        "vm1 ip -4 -br addr show dev eth0",
        "vm1 ip addr flush dev eth0",
        "vm1 ip route",
    ) == ["eth0             UP             10.0.0.1/24 192.0.2.1/31"]


def test_neighbours_set_by_hand(shell: Shell) -> None:
    assert said(
        shell,
        "vm1 ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev eth0",
        "vm1 ip neigh replace 10.0.0.8 lladdr 02:00:00:00:00:08 dev eth0 nud stale",
        "vm1 ip neigh add proxy 10.0.0.77 dev eth0",
        "vm1 ip neigh",
        "vm1 ip neigh flush dev eth0",
        "vm1 ip neigh del 10.0.0.9 dev eth0",
        "vm1 ip neigh",
        "vm1 ip neigh show proxy",
    ) == [
        "10.0.0.9 dev eth0 lladdr 02:00:00:00:00:09 PERMANENT",
        "10.0.0.8 dev eth0 lladdr 02:00:00:00:00:08 STALE",
        "10.0.0.77 dev eth0 proxy",
    ]


def test_neighbours_are_flushed_but_for_the_administrators_own(shell: Shell) -> None:
    assert said(
        shell,
        "vm1 ip neigh add 10.0.0.8 lladdr 02:00:00:00:00:08 dev eth0 nud stale",
        "vm1 ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev eth0",
        "vm1 ip neigh add 10.0.0.17 lladdr 02:00:00:00:00:0a dev eth0 nud stale",
        "vm1 ip neigh flush to 10.0.0.16/28",
        "vm1 ip neigh",
        "vm1 ip neigh flush all",
        "vm1 ip neigh",
        "vm1 ip neigh flush nud permanent",
        "vm1 ip neigh",
    ) == [
        "10.0.0.8 dev eth0 lladdr 02:00:00:00:00:08 STALE",
        "10.0.0.9 dev eth0 lladdr 02:00:00:00:00:09 PERMANENT",
        "10.0.0.9 dev eth0 lladdr 02:00:00:00:00:09 PERMANENT",
    ]


def test_devices_of_a_kind_and_namespaces_and_groups(shell: Shell) -> None:
    assert said(
        shell,
        "h1 ip link add v0 type veth peer name v1",
        "h1 ip -br addr show type bridge",
        "h1 ip -br addr show type veth",
        "h1 ip netns",
        "h1 ip -4 maddr show dev br0",
        "vm1 ip maddr",
    ) == [
        "br0              UP",
        "v1@v0            DOWN",
        "v0@v1            DOWN",
        "2:\tbr0",
        "\tinet  224.0.0.1",
        "\tinet  224.0.0.106",
        "1:\tlo",
        "\tinet  224.0.0.1",
        "\tinet6 ff02::1",
        "\tinet6 ff01::1",
        "2:\teth0",
        "\tlink  01:00:5e:00:00:01",
        "\tinet  224.0.0.1",
    ]


REFUSED = {
    "ip route add 10.5.0.0/16 via 4.4.4.4": "Error: Nexthop has invalid gateway.",
    "ip route add 10.0.0.0/24 dev eth0": "RTNETLINK answers: File exists",
    "ip route change 10.55.0.0/24 dev eth0": "RTNETLINK answers: No such file or directory",
    "ip route add 10.0.0.7/24 dev eth0": "Error: Invalid prefix for given prefix length.",
    "ip route del 9.9.9.9": "RTNETLINK answers: No such process",
    "ip route add 10.5.0.0/16 dev nope": 'Cannot find device "nope"',
    "ip route get": "need at least a destination address",
    "ip route get 203.0.113.9": "RTNETLINK answers: Network is unreachable",
    "ip route get 300.1.1.1": 'Error: any valid prefix is expected rather than "300.1.1.1".',
    "ip route add 10.0.0.0/33 dev eth0": (
        'Error: any valid prefix is expected rather than "10.0.0.0/33".'
    ),
    "ip route add 10.9.0.0/24 via 10.0.0.900": (
        'Error: inet address is expected rather than "10.0.0.900".'
    ),
    "ip route add 10.9.0.0/24 dev eth0 metric x": (
        'Error: argument "x" is wrong: "metric" value is invalid'
    ),
    "ip route add 10.9.0.0/24 dev eth0 table foo": (
        'Error: argument "foo" is wrong: "table" value is invalid'
    ),
    "ip route show table 1000000000000": (
        'Error: argument "1000000000000" is wrong: table id value is invalid'
    ),
    "ip route show table 777": "Error: ipv4: FIB table does not exist.",
    "ip rule del prio 5": "RTNETLINK answers: No such file or directory",
    "ip rule del": '"ip rule del" requires arguments.',
    "ip rule add": '"ip rule add" requires arguments.',
    "ip rule add from all table 1000000000000": (
        'Error: argument "1000000000000" is wrong: invalid table ID'
    ),
    "ip rule add foo": 'Error: argument "foo" is wrong: Failed to parse rule type',
    "ip rule add prio x": 'Error: argument "x" is wrong: preference value is invalid',
    "ip rule foo": 'Command "foo" is unknown, try "ip rule help".',
    "ip addr add 10.0.0.300/24 dev eth0": (
        'Error: any valid prefix is expected rather than "10.0.0.300/24".'
    ),
    "ip neigh flush": "Flush requires arguments.",
    "ip netns add blue": 'Command "add" is unknown, try "ip netns".',
    "ip rule del pref 999": "RTNETLINK answers: No such file or directory",
    "ip rule add goto 5 pref 9": "Error: Backward goto not supported.",
    "ip addr add 10.0.0.1/24 dev eth0": "Error: ipv4: Address already assigned.",
    "ip addr del 10.0.0.9/24 dev eth0": "Error: ipv4: Address not found.",
    "ip addr add 10.0.0.9/24": 'Not enough information: "dev" argument is required.',
    "ip neigh del 10.0.0.9 dev eth0": "RTNETLINK answers: No such file or directory",
    "ip neigh add 10.0.0.9 dev eth0": "Error: No link layer address given.",
}


@pytest.mark.parametrize(("line", "message"), REFUSED.items(), ids=REFUSED)
def test_the_kernels_answers(line: str, message: str, shell: Shell) -> None:
    ran = shell("two-vms", f"vm1 {line}")
    assert ran.code == 2
    assert message in ran.err


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("prohibit", "RTNETLINK answers: Permission denied"),
        ("unreachable", "RTNETLINK answers: No route to host"),
        ("blackhole", "RTNETLINK answers: Invalid argument"),
    ],
)
def test_ways_that_lead_nowhere(kind: str, message: str, shell: Shell) -> None:
    ran = shell(
        "two-vms", f"vm1 ip route add {kind} 203.0.113.0/24", "vm1 ip route get 203.0.113.9"
    )
    assert message in ran.err
