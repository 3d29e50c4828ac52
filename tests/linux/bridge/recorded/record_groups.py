"""Record the cases of ``groups_script.py`` on the kernel of this machine.

    python -m tests.linux.bridge.recorded.record_groups [NAME...]

Needs root and iproute2. Namespaces are called ``vnetrec-...`` and removed after.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from tests.linux.bridge.recorded.groups_script import CASES, PORTS, GroupCase, host_mac, port_mac
from tests.linux.bridge.recorded.kernel import add_namespace, keep, run, run_in

FILE = Path(__file__).parents[3] / "data" / "linux" / "groups.json"
_BRIDGE, _FAR = "vnetrec-bridge", "vnetrec-far"
_ALL_FRAMES = 3
_OUTGOING = 4
_NEW_NET = 0x40000000


def _build(case: GroupCase) -> None:
    for node in (_BRIDGE, _FAR):
        add_namespace(node)
    run_in(_BRIDGE, "ip link add br0 type bridge")
    for number in PORTS:
        near = f"p{number} address {port_mac(number).hex(':')} netns {_BRIDGE}"
        far = f"e{number} address {host_mac(number).hex(':')} netns {_FAR}"
        run(f"ip link add {near} type veth peer name {far}")
        run_in(_FAR, f"ip link set e{number} up")
        run_in(_BRIDGE, f"ip link set p{number} master br0 up")
    if case.ipv6:
        for scope in ("all", "br0"):
            run_in(_BRIDGE, f"sysctl -qw net.ipv6.conf.{scope}.disable_ipv6=0")
        for number in PORTS:
            run_in(_BRIDGE, f"sysctl -qw net.ipv6.conf.p{number}.disable_ipv6=1")
    run_in(_BRIDGE, "ip link set br0 up")


def _set_namespace(descriptor: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, _NEW_NET):
        raise OSError(ctypes.get_errno(), "setns")


def _sockets() -> dict[str, socket.socket]:
    """A packet socket at each far end, opened in that namespace."""
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/var/run/netns/{_FAR}", os.O_RDONLY)
    _set_namespace(there)
    try:
        made = {}
        for number in PORTS:
            made[f"e{number}"] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, _ALL_FRAMES << 8)
            made[f"e{number}"].bind((f"e{number}", _ALL_FRAMES))
            made[f"e{number}"].setblocking(False)
        return made
    finally:
        _set_namespace(here)
        os.close(here)
        os.close(there)


def _arrived(end: socket.socket) -> list[str]:
    frames: list[str] = []
    while True:
        try:
            data, address = end.recvfrom(4096)
        except BlockingIOError:
            return frames
        if address[2] != _OUTGOING:
            frames.append(data.hex())


def record(case: GroupCase) -> list[dict[str, Any]]:
    """What the kernel shows, and passes on, at each look."""
    looks = []
    try:
        _build(case)
        ends = _sockets()
        time.sleep(1.2)
        for what, words in case.steps:
            if what == "wait":
                time.sleep(float(words))
            elif what == "send":
                end, data = words.split()
                ends[end].send(bytes.fromhex(data))
                time.sleep(0.01)
            elif what == "look":
                frames = {name: _arrived(end) for name, end in ends.items()}
                looks.append({"mdb": run_in(_BRIDGE, "bridge -d mdb"), "frames": frames})
            elif said := run_in(_BRIDGE, words):
                raise SystemExit(f"{case.name}: {words}: {said}")
        for opened in ends.values():
            opened.close()
        return looks
    finally:
        for node in (_BRIDGE, _FAR):
            run(f"ip netns del {node}")


if __name__ == "__main__":
    keep(FILE, CASES, sys.argv[1:], record)
