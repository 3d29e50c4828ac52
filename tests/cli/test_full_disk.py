"""A run that is stopped by a full disk, or by a signal: as many whole frames as there were.

The disk is played by the kernel's limit on the size of a file, which needs no root.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.processes import wait_until, worked_s
from vnet.cli.main import main
from vnet.wire.pcap import read_pcap
from vnet.wire.pcapng import read_pcapng

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits as on POSIX")

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

PAIR = """\
version: 1
name: pair
hosts:
  h1: {hypervisor: kvm, switches: {br0: {type: linux}}}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24, switch: br0}]}
  vm2: {host: h1, vnics: [{ip: 10.0.0.2/24, switch: br0}]}
captures: ['vm1:eth0', 'h1:vnet1']
scenario:
  - {ping: {from: vm1, to: vm2, count: 40}, expect: {received: 40}}
"""

LIMITED = """\
import os, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.executable, [sys.executable, "-B", "-m", "vnet", *sys.argv[2:]])
"""

LAYOUTS = [
    pytest.param([], id="one file"),
    pytest.param(["--split"], id="split", marks=pytest.mark.slow),
    pytest.param(["--format", "pcap"], id="pcap", marks=pytest.mark.slow),
]


def run(folder: Path, limit_bytes: int, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "pair.yaml").write_text(PAIR)
    arguments = [str(limit_bytes), "run", "pair.yaml", "--pcap-dir", f"{limit_bytes}", *options]
    return subprocess.run(
        [sys.executable, "-c", LIMITED, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.fixture(scope="module", params=LAYOUTS)
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[Path, Path]]:
    """Each file of a run that did not fit, beside the same file of one that did."""
    tmp_path = tmp_path_factory.mktemp("full")
    done = run(tmp_path, 5_001, *request.param)
    with contextlib.chdir(tmp_path), pytest.raises(SystemExit) as ended:
        main(["run", "pair.yaml", "--pcap-dir", "10000000", *request.param])
    assert ended.value.code == 0
    whole = sorted((tmp_path / "10000000").glob("*.pcap*"))
    cut = [tmp_path / "5001" / path.name for path in whole]
    first = "pair" if len(whole) == 1 else "vm1.eth0"
    suffix = whole[0].suffix
    assert done.stderr == (
        f"cannot write 5001/{first}{suffix}: File too large (choose another folder for captures)\n"
    )
    assert (done.returncode, done.stdout) == (3, "")
    report = json.loads((tmp_path / "5001" / "run.json").read_text())
    assert report["steps"][0]["seen"]["received"] == 40  # the report did fit
    return list(zip(cut, whole, strict=True))


def test_what_fitted_is_whole_to_its_last_byte(written: list[tuple[Path, Path]]) -> None:
    for cut, whole in written:
        read = read_pcap if cut.suffix == ".pcap" else read_pcapng
        kept, complete = cut.read_bytes(), whole.read_bytes()
        assert len(kept) < 5_001 < len(complete)
        found = list(read(kept, strict=True))
        assert found == list(read(complete[:5_001]))  # as many as fit
        assert len(found) > 10
        assert complete.startswith(kept)


@pytest.mark.slow
@pytest.mark.tshark
@needs_tshark
def test_wireshark_reads_what_fitted_to_its_end(written: list[tuple[Path, Path]]) -> None:
    for cut, _whole in written:
        read = read_pcap if cut.suffix == ".pcap" else read_pcapng
        shown = subprocess.run(["tshark", "-r", str(cut)], capture_output=True, text=True)
        assert shown.returncode == 0, shown.stderr
        assert "cut short" not in shown.stderr
        assert len(shown.stdout.splitlines()) == len(list(read(cut.read_bytes())))


@pytest.mark.slow
def test_a_disk_that_takes_nothing_leaves_no_file(tmp_path: Path) -> None:
    done = run(tmp_path, 50)
    message = "cannot write 50/pair.pcapng: File too large (choose another folder for captures)\n"
    assert (done.returncode, done.stderr) == (3, message)
    assert list((tmp_path / "50").iterdir()) == []


@pytest.mark.slow
def test_a_report_that_does_not_fit_leaves_the_captures(tmp_path: Path) -> None:
    """Without frames the capture is short, and the report longer."""
    (tmp_path / "idle.yaml").write_text(PAIR.partition("scenario")[0])
    arguments = ["230", "run", "idle.yaml", "--pcap-dir", "out"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stderr) == (
        3,
        "cannot write out/run.json: File too large (choose another folder for captures)\n",
    )
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["pair.pcapng"]
    list(read_pcapng((tmp_path / "out" / "pair.pcapng").read_bytes(), strict=True))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_a_run_that_is_terminated_leaves_whole_captures(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(
        "version: 1\n"
        "name: long\n"
        "hosts: {h1: {switches: {br0: }}}\n"
        "vms: {vm: {count: 2, host: h1, vnics: [{ip: 10.0.0.1/24}]}}\n"
        "captures: ['vm1:eth0']\n"
        "scenario: [{ping: {from: vm1, to: vm2, count: 1000000, interval: 1ms}}]\n"
    )
    command = [sys.executable, "-m", "vnet", "run", "long.yaml", "--pcap-dir", "out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    capture = tmp_path / "out" / "long.pcapng"
    try:
        wait_until(lambda: capture.exists() and capture.stat().st_size)
        # Of what it hears from now on, all or most is not in the file yet.
        began_s = worked_s(run.pid)
        wait_until(lambda: worked_s(run.pid) > began_s + 0.3)
    finally:
        run.send_signal(signal.SIGTERM)
    assert run.wait() == 128 + signal.SIGTERM
    with capture.open("rb") as stream:
        assert len(list(read_pcapng(stream))) > 10
    assert (tmp_path / "out" / "run.json").exists()
