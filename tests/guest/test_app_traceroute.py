"""traceroute and tracepath: what they put on the wire, as Debian's do, and what they print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6

from vnet.base.errors import UsageError
from vnet.lab.lab import Lab
from vnet.linux.netns.sockets.errors import SocketError

THREE_HOPS = """
version: 1
hosts:
  h1: {nics: {eth0: }, switches: {br0: }}
  h2: {nics: {eth0: }, switches: {br0: }}
vms:
  vm1: {host: h1, vnics: [{ip: [10.1.0.1/24, 'fd01::1/64']}], gateway: [10.1.0.254, 'fd01::fe']}
  vm2: {host: h2, vnics: [{ip: [10.3.0.2/24, 'fd03::2/64']}], gateway: [10.3.0.254, 'fd03::fe']}
routers:
  r1:
    nics: {a: {ip: [10.1.0.254/24, 'fd01::fe/64']}, b: {ip: [10.2.0.1/24, 'fd02::1/64'], mtu: MTU}}
    routes: [{to: 10.3.0.0/24, via: 10.2.0.2}, {to: 'fd03::/64', via: 'fd02::2'}]
  r2:
    nics: {a: {ip: [10.2.0.2/24, 'fd02::2/64'], mtu: MTU}, b: {ip: [10.3.0.254/24, 'fd03::fe/64']}}
    routes: [{to: 10.1.0.0/24, via: 10.2.0.1}, {to: 'fd01::/64', via: 'fd02::1'}]
links:
  - {ends: ['h1:eth0', 'r1:a'], latency: 1ms}
  - {ends: ['r1:b', 'r2:a'], latency: 2ms}
  - {ends: ['r2:b', 'h2:eth0'], latency: 3ms}
