"""conntrack(8) prints, chooses and deletes connections as conntrack-tools 1.4.7 does."""

from __future__ import annotations

import pytest

from vnet.base.chance import Chance
from vnet.base.ids import ip_from_text
from vnet.base.units import NS_PER_S
from vnet.linux.netfilter.conntrack_tool.tool import ConntrackTool
from vnet.linux.netns.namespace import Namespace
from vnet.sim.scheduler import Scheduler
from vnet.tables.conntrack.key import KeyParts
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.entry import Counted, Entry
from vnet.tables.conntrack.linux.tcp_seen import TcpTracked
from vnet.tables.conntrack.linux.tcp_states import ESTABLISHED

_SEEN = status.SEEN_REPLY | status.ASSURED

LINES = {
    "tcp": "tcp      6 431999 ESTABLISHED src=127.0.0.1 dst=127.0.0.1 sport=45016 dport=81 "
    "src=127.0.0.1 dst=127.0.0.1 sport=80 dport=45016 [ASSURED] mark=0 use=1\n",
    "udp": "udp      17 29 src=127.0.0.1 dst=127.0.0.1 sport=53 dport=54 packets=1 bytes=29 "
    "[UNREPLIED] src=127.0.0.1 dst=127.0.0.1 sport=54 dport=53 packets=0 bytes=0 mark=7 zone=5 "
    "use=1\n",
    "icmp": "icmp     1 29 src=127.0.0.1 dst=127.0.0.1 type=8 code=0 id=30011 src=127.0.0.1 "
    "dst=127.0.0.1 type=0 code=0 id=30011 mark=0 use=1\n",
    "icmpv6": "icmpv6   58 29 src=::1 dst=::1 type=128 code=0 id=30012 src=::1 dst=::1 type=129 "
    "code=0 id=30012 mark=0 use=1\n",
    "gre": "gre      47 29 src=127.0.0.1 dst=127.0.0.1 srckey=0x0 dstkey=0x0 [UNREPLIED] "
    "src=127.0.0.1 dst=127.0.0.1 srckey=0x0 dstkey=0x0 mark=0 use=1\n",
    "other": "unknown  99 599 src=127.0.0.1 dst=127.0.0.1 [UNREPLIED] src=127.0.0.1 "
    "dst=127.0.0.1 mark=0 use=1\n",
}
"""Printed by the real one, of the connections that :func:`tool` makes."""


def entry(protocol: int, timeout_s: int, there: tuple[int, int], back: tuple[int, int]) -> Entry:
    home = bytes(ip_from_text("::1" if protocol == 58 else "127.0.0.1"))
    ident = {1: 30011, 58: 30012}.get(protocol, 0)
    zone = 5 if protocol == 17 else 0
    keys = [KeyParts(home, home, *ports, zone, protocol, ident).pack() for ports in (there, back)]
    made = Entry(*keys)
    made.expires_ns = timeout_s * NS_PER_S
    return made


@pytest.fixture
def tool() -> ConntrackTool:
    conntrack = Namespace(Scheduler(), "h1", Chance(1)).make_netfilter().conntrack
    tcp = entry(6, 431999, (45016, 81), (80, 45016))
    tcp.l4 = TcpTracked()
    tcp.l4.state = ESTABLISHED
    tcp.status |= _SEEN | status.DST_NAT
    udp = entry(17, 29, (53, 54), (54, 53))
    udp.mark, udp.counted = 7, (Counted(), Counted())
    udp.counted[0].add(29)
    icmp = entry(1, 29, (8 << 8, 0), (0, 0))
    icmpv6 = entry(58, 29, (128 << 8, 0), (129 << 8, 0))
    icmp.status |= status.SEEN_REPLY
    icmpv6.status |= status.SEEN_REPLY
    others = [entry(47, 29, (0, 0), (0, 0)), entry(99, 599, (0, 0), (0, 0))]
    for made in (tcp, udp, icmp, icmpv6, *others):
        conntrack.table.add(made, 0)
    return ConntrackTool(conntrack, 0)


