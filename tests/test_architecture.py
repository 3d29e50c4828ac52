"""The floor plan of ARCHITECTURE.md, kept: a room imports only from floors below its own."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

VNET = Path(__file__).parent.parent / "vnet"

FLOOR = {
    "base": 0,
    "wire": 1,
    "compare": 2,
    "sim": 2,
    "tables": 2,
    "netdev": 3,
    "l2": 3,
    "linux": 4,
    "ovs.flow": 4,
    "ovs.jsonrpc": 4,
    "ovs.vlog": 4,
    "ovs.dpif": 4.1,
    "ovs.datapath": 4.2,
    "ovs.netdev": 4.2,
    "ovs.openflow": 5,
    "ovs.ovsdb": 5,
    "ovs.unixctl": 5,
    "ovs.vsctl": 6,
    "ovs.ofproto": 6,
    "ovs.connmgr": 6.2,
    "ovs.vswitchd": 7,
    "hypervisor": 8,
    "guest": 9,
    "controller": 9.5,
    "topology": 10,
    "lab": 11,
    "live": 12,
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
    "ovs.netdev",
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


def statements(parent: ast.AST) -> Iterator[ast.stmt]:
    """All statements below a node. Not to look into their expressions saves most of the time."""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        for node in getattr(parent, block, ()):
            if isinstance(node, ast.stmt):
                yield node
            yield from statements(node)


@cache
def imports(path: Path) -> list[tuple[int, str]]:
    """Every imported module of a file, with its line; type-only imports count as well."""
    found: list[tuple[int, str]] = []
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def test_every_room_has_a_floor() -> None:
    rooms = {path.name for path in VNET.iterdir() if (path / "__init__.py").exists()} - {"ovs"}
    rooms |= {f"ovs.{p.name}" for p in (VNET / "ovs").iterdir() if (p / "__init__.py").exists()}
    assert rooms == set(FLOOR)


def wrong_floor(room: str, name: str) -> str | None:
    """Why a room may not import a module; None where it may."""
    target = room_in(name.split(".")[1:]) if name.startswith("vnet.") else None
    if target is None or target == room or (room, target) in NEIGHBOURS_ALLOWED:
        return None
    if (room, target) in FORBIDDEN:
        return f"{room} imports {name}: {FORBIDDEN[room, target]}"
    if FLOOR[target] < FLOOR[room]:
        return None
    return (
        f"{room} (floor {FLOOR[room]}) imports {name} (floor {FLOOR[target]}): a room imports "
        "only from floors below it; siblings meet through netdev's protocols"
    )


def too_heavy(room: str | None, name: str) -> str | None:
    """Why a module has no place in a room; None where it has."""
    if name.startswith("scapy.all"):
        return NO_SCAPY_ALL
    top = name.split(".")[0]
    if room not in HOT_ROOMS or top not in KEPT_OUT_OF_HOT_ROOMS:
        return None
    return f"{room} must not import {top}: {KEPT_OUT_OF_HOT_ROOMS[top]}"


def test_imports_point_downwards() -> None:
    faults = [
        f"{path}:{line}: {fault}"
        for path in modules()
        if (room := room_of(path)) is not None
        for line, name in imports(path)
        if (fault := wrong_floor(room, name)) is not None
    ]
    assert not faults, "\n".join(faults)


def test_hot_rooms_stay_light() -> None:
    faults = [
        f"{path}:{line}: {fault}"
        for path in modules()
        for line, name in imports(path)
        if (fault := too_heavy(room_of(path), name)) is not None
    ]
    assert not faults, "\n".join(faults)


def test_the_wall_clock_is_kept_out() -> None:
    allowed = {"guest/scapy_time.py": "hands Scapy its real time where no lab is in charge"}
    for path in modules():
        name = path.relative_to(VNET).as_posix()
        if room_of(path) == "live":
            continue  # There a lab meets the machine it runs on.
        for line, module in imports(path):
            if module.split(".")[0] == "time":
                assert name in allowed, f"{path}:{line}: the wall clock has no place in a lab"


UNUSED_BY_PLAIN_LABS = (
    "vnet.guest.apps.dhcp",
    "vnet.guest.apps.dns",
    "vnet.hypervisor.modes.nat",
    "vnet.hypervisor.modes.route",
    "vnet.linux.netfilter.iptables",
    "vnet.linux.netfilter.netfilter",
    "vnet.linux.netfilter.nft",
    "vnet.linux.netfilter.xtables",
    "vnet.linux.services.dhcp_client",
    "vnet.linux.services.dhcp_server.daemon",
    "vnet.linux.services.dns_server.server",
    "vnet.linux.services.resolver",
    "vnet.linux.tc.command",
    "vnet.live",
    "vnet.ovs",
    "vnet.tables.conntrack",
    "dnslib",
    "networkx",
)

PLAIN_LAB = """
import sys
from vnet.lab.lab import Lab

with Lab.load("@two-hosts") as lab:
    assert lab.run().held
print(*sys.modules)
"""


def test_starting_up_does_not_import_what_it_does_not_need() -> None:
    import subprocess

    script = "import sys, vnet.cli.main; print(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"scapy", "networkx", "cmd2", "pyroute2", "pydantic", "rich"} & set(shown)
    assert not heavy, f"`vnet --version` would wait for {heavy}"


def test_a_lab_does_not_import_rooms_that_nothing_in_it_uses() -> None:
    import subprocess

    shown = subprocess.run(
        [sys.executable, "-c", PLAIN_LAB], capture_output=True, text=True, check=True
    ).stdout.split()
    loaded = set(UNUSED_BY_PLAIN_LABS) & set(shown)
    assert not loaded, f"each run of @two-hosts would wait for {loaded}"
