"""``vnet up`` and ``vnet down``: a lab lives while nobody ends it, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.live.conftest import Vnet
from tests.live.processes import PATIENCE_S, VnetProcess, is_alive, wait_until, wait_until_gone
from vnet.live.lab.lab import LiveLab
from vnet.topology.load import parse_topology
from vnet.wire.pcapng import read_pcapng

PLAIN = """
version: 1
name: plain
hosts:
  h1: {hypervisor: kvm, switches: {br0: {type: linux}}}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24, switch: br0}]}
  vm2: {host: h1, vnics: [{ip: 10.0.0.2/24, switch: br0}]}
captures: ['vm1:eth0']
scenario:
  - {ping: {from: vm1, to: vm2, count: 2, interval: 10ms}, expect: {received: 2}}
  - repeat: {count: forever, interval: 50ms, steps: [{ping: {from: vm2, to: vm1, count: 1}}]}
"""


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"{text} was never said")


def n_frames(capture: Path) -> int:
    return sum(1 for _ in read_pcapng(capture.read_bytes()))


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_signal_ends_a_lab_in_good_order(vnet: VnetProcess, number: signal.Signals) -> None:
    lab = vnet.begin("up", vnet.lab(PLAIN))
    wait_for_line(lab, "plain is up; Ctrl-C or vnet down plain ends it")
    assert stat.S_IMODE((vnet.labs / "plain").stat().st_mode) == 0o700
    lab.send_signal(number)
    out, _ = lab.communicate(timeout=PATIENCE_S)
    assert lab.returncode == 0
    assert "of real time" in out
    assert not (vnet.labs / "plain").exists()
    assert (vnet.folder / "pcaps/plain-live/run.json").exists()


@pytest.mark.slow
def test_a_lab_ends_in_good_order_with_its_terminal(vnet: VnetProcess) -> None:
    ours, theirs = pty.openpty()
    lab = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, "-m", "vnet", "up", vnet.lab(PLAIN)],
        env=vnet.environment,
        cwd=vnet.folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    while b"ends it" not in said:
        said += os.read(ours, 1000)
    os.close(ours)
    assert lab.wait(PATIENCE_S) == 0
    assert not (vnet.labs / "plain").exists()
    assert (vnet.folder / "pcaps/plain-live/run.json").exists()


@pytest.mark.slow
def test_two_labs_do_not_write_over_each_others_captures(vnet: VnetProcess, here: Vnet) -> None:
    assert vnet.do("up", vnet.lab(PLAIN), "--detach").returncode == 0
    again = vnet.do("up", "lab.yaml", "--detach", "--rundir", "there")
    folder = "pcaps/plain-live"
    assert (again.returncode, again.stderr) == (
        1,
        f"another lab that is up writes its captures to {folder} "
        "(name another place: --pcap-dir DIR)\n",
    )
    other = vnet.do("up", "lab.yaml", "--detach", "--rundir", "there", "--pcap-dir", "mine")
    assert other.returncode == 0
    assert here("down", "--rundir", "there").returncode == 0
    assert here("down").returncode == 0


def test_a_detached_lab_lives_on_captures_what_passes_and_is_taken_down(
    vnet: VnetProcess,
) -> None:
    started = vnet.do("up", vnet.lab(PLAIN), "--detach")
    assert started.returncode == 0, started.stderr
    capture = vnet.folder / "pcaps/plain-live/plain.pcapng"
    seen = n_frames(capture)
    wait_until(lambda: n_frames(capture) >= seen + 8)
    newest_ns = max(packet.time_ns for packet in read_pcapng(capture.read_bytes()))
    assert abs(newest_ns - time.time_ns()) < PATIENCE_S * 10**9, "the time of day is real"
    again = vnet.do("up", "lab.yaml", "--detach")
    pid = (vnet.labs / "plain/vnet.pid").read_text().strip()
    os.kill(int(pid), signal.SIGHUP)
    assert again.returncode == 1
    assert f"a lab is up in {vnet.labs}/plain already, as process {pid}" in again.stderr
    down = vnet.do("down")
    assert (down.returncode, down.stdout) == (0, "plain is down\n")
    assert not is_alive(int(pid))
    assert not (vnet.labs / "plain").exists()
    report = json.loads((vnet.folder / "pcaps/plain-live/run.json").read_text())
    assert report["held"]
    assert report["steps"][0]["seen"]["received"] == 2


def test_down_says_what_is_not_up(vnet: VnetProcess, here: Vnet) -> None:
    assert here("down").stdout == "no lab is up\n"
    elsewhere = vnet.folder / "elsewhere"
    vnet.do("up", vnet.lab(PLAIN), "--no-run", "--detach", "--rundir", str(elsewhere))
    for words, label in ((["nosuch"], "nosuch"), (["--rundir", "/tmp/nosuch"], "/tmp/nosuch")):
        done = here("down", *words)
        assert done.returncode == 1
        assert done.stderr == f"{label} is not up (up: plain in {elsewhere})\n"
    assert here("down", "plain").stdout == f"plain in {elsewhere} is down\n"
    gone = here("down", "plain")
    assert (gone.returncode, gone.stderr) == (1, "plain is not up (no lab is up)\n")
    assert list((vnet.labs / ".elsewhere").iterdir()) == []


@pytest.mark.slow
def test_of_several_labs_one_must_be_named(vnet: VnetProcess, here: Vnet) -> None:
    vnet.lab(PLAIN)
    vnet.lab(PLAIN.replace("name: plain", "name: other"), "other.yaml")
    elsewhere = vnet.folder / "here"
    for words in (["lab.yaml"], ["other.yaml"], ["lab.yaml", "--rundir", str(elsewhere)]):
        started = vnet.do("up", *words, "--detach", "--no-run")
        assert started.returncode == 0, started.stderr
    asked = here("down")
    assert asked.returncode == 2
    shown = f"other, plain, plain in {elsewhere}"
    assert asked.stderr == f"several labs are up: {shown} (say which, or --all)\n"
    asked = here("down", "plain")
    assert asked.returncode == 2
    shown = f"{vnet.labs / 'plain'}, {elsewhere}"
    assert asked.stderr == f"plain is up in several places: {shown} (say which: --rundir DIR)\n"
    assert here("down", "--rundir", str(elsewhere)).stdout == f"{elsewhere} is down\n"
    started = vnet.do("up", "lab.yaml", "--rundir", str(elsewhere), "--detach", "--no-run")
    assert started.returncode == 0, started.stderr
    everything = f"other is down\nplain is down\nplain in {elsewhere} is down\n"
    assert here("down", "--all").stdout == everything


@pytest.mark.slow
def test_what_a_crash_leaves_keeps_nobody_from_starting(vnet: VnetProcess) -> None:
    assert vnet.do("up", vnet.lab(PLAIN), "--detach", "--no-run").returncode == 0
    pidfile = vnet.labs / "plain/vnet.pid"
    pid = int(pidfile.read_text())
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    again = vnet.do("up", "lab.yaml", "--detach", "--no-run")
    assert again.returncode == 0, again.stderr


@pytest.mark.slow
def test_what_a_crash_leaves_is_removed(vnet: VnetProcess, here: Vnet) -> None:
    elsewhere = vnet.folder / "elsewhere"
    text = PLAIN.replace("br0: {type: linux}", "br0: {type: ovs}")
    up = ("up", vnet.lab(text), "--detach", "--no-run", "--rundir", str(elsewhere))
    for again, said in (
        (("down",), f"plain in {elsewhere} had crashed; what it left is removed\n"),
        (("down", "plain"), f"plain in {elsewhere} had crashed; what it left is removed\n"),
        (("down", "--rundir", str(elsewhere)), f"{elsewhere} had crashed; what it left is remo"),
        (up, f"export OVS_RUNDIR={elsewhere}/h1\n"),
    ):
        started = vnet.do(*up)
        assert started.returncode == 0, started.stderr
        pid = int((elsewhere / "vnet.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)
        assert (elsewhere / f"h1/ovs-vswitchd.{pid}.ctl").is_socket()
        (elsewhere / "notes").touch()
        done = vnet.do(*again) if again == up else here(*again)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(said)
        assert not (elsewhere / f"h1/ovs-vswitchd.{pid}.ctl").exists()
        if again != up:
            assert list(elsewhere.iterdir()) == [elsewhere / "notes"], "what is not ours stays"
    assert here("down", "--all").stdout == f"plain in {elsewhere} is down\n"


@pytest.mark.slow
def test_a_lab_that_does_not_stay_is_judged_by_its_scenario(vnet: VnetProcess) -> None:
    held = vnet.do("up", vnet.lab(PLAIN), "--down", "--json")
    assert held.returncode == 0, held.stderr
    assert json.loads(held.stdout)["held"]
    failing = PLAIN.replace("received: 2", "received: 3")
    assert vnet.do("up", vnet.lab(failing), "--down").returncode == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written_to_is_told(vnet: VnetProcess, here: Vnet) -> None:
    done = here("up", vnet.lab(PLAIN), "--rundir", "/proc/here")
    assert done.returncode == 3
    assert "cannot make the run directory /proc/here" in done.stderr


def test_a_run_directory_that_others_may_write_to_is_refused(vnet: VnetProcess, here: Vnet) -> None:
    shared = vnet.folder / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    done = here("up", vnet.lab(PLAIN), "--rundir", str(shared))
    assert done.returncode == 2
    assert (
        f"others may write to the run directory {shared} (chmod go-w {shared}, or " in done.stderr
    )


def test_a_name_that_is_too_long_is_told(vnet: VnetProcess, here: Vnet) -> None:
    done = here("up", vnet.lab(PLAIN), "--rundir", str(vnet.folder / ("x" * 300)))
    assert done.returncode == 3
    assert "File name too long" in done.stderr


def test_bad_files_and_words_are_told_as_ever(vnet: VnetProcess, here: Vnet) -> None:
    bad = here("up", vnet.lab("version: 1\nhosts: {h1: {nics: {eth0: {ip: nowhere}}}}\n"))
    assert bad.returncode == 2
    assert bad.stderr.startswith("lab.yaml:2:")
    vnet.lab(PLAIN)
    for words in (
        ("up", "lab.yaml", "--kernel", "--detach"),
        ("up", "lab.yaml", "--no-run", "--down"),
        ("down", "--all", "plain"),
        ("down", "--rundir", "here", "plain"),
    ):
        assert here(*words).returncode == 2, words


def test_events_come_when_they_are_due(tmp_path: Path) -> None:
    """A step at 100 ms ends no sooner by the wall clock either."""
    text = PLAIN.replace("- {ping: {from: vm1, to", "- {at: 100ms, ping: {from: vm1, to")
    lab = LiveLab(parse_topology(text), pcap_dir=tmp_path)
    began_ns = time.monotonic_ns()
    lab.live(stays=False)
    report = lab.close()
    assert report.held
    assert time.monotonic_ns() - began_ns >= 100_000_000
    assert report.as_json()["real_time"]
