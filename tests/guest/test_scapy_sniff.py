"""Scapy's own sniffing over vNICs: waiting for frames, and listening in the background."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import scapy.sendrecv
from scapy.error import Scapy_Exception
from scapy.layers.inet import ICMP, IP, UDP, Ether
from scapy.layers.l2 import ARP
from scapy.packet import Raw
from scapy.sendrecv import AsyncSniffer, bridge_and_sniff, sniff
from scapy.sessions import IPSession
from scapy.utils import wrpcap

from vnet.base.errors import UsageError
from vnet.guest.vnic import Vnic
from vnet.lab.lab import Lab

MS = 1_000_000
S = 1_000 * MS


def nic(lab: Lab, name: str = "vm1") -> Vnic:
    return lab.vm(name).vnic(0)


def say(lab: Lab, times_ms: list[int], name: str = "vm2") -> None:
    """Have a VM send numbered frames to everybody at these times."""
    for number, time_ms in enumerate(times_ms):
        frame = Ether(dst="ff:ff:ff:ff:ff:ff", type=0x88B5) / Raw(bytes((number,)) * 46)
        lab.scheduler.at(lab.now_ns + time_ms * MS, nic(lab, name).send, frame)


def numbers(packets: Any) -> list[int]:
    return [packet[Raw].load[0] for packet in packets]


def test_sniff_for_a_time(two: Lab) -> None:
    say(two, [0, 100, 900, 1_100])
    assert numbers(sniff(opened_socket=nic(two), timeout=1)) == [0, 1, 2]
    assert two.now_ns == S


def test_sniff_a_count_ends_with_the_last(two: Lab) -> None:
    say(two, [100, 200, 300])
    assert numbers(nic(two).sniff(count=2)) == [0, 1]
    assert two.now_ns == 200 * MS


def test_sniff_until_a_packet_says_stop(two: Lab) -> None:
    say(two, [100, 200, 300])
    heard = nic(two).sniff(stop_filter=lambda packet: packet[Raw].load[0] == 1, timeout=5)
    assert numbers(heard) == [0, 1]
    assert two.now_ns == 200 * MS


def test_sniff_calls_prn_and_asks_lfilter(two: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    say(two, [100, 200, 300])
    heard = sniff(
        opened_socket=nic(two),
        timeout=1,
        lfilter=lambda packet: packet[Raw].load[0] != 1,
        prn=lambda packet: f"heard {packet[Raw].load[0]} at {two.now_ns // MS}",
    )
    assert numbers(heard) == [0, 2]
    assert capsys.readouterr().out == "heard 0 at 100\nheard 2 at 300\n"


def test_sniff_without_store(two: Lab) -> None:
    say(two, [100, 200])
    heard: list[Any] = []
    assert len(nic(two).sniff(timeout=1, store=False, prn=lambda p: heard.append(p))) == 0
    assert numbers(heard) == [0, 1]


def test_sniff_by_interface_keeps_virtual_time(two: Lab) -> None:
    began = time.monotonic()
    say(two, [100, 59_000])
    assert numbers(sniff(iface=nic(two).iface, timeout=60)) == [0, 1]
    assert two.now_ns == 60 * S
    assert time.monotonic() - began < 60


def test_sniff_on_two_cards(two: Lab) -> None:
    say(two, [100], "vm1")
    say(two, [200], "vm2")
    heard = sniff(opened_socket=[nic(two), nic(two, "vm2")], timeout=1)
    assert [packet.sniffed_on for packet in heard] == ["socket1", "socket0"]
    say(two, [100], "vm1")
    labels = {nic(two): "left", nic(two, "vm2"): "right"}
    assert [packet.sniffed_on for packet in sniff(opened_socket=labels, timeout=1)] == ["right"]


def test_sniff_hears_only_what_comes_after_it_began(two: Lab) -> None:
    say(two, [100])
    two.advance("1s")
    assert len(nic(two).sniff(timeout=1)) == 0


def test_sniff_without_an_end_ends_with_the_traffic(two: Lab) -> None:
    say(two, [100, 200])
    assert numbers(nic(two).sniff()) == [0, 1]
    assert two.now_ns == 3600 * S + 200 * MS


def test_sniff_at_the_ip_face(two: Lab) -> None:
    nic(two, "vm2").send(IP(dst="10.0.0.1") / UDP(dport=9) / b"x")
    heard = nic(two).l3.sniff(timeout=1, lfilter=lambda packet: UDP in packet)
    assert type(heard[0]) is IP


def test_prn_may_ask_questions_of_its_own(far: Lab) -> None:
    say(far, [100])
    answers: list[Any] = []
    nic(far).sniff(count=1, prn=lambda _: answers.append(nic(far).sr1(IP(dst="10.0.0.2") / ICMP())))
    assert [answer.src for answer in answers] == ["10.0.0.2"]


def test_a_session_puts_fragments_together(two: Lab) -> None:
    big = IP(dst="10.0.0.1") / UDP(dport=9) / Raw(b"z" * 3000)
    two.scheduler.after(0, nic(two, "vm2").send, big)
    heard = nic(two).sniff(timeout=1, session=IPSession, lfilter=lambda packet: UDP in packet)
    assert [len(packet[Raw].load) for packet in heard] == [3000]


# In the background


def test_async_sniffer_listens_while_the_lab_runs(two: Lab) -> None:
    say(two, [100, 200, 5_000])
    sniffer = AsyncSniffer(opened_socket=nic(two))
    sniffer.start()
    assert sniffer.running
    two.advance("1s")
    assert sniffer.count == 2
    assert numbers(sniffer.stop()) == [0, 1]
    assert not sniffer.running
    assert numbers(sniffer.results) == [0, 1]
    two.advance("10s")
    assert len(sniffer.results) == 2
    with pytest.raises(Scapy_Exception, match="Not running"):
        sniffer.stop()


def test_async_sniffer_starts_again(two: Lab) -> None:
    sniffer = AsyncSniffer(opened_socket=nic(two))
    for _ in range(2):
        say(two, [100])
        sniffer.start()
        two.advance("1s")
        assert numbers(sniffer.stop()) == [0]


def test_join_runs_the_lab_until_the_sniffer_is_full(two: Lab) -> None:
    say(two, [100, 200, 300])
    sniffer = AsyncSniffer(opened_socket=nic(two), count=2)
    sniffer.start()
    sniffer.join(timeout=5)
    assert two.now_ns == 200 * MS
    assert numbers(sniffer.results) == [0, 1]


def test_join_without_a_timeout(two: Lab) -> None:
    say(two, [100, 200])
    sniffer = AsyncSniffer(opened_socket=nic(two), count=2)
    sniffer.start()
    sniffer.join()
    assert two.now_ns == 200 * MS

    sniffer = AsyncSniffer(opened_socket=nic(two), count=2)
    sniffer.start()
    sniffer.join()
    assert two.now_ns == 3600 * S + 200 * MS
    assert not sniffer.running


def test_join_times_out_exactly_and_leaves_it_running(two: Lab) -> None:
    sniffer = AsyncSniffer(opened_socket=nic(two))
    sniffer.start()
    sniffer.join(timeout=0.3)
    assert two.now_ns == 300 * MS
    assert sniffer.running
    sniffer.join(1)
    assert two.now_ns == 1_300 * MS
    sniffer.stop()


def test_async_sniffer_filters_prints_and_stops(
    two: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    say(two, [100, 200, 300, 400])
    sniffer = AsyncSniffer(
        iface=nic(two).iface,
        lfilter=lambda packet: packet[Raw].load[0] > 0,
        prn=lambda packet: packet[Raw].load[0],
        stop_filter=lambda packet: packet[Raw].load[0] == 2,
        store=False,
    )
    sniffer.start()
    two.advance("1s")
    assert not sniffer.running
    assert (sniffer.count, len(sniffer.results)) == (2, 0)
    assert capsys.readouterr().out == "1\n2\n"


def test_async_sniffers_on_both_faces_and_cards(two: Lab) -> None:
    vnic = nic(two)
    both = AsyncSniffer(opened_socket=[vnic, nic(two, "vm2")])
    ip_face = AsyncSniffer(opened_socket=vnic.l3, lfilter=lambda packet: ICMP in packet)
    for sniffer in (both, ip_face):
        sniffer.start()
    two.vm("vm1").ping("10.0.0.2", count=1)
    two.advance("1s")
    assert [type(packet) for packet in ip_face.stop()] == [IP]
    assert {packet.sniffed_on for packet in both.stop()} == {"socket0", "socket1"}


def test_a_sniffer_in_the_background_does_not_disturb_a_question(far: Lab) -> None:
    sniffer = AsyncSniffer(opened_socket=nic(far))
    sniffer.start()
    assert nic(far).sr1(IP(dst="10.0.0.2") / ICMP()) is not None
    far.advance(0)
    assert [type(frame.payload) for frame in sniffer.stop()] == [ARP, IP]


def test_bridge_and_sniff_between_two_cards(two: Lab) -> None:
    """Scapy as a cable: what one card hears, the other sends."""
    frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02", type=0x88B5) / Raw(b"y" * 46)
    two.scheduler.at(MS, nic(two, "vm2").send, frame)
    bridge_and_sniff(nic(two), nic(two, "vm2"), count=1)
    assert [bytes(sent) for sent in nic(two, "vm2").sent] == [bytes(frame)] * 2


# The rest of the process


def test_other_sockets_keep_real_time_and_scapy_s_own_road(two: Lab, tmp_path: Path) -> None:
    frames = [Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:01") / ARP(psrc="1.1.1.1")]
    frames[0][ARP].hwsrc = "02:00:00:00:00:01"
    wrpcap(str(tmp_path / "some.pcap"), frames)
    nic(two).sniff(timeout=1)
    virtual_ns = two.now_ns

    heard = sniff(offline=str(tmp_path / "some.pcap"))
    assert [bytes(packet) for packet in heard] == [bytes(frames[0])]
    assert len(sniff(offline=frames, lfilter=lambda packet: ARP in packet)) == 1

    sniffer = AsyncSniffer(offline=frames)
    sniffer.start()
    sniffer.join(timeout=10)
    assert len(sniffer.results) == 1
    before = time.time()
    assert before <= scapy.sendrecv.time.time() <= time.time()
    began = time.monotonic()
    scapy.sendrecv.time.sleep(0.01)
    assert time.monotonic() - began >= 0.01
    assert two.now_ns == virtual_ns


def test_a_sniffer_is_not_for_both_worlds(two: Lab, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not on both"):
        sniff(opened_socket=[nic(two), object()], timeout=1)
