"""arping in all its modes, datagrams and their servers, and raw frames."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, UDP, Ether
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP
from scapy.packet import Raw

from vnet.base.errors import UsageError
from vnet.base.ids import Mac
from vnet.guest.apps.send import Send
from vnet.lab.lab import Lab
from vnet.linux.netns.sockets.udp import Datagram

MS = 1_000_000
S = 1_000 * MS
EVERYBODY = "ff:ff:ff:ff:ff:ff"


def arps(lab: Lab, name: str = "vm1") -> list[tuple[Any, ...]]:
    """(dst, op, hwsrc, psrc, hwdst, pdst) of the ARP frames a VM sent."""
    return [
        (f.dst, f[ARP].op, f[ARP].hwsrc, f[ARP].psrc, f[ARP].hwdst, f[ARP].pdst)
        for f in lab.vm(name).vnic(0).sent
        if ARP in f
    ]


def datagrams(lab: Lab, name: str = "vm1") -> list[Any]:
    return [f for f in lab.vm(name).vnic(0).sent if UDP in f and ICMP not in f]


# arping


def test_request_asks_everybody_then_who_answered(two: Lab) -> None:
    app = two.vm("vm1").arping("10.0.0.2", count=2)
    mac, other = two.vm("vm1").vnic(0).mac, two.vm("vm2").vnic(0).mac
    assert app.seen() == {"sent": 2, "received": 2, "mac": other, "duplicate": False}
    assert arps(two) == [
        (EVERYBODY, 1, mac, "10.0.0.1", EVERYBODY, "10.0.0.2"),
        (other, 1, mac, "10.0.0.1", other, "10.0.0.2"),
    ]


def test_nobody_answers(two: Lab) -> None:
    app = two.vm("vm1").arping("10.0.0.99", count=3)
    assert app.seen() == {"sent": 3, "received": 0, "mac": "", "duplicate": False}
    assert two.now_ns == 3 * S
    assert len(two.vm("vm1").vnic(0).sent[0]) == 42


def test_announce_as_recorded_from_linux(two: Lab) -> None:
    """arping -U: a request for our own address, with the target MAC all ones."""
    app = two.vm("vm1").arping("10.0.0.1", mode="announce", count=2)
    mac = two.vm("vm1").vnic(0).mac
    assert arps(two) == [(EVERYBODY, 1, mac, "10.0.0.1", EVERYBODY, "10.0.0.1")] * 2
    assert (app.sent, app.received) == (2, 0)


def test_announce_mends_what_others_know(two: Lab) -> None:
    two.vm("vm2").ping("10.0.0.1", count=1)
    two.advance("2s")
    two.vm("vm1").namespace.set_down("eth0")
    two.vm("vm1").namespace.set_mac("eth0", Mac(b"\x02\0\0\0\0\x77"))
    two.vm("vm1").namespace.set_up("eth0")
    two.vm("vm1").arping("10.0.0.1", mode="announce")
    cache = two.vm("vm2").namespace.interface("eth0").arp_cache.table
    known = cache.get(b"\x0a\0\0\x01")
    assert known is not None
    assert known.mac == b"\x02\0\0\0\0\x77"


def test_duplicate_as_recorded_from_linux(two: Lab) -> None:
    """arping -D: from 0.0.0.0, ended by the first answer, which goes to 0.0.0.0."""
    app = two.vm("vm1").arping("10.0.0.2", mode="duplicate", count=3)
    mac, other = two.vm("vm1").vnic(0).mac, two.vm("vm2").vnic(0).mac
    assert arps(two) == [(EVERYBODY, 1, mac, "0.0.0.0", EVERYBODY, "10.0.0.2")]
    assert arps(two, "vm2") == [(mac, 2, other, "10.0.0.2", mac, "0.0.0.0")]
    assert app.seen() == {"sent": 1, "received": 1, "mac": other, "duplicate": True}
    assert two.now_ns == 0


def test_no_duplicate(two: Lab) -> None:
    app = two.vm("vm1").arping("10.0.0.1", mode="duplicate", count=2)
    assert app.seen()["duplicate"] is False
    assert app.sent == 2


@pytest.mark.parametrize(
    ("target", "options", "words"),
    [
        ("10.0.0.2", {"mode": "shout"}, "no mode 'shout'"),
        ("2001:db8::1", {}, "needs an IPv4 address"),
        ("192.0.2.1", {}, "not on a connected net"),
        ("10.0.0.2", {"count": 0}, "a count of 0"),
    ],
)
def test_arping_mistakes(two: Lab, target: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        two.vm("vm1").arping(target, **options)


# UDP


def test_a_stream_is_numbered_and_comes_back(far: Lab) -> None:
    server = far.vm("vm2").serve_echo()
    app = far.vm("vm1").udp("10.0.0.2", count=3, interval="10ms", size=20)
    assert app.seen() == {"sent": 3, "received": 3, "lost": 0, "errors": 0}
    assert server.seen() == {"received": 3}
    sent = datagrams(far)
    assert [f[Raw].load for f in sent] == [n.to_bytes(8, "big") + bytes(12) for n in (1, 2, 3)]
    assert [f[Raw].load for f in datagrams(far, "vm2")] == [f[Raw].load for f in sent]
    assert [f[IP].id - sent[0][IP].id for f in sent] == [0, 1, 2]
    assert {str(f[IP].flags) for f in sent} == {"DF"}
    # Ended by the last echo: 20 ms after the last datagram left.
    assert far.now_ns == 40 * MS


@pytest.mark.parametrize("size", [0, 8, 9, 64, 1472, 1473, 5000])
def test_checksums_are_those_scapy_would_write(two: Lab, size: int) -> None:
    two.vm("vm2").serve_echo()
    app = two.vm("vm1").udp("10.0.0.2", count=3, interval="1ms", size=size)
    assert app.received == 3
    for frame in datagrams(two):
        if frame[IP].flags.MF or frame[IP].frag:
            continue
        raw = bytes(frame)
        del frame[IP].chksum, frame[UDP].chksum
        assert bytes(Ether(bytes(frame))) == raw


def test_ipv6_checksums(six: Lab) -> None:
    six.vm("vm2").serve_echo(9)
    app = six.vm("vm1").udp("2001:db8::2", port=9, count=300, interval="1ms", size=11)
    assert app.received == 300
    for frame in datagrams(six):
        raw = bytes(frame)
        assert frame[UDP].chksum != 0
        del frame[UDP].chksum
        assert bytes(frame) == raw
    assert IPv6 in datagrams(six)[0]


def test_two_fragmented_streams_do_not_mix(two: Lab) -> None:
    two.vm("vm2").serve_echo()
    machine = two.network.vms["vm1"]
    apps = [machine.make_udp(b"\x0a\0\0\x02", count=5, size_bytes=4000) for _ in range(2)]
    for app in apps:
        app.start()
    two.advance("10s")
    assert [app.received for app in apps] == [5, 5]
    idents = [f[IP].id for f in two.vm("vm1").vnic(0).sent if IP in f and not f[IP].frag]
    assert len(set(idents)) == len(idents) == 10


def test_without_echo_the_far_end_counts(far: Lab) -> None:
    server = far.vm("vm2")._machine.serve_udp(9, echo=False)
    app = far.vm("vm1").udp("vm2", port=9, count=4, interval="1ms", echo=False)
    assert app.seen() == {"sent": 4, "received": 4, "lost": 0, "errors": 0}
    assert server.received == 4
    assert datagrams(far, "vm2") == []
    assert server.listeners == []


def test_without_echo_and_without_a_server_nobody_can_tell(two: Lab) -> None:
    app = two.vm("vm1").udp("10.0.0.2", port=9, count=2, interval="1ms", echo=False)
    assert (app.sent, app.received) == (2, 0)
    assert two.now_ns == MS


def test_nobody_listens(two: Lab) -> None:
    app = two.vm("vm1").udp("10.0.0.2", count=1)
    assert app.errors == ["10.0.0.2 Destination Port Unreachable"]
    assert two.now_ns == S


def test_udp_without_a_route(two: Lab) -> None:
    app = two.vm("vm1").udp("192.0.2.1")
    assert (app.sent, app.errors) == (0, ["vm1: 192.0.2.1: Network is unreachable"])


def test_a_forged_echo_is_not_counted(two: Lab) -> None:
    vm1, vm2 = two.vm("vm1"), two.vm("vm2")
    server = vm2.serve_echo()

    def forge(request: Datagram) -> None:
        forged = UDP(sport=7, dport=request.source_port) / (b"\xff" * 20)
        vm2.vnic(0).send(IP(dst="10.0.0.1") / forged)

    server.listeners.append(forge)
    assert vm1.udp("10.0.0.2", count=2, interval="1ms").received == 2


def test_a_broadcast_is_echoed_from_one_address(two: Lab) -> None:
    two.vm("vm2").serve_echo()
    two.vm("vm1").udp("10.0.0.255", count=1)
    assert [f[IP].src for f in datagrams(two, "vm2")] == ["10.0.0.2"]


def test_servers(two: Lab) -> None:
    vm2 = two.vm("vm2")
    server = vm2.serve_echo(7)
    assert vm2.serve_echo(7) is server
    assert vm2._machine.udp_server(7) is server
    server.finish()
    assert vm2._machine.udp_server(7) is None
    assert vm2.serve_echo(7) is not server
    vm2.namespace.sockets.open_udp(lambda *_: None, 9)
    with pytest.raises(UsageError, match="in use"):
        vm2.serve_echo(9)
    with pytest.raises(UsageError, match="a port of 0"):
        vm2.serve_echo(0)
    with pytest.raises(UsageError, match="a port of 70000"):
        two.vm("vm1").udp("10.0.0.2", port=70_000)


# Raw frames


def test_send_repeats_a_packet(two: Lab) -> None:
    vnic = two.vm("vm1").vnic(0)
    frame = Ether(dst=EVERYBODY, type=0x88B5) / Raw(b"again")
    app = Send(vnic, frame, count=3, interval_ns=100 * MS)
    app.start()
    two.advance("1s")
    assert app.done
    assert app.seen() == {"sent": 3}
    times = [int(f.time * S) - two.topology.epoch_ns for f in vnic.sent]
    assert times == [0, 100 * MS, 200 * MS]
    assert {f[Raw].load for f in vnic.sent} == {b"again"}
