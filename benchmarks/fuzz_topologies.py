"""Topology files with slips of the pen in them, through the real command line.

    python -m benchmarks.fuzz_topologies 100000     # files; two processes
    python -m benchmarks.fuzz_topologies 1 --first 4711 --keep /tmp/found

Every file is a shipped topology that was changed: bytes, lines and words of its text, or
values and keys of its tree. File N is the same on every machine and in every run. ``vnet run``
reads it, and if it is sound after all, builds it and runs it for 50 ms of virtual time. The
only outcomes allowed are the exit codes 0, 1 and 2, with text that a terminal can show.
A sound file may ask for a hundred thousand machines: after 20 seconds Ctrl-C is pressed, and
the file shows up among the slow ones with exit code 130.
"""

from __future__ import annotations

import argparse
import io
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from copy import deepcopy
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from vnet.base.chance import Chance
from vnet.cli import main as command_line
from vnet.topology.reading.tree import read_tree

FOLDER = Path(__file__).parents[1] / "topologies"
SLOW_S = 5.0
LONGEST_S = 20.0
_CHUNK_FILES = 250

_SPICE = [
    *(bytes([byte]) for byte in b"{}[],%#_'\""),
    *(b"\t", b"\0", b"\xff", b"\x1b[31m", b"\n", b"\r", b"\xc3\xa4", b"\xe2\x80\xae", b"\\x"),
    *(b": ", b"- ", b"? ", b"|\n", b">\n", b"---\n", b"...\n", b"&a ", b"*a", b"<<: *a"),
    *(b"null", b"true", b"-1", b"1e99", b"9" * 50, b"0x", b".inf", b"[" * 40, b"!!python/x "),
    *(b"'\\ud800'", b'"\\0"', b"10.0.0.1/24", b"::1", b"vm1", b"h1:eth0", b"count: 9, "),
    *(b"version: 1\n", b"{}", b"1 parsec", b"[red]", b"../"),
]

_VALUES: list[Any] = [
    *(None, True, 0, -1, 1, 3, 65_536, 2**70, 1.5, [], {}, [[]], {"a": {}}, [None]),
    *("", "x", "vm1", "h1", "eth0", "xenbr0", "br-red", "xen", "nat", "ovs", "none", "default"),
    *("10.0.0.1", "10.0.0.1/24", "2001:db8::1/64", "::", "h1:eth0", "vm1:eth0", "1s", "0"),
    *(">= 2", "IP()/UDP()", "down", "[red]x", "\x1b[31m", "a\nb", "../up"),
    *("actions=drop", ["actions=group:1"], "in_port=vnet0,actions=\x1b[31m\n\nactions=p1\n"),
    *("meter=1 kbps bands=type=drop rate=1", ["", "icmp"], {"m": {"select_all": True}}, "h1:br0"),
    *("group_id=1,type=all,bucket=vnet0", {"file": "/dev/zero"}, "10,20-29", "a=b", {"a": "b"}),
]
_KEYS = [
    *("host", "count", "vnics", "ip", "mac", "switch", "uplink", "gateway", "routes", "type"),
    *("mode", "hypervisor", "style", "mtu", "ends", "from", "to", "at", "wait", "send", "link"),
    *("expect", "\x1b[31m", "[red]"),
    *("flows", "groups", "ports", "file", "fail_mode", "other_config", "ageing", "tag", "trunks"),
    *("vlan_mode", "ofport", "protected", "p1", "vnet0", "options", "peer", "mirrors", "meters"),
    *("select_all", "select_src_port", "output_port", "output_vlan", "flow_tables", "flood_vlans"),
    *("add", "delete", "modify", "match", "strict", "group", "meter", "table", "tables"),
    *("megaflows", "matching", "bucket0:packet_count", "n_packets"),
]


class Outcome(NamedTuple):
    """What became of a file: its exit code, what was printed, and the time it took."""

    number: int
    code: int
    out: str
    err: str
    seconds: float

    def complaint(self) -> str:
        """What is wrong with the outcome; empty when nothing is."""
        shown = self.out + self.err
        too_long = self.code == 130 and self.seconds > LONGEST_S
        if self.code not in (0, 1, 2) and not too_long:
            return f"exit code {self.code}: {self.err.strip()}"
        if "Traceback" in shown or "internal failure" in shown:
            return f"a traceback: {shown}"
        if not all(line.isprintable() for line in shown.split("\n")):
            return f"control characters: {shown!r}"
        if bool(self.err) != (self.code == 2) and not too_long:
            return f"exit code {self.code} with the message {self.err!r}"
        return ""


