"""What docs/live.md and docs/daemons.md tell to type works as it stands there, line by line."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.processes import PATIENCE_S, ROOT
from tests.ovs.private_ovs import IS_INSTALLED

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]


def dialogue(page: str, heading: str) -> list[tuple[str, str]]:
    """What the blocks of a section tell to type, each with what is shown for an answer."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    blocks = "".join(re.findall(r"```console\n(.*?)```", section, re.DOTALL))
    typed = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", blocks, re.MULTILINE)
    assert typed, f"{page} has nothing to type under {heading}"
    return [(line, answer) for line, answer in typed]


class Terminal:
    """A shell that types line after line; what is exported stays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        commands = folder / "commands"
        commands.mkdir()
        vnet = commands / "vnet"
        vnet.write_text(f'#!/bin/sh\nexec {sys.executable} -m vnet "$@"\n', encoding="utf-8")
        vnet.chmod(0o755)
        self._environment = os.environ | {
            "PATH": f"{commands}:/usr/sbin:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "XDG_RUNTIME_DIR": str(folder),
            "OVS_CTL_TIMEOUT": str(PATIENCE_S),
        }

    def type(self, line: str) -> str:
        """What a line says; it must go well. Exported variables are kept for the next one."""
        kept = self.folder / "environment"
        done = subprocess.run(
            ["bash", "-c", f"{line}\nended=$?; env -0 > {kept}; exit $ended"],
            env=self._environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        words = kept.read_text(encoding="utf-8").split("\0")
        self._environment = dict(word.split("=", 1) for word in words if word)
        return done.stdout

    def end_all(self) -> None:
        """End what has left a pidfile."""
        for path in self.folder.rglob("*.pid"):
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.kill(int(path.read_text()), signal.SIGTERM)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    tmp_path.chmod(0o700)
    made = Terminal(tmp_path)
    yield made
    made.end_all()


def until_guests_have_talked(terminal: Terminal) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while "tnl_push" not in terminal.type("ovs-appctl dpctl/dump-flows"):
        assert time.monotonic() < end_s, "no ping goes through the tunnel"
        time.sleep(0.1)


def test_two_terminals(terminal: Terminal) -> None:
    def here(text: str) -> str:
        return text.replace("/run/user/1000", str(terminal.folder))

    (up, shown), *lines = dialogue("live.md", "Two terminals")
    assert terminal.type(f"{up} --detach 2>&1") == here(shown)
    has_tcpdump = shutil.which("tcpdump") is not None
    said = {}
    for line, _answer in lines:
        if "wireshark" in line or (line.startswith("tcpdump") and not has_tcpdump):
            continue  # Nobody is there to close the window.
        said[line] = terminal.type(here(line))
        if line.startswith("export"):
            until_guests_have_talked(terminal)
    assert terminal.type("vnet down") == "two-host-live is down\n"
    (trace,) = (text for line, text in said.items() if "ofproto/trace" in line)
    assert "tunneling to 192.0.2.2 via br-phy" in trace
    (flows,) = (text for line, text in said.items() if "dpctl/dump-flows" in line)
    assert "tnl_push" in flows


def test_a_switch_without_a_lab(terminal: Terminal) -> None:
    folder = str(terminal.folder / "ovs")
    lines = dialogue("live.md", "An Open vSwitch without a lab")
    said = [terminal.type(line.replace("/tmp/ovs", folder)) for line, _answer in lines]
    assert "p1 1/1: (dummy)" in "".join(said)
    assert (terminal.folder / "p1.pcap").exists()


def test_daemons_in_the_place_of_the_real_ones(terminal: Terminal) -> None:
    headings = ("In the place of the real ones", "One of each")
    for line, answer in [pair for text in headings for pair in dialogue("daemons.md", text)]:
        assert terminal.type(line) == answer, line
    versions = re.findall(r"\|(\w+)\|INFO\|(\S+) \(Open", terminal.type("cat *.log"))
    assert len(versions) == 6, "each daemon has been up three times"
    for refused in ("ovsdb-server --record", "ovs-vswitchd --dpdk", "ovs-vswitchd --replay"):
        assert "exit 1" in terminal.type(f"{refused} || echo exit $?")
