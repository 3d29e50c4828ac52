"""``vnet up --kernel``: what is built, what it says, and that nothing of it stays."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.conftest import Vnet, names_of
from tests.live.files import PULLS, REFUSES, WAITS, leasing, overlay, pair, routed
from tests.live.processes import PATIENCE_S, wait_until
from vnet.lab.report import Report
from vnet.live.kernel import namespaces
from vnet.live.kernel.building import Builder
from vnet.live.kernel.errors import KernelError
from vnet.live.kernel.lab import bring_down, bring_up
from vnet.topology.load import parse_topology
from vnet.wire.pcapng import read_pcapng

pytestmark = pytest.mark.kernel


def played(text: str, folder: Path) -> Report:
    """The report of a file on the kernel, which is taken down again."""
    topology = parse_topology(text)
    try:
        with bring_up(topology, pcap_dir=folder) as lab:
            lab.play()
            return lab.finish()
    finally:
        bring_down(topology.name)


def our_links() -> str:
    return subprocess.run(
        ["ip", "-o", "link"], capture_output=True, text=True, check=True
    ).stdout.replace("\\", "")


def our_settings() -> dict[str, str]:
    """The settings of the machine's own network that can be read."""
    found = {}
    for path in Path("/proc/sys/net").rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and not path.name.endswith("_count"):
                found[str(path)] = path.read_text()
    return found


def test_bridges_carry_what_the_file_expects(lab_name: str, tmp_path: Path) -> None:
    report = played(pair(lab_name), tmp_path)
    assert report.held, report
    assert {row.source: row.frames >= 3 for row in report.links} == {
        "h1:eth0": True,
        "h2:eth0": True,
    }
    packets = list(read_pcapng((tmp_path / f"{lab_name}.pcapng").read_bytes(), strict=True))
    requests = [p for p in packets if p.data[12:14] == b"\x08\x00" and p.data[34:35] == b"\x08"]
    first = {p.interface.name: p for p in reversed(requests)}
    way = [first[point] for point in ("vm1:eth0", "h1:eth0", "vm2:eth0")]
    assert [p.outbound for p in way] == [True, True, False]
    assert [p.time_ns for p in way] == sorted(p.time_ns for p in way)
    assert [p.time_ns for p in packets] == sorted(p.time_ns for p in packets)


def test_every_kind_of_step_is_done_with_real_sockets(lab_name: str, tmp_path: Path) -> None:
    report = played(routed(lab_name), tmp_path)
    assert report.held, report
    moved = next(outcome for outcome in report.steps if outcome.title.startswith("move"))
    assert moved.unjudged == "move has no counterpart on the kernel"
    assert [o.untold for o in report.steps if o.untold] == [["moves"], ["link-mtu"]]
    assert json.loads((tmp_path / "run.json").read_text())["held"] is True


def test_vxlan_ports_of_open_vswitch_become_devices(lab_name: str, tmp_path: Path) -> None:
    assert played(overlay(lab_name), tmp_path).held


def test_a_cable_that_is_pulled_is_out_at_both_ends(lab_name: str, tmp_path: Path) -> None:
    topology = parse_topology(pair(lab_name, PULLS))
    with bring_up(topology, pcap_dir=tmp_path) as lab:
        lab.play()
        report = lab.finish()
        assert report.held, report
        last = report.steps[-1]
        assert last.unjudged == "cables can only be pulled and plugged in on the kernel"
        lab.pull(0, up=False)
        assert [carrier(f"vnet-{lab_name}-{host}", "eth0") for host in ("h1", "h2")] == ["0", "0"]
        assert carrier(f"vnet-{lab_name}-h1", "br0") == "1", "its guest is still there"


def carrier(namespace: str, device: str) -> str:
    command = ["ip", "-n", namespace, "-o", "link", "show", device]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return "0" if "NO-CARRIER" in shown else "1"


def test_rules_and_settings_are_changed_by_steps(lab_name: str, tmp_path: Path) -> None:
    report = played(routed(lab_name, REFUSES), tmp_path)
    assert report.held, report


