"""What rules do to packets that walk them."""

from __future__ import annotations

import re

import pytest

from vnet.base.chance import Chance
from vnet.base.ids import ip_from_text
from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netns.namespace import Namespace
from vnet.sim.scheduler import Scheduler
from vnet.wire import icmp, ipv4, udp

A, B = b"\x0a\0\0\x01", b"\x0a\0\0\x02"


@pytest.fixture
def machine() -> Namespace:
    return Namespace(Scheduler(), "h1", Chance(1))


def datagram(target: int = 53) -> bytes:
    return ipv4.emit(A, B, ipv4.UDP, udp.emit(A, B, 1000, target, b"?"))


def packet_at(machine: Namespace, hook: Hook, data: bytes) -> NfPacket:
    return NfPacket(machine.make_netfilter(), data, 4, hook)


def command(machine: Namespace, text: str) -> str:
    return machine.make_netfilter().rules4.command(text.split())


def passes(machine: Namespace, data: bytes) -> bool:
    packet = packet_at(machine, Hook.INPUT, data)
    return machine.make_netfilter().run(Hook.INPUT, packet)


def test_the_first_rule_that_fits_decides_and_counts(machine: Namespace) -> None:
    command(machine, "-A INPUT -p udp --dport 53 -j ACCEPT")
    command(machine, "-A INPUT -p udp -j DROP")
    assert passes(machine, datagram(target=53))
    assert not passes(machine, datagram(target=54))
    shown = command(machine, "-L INPUT -n -v").splitlines()
    assert [line.split()[:3] for line in shown[2:]] == [["1", "29", "ACCEPT"], ["1", "29", "DROP"]]


def test_a_policy_decides_where_no_rule_does(machine: Namespace) -> None:
    command(machine, "-P INPUT DROP")
    assert not passes(machine, datagram())
    assert "(policy DROP 1 packets, 29 bytes)" in command(machine, "-L -v")


def test_a_jump_comes_back_and_a_goto_does_not(machine: Namespace) -> None:
    for text in ("-N a", "-N b", "-A a -g b", "-A a -j DROP", "-A INPUT -j a", "-A INPUT -j DROP"):
        command(machine, text)
    assert not passes(machine, datagram())
    assert "-A a -c 0 0 -j DROP" in command(machine, "-S -v")
    assert "-A INPUT -c 1 29 -j DROP" in command(machine, "-S -v")


def test_return_leads_back_and_in_a_builtin_chain_to_the_policy(machine: Namespace) -> None:
    for text in ("-N a", "-A a -j RETURN", "-A a -j DROP", "-A INPUT -j a", "-A INPUT -j RETURN"):
        command(machine, text)
    command(machine, "-A INPUT -j DROP")
    assert passes(machine, datagram())


def test_a_mark_of_one_rule_is_seen_by_the_next(machine: Namespace) -> None:
    command(machine, "-t mangle -A PREROUTING -p udp -j MARK --set-mark 5")
    command(machine, "-t mangle -A PREROUTING -m mark --mark 5 -j TTL --ttl-set 9")
    packet = packet_at(machine, Hook.PREROUTING, datagram())
    assert machine.make_netfilter().run(Hook.PREROUTING, packet)
    assert packet.mark == 5
    assert packet.data[8] == 9
    assert ipv4.parse(packet.data) is not None


def test_a_limit_lets_a_burst_through_and_then_one_in_its_period(machine: Namespace) -> None:
    command(machine, "-A INPUT -m limit --limit 1/s --limit-burst 2 -j ACCEPT")
    command(machine, "-A INPUT -j DROP")
    seen = [passes(machine, datagram()) for _ in range(3)]
    machine.scheduler.run(until_ns=1_000_000_000)
    seen += [passes(machine, datagram()) for _ in range(2)]
    assert seen == [True, True, False, True, False]


def test_a_rule_keeps_what_it_counts_while_others_change(machine: Namespace) -> None:
    command(machine, "-A INPUT -m statistic --mode nth --every 2 --packet 0 -j DROP")
    seen = [passes(machine, datagram())]
    command(machine, "-A INPUT -p tcp -j ACCEPT")
    seen += [passes(machine, datagram()) for _ in range(3)]
    assert seen == [False, True, False, True]


def test_log_writes_the_line_of_the_kernel(machine: Namespace) -> None:
    command(machine, "-A INPUT -j LOG --log-prefix in:")
    passes(machine, datagram())
    assert [line for _, line in machine.log] == [
        "in:IN= OUT= SRC=10.0.0.1 DST=10.0.0.2 LEN=29 TOS=0x00 PREC=0x00 TTL=64 ID=0 "
        "PROTO=UDP SPT=1000 DPT=53 LEN=9 "
    ]


