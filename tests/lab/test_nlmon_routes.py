"""Routes and rules as rtnetlink tells of them, read by tshark."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from vnet import Lab
from vnet.base.ids import ip_from_text, prefix_from_text
from vnet.linux.netns.namespace import Namespace
from vnet.tables.fib import Route, RouteMetrics, RouteType
from vnet.tables.policy import Rule, RuleAction, RulePrefix

pytestmark = [
    pytest.mark.tshark,
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
]

LAB = """
version: 1
hosts:
  h1: {hypervisor: kvm, nics: {eth0: {ip: 10.0.0.1/24}}, switches: {br0: }}
captures: ['h1:nlmon']
"""
_MESSAGE = re.compile(r"Message type: .*?\((\d+)\)")
_TYPE = re.compile(r"Route type: .*?\(0x(\w+)\)")
_LENGTH = re.compile(r"Length of destination: (\d+)")


def told(folder: Path) -> list[str]:
    """What tshark says of each message of the capture."""
    command = ["tshark", "-r", str(next(folder.glob("run/*.pcapng"))), "-V"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Malformed" not in done.stdout
    return done.stdout.split("\n\nFrame ")


def number(pattern: re.Pattern[str], text: str, base: int = 10) -> int | None:
    found = pattern.search(text)
    return None if found is None else int(found.group(1), base)


def changed(tmp_path: Path) -> None:
    """A lab in which routes and rules come and go."""
    file = tmp_path / "lab.yaml"
    file.write_text(LAB)
    with Lab.load(file, pcap_dir=tmp_path / "run") as lab:
        change(lab.host("h1").namespace)
        lab.advance("1s")


def change(machine: Namespace) -> None:
    routes = machine.routes
    hops = tuple(
        routes.nexthop(None, ip_from_text(gateway), weight=weight)
        for gateway, weight in (("10.0.0.8", 2), ("10.0.0.9", 1))
    )
    network, length = prefix_from_text("10.9.0.0/16")
    several = Route(network, length, hops, metric=7, table=1000)
    routes.add(several)
    network, length = prefix_from_text("10.8.0.0/16")
    routes.add(Route(network, length, type=RouteType.PROHIBIT, metrics=RouteMetrics(1400)))
    routes.remove(several)
    source = RulePrefix(*prefix_from_text("10.0.0.0/8"))
    rule = Rule(100, table=1000, source=source, iif="br0", mark=16, mark_mask=255)
    machine.rules.add(4, rule)
    machine.rules.delete(4, rule)
    machine.rules.add(6, Rule(50, RuleAction.UNREACHABLE))


def test_routes_with_their_types_tables_and_next_hops(tmp_path: Path) -> None:
    changed(tmp_path)
    routes = [
        (number(_MESSAGE, text), number(_TYPE, text, 16), number(_LENGTH, text))
        for text in told(tmp_path)
        if number(_MESSAGE, text) in (24, 25)
    ]
    assert routes[-3:] == [(24, 1, 16), (24, 8, 16), (25, 1, 16)]
    assert (24, 2, 32) in routes, "the address is ours"
    assert (24, 3, 32) in routes, "so is the network's broadcast"


def test_several_next_hops_and_a_table_beyond_one_byte(tmp_path: Path) -> None:
    changed(tmp_path)
    (added, _deleted) = [text for text in told(tmp_path) if "RTA_MULTIPATH" in text]
    assert "Data: e8030000" in added, "the table, 1000"
    assert "Routing table ID: 252" in added


def test_rules_are_told_of_both_families(tmp_path: Path) -> None:
    changed(tmp_path)
    kinds = [number(_MESSAGE, text) for text in told(tmp_path)]
    assert [kind for kind in kinds if kind in (32, 33)] == [32, 33, 32]
