"""The floor plan of ARCHITECTURE.md, kept: a room imports only from floors below its own."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

VNET = Path(__file__).parent.parent / "vnet"

FLOOR = {
    "base": 0,
    "wire": 1,
    "sim": 2,
    "tables": 2,
    "netdev": 3,
    "l2": 3,
    "linux": 4,
    "ovs.flow": 4,
    "ovs.dpif": 4.1,
    "ovs.datapath": 4.2,
    "ovs.openflow": 5,
    "ovs.ofproto": 6,
    "ovs.vswitchd": 7,
    "hypervisor": 8,
    "guest": 9,
    "topology": 10,
    "lab": 11,
    "shell": 13,
    "cli": 13,
    "testing": 13,
}
"""Rooms on one floor do not import each other, but for the exceptions below."""

NEIGHBOURS_ALLOWED = {
    ("cli", "shell"): "`vnet shell` is a command",
    ("shell", "cli"): "the shell shows a run with the command line's tables",
}

FORBIDDEN = {
    ("ovs.ofproto", "ovs.datapath"): "what decides meets what forwards at dpif only",
    ("ovs.openflow", "ovs.dpif"): "the language of OpenFlow knows nothing of datapaths",
    ("ovs.openflow", "ovs.datapath"): "the language of OpenFlow knows nothing of datapaths",
}

HOT_ROOMS = (
    "wire",
    "sim",
    "tables",
    "netdev",
    "l2",
    "linux",
    "ovs.flow",
    "ovs.dpif",
    "ovs.datapath",
    "hypervisor",
)
KEPT_OUT_OF_HOT_ROOMS = {
    "logging": "frames are counted and traced, not logged",
    "json": "nothing is serialised on the road",
    "ruamel": "files are the topology floor's business",
    "asyncio": "there is one scheduler, and it is virtual",
    "threading": "one thread, or the order is luck",
    "time": "time is virtual and comes from the scheduler",
    "random": "chance comes from base.chance, seeded and named",
    "scapy": "bytes on the road, Scapy at its ends",
}

NO_SCAPY_ALL = "scapy.all takes a second to import and opens the host's interfaces"


def modules() -> list[Path]:
    return sorted(path for path in VNET.rglob("*.py"))


def room_in(parts: Sequence[str]) -> str | None:
    """The room that a path below ``vnet`` leads to; those of Open vSwitch are two deep."""
    deep = ".".join(parts[:2])
    return deep if deep in FLOOR else parts[0] if parts and parts[0] in FLOOR else None


def room_of(path: Path) -> str | None:
    return room_in(path.relative_to(VNET).parts[:-1])


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every imported module of a file, with its line; type-only imports count as well."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def test_every_room_has_a_floor() -> None:
    rooms = {path.name for path in VNET.iterdir() if (path / "__init__.py").exists()} - {"ovs"}
    rooms |= {f"ovs.{p.name}" for p in (VNET / "ovs").iterdir() if (p / "__init__.py").exists()}
    assert rooms == set(FLOOR)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(VNET)))
def test_imports_point_downwards(path: Path) -> None:
    room = room_of(path)
    if room is None:
        return
    for line, name in imports(path):
        target = room_in(name.split(".")[1:]) if name.startswith("vnet.") else None
        if target is None or target == room or (room, target) in NEIGHBOURS_ALLOWED:
            continue
        never = FORBIDDEN.get((room, target))
        assert never is None, f"{path}:{line}: {room} imports {name}: {never}"
        assert FLOOR[target] < FLOOR[room], (
            f"{path}:{line}: {room} (floor {FLOOR[room]}) imports {name} "
            f"(floor {FLOOR[target]}): a room imports only from floors below it; "
            "siblings meet through netdev's protocols"
        )


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(VNET)))
def test_hot_rooms_stay_light(path: Path) -> None:
    room = room_of(path)
    for line, name in imports(path):
        assert not name.startswith("scapy.all"), f"{path}:{line}: {NO_SCAPY_ALL}"
        if room in HOT_ROOMS:
            top = name.split(".")[0]
            reason = KEPT_OUT_OF_HOT_ROOMS.get(top)
            assert reason is None, f"{path}:{line}: {room} must not import {top}: {reason}"


def test_the_wall_clock_is_kept_out() -> None:
    allowed = {"guest/scapy_time.py": "hands Scapy its real time where no lab is in charge"}
    for path in modules():
        name = path.relative_to(VNET).as_posix()
        for line, module in imports(path):
            if module.split(".")[0] == "time":
                assert name in allowed, f"{path}:{line}: the wall clock has no place in a lab"


def test_starting_up_does_not_import_what_it_does_not_need() -> None:
    import subprocess

    script = "import sys, vnet.cli.main; print(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"scapy", "networkx", "cmd2", "pyroute2", "pydantic", "rich"} & set(shown)
    assert not heavy, f"`vnet --version` would wait for {heavy}"
