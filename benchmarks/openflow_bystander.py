"""How long a bridge leaves one client waiting while another has it do much: ours and the real one.

    python -m benchmarks.openflow_bystander
    python -m benchmarks.openflow_bystander --flows 100000

A client asks for an echo, again and again, while the real ``ovs-ofctl`` has the same bridge do
something long, and while somebody sends a request of 4 MB for tables to change. Shown are the
longest and the middle wait.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from benchmarks.harness import interpreter
from benchmarks.live_switches import OURS, THEIRS, Switch, have_theirs, running

_OF14 = 5
_HELLO, _ERROR, _ECHO_REQUEST, _MULTIPART_REQUEST, _MULTIPART_REPLY = 0, 1, 2, 18, 19
_TABLE_FEATURES, _MORE = 12, 1
_HEADER = struct.Struct("!BBHI")
_MULTIPART = struct.Struct("!HH4x")
_MOST_BYTES = 4 << 20
_FILE = "flows.txt"


class Client:
    """A connection to ``br0`` by OpenFlow 1.4, on which answers are waited for."""

    def __init__(self, switch: Switch) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(switch.folder / "br0.mgmt"))
        self._file = self._socket.makefile("rb")
        self.send(_HELLO)
        self.hear(_HELLO)

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def send(self, kind: int, body: bytes = b"", xid: int = 1) -> None:
        self._socket.sendall(_HEADER.pack(_OF14, kind, _HEADER.size + len(body), xid) + body)

    def hear(self, *kinds: int) -> bytes:
        """The body of the next message of one of these kinds."""
        while True:
            _, kind, length, _ = _HEADER.unpack(self._file.read(_HEADER.size))
            body = self._file.read(length - _HEADER.size)
            if kind in kinds:
                return body

    def echo(self) -> None:
        self.send(_ECHO_REQUEST)
        self.hear(_ECHO_REQUEST + 1)


def _waits_s(switch: Switch, work: Callable[[], object]) -> list[float]:
    """How long each echo took while ``work`` was done."""
    waits: list[float] = []
    is_over = threading.Event()

    def ask() -> None:
        with closing(Client(switch)) as client:
            while not is_over.is_set():
                began_s = time.perf_counter()
                client.echo()
                waits.append(time.perf_counter() - began_s)
                time.sleep(0.002)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        work()
    finally:
        is_over.set()
        asking.join()
    return waits


def _flow(number: int) -> str:
    source = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    return f"tcp,nw_src={source},tp_dst=80,actions=mod_vlan_vid:{number % 4000},output:1\n"


def _change_tables(switch: Switch) -> None:
    """Ask for the tables as they are, many times over, in one request."""
    with closing(Client(switch)) as client:
        client.send(_MULTIPART_REQUEST, _MULTIPART.pack(_TABLE_FEATURES, 0))
        first = client.hear(_MULTIPART_REPLY)[_MULTIPART.size :]
    body = _MULTIPART.pack(_TABLE_FEATURES, _MORE) + first
    with closing(Client(switch)) as client:
        for _ in range(_MOST_BYTES // (len(body) + _HEADER.size) - 1):
            client.send(_MULTIPART_REQUEST, body)
        client.send(_MULTIPART_REQUEST, _MULTIPART.pack(_TABLE_FEATURES, 0))
        client.hear(_MULTIPART_REPLY, _ERROR)


def _works(switch: Switch) -> list[tuple[str, Callable[[], object]]]:
    def ofctl(*words: str) -> Callable[[], object]:
        return lambda: switch.call("ovs-ofctl", "-OOpenFlow14", *words)

    return [
        ("--bundle add-flows", ofctl("--bundle", "add-flows", "br0", _FILE)),
        ("dump-flows", ofctl("--no-names", "dump-flows", "br0")),
        ("4 MB of table features", lambda: _change_tables(switch)),
        ("del-flows", ofctl("del-flows", "br0")),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.openflow_bystander", description=__doc__
    )
    parser.add_argument("--flows", type=int, default=100_000, help="how many (100000)")
    options = parser.parse_args()
    if not have_theirs():
        return 1
    print(interpreter())
    print(f"{f'{options.flows:,} flows':34}{'longest':>12}{'middle':>12}{'echoes':>10}")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        for kind in (OURS, THEIRS):
            switch = stack.enter_context(running(kind, Path(folder) / kind.split()[0]))
            switch.vsctl("set-fail-mode", "br0", "secure")
            (switch.folder / _FILE).write_text("".join(map(_flow, range(options.flows))))
            for name, work in _works(switch):
                waits = _waits_s(switch, work)
                longest_ms, middle_ms = max(waits) * 1e3, statistics.median(waits) * 1e3
                shown = f"{longest_ms:9.1f} ms{middle_ms:9.1f} ms{len(waits):10}"
                print(f"{f'{kind}: {name}':34}{shown}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
