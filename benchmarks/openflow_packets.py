"""Packets between a switch and its controller: ours and the real Open vSwitch, in one run.

    python -m benchmarks.openflow_packets
    python -m benchmarks.openflow_packets --packets 2000 --rounds 5

A client that speaks OpenFlow 1.3 sends packets out, behind each other with a barrier at the end,
and takes packets in: frames that come to a port whose flow has them sent to the controller, with no
more than a few on their way at any time, so that none finds a queue full. The client does as little
as it can: it is in Python, too. Its CPU time is in brackets, before the daemons'.
"""

from __future__ import annotations

import argparse
import resource
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness import interpreter
from benchmarks.live_switches import OURS, THEIRS, Outcome, Switch, have_theirs, running

_HEADER = struct.Struct("!BBHI")
_VERSION = 4
_HELLO, _ECHO_REQUEST, _ECHO_REPLY, _SET_CONFIG = 0, 2, 3, 9
_PACKET_IN, _PACKET_OUT, _BARRIER_REQUEST, _BARRIER_REPLY = 10, 13, 20, 21
_NO_BUFFER, _CONTROLLER = 0xFFFFFFFF, 0xFFFFFFFD
_ON_THEIR_WAY = 32
"""Frames that have not come back yet: fewer than a port of the real one takes at once."""

_FRAME = bytes.fromhex("505400000002505400000001080045000072000000004011") + bytes(104)


class Client:
    """A connection to a bridge, which gets packet-ins in full."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))
        self._unread = b""
        self.send(_HELLO)
        self.send(_SET_CONFIG, struct.pack("!HH", 0, 0xFFFF))
        self.barrier()

    def close(self) -> None:
        self.socket.close()

    def send(self, kind: int, body: bytes = b"") -> None:
        """Send a message."""
        self.socket.sendall(message(kind, body))

    def barrier(self) -> None:
        """Wait until all that was sent is carried out."""
        self.send(_BARRIER_REQUEST)
        while not self.take(_BARRIER_REPLY):
            pass

    def take(self, kind: int) -> int:
        """Wait for messages; how many of a kind have come."""
        self._unread += self.socket.recv(1 << 16)
        found = position = 0
        while len(self._unread) - position >= _HEADER.size:
            _, arrived, length, xid = _HEADER.unpack_from(self._unread, position)
            if len(self._unread) - position < length:
                break
            if arrived == _ECHO_REQUEST:
                self.socket.sendall(_HEADER.pack(_VERSION, _ECHO_REPLY, _HEADER.size, xid))
            found += arrived == kind
            position += length
        self._unread = self._unread[position:]
        return found


def message(kind: int, body: bytes = b"") -> bytes:
    """A message of OpenFlow 1.3."""
    return _HEADER.pack(_VERSION, kind, _HEADER.size + len(body), 0) + body


class Ends(NamedTuple):
    """What holds a switch between them."""

    client: Client
    port: socket.socket
    """Plugged into port 1; each frame has its length before it."""


def packet_outs(ends: Ends, count: int) -> None:
    """Send packets out of port 2, and wait until they have left."""
    output = struct.pack("!HHIH6x", 0, 16, 2, 0)
    body = struct.pack("!IIH6x", _NO_BUFFER, _CONTROLLER, len(output)) + output + _FRAME
    ends.client.socket.sendall(message(_PACKET_OUT, body) * count)
    ends.client.barrier()


def packet_ins(ends: Ends, count: int) -> None:
    """Have frames come to port 1, and wait until all are with the controller."""
    frame = struct.pack("!H", len(_FRAME)) + _FRAME
    sent = arrived = 0
    while arrived < count:
        free = min(_ON_THEIR_WAY - (sent - arrived), count - sent)
        ends.port.sendall(frame * free)
        sent += free
        arrived += ends.client.take(_PACKET_IN)


Work = Callable[[Ends, int], None]
WORKS: tuple[tuple[str, Work], ...] = (("packet-out", packet_outs), ("packet-in", packet_ins))


def connected(switch: Switch, stack: ExitStack) -> Ends:
    """A client of a bridge with two ports, and what is plugged into the first."""
    dummies = [word for name in ("p1", "p2") for word in _dummy(name)]
    switch.vsctl("set-fail-mode", "br0", "secure", *dummies)
    switch.call("ovs-ofctl", "--no-names", "del-flows", "br0")
    switch.call("ovs-ofctl", "--no-names", "add-flow", "br0", "in_port=1,actions=controller")
    port = stack.enter_context(socket.socket(socket.AF_UNIX))
    port.connect(str(switch.folder / "p1.sock"))
    return Ends(stack.enter_context(closing(Client(switch.folder / "br0.mgmt"))), port)


def _dummy(name: str) -> list[str]:
    number = f"ofport_request={name[1:]}"
    stream = [] if name != "p1" else ["options:pstream=punix:p1.sock"]
    return [
        "--",
        "add-port",
        "br0",
        name,
        "--",
        "set",
        "interface",
        name,
        "type=dummy",
        number,
        *stream,
    ]


def measure(switch: Switch, work: Callable[[], None]) -> Outcome:
    """What some work of this process takes."""
    began_s, own_s, daemons_s = time.perf_counter(), _own_s(), switch.cpu_s()
    work()
    return Outcome(time.perf_counter() - began_s, _own_s() - own_s, switch.cpu_s() - daemons_s)


def _own_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.openflow_packets", description=__doc__
    )
    parser.add_argument("--packets", type=int, default=10_000, help="how many (10000)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the quickest counts (3)")
    options = parser.parse_args()
    if not have_theirs():
        return 1
    best: dict[tuple[str, str], Outcome] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        ends = {}
        for kind in (OURS, THEIRS):
            switch = stack.enter_context(running(kind, Path(folder) / kind.split()[0]))
            ends[kind] = (switch, connected(switch, stack))
        for _ in range(options.rounds):
            for kind, (switch, both) in ends.items():
                for name, work in WORKS:
                    outcome = measure(switch, partial(work, both, options.packets))
                    best[kind, name] = min(outcome, best.get((kind, name), outcome))
    print(interpreter())
    print(f"{f'{options.packets:,} packets':20}{OURS:>38}{THEIRS:>38}{'ratio':>8}")
    for name, _ in WORKS:
        ours, theirs = (best[kind, name] for kind in (OURS, THEIRS))
        cells = (f"{options.packets / of.elapsed_s:>10,.0f}/s {of}" for of in (ours, theirs))
        line = "".join(f"{cell:>38}" for cell in cells)
        print(f"{name:20}{line}{ours.elapsed_s / theirs.elapsed_s:8.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
