"""The oracle's ``replay.py`` is our switch's controller, by the socket, and its neighbour on three
ports: messages of OpenFlow 1.0 and 1.3, and what becomes of frames then.

``ovs_openflow13_verdicts.json`` is what it found wrong with Open vSwitch 3.1.0, which lacks some of
OpenFlow 1.3. A bridge with ``openflow-full`` lacks nothing; any other must err alike.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import vnet
from tests.oracle.path import oracle_path
from tests.ovs.private_ovs import IS_INSTALLED

REPLAY = oracle_path("openflow", "replay.py")
HERE = Path(__file__).parent
ROOT = Path(vnet.__file__).parents[1]
PORTS = ("p1", "p2", "p3")
N_OPENFLOW10, N_OPENFLOW13, N_STREAMS = 103, 478, 23
PATIENCE_S = 60

STREAMS = (
    r"group/00_ALL|group/01_SELECT_Weight_Ether"
    r"|DROP_01_PKTPS_00_100\.json|REMARK_01_PKTPS_00_100\.json#0|REMARK_00_KBPS_00_1M\.json#1"
)
"""One of each kind, and slow enough for any machine."""
STREAM_S = 4

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.ovs,
    pytest.mark.slow,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
    pytest.mark.skipif(REPLAY is None, reason="VNET_ORACLE does not lead to openflow/replay.py"),
]

Verdicts = dict[str, str]


@contextmanager
def held_tcp_port() -> Iterator[int]:
    """A port that nobody else is given while the block lasts. Who asks for it may listen there."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        yield port


@contextmanager
def connected_switch(
    folder: Path, controller_port: int, *, openflow_full: bool
) -> Iterator[tuple[Path, ...]]:
    """``vnet ovs`` with one bridge of three ports, as long as the block lasts, on its way to a
    controller. Yields where its ports listen."""
    ours = {"PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {**os.environ, **ours, "OVS_RUNDIR": str(folder)}
    sockets = tuple(folder / f"{name}.sock" for name in PORTS)
    words = ["ovs-vsctl", "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy"]
    words += ["fail_mode=secure", "protocols=OpenFlow10,OpenFlow13"]
    words += [f"other_config:openflow-full={str(openflow_full).lower()}"]
    for number, (name, path) in enumerate(zip(PORTS, sockets, strict=True), 1):
        words += ["--", "add-port", "br0", name, "--", "set", "interface", name, "type=dummy"]
        words += [f"ofport_request={number}", f"options:pstream=punix:{path}"]
    words += ["--", "set-controller", "br0", f"tcp:127.0.0.1:{controller_port}"]
    words += ["--", "set", "controller", "br0", "max_backoff=1000"]
    run = {"env": environment, "check": True, "timeout": PATIENCE_S}
    subprocess.run([HERE / "start_switch", folder], **run)  # type: ignore[call-overload]
    try:
        subprocess.run(words, **run)  # type: ignore[call-overload]
        yield sockets
    finally:
        subprocess.run([HERE / "stop_switch", folder], **run)  # type: ignore[call-overload]


def played(folder: Path, vectors: str, *options: str, openflow_full: bool) -> Verdicts:
    """What ``replay.py`` says of each of its vectors."""
    assert REPLAY is not None
    out = folder / "verdicts.json"
    with (
        held_tcp_port() as port,
        connected_switch(folder, port, openflow_full=openflow_full) as sockets,
    ):
        command: list[str | Path] = [sys.executable, HERE / "patient_replay.py", REPLAY]
        command += [REPLAY.with_name(vectors), str(port), *sockets, "--out", out, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text(encoding="utf-8"))
    return {vector: verdict["result"] for vector, verdict in found.items()}


def wrong(verdicts: Verdicts) -> Verdicts:
    return {vector: text for vector, text in verdicts.items() if text not in ("OK", "skip: stream")}


def test_openflow_10_is_spoken_as_the_specification_says(tmp_path: Path) -> None:
    verdicts = played(tmp_path, "vectors-of10.json", openflow_full=False)
    assert len(verdicts) == N_OPENFLOW10
    assert not wrong(verdicts)


def test_openflow_13_is_spoken_whole_by_a_bridge_that_is_told_to(tmp_path: Path) -> None:
    verdicts = played(tmp_path, "vectors-of13.json", openflow_full=True)
    assert len(verdicts) == N_OPENFLOW13
    assert not wrong(verdicts)
    assert list(verdicts.values()).count("OK") == N_OPENFLOW13 - N_STREAMS


def test_any_other_bridge_lacks_of_openflow_13_what_open_vswitch_lacks(tmp_path: Path) -> None:
    verdicts = wrong(played(tmp_path, "vectors-of13.json", openflow_full=False))
    ours: dict[str, list[str]] = {}
    for vector, text in verdicts.items():
        ours.setdefault(re.sub(r" differs:.*", " differs", text), []).append(vector)
    recorded = HERE / "ovs_openflow13_verdicts.json"
    assert ours == json.loads(recorded.read_text(encoding="utf-8"))


def test_streams_are_metered_and_spread_at_the_rates_wanted(tmp_path: Path) -> None:
    options = ("--stream", "--seconds", str(STREAM_S), "--only", STREAMS)
    verdicts = played(tmp_path, "vectors-of13.json", *options, openflow_full=True)
    assert list(verdicts.values()) == ["OK"] * 5, verdicts
