"""What docs/live.md, daemons.md and controllers.md tell to type works as it stands there, line by
line."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.live.processes import PATIENCE_S, ROOT, wait_until
from tests.ovs.private_ovs import IS_INSTALLED
from tests.own_python import own_python

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

CONTROLLERS = ROOT / "tests" / "live" / "controllers"


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


@pytest.fixture
def port_of_controllers() -> Iterator[int]:
    """Where docs/controllers.md has controllers listen: one test at a time has it."""
    lock = Path(tempfile.gettempdir()) / f"vnet-tests-{os.getuid()}-port-6653.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield 6653


def until_guests_have_talked(terminal: Terminal) -> None:
    wait_until(lambda: "tnl_push" in terminal.type("ovs-appctl dpctl/dump-flows"))


@pytest.mark.slow
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
    flows, _with_one_that_drops = (
        text for line, text in said.items() if "dpctl/dump-flows" in line
    )
    assert "tnl_push" in flows


def test_a_switch_without_a_lab(terminal: Terminal) -> None:
    folder = str(terminal.folder / "ovs")
    lines = dialogue("live.md", "An Open vSwitch without a lab")
    said = [terminal.type(line.replace("/tmp/ovs", folder)) for line, _answer in lines]
    assert "p1 1/1: (dummy)" in "".join(said)
    assert (terminal.folder / "p1.pcap").exists()


@pytest.mark.slow
def test_daemons_in_the_place_of_the_real_ones(terminal: Terminal) -> None:
    headings = ("In the place of the real ones", "One of each")
    for line, answer in [pair for text in headings for pair in dialogue("daemons.md", text)]:
        assert terminal.type(line) == answer, line
    versions = re.findall(r"\|(\w+)\|INFO\|(\S+) \(Open", terminal.type("cat *.log"))
    assert len(versions) == 6, "each daemon has been up three times"
    for refused in ("ovsdb-server --record", "ovs-vswitchd --dpdk", "ovs-vswitchd --replay"):
        assert "exit 1" in terminal.type(f"{refused} || echo exit $?")


@pytest.mark.slow
@pytest.mark.usefixtures("port_of_controllers")
def test_ovs_ofctl_on_a_lab_that_is_up(terminal: Terminal) -> None:
    said = typed(terminal, dialogue("controllers.md", "ovs-ofctl on a lab that is up"))
    assert "dpid:0000000000000001" in said["ovs-ofctl show sw1"]
    assert "priority=1 actions=NORMAL" in said["ovs-ofctl dump-flows sw1"]
    assert "priority=2,icmp,in_port=1 actions=drop" in said["ovs-ofctl dump-flows sw1"]
    assert said["vnet down"] == "controlled-switches is down\n"


@pytest.mark.pypi
@pytest.mark.slow
def test_faucet_and_os_ken(terminal: Terminal, port_of_controllers: int) -> None:
    faucet = own_python(CONTROLLERS / "faucet-requirements.txt", is_complete=True)
    os_ken = own_python(CONTROLLERS / "os-ken-requirements.txt", is_complete=True)
    (terminal.folder / "faucet").symlink_to(faucet.parents[1])
    (terminal.folder / "os-ken").symlink_to(os_ken.parents[1])
    (terminal.folder / "tests").symlink_to(ROOT / "tests")
    page = (ROOT / "docs" / "controllers.md").read_text(encoding="utf-8")
    (configuration,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (terminal.folder / "faucet.yaml").write_text(configuration, encoding="utf-8")
    lines = dialogue("controllers.md", "os-ken and Faucet")
    made = [line for line, _ in lines if "venv" in line or "pip install" in line]
    assert len(made) == 4, "both have an environment of their own"
    *others, os_ken_starts = [pair for pair in lines if pair[0] not in made]
    said = typed(terminal, others, before={"ovs-vsctl list controller": faucet_has_come})
    assert "is_connected        : true" in said["ovs-vsctl list controller"]
    assert "push_vlan:0x8100" in said["ovs-ofctl -O OpenFlow13 dump-flows sw1"]
    wait_until(lambda: not is_listening(port_of_controllers))
    terminal.type(os_ken_starts[0].replace(" &", " > os-ken.out 2>&1 & echo $! > os-ken.pid"))
    wait_until(lambda: is_listening(port_of_controllers))


def typed(
    terminal: Terminal,
    lines: list[tuple[str, str]],
    before: Mapping[str, Callable[[Terminal], None]] = MappingProxyType({}),
) -> dict[str, str]:
    """Type lines, with something done before some of them; what each has said."""
    said = {}
    for line, _answer in lines:
        if line in before:
            before[line](terminal)
        said[line] = terminal.type(line.replace("/run/user/1000", str(terminal.folder)))
    return said


def faucet_has_come(terminal: Terminal) -> None:
    wait_until(lambda: "true" in terminal.type("ovs-vsctl get controller sw1 is_connected"))
    wait_until(lambda: "push_vlan" in terminal.type("ovs-ofctl -O OpenFlow13 dump-flows sw1"))


def is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
