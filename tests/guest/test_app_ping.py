"""ping: what it puts on the wire, as iputils does, and what it makes of the answers."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, Ether
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP
from scapy.packet import Raw

from vnet.base.errors import ReentryError, UsageError
from vnet.lab.lab import Lab

MS = 1_000_000
S = 1_000 * MS


def requests(lab: Lab, name: str = "vm1") -> list[Any]:
    """The first fragments of the echo requests that a VM sent."""
    return [f for f in lab.vm(name).vnic(0).sent if ICMP in f and f[ICMP].type == 8]


def test_the_fields_of_a_request(two: Lab) -> None:
    two.advance("1.5s")
    two.vm("vm1").ping("10.0.0.2", count=2)
    first, second = requests(two)
    assert (first[IP].src, first[IP].dst) == ("10.0.0.1", "10.0.0.2")
    assert (first[IP].flags, first[IP].ttl, first[IP].tos, first[IP].len) == ("DF", 64, 0, 84)
    assert first[IP].id != 0
    assert second[IP].id == first[IP].id + 1
    assert (first[ICMP].code, first[ICMP].seq, second[ICMP].seq) == (0, 1, 2)
    assert first[ICMP].id == second[ICMP].id != 0
    data = first[Raw].load
    assert len(data) == 56
    assert struct.unpack("<QQ", data[:16]) == (two.topology.epoch_ns // S + 1, 500_000)
    assert data[16:] == bytes(range(16, 56))
    assert int((second.time - first.time) * S) == S


def test_the_fields_of_an_ipv6_request(six: Lab) -> None:
    result = six.vm("vm1").ping("2001:db8::2", count=1)
    assert (result.received, result.errors) == (1, [])
    request = next(f for f in six.vm("vm1").vnic(0).sent if ICMPv6EchoRequest in f)
    assert (request[IPv6].hlim, request[IPv6].plen, request[IPv6].src) == (64, 64, "2001:db8::1")
    assert request[ICMPv6EchoRequest].data[16:] == bytes(range(16, 56))


def test_the_result(far: Lab) -> None:
    result = far.vm("vm1").ping("10.0.0.2", count=3)
    assert (result.sent, result.received, result.lost, result.duplicates) == (3, 3, 0, 0)
    # The first waits for ARP: 20 ms more.
    assert result.rtts_ns == [40 * MS, 20 * MS, 20 * MS]
    assert result.seen()["rtt_avg_ms"] == pytest.approx(26.667)
    assert str(result) == (
        "3 packets transmitted, 3 received, 0% packet loss\n"
        "rtt min/avg/max = 20.000/26.667/40.000 ms"
    )
    # It ends with the last answer.
    assert far.now_ns == 2 * S + 20 * MS


def test_a_machine_is_pinged_by_name(far: Lab) -> None:
    assert far.vm("vm1").ping("vm2", count=1).received == 1
    assert far.host("h1").ping("h2", count=1).received == 1


@pytest.mark.parametrize("size", [0, 8, 15, 16, 17, 1472])
def test_sizes(two: Lab, size: int) -> None:
    assert two.vm("vm1").ping("10.0.0.2", count=1, size=size).received == 1
    request = requests(two)[0]
    assert request[IP].len == 28 + size
    load = request[Raw].load if Raw in request else b""
    assert len(load) == size
    assert load[16:] == bytes(at & 0xFF for at in range(size))[16:]
    assert size >= 16 or load == bytes(range(size))


def test_what_does_not_fit_is_fragmented_without_df(two: Lab) -> None:
    assert two.vm("vm1").ping("10.0.0.2", count=1, size=1473).received == 1
    pieces = [f[IP] for f in two.vm("vm1").vnic(0).sent if IP in f]
    assert [(p.len, str(p.flags), p.frag) for p in pieces] == [(1500, "MF", 0), (21, "", 185)]
    assert pieces[0].id == pieces[1].id != 0


def test_df_forced_has_no_identification_and_is_refused_here(two: Lab) -> None:
    assert two.vm("vm1").ping("10.0.0.2", count=1, df=True).received == 1
    assert (requests(two)[0][IP].flags, requests(two)[0][IP].id) == ("DF", 0)
    result = two.vm("vm1").ping("10.0.0.2", count=2, size=1473, df=True)
    assert (result.sent, result.received) == (2, 0)
    assert result.errors == [f"10.0.0.1 icmp_seq={n} Message too long, mtu=1500" for n in (1, 2)]
    assert "+2 errors, 100% packet loss" in str(result)


def test_df_cleared(two: Lab) -> None:
    assert two.vm("vm1").ping("10.0.0.2", count=1, df=False).received == 1
    assert requests(two)[0][IP].flags == 0
    assert requests(two)[0][IP].id != 0


def test_a_smaller_mtu_on_the_way(routed: Lab) -> None:
    result = routed.vm("vm1").ping("10.0.2.1", count=1, size=1400)
    assert result.errors == ["10.0.1.254 icmp_seq=1 Frag needed and DF set (mtu = 1400)"]


def test_ttl(routed: Lab) -> None:
    result = routed.vm("vm1").ping("10.0.2.1", count=1, ttl=1)
    assert result.errors == ["10.0.1.254 icmp_seq=1 Time to live exceeded"]
    assert routed.vm("vm1").ping("10.0.2.1", count=1, ttl=2).received == 1
    assert [f[IP].ttl for f in requests(routed)] == [1, 2]


def test_host_unreachable(two: Lab) -> None:
    result = two.vm("vm1").ping("10.0.0.99", count=2)
    assert (result.sent, result.received) == (2, 0)
    assert result.errors == [f"10.0.0.1 icmp_seq={n} Destination Host Unreachable" for n in (1, 2)]
    assert two.now_ns < 4 * S
    asked = [f for f in two.vm("vm1").vnic(0).sent if ARP in f]
    assert len(asked) == 3


def test_network_unreachable(two: Lab) -> None:
    result = two.vm("vm1").ping("192.0.2.1")
    assert result.sent == 0
    assert result.errors == ["vm1: 192.0.2.1: Network is unreachable"]
    assert two.now_ns == 0


def test_silence_ends_at_the_timeout(two: Lab) -> None:
    two.vm("vm2").namespace.sysctls["net.ipv4.icmp_echo_ignore_all"] = 1
    result = two.vm("vm1").ping("10.0.0.2", count=2, interval="100ms", timeout="3s")
    assert (result.sent, result.received, result.errors) == (2, 0, [])
    assert two.now_ns == 3_100 * MS


def test_after_an_answer_it_waits_two_round_trips_or_an_interval(far: Lab) -> None:
    vm2 = far.vm("vm2").namespace
    far.vm("vm1").ping("10.0.0.2", count=1)
    began = far.now_ns
    far.scheduler.after(500 * MS, vm2.sysctls.__setitem__, "net.ipv4.icmp_echo_ignore_all", 1)
    result = far.vm("vm1").ping("10.0.0.2", count=2)
    assert (result.sent, result.received) == (2, 1)
    assert far.now_ns - began == 2 * S


def test_duplicates_are_counted_apart(two: Lab) -> None:
    vm1, vm2 = two.vm("vm1"), two.vm("vm2").vnic(0)

    def twice(time_ns: int) -> None:
        request = requests(two)[-1]
        reply = Ether(dst=request.src) / IP(src="10.0.0.2", dst="10.0.0.1") / request[ICMP].copy()
        reply[ICMP].type, reply[ICMP].chksum = 0, None
        vm2.send(reply)

    two.scheduler.at(500 * MS, twice, 0)
    result = vm1.ping("10.0.0.2", count=2)
    assert (result.received, result.duplicates) == (2, 1)


def test_a_broadcast_hears_everybody(two: Lab) -> None:
    two.vm("vm2").namespace.sysctls["net.ipv4.icmp_echo_ignore_broadcasts"] = 0
    result = two.vm("vm1").ping("10.0.0.255", count=1)
    assert result.received == 1


def test_itself(two: Lab) -> None:
    for address in ("10.0.0.1", "127.0.0.1"):
        assert two.vm("vm1").ping(address, count=1).received == 1
    assert len(two.vm("vm1").vnic(0).sent) == 0


def link_local(lab: Lab, name: str) -> str:
    return next(str(ip) for ip in lab.vm(name).vnic(0).iface.ips[6] if ip.startswith("fe80"))


@pytest.mark.parametrize("zone", ["", "%eth0"])
def test_ipv6_link_local(six: Lab, zone: str) -> None:
    result = six.vm("vm1").ping(link_local(six, "vm2") + zone, count=2)
    assert (result.received, result.errors) == (2, [])
    request = next(f for f in six.vm("vm1").vnic(0).sent if ICMPv6EchoRequest in f)
    assert request[IPv6].src == link_local(six, "vm1")


def test_ipv6_unreachable(six: Lab) -> None:
    result = six.vm("vm1").ping("2001:db8::99", count=1)
    assert result.errors == ["2001:db8::1 icmp_seq=1 Destination unreachable: Address unreachable"]
    result = six.vm("vm1").ping("2001:dead::1", count=1)
    assert result.errors == ["vm1: 2001:dead::1: Network is unreachable"]


def test_two_pings_at_once_do_not_take_each_other_s_answers(two: Lab) -> None:
    machine = two.network.vms["vm1"]
    apps = [machine.make_ping(b"\x0a\0\0\x02", count=3) for _ in range(2)]
    for app in apps:
        app.start()
    two.advance("5s")
    assert [(app.result.received, app.result.duplicates) for app in apps] == [(3, 0), (3, 0)]
    assert len({f[ICMP].id for f in requests(two)}) == 2


def test_more_requests_than_sequence_numbers(two: Lab) -> None:
    app = two.network.vms["vm1"].make_ping(b"\x0a\0\0\x02", count=3, interval_ns=MS)
    app._pacer._number = 65_534  # the app has been at it for a while
    app._pacer._count = 65_540
    app.start()
    two.advance("2s")
    assert [f[ICMP].seq for f in requests(two)] == [65_535, 0, 1, 2, 3, 4]
    assert (app.result.received, app.result.duplicates, app.done) == (6, 0, True)


@pytest.mark.parametrize(
    ("target", "options", "words"),
    [
        ("10.0.0.2", {"count": 0}, "a count of 0"),
        ("10.0.0.2", {"size": -1}, "a size of -1"),
        ("10.0.0.2", {"size": 65_508}, "a size of 65508"),
        ("10.0.0.2", {"ttl": 0}, "a ttl of 0"),
        ("10.0.0.2", {"ttl": 256}, "a ttl of 256"),
        ("10.0.0.2", {"interval": "1"}, "not a duration"),
        ("10.0.0.2", {"interval": 1}, "not a duration"),
        ("nobody", {}, "'nobody' is neither a machine of the lab nor an IP address"),
        ("fe80::1%eth7", {}, 'device "eth7" does not exist'),
    ],
)
def test_mistakes(two: Lab, target: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        two.vm("vm1").ping(target, **options)
    assert two.now_ns == 0


def test_the_largest_there_is(two: Lab) -> None:
    assert two.vm("vm1").ping("10.0.0.2", count=1, size=65_507).received == 1


def test_inside_an_event_nothing_is_sent(two: Lab) -> None:
    two.scheduler.after(0, lambda: two.vm("vm1").ping("10.0.0.2"))
    with pytest.raises(ReentryError):
        two.advance("1s")
    two.advance("1s")
    assert len(two.vm("vm1").vnic(0).sent) == 0


def test_an_error_about_a_request_that_was_never_sent_is_ignored(two: Lab) -> None:
    """Whoever guesses the identifier cannot end a ping."""
    vm1 = two.network.vms["vm1"]
    ping = vm1.make_ping(bytes((10, 0, 0, 2)), count=3, interval_ns=S)
    ping.start()
    two.advance("1ms")
    request = requests(two)[0]
    for sequence in (2, 3, 4):
        forged = request[IP].copy()
        forged[ICMP].seq = sequence
        del forged[ICMP].chksum
        two.vm("vm2").vnic(0).send(IP(dst="10.0.0.1") / ICMP(type=3, code=1) / bytes(forged))
    two.advance("5s")
    assert (ping.result.sent, ping.result.received, ping.result.errors) == (3, 3, [])


def test_a_type_of_service_is_sent_and_answered(two: Lab) -> None:
    two.vm("vm1").ping("10.0.0.2", count=1, tos=0x10)
    assert [request[IP].tos for request in requests(two)] == [0x10]
    replies = [f for f in two.vm("vm2").vnic(0).sent if ICMP in f and f[ICMP].type == 0]
    assert [reply[IP].tos for reply in replies] == [0x10]
