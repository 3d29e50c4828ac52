"""One segment into each state, and what is answered: asked of the kernel, and of ours.

    sudo python tests/linux/tcp/odd_segments.py

writes what Linux answers to ``tests/data/linux/tcp/odd-segments.txt``, a line for each case:
state, segment, and the answers within 70 ms. The peer is this program; its sequence numbers
count from its SYN, those of the machine from its own.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.linux.tcp.kit import describe, segment_in
from vnet.base.ids import ip_from_text
from vnet.wire import ipv4, tcp, tcp_options
from vnet.wire.tcp import ACK, FIN, PSH, RST, SYN, URG, Tcp
from vnet.wire.tcp_options import TcpOptions

DATA = Path(__file__).parents[2] / "data" / "linux" / "tcp" / "odd-segments.txt"
OURS, PEER = ip_from_text("10.9.0.1"), ip_from_text("10.9.0.2")
PEER_ISN = 0xFFFFFF00
"""Close to the end, so that numbers wrap."""

WAIT_MS = 70
PORT, CLOSED_PORT = 80, 81
FIRST_PEER_PORT = 20_000


class Odd(NamedTuple):
    """A segment: ``sequence`` counts from RCV.NXT, ``acknowledgement`` from SND.NXT."""

    name: str
    flags: int
    sequence: int = 0
    acknowledgement: int = 0
    payload: bytes = b""
    window: int = 1000
    clock: int = 0
    """What the timestamp is, beyond the last one sent."""


TEN = b"0123456789"
ODD = (
    Odd("SYN far away", SYN, 1_000_000),
    Odd("SYN in the window", SYN, 10),
    Odd("SYN-ACK", SYN | ACK),
    Odd("RST at the edge", RST),
    Odd("RST in the window", RST, 5),
    Odd("RST outside", RST, 200_000),
    Odd("RST-ACK at the edge", RST | ACK),
    Odd("FIN", FIN | ACK),
    Odd("FIN early", FIN | ACK, 5),
    Odd("data", PSH | ACK, payload=TEN),
    Odd("data once more", PSH | ACK, -5, payload=TEN[:4]),
    Odd("data half old", PSH | ACK, -1, payload=TEN),
    Odd("data early", PSH | ACK, 20, payload=TEN),
    Odd("data outside", PSH | ACK, 200_000, payload=TEN),
    Odd("data that is urgent", PSH | ACK | URG, payload=TEN),
    Odd("data without ACK", PSH, payload=TEN),
    Odd("ACK", ACK),
    Odd("ACK of the future", ACK, 0, 100),
    Odd("ACK of the past", ACK, 0, -200_000),
    Odd("ACK outside", ACK, 200_000),
    Odd("ACK, window closed", ACK, window=0),
    Odd("data with FIN", PSH | FIN | ACK, payload=TEN),
    Odd("everything", 0x3F, payload=TEN),
    Odd("nothing", 0),
    Odd("data from the past", PSH | ACK, payload=TEN, clock=-5000),
    Odd("ACK from the past", ACK, clock=-5000),
)

STATES = (
    *("closed", "listen", "syn-received", "established", "close-wait"),
    *("fin-wait-1", "fin-wait-2", "closing", "last-ack", "time-wait"),
)


class Machine(NamedTuple):
    """What asks: ``deliver`` gives the machine a packet, ``shut`` has its program close,
    ``answers`` waits and says what came."""

    deliver: Callable[[bytes], None]
    shut: Callable[[], None]
    answers: Callable[[int], list[Tcp]]


class Peer:
    """The other end of one connection."""

    def __init__(self, machine: Machine, port: int, state: str) -> None:
        self.machine = machine
        self.port = port
        self.target = CLOSED_PORT if state == "closed" else PORT
        self.sent = PEER_ISN
        """The next sequence number to send."""
        self.theirs = 0
        self.their_isn = 0
        self.clock = 10_000
        self.echo = 0

    def send(self, odd: Odd) -> None:
        stamps = (self.clock + odd.clock, self.echo)
        if odd.flags & SYN:
            said = TcpOptions(mss=1460, sack_permitted=True, timestamps=stamps, window_scale=7)
            options = tcp_options.emit_syn(said)
        else:
            options = tcp_options.emit_timestamps(*stamps)
        segment = Tcp(
            self.port,
            self.target,
            (self.sent + odd.sequence) % 2**32,
            (self.theirs + odd.acknowledgement) % 2**32 if odd.flags & ACK else 0,
            odd.flags,
            odd.window,
            5 if odd.flags & URG else 0,
            options,
            odd.payload,
        )
        packet = tcp.emit(PEER, OURS, segment)
        self.machine.deliver(ipv4.emit(PEER, OURS, tcp.PROTOCOL, packet, ident=1))

    def hear(self, wait_ms: int) -> list[Tcp]:
        heard = [s for s in self.machine.answers(wait_ms) if s.target_port == self.port]
        for segment in heard:
            length = len(segment.payload) + bool(segment.flags & SYN) + bool(segment.flags & FIN)
            if segment.flags & SYN:
                self.their_isn = segment.sequence
            if not segment.flags & RST:
                self.theirs = (segment.sequence + length) % 2**32
            options = tcp_options.parse(segment.options)
            if options is not None and options.timestamps is not None:
                self.echo = options.timestamps[0]
        return heard

    def bring_about(self, state: str) -> None:
        """Have the machine's end in a state."""
        if state in ("closed", "listen"):
            return
        self.send(Odd("", SYN))
        self.hear(5)
        self.sent = (self.sent + 1) % 2**32
        if state == "syn-received":
            return
        self.send(Odd("", ACK))
        self.hear(5)
        if state in ("fin-wait-1", "fin-wait-2", "closing", "time-wait"):
            self.machine.shut()
            self.hear(5)
        if state in ("fin-wait-2", "time-wait"):
            self.send(Odd("", ACK))
            self.hear(5)
        if state in ("close-wait", "last-ack", "closing", "time-wait"):
            self.send(Odd("", FIN | ACK, 0, -1 if state == "closing" else 0))
            self.sent = (self.sent + 1) % 2**32
            self.hear(60)
        if state == "last-ack":
            self.machine.shut()
            self.hear(5)
        self.clock += 200


