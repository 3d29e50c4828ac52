"""Has the Linux kernel of this machine hold the conversations of ``scenarios.py``.

    sudo python tests/linux/tcp/record.py [NAME...]

Two network namespaces end in TUN devices of this process, which carries their packets 10 ms
either way, loses those that shall be lost, and writes each down as a line of
``tests/data/linux/tcp/NAME.txt``: the time in ms, who sent it (> is the client), x if it got
lost, flags, numbers, window and options. ``net.ipv4.tcp_congestion_control`` is reno.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.linux.tcp.kit import describe, segment_in
from tests.linux.tcp.scenarios import SCENARIOS, Scenario
from vnet.wire import tcp
from vnet.wire.tcp import Tcp

DATA = Path(__file__).parents[2] / "data" / "linux" / "tcp"
DELAY_S = 0.01
PREFIX = "vnet-tcp-"
HOME = os.open("/proc/self/ns/net", os.O_RDONLY)
LIBC = ctypes.CDLL(None, use_errno=True)
SYSCTLS = {
    "net.ipv4.tcp_congestion_control": "reno",
    "net.ipv4.tcp_rmem": "4096 131072 6291456",
    "net.ipv4.tcp_no_metrics_save": "1",
}
TUNSETIFF, IFF_TUN_NO_PI = 0x400454CA, 0x1001
CLONE_NEWNET = 0x40000000
LEAST_IPV6_MTU = 1280
SO_SNDBUFFORCE = 32


def run(command: str) -> None:
    subprocess.run(command.split(), check=True)


def enter(namespace: str | None) -> None:
    """Have this thread's new sockets in a namespace; None for the one it began in."""
    there = HOME if namespace is None else os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if LIBC.setns(there, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    if namespace is not None:
        os.close(there)


def make_end(number: int, mtu_bytes: int) -> int:
    """A namespace with one TUN device; returns its other end."""
    name = f"{PREFIX}{number}"
    run(f"ip netns add {name}")
    enter(name)
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"tun0", IFF_TUN_NO_PI))
    enter(None)
    inside = f"ip netns exec {name} "
    for key, value in SYSCTLS.items():
        subprocess.run([*inside.split(), "sysctl", "-qw", f"{key}={value}"], check=True)
    run(f"{inside}ip link set lo up")
    run(f"{inside}ip link set tun0 mtu {mtu_bytes} up")
    run(f"{inside}ip addr add 10.9.0.{number}/24 dev tun0")
    if mtu_bytes >= LEAST_IPV6_MTU:
        run(f"{inside}ip addr add fd09::{number}/64 dev tun0 nodad")
    return device


class Relay(threading.Thread):
    """Carries packets from one end to the other."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(daemon=True)
        self.scenario = scenario
        self.ends = [make_end(number, scenario.mtu_bytes) for number in (1, 2)]
        self.log: list[tuple[float, int, Tcp, bool]] = []
        self.over = False
        self._numbered = 0
        self._counted_from_s = 0.0
        self._data_seen = False

    def run(self) -> None:
        under_way: list[tuple[float, int, int, bytes]] = []
        count = 0
        while not self.over:
            while under_way and under_way[0][0] <= time.monotonic():
                _when, _count, end, packet = heapq.heappop(under_way)
                os.write(self.ends[1 - end], packet)
            left_s = under_way[0][0] - time.monotonic() if under_way else 0.05
            for device in select.select(self.ends, [], [], max(0, min(left_s, 0.05)))[0]:
                packet = os.read(device, 70_000)
                end = self.ends.index(device)
                if not self._note(end, packet):
                    count += 1
                    heapq.heappush(under_way, (time.monotonic() + DELAY_S, count, end, packet))

    def _note(self, end: int, packet: bytes) -> bool:
        """Write a packet down; whether it is lost."""
        segment, _ident = segment_in(packet)
        if segment is None:
            return False
        now_s = time.monotonic()
        if end == 0 and segment.payload:
            self._numbered += 1
        lost = bool(end == 0 and segment.payload and self._numbered in self.scenario.lose)
        if not self.log or (segment.payload and not self._data_seen):
            self._counted_from_s = now_s
            self._data_seen = bool(segment.payload)
        lost = lost or self.scenario.is_deaf((now_s - self._counted_from_s) * 1000)
        self.log.append((now_s, end, segment, lost))
        return lost

    def lines(self) -> list[str]:
        first: list[int | None] = [None, None]
        made = []
        for when_s, end, segment, lost in self.log:
            if segment.flags & tcp.SYN or first[end] is None:
                first[end] = segment.sequence
            text = describe(segment, (first[end] or 0, first[1 - end] or 0))
            since_ms = (when_s - self.log[0][0]) * 1000
            made.append(f"{since_ms:9.1f} {'><'[end]}{'x' if lost else ' '} {text}")
        return made


def connect(family: int) -> dict[str, socket.socket]:
    kind, address = (socket.AF_INET, "10.9.0.2") if family == 4 else (socket.AF_INET6, "fd09::2")
    enter(f"{PREFIX}2")
    listener = socket.socket(kind, socket.SOCK_STREAM)
    listener.bind((address, 80))
    listener.listen(5)
    enter(f"{PREFIX}1")
    client = socket.socket(kind, socket.SOCK_STREAM)
    enter(None)
    client.connect((address, 80))
    server, _address = listener.accept()
    listener.close()
    time.sleep(DELAY_S)
    return {"client": client, "server": server}


def pump(source: socket.socket, sink: socket.socket, size: int) -> None:
    def read() -> None:
        left = size
        while left:
            left -= len(sink.recv(65_536))

    # All of it fits, so that no thread of ours is in the way of acknowledgements.
    source.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 4 * size)
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    source.sendall(bytes(size))


def play(scenario: Scenario, sockets: dict[str, socket.socket]) -> None:
    for verb, who, number in scenario.steps:
        one = sockets.get(who, sockets["client"])
        other = sockets["server" if who == "client" else "client"]
        if verb == "write":
            one.setblocking(False)
            one.send(bytes(number)) if number < 100_000 else fill(one, number)
            one.setblocking(True)
        elif verb == "pump":
            pump(one, other, number)
        elif verb == "read":
            one.recv(number)
        elif verb == "wait":
            time.sleep(number / 1000)
        elif verb == "close":
            one.close()
        elif verb == "shutdown":
            one.shutdown(socket.SHUT_WR)
        elif verb == "abort":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()
        elif verb == "nodelay":
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        elif verb == "cork":
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, number)
        elif verb == "keepalive":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, number)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


def fill(one: socket.socket, size: int) -> None:
    """Write until ``size`` bytes are gone, or three seconds."""
    one.settimeout(3)
    try:
        one.sendall(bytes(size))
    except TimeoutError:
        return


def record(scenario: Scenario) -> None:
    relay = Relay(scenario)
    relay.start()
    sockets = connect(scenario.family)
    try:
        play(scenario, sockets)
    finally:
        relay.over = True
        relay.join()
        for device in relay.ends:
            os.close(device)
        for number in (1, 2):
            run(f"ip netns del {PREFIX}{number}")
    (DATA / f"{scenario.name}.txt").write_text("\n".join(relay.lines()) + "\n")


def main() -> None:
    DATA.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[1:]
    for scenario in SCENARIOS:
        if not wanted or scenario.name in wanted:
            record(scenario)


if __name__ == "__main__":
    main()
