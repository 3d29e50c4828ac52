"""Whatever the bytes: a topology, or the list of what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest

from vnet.base.chance import Chance
from vnet.base.errors import TopologyError
from vnet.topology.load import load_topology
from vnet.topology.model import Topology
from vnet.topology.tree import read_tree

FOLDER = Path(__file__).parents[2] / "topologies"
ROUNDS = 2_000

SPICE = [
    *(bytes([byte]) for byte in b"{}[],%#_'\""),
    *(b"\t", b"\0", b"\xff", b"\x1b[31m", b"\n", b"\r", b"\xc3\xa4", b"\xe2\x80\xae", b"\\x"),
    *(
        b": ",
        b"- ",
        b"? ",
        b"|\n",
        b">\n",
        b"---\n",
        b"...\n",
        b"&a ",
        b"*a",
        b"<<: *a",
        b"!!python/x ",
    ),
    *(
        b"null",
        b"true",
        b"-1",
        b"1e99",
        b"9" * 50,
        b"0x",
        b".inf",
        b"[" * 40,
        b"'\\ud800'",
        b'"\\0"',
    ),
    *(
        b"10.0.0.1/24",
        b"::1",
        b"vm1",
        b"h1:eth0",
        b"count: 9, ",
        b"version: 1\n",
        b"{}",
        b"1 parsec",
    ),
]


def mutated(random: Random, seeds: list[bytes]) -> bytes:
    """A shipped file with one to six slips of the pen."""
    data = bytearray(random.choice(seeds))
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(data) + 1)
        end = min(len(data), at + random.randint(1, 12))
        match random.randrange(7):
            case 0:
                data[at:at] = random.choice(SPICE)
            case 1:
                del data[at:end]
            case 2:
                data[at:end] = random.choice(SPICE)
            case 3:
                data[at:at] = data[at : at + random.randint(1, 200)]
            case 4:
                data[at:end] = bytes(random.randrange(256) for _ in range(end - at))
            case 5:
                swap_lines(random, data)
            case _:
                swap_words(random, data)
    return bytes(data)


def swap_lines(random: Random, data: bytearray) -> None:
    lines = data.split(b"\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    data[:] = b"\n".join(lines)


def swap_words(random: Random, data: bytearray) -> None:
    words = data.split(b" ")
    one, other = random.randrange(len(words)), random.randrange(len(words))
    words[one] = words[other]
    data[:] = b" ".join(words)


VALUES: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        1,
        3,
        65_536,
        2**70,
        1.5,
        "",
        "x",
        "vm1",
        "h1",
        "eth0",
        "xenbr0",
        "br-red",
    ),
    *("10.0.0.1", "10.0.0.1/24", "2001:db8::1/64", "::", "h1:eth0", "vm1:eth0", "1s", "0", "none"),
    *(
        "xen",
        "nat",
        "ovs",
        ">= 2",
        "IP()/UDP()",
        "down",
        "default",
        [],
        {},
        [[]],
        {"a": {}},
        {"p": "1%"},
        "5%",
        [None],
    ),
]
KEYS = [
    "host",
    "count",
    "vnics",
    "ip",
    "mac",
    "switch",
    "uplink",
    "gateway",
    "routes",
    "type",
    "mode",
]
KEYS += ["latency", "jitter", "loss", "reorder", "p", "1-h"]
KEYS += ["hypervisor", "style", "mtu", "ends", "from", "to", "at", "wait", "send", "link", "expect"]


def rearranged(random: Random, trees: list[Any]) -> bytes:
    """A shipped file, sound as YAML, with values and keys that belong elsewhere."""
    tree = deepcopy(random.choice(trees))
    for _ in range(random.randint(1, 4)):
        place = tree
        while isinstance(place, dict | list) and place:
            key = random.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if random.random() < 0.3 or not isinstance(place[key], dict | list):
                break
            place = place[key]
        donor = random.choice(VALUES) if random.random() < 0.7 else random.choice(trees)
        if isinstance(place, dict) and random.random() < 0.4:
            place[random.choice(KEYS)] = deepcopy(donor)
        elif isinstance(place, dict | list) and place and random.random() < 0.2:
            place.pop(key)
        elif isinstance(place, dict | list) and place:
            place[key] = deepcopy(donor)
    return json.dumps(tree).encode()


@pytest.mark.parametrize("part", range(4))
def test_mutated_files_never_end_in_a_traceback(
    part: int, tmp_path: Path, outcome: Callable[[Path], None]
) -> None:
    seeds = [path.read_bytes() for path in sorted(FOLDER.glob("*.yaml"))]
    roots = [read_tree(seed.decode(), "seed")[0] for seed in seeds]
    trees = [root.value for root in roots if root is not None]
    random = Chance(part).stream("mutated topologies")
    path = tmp_path / "mutated.yaml"
    for _ in range(ROUNDS // 8):
        path.write_bytes(mutated(random, seeds))
        outcome(path)
        path.write_bytes(rearranged(random, trees))
        outcome(path)


@pytest.fixture
def outcome() -> Callable[[Path], None]:
    def read(path: Path) -> None:
        try:
            topology = load_topology(path)
        except TopologyError as error:
            found = error.problems
        else:
            assert isinstance(topology, Topology)
            return
        assert found
        for problem in found:
            assert problem.line >= 1
            assert problem.column >= 1
            assert str(problem).isprintable(), problem

    return read