def ask(machine: Machine, state: str, odd: Odd, port: int) -> str:
    """One case as a line."""
    peer = Peer(machine, port, state)
    peer.bring_about(state)
    peer.send(odd)
    heard = peer.hear(WAIT_MS)
    answers = [describe(segment, (peer.their_isn, PEER_ISN)) for segment in heard]
    return f"{state} | {odd.name} | {' ; '.join(answers) or 'silence'}"


def cases() -> list[tuple[str, Odd, int]]:
    pairs = [(state, odd) for state in STATES for odd in ODD]
    return [(state, odd, FIRST_PEER_PORT + n) for n, (state, odd) in enumerate(pairs)]


# -- the real kernel


def real_machine(device: int, listener: socket.socket) -> Machine:
    accepted: list[socket.socket] = []

    def shut() -> None:
        accepted.append(listener.accept()[0])
        accepted[-1].shutdown(socket.SHUT_WR)

    def deliver(packet: bytes) -> None:
        os.write(device, packet)

    def answers(wait_ms: int) -> list[Tcp]:
        until = time.monotonic() + wait_ms / 1000
        heard = []
        while (left := until - time.monotonic()) > 0:
            if select.select([device], [], [], left)[0]:
                segment, _ident = segment_in(os.read(device, 70_000))
                if segment is not None:
                    heard.append(segment)
        return heard

    return Machine(deliver, shut, answers)


def drain(listener: socket.socket) -> None:
    """Accept what waits, so that the queue does not fill; nothing is closed before the end."""
    listener.setblocking(False)
    while True:
        try:
            KEPT.append(listener.accept()[0])
        except BlockingIOError:
            break
    listener.setblocking(True)


KEPT: list[socket.socket] = []


def main() -> None:
    from tests.linux.tcp.record import PREFIX, enter, make_end, run

    device = make_end(1, 1500)
    try:
        enter(f"{PREFIX}1")
        listener = socket.socket()
        enter(None)
        listener.bind(("10.9.0.1", PORT))
        listener.listen(100)
        machine = real_machine(device, listener)
        lines = []
        for state, odd, port in cases():
            lines.append(ask(machine, state, odd, port))
            drain(listener)
        DATA.write_text("\n".join(lines) + "\n")
    finally:
        os.close(device)
        run(f"ip netns del {PREFIX}1")


if __name__ == "__main__":
    main()
