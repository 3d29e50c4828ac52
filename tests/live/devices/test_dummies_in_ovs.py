"""Our dummy devices and those of the real ovs-vswitchd: over one socket, and in their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.devices.test_dummy_plugs import FRAME, Bench
from tests.ovs.private_ovs import IS_INSTALLED, private_ovs
from vnet.live.clock import WallClock
from vnet.sim.frame import Frame
from vnet.wire.pcap import read_pcap

RunUntil = Callable[[Callable[[], object]], None]

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

_PCAP_HEADER_BYTES = 24


def test_frames_cross_both_ways_and_files_are_alike(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    bench = Bench(clock)
    ours = bench.plug("p1", pstream=f"punix:{tmp_path}/ours.sock", pcap=str(tmp_path / "ours.pcap"))
    with private_ovs(tmp_path) as ovs:
        ovs.vsctl(
            *("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy"),
            *("--", "add-port", "br0", "p1", "--", "set", "interface", "p1", "type=dummy"),
            *("--", "add-port", "br0", "p2", "--", "set", "interface", "p2", "type=dummy"),
            f"options:stream=unix:{tmp_path}/ours.sock",
            *("--", "add-port", "br0", "p3", "--", "set", "interface", "p3", "type=dummy"),
            *(f"options:pstream=punix:{tmp_path}/theirs.sock", "options:pcap=theirs.pcap"),
        )
        other = bench.plug("p2", stream=f"unix:{tmp_path}/theirs.sock")
        run_until(lambda: other.device.connection_state == "connected")

        def arrived() -> bool:
            ovs.appctl("netdev-dummy/receive", "p1", FRAME.hex())
            return bool(bench.got["p1"] and bench.got["p2"])

        run_until(arrived)
        assert {*bench.got["p1"], *bench.got["p2"]} == {FRAME}
        ours.device.transmit(Frame(FRAME[::-1]))
        other.device.transmit(Frame(FRAME[::-1]))
        theirs_file = Path(ovs.directory, "theirs.pcap")
        run_until(lambda: FRAME[::-1] in theirs_file.read_bytes())
        theirs, our_file = theirs_file.read_bytes(), (tmp_path / "ours.pcap").read_bytes()
        assert our_file[:_PCAP_HEADER_BYTES] == theirs[:_PCAP_HEADER_BYTES]
        # Of the frames that were tried with, some may come as late as this.
        ours_written = sorted(packet.data for packet in read_pcap(our_file, strict=True))
        assert ours_written == sorted([*bench.got["p1"], FRAME[::-1]])
    ours.close()
    other.close()