@pytest.mark.slow
def test_guests_lease_addresses_and_the_programs_end_with_the_lab(
    lab_name: str, records: Path, vnet: Vnet, tmp_path: Path
) -> None:
    (tmp_path / "lab.yaml").write_text(leasing(lab_name))
    up = vnet("up", "--kernel", "lab.yaml")
    assert up.returncode == 0, up.stdout + up.stderr
    inodes = {namespaces.inode_of(name) for name in names_of(lab_name)}
    found = namespaces.processes_by_namespace().items()
    programs = [Path(f"/proc/{pid}/comm").read_text() for pid, inode in found if inode in inodes]
    assert sorted(programs) == ["dhclient\n", "dnsmasq\n"]
    assert vnet("down", "--kernel", lab_name).returncode == 0
    assert inodes.isdisjoint(namespaces.processes_by_namespace().values())
    assert list(records.iterdir()) == []


def test_nothing_stays(lab_name: str, records: Path, vnet: Vnet, tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(pair(lab_name))
    before, settings = our_links(), our_settings()
    up = vnet("up", "--kernel", "lab.yaml")
    assert up.returncode == 0, up.stderr
    assert f"{lab_name} is up; vnet down --kernel {lab_name} takes it down" in up.stdout
    assert names_of(lab_name) == [f"vnet-{lab_name}-{node}" for node in ("h1", "h2", "vm1", "vm2")]
    assert our_links() == before, "the machine's own namespace has a device of ours"
    assert our_settings() == settings, "a setting of the machine itself was changed"
    down = vnet("down", "--kernel", lab_name)
    assert (down.returncode, down.stdout) == (0, f"{lab_name} is down\n")
    assert names_of(lab_name) == []
    assert list(records.iterdir()) == []
    again = vnet("down", "--kernel", lab_name)
    assert (again.returncode, again.stderr) == (1, f"{lab_name} is not up (no lab is up)\n")


def test_a_lab_that_is_up_is_left_alone(lab_name: str, vnet: Vnet, tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(pair(lab_name))
    assert vnet("up", "--kernel", "--no-run", "lab.yaml").returncode == 0
    inodes = [namespaces.inode_of(name) for name in names_of(lab_name)]
    again = vnet("up", "--kernel", "--down", "lab.yaml")
    assert again.returncode == 1
    assert again.stderr == (
        f"{lab_name} is up already (vnet down --kernel {lab_name} takes it down)\n"
    )
    assert [namespaces.inode_of(name) for name in names_of(lab_name)] == inodes


def test_down_after_the_scenario_leaves_nothing(
    lab_name: str, records: Path, vnet: Vnet, tmp_path: Path
) -> None:
    (tmp_path / "lab.yaml").write_text(pair(lab_name))
    up = vnet("up", "--kernel", "--down", "--json", "--pcap-dir", "caps", "lab.yaml")
    assert (up.returncode, up.stderr) == (0, "")
    assert json.loads(up.stdout) == json.loads((tmp_path / "caps/run.json").read_text())
    assert names_of(lab_name) == []
    assert list(records.iterdir()) == []


def test_two_labs_stand_side_by_side(lab_name: str, vnet: Vnet, tmp_path: Path) -> None:
    for suffix in "ab":
        (tmp_path / f"{suffix}.yaml").write_text(pair(f"{lab_name}{suffix}"))
        assert vnet("up", "--kernel", f"{suffix}.yaml").returncode == 0
    unclear = vnet("down", "--kernel")
    assert unclear.returncode == 2
    assert f"several labs are up: {lab_name}a, {lab_name}b" in unclear.stderr
    assert vnet("down", "--kernel", f"{lab_name}a").returncode == 0
    assert (len(names_of(f"{lab_name}a")), len(names_of(f"{lab_name}b"))) == (0, 4)
    assert vnet("down", "--kernel").stdout == f"{lab_name}b is down\n"


@pytest.mark.slow
@pytest.mark.parametrize("namespaces_made", [1, 4])
def test_a_crash_while_it_is_built_leaves_nothing_that_down_does_not_find(
    namespaces_made: int, lab_name: str, records: Path, vnet: Vnet, tmp_path: Path
) -> None:
    (tmp_path / "lab.yaml").write_text(pair(lab_name, WAITS))
    process = start(tmp_path, "up", "--kernel", "lab.yaml")
    wait_until(lambda: len(names_of(lab_name)) >= namespaces_made)
    process.kill()
    process.wait()
    assert len(names_of(lab_name)) >= namespaces_made
    assert vnet("down", "--kernel", lab_name).returncode == 0
    assert names_of(lab_name) == []
    assert list(records.iterdir()) == []


def test_what_fails_while_it_is_built_is_taken_down_at_once(
    lab_name: str, records: Path, vnet: Vnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_builder: Builder) -> None:
        assert len(names_of(lab_name)) == 4
        raise KernelError("h1: the kernel said no")

    monkeypatch.setattr(Builder, "start", refuse)
    (tmp_path / "lab.yaml").write_text(pair(lab_name))
    up = vnet("up", "--kernel", "lab.yaml")
    assert (up.returncode, up.stderr) == (3, "h1: the kernel said no\n")
    assert names_of(lab_name) == []
    assert list(records.iterdir()) == []


@pytest.mark.slow
def test_an_interrupt_ends_captures_with_whole_frames(
    lab_name: str, vnet: Vnet, tmp_path: Path
) -> None:
    (tmp_path / "lab.yaml").write_text(pair(lab_name, WAITS))
    process = start(tmp_path, "up", "--kernel", "--pcap-dir", "caps", "lab.yaml")
    wait_until((tmp_path / "caps" / f"{lab_name}.pcapng").exists)
    busy = vnet("down", "--kernel", lab_name)
    assert (busy.returncode, "another vnet" in busy.stderr) == (1, True)
    wait_until(lambda: pings_heard_in(f"vnet-{lab_name}-vm2"))
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=PATIENCE_S) == 130
    packets = list(
        read_pcapng((tmp_path / "caps" / f"{lab_name}.pcapng").read_bytes(), strict=True)
    )
    assert any(packet.data[12:14] == b"\x08\x00" for packet in packets), "the ping is there"
    assert vnet("down", "--kernel", lab_name).returncode == 0


def test_namespaces_of_others_are_not_touched(
    lab_name: str, records: Path, vnet: Vnet, tmp_path: Path
) -> None:
    (tmp_path / "lab.yaml").write_text(pair(lab_name))
    taken = f"vnet-{lab_name}-vm1"
    inode = namespaces.create(taken)
    try:
        up = vnet("up", "--kernel", "lab.yaml")
        assert up.returncode == 1
        assert f"there are network namespaces that vnet did not make: {taken}" in up.stderr
        assert f"{lab_name} is not up" in vnet("down", "--kernel", lab_name).stderr
        assert namespaces.inode_of(taken) == inode
        assert list(records.iterdir()) == [], "not even a lock is left where nothing was made"
    finally:
        namespaces.remove(taken)


def test_what_others_run_in_a_namespace_is_named_and_left_running(
    lab_name: str, vnet: Vnet, tmp_path: Path
) -> None:
    (tmp_path / "lab.yaml").write_text(pair(lab_name))
    assert vnet("up", "--kernel", "--no-run", "lab.yaml").returncode == 0
    with namespaces.inside(f"vnet-{lab_name}-vm1"):
        sleeper = subprocess.Popen(["sleep", "60"])
    try:
        down = vnet("down", "--kernel", lab_name)
        assert down.returncode == 0
        assert f"processes that vnet did not start: {sleeper.pid} (sleep)" in down.stderr
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """``vnet`` in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "vnet", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Whoever runs the tests in the background may have SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def pings_heard_in(namespace: str) -> bool:
    with namespaces.inside(namespace):
        return " InType8 " in Path("/proc/thread-self/net/snmp").read_text()