def shown(*names: str) -> str:
    return "".join(LINES[name] for name in names)


def test_connections_are_listed_as_the_real_one_prints_them(tool: ConntrackTool) -> None:
    answer = tool.run(["-L"])
    assert answer.out == shown(*LINES)
    assert answer.err == "conntrack v1.4.7 (conntrack-tools): 6 flow entries have been shown.\n"


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("-f ipv6", ["icmpv6"]),
        ("-f ipv4 -p tcp", ["tcp"]),
        ("-p tcp --orig-port-dst 81", ["tcp"]),
        ("-p tcp --dport 82", []),
        ("-p tcp --state TIME_WAIT", []),
        ("-s 127.0.0.1 -d 127.0.0.1", ["tcp", "udp", "icmp", "gre", "other"]),
        ("-d 127.0.0.0/8 -p icmp --icmp-id 30011", ["icmp"]),
        ("--zone 5", ["udp"]),
        ("-m 7", ["udp"]),
        ("-u ASSURED", ["tcp"]),
        ("-u SEEN_REPLY", ["tcp", "icmp", "icmpv6"]),
        ("--src-nat", ["icmp"]),
        ("-g", ["tcp", "icmp"]),
        ("-r 127.0.0.2", []),
        ("expect", []),
    ],
)
def test_options_choose(tool: ConntrackTool, options: str, names: list[str]) -> None:
    assert tool.run(["-L", *options.split()]).out == shown(*names)


def test_more_is_said_where_it_is_asked_for(tool: ConntrackTool) -> None:
    out = tool.run(["-L", "-p", "icmp", "-o", "extended,id"]).out
    assert out.startswith("ipv4     2 icmp     1 29 src=")
    assert " mark=0 use=1 id=" in out
    assert "<state>ESTABLISHED</state><timeout>431999</timeout>" in tool.run(["-L", "-oxml"]).out


def test_delete_prints_what_it_deletes_and_fails_where_there_is_nothing(
    tool: ConntrackTool,
) -> None:
    first, again = tool.run(["-D", "-p", "udp"]), tool.run(["-D", "-p", "udp"])
    assert (first.out, first.status) == (shown("udp"), 0)
    said = "conntrack v1.4.7 (conntrack-tools): 0 flow entries have been deleted.\n"
    assert (again.out, again.err, again.status) == ("", said, 1)
    assert tool.run(["-C"]).out == "5\n"
    assert tool.run(["-F"]).err.endswith(": connection tracking table has been emptied.\n")
    assert tool.run(["-C"]).out == "0\n"


@pytest.mark.parametrize(
    ("words", "message", "status_"),
    [
        ("-L --dport 81", "unknown option `--dport'", 2),
        ("-L -p foo", "`foo' unsupported protocol", 2),
        ("-L -s foo", "Invalid IP address `foo'", 2),
        ("-G", "You need to supply the `--protonum' option for this command", 2),
        ("-G -p tcp --sport 5", "Operation failed: such conntrack doesn't exist", 1),
        ("-X", "unknown option `-X'", 2),
        ("-L foo", "unknown type `foo'", 2),
        ("-L -D", "Invalid commands combination", 2),
        ("-s", "option `-s' requires an argument", 2),
        ("-L -o foo", "Bad parameter `foo'", 2),
        ("-L -p tcp --state FOO", "unknown TCP state `FOO'", 2),
        ("-L -u FOO", "Bad parameter `FOO'", 2),
    ],
)
def test_mistakes_are_told_in_the_words_of_the_real_one(
    tool: ConntrackTool, words: str, message: str, status_: int
) -> None:
    answer = tool.run(words.split())
    assert answer.err.splitlines()[0] == f"conntrack v1.4.7 (conntrack-tools): {message}"
    assert answer.status == status_
