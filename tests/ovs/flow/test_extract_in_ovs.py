"""``ovs-ofctl parse-pcap`` reads of frames what is read here, mutated and recorded ones."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from pathlib import Path
from random import Random

import pytest

from tests.ovs.flow.frames import FRAMES, mutated
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match_text import flow_text
from vnet.ovs.flow.ports import OFPP_NONE

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(shutil.which("ovs-ofctl") is None, reason="ovs-ofctl is not installed"),
]

N_MUTATED = 3_000
_PCAP_HEADER = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 0xFFFF, 1)


def texts_of_ovs(frames: list[bytes], directory: Path) -> list[str]:
    """What Open vSwitch shows of each frame's flow."""
    pcap = directory / "frames.pcap"
    records = (struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame for frame in frames)
    pcap.write_bytes(_PCAP_HEADER + b"".join(records))
    command = ("ovs-ofctl", "parse-pcap", str(pcap))
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def assert_read_alike(frames: list[bytes], directory: Path) -> None:
    for frame, theirs in zip(frames, texts_of_ovs(frames, directory), strict=True):
        ours = flow_text(Flow(extract(frame, OFPP_NONE, vlan_limit=2)))
        assert ours == theirs, frame.hex()


def test_frames_of_every_kind(tmp_path: Path) -> None:
    assert_read_alike(list(FRAMES), tmp_path)


def test_mutated_frames(tmp_path: Path) -> None:
    random = Random(1)
    assert_read_alike([mutated(random) for _ in range(N_MUTATED)], tmp_path)


@pytest.mark.oracle
@pytest.mark.skipif("VNET_ORACLE" not in os.environ, reason="VNET_ORACLE is not set")
def test_recorded_frames(tmp_path: Path) -> None:
    frames: list[bytes] = []
    for path in sorted(Path(os.environ["VNET_ORACLE"]).glob("ovs/cases/*.json")):
        for received in json.loads(path.read_text())["inputs"]:
            sent = (output["frame"] for output in received["outputs"])
            frames += map(bytes.fromhex, (received["frame"], *sent))
    assert frames
    assert_read_alike(frames, tmp_path)