"""


def path(mtu_bytes: int = 1500) -> Iterator[Lab]:
    with Lab.from_text(THREE_HOPS.replace("MTU", str(mtu_bytes))) as lab:
        lab.advance("3s")
        # Everybody knows everybody's MAC.
        lab.vm("vm1").ping("10.3.0.2", count=1)
        lab.vm("vm1").ping("fd03::2", count=1)
        lab.advance("3s")
        yield lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    yield from path()


@pytest.fixture
def narrow() -> Iterator[Lab]:
    yield from path(1_400)


def probes(lab: Lab, layer: Any = UDP) -> list[Any]:
    return [frame for frame in lab.vm("vm1").vnic(0).sent if layer in frame]


def without_times(text: str) -> str:
    """As recorded: the columns stay, the figures go."""
    return re.sub(r" *[0-9]+\.[0-9]{3}ms", " TIME", text)


def test_udp_probes_have_ports_and_sockets_of_their_own_and_no_df(lab: Lab) -> None:
    lab.vm("vm1").traceroute("10.3.0.2")
    sent = probes(lab)
    assert [p[UDP].dport for p in sent[:18]] == list(range(33_434, 33_452))
    assert [p[IP].ttl for p in sent[:9]] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert len({p[UDP].sport for p in sent}) == len(sent)
    assert {(p[IP].len, str(p[IP].flags), p[IP].tos) for p in sent} == {(60, "", 0)}
    assert bytes(sent[0][UDP].payload) == bytes(range(0x40, 0x60))


def test_sixteen_probes_are_under_way_at_once(lab: Lab) -> None:
    lab.vm("vm1").traceroute("10.3.0.2")
    sent = probes(lab)
    assert sum(p.time == sent[0].time for p in sent) == 16


def test_icmp_probes_count_their_sequence_up(lab: Lab) -> None:
    result = lab.vm("vm1").traceroute("10.3.0.2", icmp=True)
    assert result.path == ["10.1.0.254", "10.2.0.2", "10.3.0.2"]
    sent = [p for p in probes(lab, ICMP) if p[ICMP].type == 8 and len(p[IP]) == 60]
    assert [p[ICMP].seq for p in sent[:5]] == [1, 2, 3, 4, 5]
    assert bytes(sent[0][ICMP].payload) == bytes(0x40 + n % 0x40 for n in range(8, 40))
    assert sent[1][IP].id == sent[0][IP].id + 1


def test_the_report_is_that_of_the_tool(lab: Lab) -> None:
    result = lab.vm("vm1").traceroute("10.3.0.2", queries=2, at_once=1)
    assert result.text() == (
        "traceroute to 10.3.0.2 (10.3.0.2), 30 hops max, 60 byte packets\n"
        " 1  10.1.0.254  2.000 ms  2.000 ms\n"
        " 2  10.2.0.2  6.000 ms  6.000 ms\n"
        " 3  10.3.0.2  12.000 ms  12.000 ms"
    )
    names = {"10.1.0.254": "r1", "10.2.0.2": "r2", "10.3.0.2": "vm2"}
    assert " 1  r1 (10.1.0.254)  2.000 ms" in result.text(lambda ip: names[".".join(map(str, ip))])
    assert result.seen() == {
        "sent": 6,
        "received": 6,
        "hops": 3,
        "reached": True,
        "path": "10.1.0.254 10.2.0.2 10.3.0.2",
        "note": "",
    }


def test_who_does_not_answer_is_a_star(lab: Lab) -> None:
    lab.machine("r1").namespace.sysctls["net.ipv4.ip_forward"] = 0
    result = lab.vm("vm1").traceroute("10.3.0.2", hops=2, queries=2, wait="1s")
    assert result.text().splitlines()[1:] == [" 1  * *", " 2  * *"]
    assert not result.reached


@pytest.mark.parametrize(
    ("target", "note"), [("10.9.0.1", "!N"), ("fd09::1", "!N"), ("10.3.0.77", "!H")]
)
def test_what_routers_say_stands_behind_the_time(lab: Lab, target: str, note: str) -> None:
    result = lab.vm("vm1").traceroute(target, wait="4s")
    assert result.seen()["note"] == note
    assert f" ms {note}" in result.text()


def test_a_probe_that_may_not_be_cut_tells_what_would_fit(narrow: Lab) -> None:
    result = narrow.vm("vm1").traceroute("10.3.0.2", size=1_450, df=True, at_once=1)
    assert result.text().splitlines()[2].startswith(" 2  10.1.0.254  2.000 ms !F-1400")


def test_what_our_own_link_cannot_take_is_told_at_the_first_hop(lab: Lab) -> None:
    result = lab.vm("vm1").traceroute("10.3.0.2", size=1_600, df=True)
    assert result.seen()["note"] == "!F-1500"


def test_without_a_route_there_is_nothing_to_trace(two: Lab) -> None:
    result = two.vm("vm1").traceroute("192.0.2.1")
    assert result.text() == (
        "traceroute to 192.0.2.1 (192.0.2.1), 30 hops max, 60 byte packets\n"
        "connect: Network is unreachable"
    )


@pytest.mark.parametrize("icmp", [False, True])
def test_ipv6_is_traced_as_well(lab: Lab, icmp: bool) -> None:
    result = lab.vm("vm1").traceroute("fd03::2", icmp=icmp)
    assert result.path == ["fd01::fe", "fd02::2", "fd03::2"]
    assert result.size_bytes == 80
    layer = ICMPv6EchoRequest if icmp else UDP
    sent = [p for p in probes(lab, layer) if p[IPv6].plen == 40]
    assert [p[IPv6].hlim for p in sent[:4]] == [1, 1, 1, 2]


def test_a_machine_traces_itself_and_its_neighbour(lab: Lab) -> None:
    assert lab.vm("vm1").traceroute("10.1.0.1").path == ["10.1.0.1"]
    assert lab.vm("vm1").traceroute("10.1.0.254").path == ["10.1.0.254"]


# -- tracepath


def test_tracepath_sends_full_datagrams_that_may_not_be_cut(lab: Lab) -> None:
    lab.vm("vm1").tracepath("10.3.0.2")
    sent = probes(lab)
    assert [(p[UDP].dport, p[IP].ttl) for p in sent] == [
        (44_444, 1),
        (44_445, 1),
        (44_446, 2),
        (44_447, 3),
    ]
    assert {(p[IP].len, p[IP].id, str(p[IP].flags)) for p in sent} == {(1_500, 0, "DF")}
    assert len({p[UDP].sport for p in sent}) == 1


def test_tracepath_reports_as_recorded(lab: Lab, narrow: Lab) -> None:
    assert without_times(lab.vm("vm1").tracepath("10.3.0.2").text()) == (
        " 1?: [LOCALHOST]                      pmtu 1500\n"
        " 1:  10.1.0.254 TIME \n"
        " 1:  10.1.0.254 TIME \n"
        " 2:  10.2.0.2 TIME \n"
        " 3:  10.3.0.2 TIME reached\n"
        "     Resume: pmtu 1500 hops 3 back 3 "
    )
    result = narrow.vm("vm1").tracepath("10.3.0.2")
    assert without_times(result.text()) == (
        " 1?: [LOCALHOST]                      pmtu 1500\n"
        " 1:  10.1.0.254 TIME \n"
        " 1:  10.1.0.254 TIME \n"
        " 2:  10.1.0.254 TIME pmtu 1400\n"
        " 2:  10.2.0.2 TIME \n"
        " 3:  10.3.0.2 TIME reached\n"
        "     Resume: pmtu 1400 hops 3 back 3 "
    )
    assert " 2:  10.1.0.254                                            2.000ms pmtu 1400" in (
        result.text()
    )


def test_tracepath_of_ipv6_tells_when_its_own_stack_spoke(narrow: Lab) -> None:
    result = narrow.vm("vm1").tracepath("fd03::2")
    assert result.text().splitlines()[0] == (
        " 1?: [LOCALHOST]                        0.000ms pmtu 1500"
    )
    assert (result.pmtu_bytes, result.hops, result.back) == (1_400, 3, 3)


def test_a_known_path_mtu_is_where_tracepath_begins(narrow: Lab) -> None:
    narrow.vm("vm1").tracepath("10.3.0.2")
    again = narrow.vm("vm1").tracepath("10.3.0.2").text()
    assert again.splitlines()[0] == " 1?: [LOCALHOST]                      pmtu 1400"


def test_a_host_that_is_not_there_ends_in_no_reply_and_one_note(narrow: Lab) -> None:
    lines = narrow.vm("vm1").tracepath("10.3.0.77", hops=5).text().splitlines()
    assert lines[-3] == " 3:  no reply"
    assert lines[-2].startswith(" 3:  10.2.0.2")
    assert lines[-2].endswith("ms !H")
    assert lines[-1] == "     Resume: pmtu 1400 "


def test_too_many_hops_are_told(lab: Lab) -> None:
    assert lab.vm("vm1").tracepath("10.3.0.2", hops=1).text().splitlines()[-2:] == [
        "     Too many hops: pmtu 1500",
        "     Resume: pmtu 1500 ",
    ]


def test_a_length_that_holds_no_header_is_refused(lab: Lab) -> None:
    with pytest.raises(UsageError, match="pktlen must be within: 28 < value"):
        lab.vm("vm1").tracepath("10.3.0.2", size=28)


@pytest.mark.parametrize("mtu_bytes", [0, 20, 9_000, 65_535])
def test_a_router_that_says_nonsense_of_its_mtu_leads_tracepath_nowhere(
    lab: Lab, mtu_bytes: int
) -> None:
    """The path is what it was, and every hop is asked."""
    vm = lab.vm("vm1")
    app = lab.network.vms["vm1"].make_tracepath(bytes((10, 3, 0, 2)), max_hops=3)
    app.start()
    lab.advance("1ms")
    error = SocketError(
        bytes(4), "", None, bytes(4), port=44_444, kind=3, code=4, mtu_bytes=mtu_bytes, ttl=64
    )
    socket = next(iter(vm.namespace.sockets.udp))
    assert socket.on_error is not None
    socket.on_error(error)
    lab.advance("20s")
    assert app.done
    assert app.result.pmtu_bytes == (29 if mtu_bytes < 29 else 1_500)


RING = """
version: 1
routers:
  a: {nics: {e: {ip: 10.1.0.1/24}, f: {ip: 10.4.0.1/24}}, gateway: 10.1.0.2}
  b: {nics: {e: {ip: 10.1.0.2/24}, f: {ip: 10.2.0.2/24}}, gateway: 10.2.0.3}
  c: {nics: {e: {ip: 10.2.0.3/24}, f: {ip: 10.4.0.3/24}, g: {ip: 10.3.0.3/24}},
      routes: [{to: 10.1.0.0/24, via: 10.4.0.1}]}
  d: {nics: {e: {ip: 10.3.0.4/24}}, gateway: 10.3.0.3}
links:
  - {ends: ['a:e', 'b:e']}
  - {ends: ['b:f', 'c:e']}
  - {ends: ['c:f', 'a:f']}
  - {ends: ['c:g', 'd:e']}
"""


def test_answers_that_come_another_way_are_told() -> None:
    with Lab.from_text(RING) as lab:
        result = lab.machine("a").tracepath("10.3.0.4")
    assert without_times(result.text()) == (
        " 1?: [LOCALHOST]                      pmtu 1500\n"
        " 1:  10.1.0.2 TIME \n"
        " 1:  10.1.0.2 TIME \n"
        " 2:  10.4.0.3 TIME asymm  1 \n"
        " 3:  10.3.0.4 TIME reached\n"
        "     Resume: pmtu 1500 hops 3 back 2 "
    )