def test_log_writes_what_an_icmp_error_quotes(machine: Namespace) -> None:
    command(machine, "-A INPUT -j LOG")
    error = icmp.emit(icmp.Icmp(icmp.UNREACHABLE, 3, bytes(4), datagram()))
    passes(machine, ipv4.emit(B, A, icmp.PROTOCOL, error))
    (line,) = (line for _, line in machine.log)
    assert line.endswith(
        "PROTO=ICMP TYPE=3 CODE=3 [SRC=10.0.0.1 DST=10.0.0.2 LEN=29 TOS=0x00 PREC=0x00 TTL=64 "
        "ID=0 PROTO=UDP SPT=1000 DPT=53 LEN=9 ] "
    )


def test_the_chains_of_a_table_meet_packets_in_the_order_of_their_priorities(
    machine: Namespace,
) -> None:
    command(machine, "-A INPUT -m mark --mark 7 -j ACCEPT")
    command(machine, "-A INPUT -j DROP")
    command(machine, "-t mangle -A INPUT -j MARK --set-mark 7")
    assert passes(machine, datagram())


def test_connections_of_icmp_have_identifiers_for_ports(machine: Namespace) -> None:
    command(machine, "-A INPUT -m conntrack --ctorigsrcport 7 --ctorigdstport 2048 -j DROP")
    for ident, passed in ((7, False), (8, True)):
        echo = icmp.emit(icmp.Icmp(icmp.ECHO_REQUEST, 0, bytes((0, ident, 0, 1)), b""))
        packet = packet_at(machine, Hook.PREROUTING, ipv4.emit(A, B, icmp.PROTOCOL, echo))
        netfilter = machine.make_netfilter()
        assert netfilter.run(Hook.PREROUTING, packet)
        assert netfilter.run(Hook.INPUT, packet) is passed


@pytest.mark.parametrize(
    ("protocol", "payload", "answered"),
    [
        (89, b"\xa5" * 20, False),
        (89, bytes(20), False),
        (89, b"\xff\xff" + bytes(18), True),
        (132, b"\xa5" * 20, True),
        (17, udp.emit(A, B, 1, 2, b"x")[:6] + b"\0\0x", True),
        (17, udp.emit(A, B, 1, 2, b"x")[:6] + b"\1\1x", False),
        (17, b"\1\2\3", True),
    ],
)
def test_reject_answers_what_sums_up(
    machine: Namespace, protocol: int, payload: bytes, answered: bool
) -> None:
    command(machine, "-A INPUT -j REJECT")
    machine.add_address("lo", ip_from_text("10.0.0.1"), 32)
    command(machine, "-A OUTPUT -p icmp")
    assert not passes(machine, ipv4.emit(A, B, protocol, payload))
    assert ("-A OUTPUT -p icmp -c 1 " in command(machine, "-S -v")) is answered


@pytest.mark.parametrize(
    ("tests", "passed"),
    [
        # The port behind the header, found by the header's length; then UDP, and a range.
        ("0>>22&0x3C@0&0xFFFF=53", True),
        ("0>>22&0x3C@0&0xFFFF=54,1:52", False),
        ("6&0xFF=17&&12=0x0A000001:0x0A000002", True),
        ("6&0xFF=17&&12=0x0A000003", False),
        ("25=0:0xFFFFFFFF", True),
        ("26=0:0xFFFFFFFF", False),  # it ends after 29 bytes
        ("0@0=0:0xFFFFFFFF", False),
        ("0<<24=0x1D000000", True),
    ],
)
def test_u32_reads_words_from_anywhere(machine: Namespace, tests: str, passed: bool) -> None:
    command(machine, f"-A INPUT -m u32 --u32 {tests} -j ACCEPT")
    command(machine, "-A INPUT -j DROP")
    assert passes(machine, datagram()) is passed
    command(machine, "-F")
    command(machine, f"-A INPUT -m u32 ! --u32 {tests} -j DROP")
    assert passes(machine, datagram()) is passed


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ("0", "abrupt end of input after location specifier"),
        ("0=", "test ended with no value specified"),
        ("0=&&1=1", "at char 3: value spec missing"),
        ("0>3=1", "at char 2: a second '>' was expected"),
        ("0=08", 'at char 3: expected "," or "&&"'),
        ("0x=1", "at char 1: operator expected"),
        ("0=1,", "at char 4: not a number or out of range"),
        ("&&".join(["0=1"] * 11), 'at char 53: too many "&&"s'),
        ("0@1@2@3@4@5@6@7@8@9@10=1", "at char 22: too many operators"),
    ],
)
def test_u32_says_where_it_does_not_understand(machine: Namespace, tests: str, said: str) -> None:
    with pytest.raises(XtablesError, match="^" + re.escape(f"u32: {said}") + "$"):
        machine.make_netfilter().rules4.command(["-A", "INPUT", "-m", "u32", "--u32", tests])