class Mutator:
    """Makes file N from the shipped topologies."""

    def __init__(self) -> None:
        self._texts = [path.read_bytes() for path in sorted(FOLDER.glob("*.yaml"))]
        roots = [read_tree(text.decode(), "shipped")[0] for text in self._texts]
        self._trees = [root.value for root in roots if root is not None]

    def file(self, number: int) -> bytes:
        """Odd numbers are sound as YAML, even ones seldom."""
        random = Chance(number).stream("mutated topologies")
        return self._rearranged(random) if number % 2 else self._misspelt(random)

    def _misspelt(self, random: Random) -> bytes:
        """One to six slips of the pen."""
        data = bytearray(random.choice(self._texts))
        for _ in range(random.randint(1, random.choice((1, 6)))):
            at = random.randrange(len(data) + 1)
            end = min(len(data), at + random.randint(1, 12))
            match random.randrange(7):
                case 0:
                    data[at:at] = random.choice(_SPICE)
                case 1:
                    del data[at:end]
                case 2:
                    data[at:end] = random.choice(_SPICE)
                case 3:
                    data[at:at] = data[at : at + random.randint(1, 200)]
                case 4:
                    data[at:end] = random.randbytes(end - at)
                case 5:
                    _swap(random, data, b"\n")
                case _:
                    _swap(random, data, b" ")
        return bytes(data)

    def _rearranged(self, random: Random) -> bytes:
        """Values and keys that belong elsewhere."""
        tree = deepcopy(random.choice(self._trees))
        for _ in range(random.randint(1, random.choice((1, 4)))):
            place, key = _somewhere(random, tree)
            if not place:
                continue
            donor = random.choice(_VALUES) if random.random() < 0.7 else random.choice(self._trees)
            if isinstance(place, dict) and random.random() < 0.4:
                place[random.choice(_KEYS)] = deepcopy(donor)
            elif random.random() < 0.2:
                place.pop(key)
            else:
                place[key] = deepcopy(donor)
        return json.dumps(tree).encode()


def _swap(random: Random, data: bytearray, separator: bytes) -> None:
    """Exchange two of the parts between separators."""
    parts = data.split(separator)
    one, other = random.randrange(len(parts)), random.randrange(len(parts))
    parts[one], parts[other] = parts[other], parts[one]
    data[:] = separator.join(parts)


def _somewhere(random: Random, tree: Any) -> tuple[Any, Any]:
    """A map or list of the tree, and a key or index in it."""
    place, key = tree, None
    while isinstance(place, dict | list) and place:
        key = random.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if random.random() < 0.3 or not isinstance(place[key], dict | list):
            break
        place = place[key]
    return place, key


def run_file(path: Path, number: int, captures: Path) -> Outcome:
    """``vnet run`` in this process, its output caught."""
    arguments = ["run", str(path), "--until", "50ms", "--pcap-dir", str(captures)]
    out, err = io.StringIO(), io.StringIO()
    started = time.perf_counter()
    with redirect_stdout(out), redirect_stderr(err), _ctrl_c_after(LONGEST_S):
        code = command_line._run(arguments)
    return Outcome(number, code, out.getvalue(), err.getvalue(), time.perf_counter() - started)


@contextmanager
def _ctrl_c_after(seconds: float) -> Iterator[None]:
    """Interrupt the body when it takes too long, where there are POSIX timers."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def outcomes(numbers: range, folder: Path) -> Iterator[Outcome]:
    """Make and run the files of some numbers, one after the other, in ``folder``."""
    mutator = Mutator()
    path = folder / "mutated.yaml"
    for number in numbers:
        path.write_bytes(mutator.file(number))
        yield run_file(path, number, folder / "captures")


class Tally(NamedTuple):
    """What a chunk of files came to; ``remarkable`` ones went wrong or were slow."""

    codes: Counter[int]
    remarkable: list[Outcome]


def _run_chunk(numbers: range) -> Tally:
    tally = Tally(Counter(), [])
    with TemporaryDirectory() as folder:
        for outcome in outcomes(numbers, Path(folder)):
            tally.codes[outcome.code] += 1
            if outcome.complaint() or outcome.seconds > SLOW_S:
                tally.remarkable.append(outcome)
    return tally


def _tallies(chunks: list[range], processes: int) -> Iterator[Tally]:
    if processes == 1:
        yield from map(_run_chunk, chunks)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(_run_chunk, chunks)


def main(arguments: list[str] | None = None) -> int:
    """Run many files and print the figures; 1 when one ended as none may."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz_topologies")
    parser.add_argument("files", type=int, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the number of the first (0)")
    parser.add_argument("--processes", type=int, default=2, help="how many at a time (2)")
    parser.add_argument("--keep", type=Path, help="a folder for the files that went wrong")
    options = parser.parse_args(arguments)
    end = options.first + options.files
    chunks = [
        range(first, min(first + _CHUNK_FILES, end))
        for first in range(options.first, end, _CHUNK_FILES)
    ]
    started = time.perf_counter()
    codes: Counter[int] = Counter()
    wrong = 0
    for tally in _tallies(chunks, options.processes):
        codes += tally.codes
        wrong += _show(tally.remarkable, options.keep)
        if sys.stderr.isatty():
            print(f"\r{codes.total()} of {options.files}", end="", file=sys.stderr)
    figures = ", ".join(f"exit code {code}: {count}" for code, count in sorted(codes.items()))
    seconds = time.perf_counter() - started
    print(f"{codes.total()} files in {seconds:.0f} s; {figures}; {wrong} wrong")
    return 1 if wrong else 0


def _show(remarkable: list[Outcome], keep: Path | None) -> int:
    """Print what went wrong or was slow; the number of the former."""
    for outcome in remarkable:
        told = outcome.complaint() or f"slow, exit code {outcome.code}"
        print(f"file {outcome.number}: {outcome.seconds:.1f} s: {told}", flush=True)
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{outcome.number}.yaml").write_bytes(Mutator().file(outcome.number))
    return sum(bool(outcome.complaint()) for outcome in remarkable)


if __name__ == "__main__":
    sys.exit(main())
