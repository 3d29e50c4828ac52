# mypy: disable-error-code="untyped-decorator"
"""Scapy's answering machines and automata over vNICs."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from scapy.ansmachine import AnsweringMachine
from scapy.automaton import ATMT, Automaton
from scapy.layers.inet import ICMP, IP, UDP, Ether
from scapy.layers.l2 import ARP, ARP_am
from scapy.packet import Raw
from scapy.sendrecv import sendp, srp1

from vnet.base.errors import ReentryError, UsageError
from vnet.guest.vnic import Vnic
from vnet.lab.lab import Lab

MS = 1_000_000
S = 1_000 * MS


def nic(lab: Lab, name: str = "vm1") -> Vnic:
    return lab.vm(name).vnic(0)


class TimeServer(AnsweringMachine):  # type: ignore[misc]
    """Answers datagrams to port 37 with their number of bytes."""

    function_name = "timed"
    send_function = staticmethod(sendp)

    def is_request(self, req: Any) -> bool:
        return UDP in req and req[UDP].dport == 37

    def make_reply(self, req: Any) -> Any:
        return (
            Ether(src=req.dst, dst=req.src)
            / IP(src=req[IP].dst, dst=req[IP].src)
            / UDP(sport=37, dport=req[UDP].sport)
            / Raw(b"%d" % len(req[UDP].payload))
        )


def who_has(address: str) -> Any:
    return Ether(dst="ff:ff:ff:ff:ff:ff") / ARP(pdst=address)


# Answering machines


def test_farpd_in_the_background_answers_srp1(far: Lab) -> None:
    machine = ARP_am(IP_addr="10.0.0.50", iface=nic(far, "vm2").iface, verbose=0)
    sniffer = machine.bg()
    answer = srp1(who_has("10.0.0.50"), iface=nic(far).iface, timeout=2)
    assert (answer[ARP].psrc, answer[ARP].hwsrc) == ("10.0.0.50", nic(far, "vm2").mac)
    assert far.now_ns == 20 * MS
    assert srp1(who_has("10.0.0.51"), iface=nic(far).iface, timeout=2) is None
    sniffer.stop()
    assert srp1(who_has("10.0.0.50"), iface=nic(far).iface, timeout=2) is None


def test_farpd_by_socket_prints_and_asks_the_guest_for_its_interface(
    two: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    vnic = nic(two, "vm2")
    sniffer = vnic.am(ARP_am, IP_addr="10.0.0.50", verbose=1).bg()
    answer = nic(two).srp(who_has("10.0.0.50"), timeout=1)[0][0].answer
    assert answer.hwsrc == vnic.mac
    assert "is at" in capsys.readouterr().out
    sniffer.stop()


def test_a_blocking_machine_answers_for_its_time(far: Lab) -> None:
    """The machine runs the lab; the question comes from an event."""
    question = Ether(dst=nic(far, "vm2").mac) / IP(dst="10.0.0.2") / UDP(dport=37) / b"four"
    far.scheduler.at(100 * MS, nic(far).send, question)
    machine = TimeServer(opened_socket=nic(far, "vm2"), socket=nic(far, "vm2"), count=1, verbose=0)
    machine()
    assert far.now_ns == 110 * MS
    far.advance("1s")
    assert [f[Raw].load for f in nic(far).received if UDP in f and f[UDP].sport == 37] == [b"4"]


def test_a_machine_of_one_s_own_in_the_background(two: Lab) -> None:
    sniffer = TimeServer(opened_socket=nic(two, "vm2"), socket=nic(two, "vm2"), verbose=0).bg()
    answer = nic(two).sr1(IP(dst="10.0.0.2") / UDP(sport=5, dport=37) / b"seventy", multi=True)
    assert answer is not None
    two.advance("1s")
    assert b"7" in [f[Raw].load for f in nic(two).received if Raw in f]
    sniffer.stop()


def test_a_machine_that_pauses_inside_an_event_is_told(two: Lab) -> None:
    vnic = nic(two, "vm2")
    TimeServer(opened_socket=vnic, socket=vnic, inter=1, verbose=0).bg()
    nic(two).send(Ether(dst=vnic.mac) / IP(dst="10.0.0.2") / UDP(dport=37))
    with pytest.raises(ReentryError):
        two.advance("1s")


# Automata


class Pinger(Automaton):  # type: ignore[misc]
    """Asks again every 0.3 s, and gives up after the third time."""

    def parse_args(self, target: str, **kargs: Any) -> None:
        Automaton.parse_args(self, **kargs)
        self.target = target
        self.tries = 0

    def master_filter(self, pkt: Any) -> bool:
        return ICMP in pkt and pkt[ICMP].type == 0

    @ATMT.state(initial=1)
    def BEGIN(self) -> None:  # noqa: N802
        raise self.WAITING()

    @ATMT.state()
    def WAITING(self) -> None:  # noqa: N802
        self.tries += 1
        self.send(IP(dst=self.target) / ICMP(seq=self.tries))

    @ATMT.receive_condition(WAITING)
    def answered(self, pkt: Any) -> None:
        if pkt[IP].src == self.target:
            raise self.DONE(pkt[ICMP].seq)

    @ATMT.timeout(WAITING, 0.3)
    def silence(self) -> None:
        if self.tries == 3:
            raise self.LOST()
        raise self.WAITING()

    @ATMT.state(final=1)
    def DONE(self, sequence: int) -> str:  # noqa: N802
        return f"answer {sequence}"

    @ATMT.state(final=1)
    def LOST(self) -> str:  # noqa: N802
        return "lost"


def test_an_automaton_hears_its_answer(far: Lab) -> None:
    assert Pinger("10.0.0.2", sock=nic(far)).run() == "answer 1"
    assert far.now_ns == 40 * MS


def test_an_automaton_s_timeouts_are_virtual_and_exact(two: Lab) -> None:
    two.advance(1_234_567)
    began = two.now_ns
    assert Pinger("10.0.0.99", sock=nic(two)).run() == "lost"
    assert two.now_ns - began == 900 * MS


def test_noise_does_not_move_an_automaton_s_timeouts(far: Lab) -> None:
    frame = Ether(dst="ff:ff:ff:ff:ff:ff", type=0x88B5) / Raw(b"noise")
    for number in range(40):
        far.scheduler.at(number * 22_222_223, nic(far, "vm2").send, frame)
    assert Pinger("10.0.0.99", sock=nic(far)).run() == "lost"
    assert far.now_ns == 900 * MS


class Metronome(Automaton):  # type: ignore[misc]
    """Sends a frame every 0.25 s by an autoreloading timer; has nothing to receive."""

    @ATMT.state(initial=1)
    def BEGIN(self) -> None:  # noqa: N802
        self.beats = 0

    @ATMT.timer(BEGIN, 0.25)
    def beat(self) -> None:
        self.beats += 1
        self.send(Ether(dst="ff:ff:ff:ff:ff:ff", type=0x88B5) / Raw(bytes((self.beats,))))
        if self.beats == 4:
            raise self.END()

    @ATMT.state(final=1)
    def END(self) -> int:  # noqa: N802
        return int(self.beats)


def test_an_automaton_that_only_waits(two: Lab) -> None:
    assert Metronome(sock=nic(two)).run() == 4
    assert two.now_ns == S
    times = [int(packet.time * S) - two.topology.epoch_ns for packet in nic(two).sent]
    assert times == [250 * MS, 500 * MS, 750 * MS, S]


def test_an_automaton_runs_step_by_step(far: Lab) -> None:
    machine = Pinger("10.0.0.2", sock=nic(far))
    states = []
    with pytest.raises(Automaton.Singlestep) as stop:
        next(machine)
    states.append(stop.value.state)
    assert far.now_ns == 0
    assert machine.run() == "answer 1"
    assert far.now_ns == 40 * MS


class Listener(Automaton):  # type: ignore[misc]
    """Waits for a frame without any timeout."""

    @ATMT.state(initial=1)
    def BEGIN(self) -> None:  # noqa: N802
        pass

    @ATMT.receive_condition(BEGIN)
    def heard(self, pkt: Any) -> None:
        raise self.END(pkt)

    @ATMT.eof(BEGIN)
    def silence(self) -> None:
        raise self.END(None)

    @ATMT.state(final=1)
    def END(self, pkt: Any) -> Any:  # noqa: N802
        return pkt


def test_an_automaton_without_a_timeout_ends_with_the_traffic(two: Lab) -> None:
    assert Listener(sock=nic(two)).run() is None
    assert two.now_ns == 3600 * S
    frame = Ether(dst="ff:ff:ff:ff:ff:ff", type=0x88B5) / Raw(b"x")
    two.scheduler.after(MS, nic(two, "vm2").send, frame)
    assert Listener(sock=nic(two)).run()[Raw].load == b"x"


def test_an_automaton_in_the_background_is_refused(two: Lab) -> None:
    with pytest.raises(UsageError, match="two threads"):
        Pinger("10.0.0.2", sock=nic(two)).runbg()


def test_an_automaton_inside_an_event_is_refused(two: Lab) -> None:
    two.scheduler.after(0, lambda: Pinger("10.0.0.99", sock=nic(two)).run())
    with pytest.raises(ReentryError):
        two.advance("1s")


def test_no_thread_survives(two: Lab) -> None:
    before = set(threading.enumerate())
    Pinger("10.0.0.2", sock=nic(two)).run()
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=30)
        assert not thread.is_alive()
