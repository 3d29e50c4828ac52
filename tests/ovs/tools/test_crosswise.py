"""Either daemon works with the other one's counterpart, and either server with the other's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ovs.private_ovs import IS_INSTALLED
from tests.ovs.tools.scene import SCENES
from tests.ovs.tools.side import DAEMONS, Side, started, write_stand_ins

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

UNKNOWN = "50540000000750540000000508004500005400004000400100000a0000010a0000020800"
ANSWER = "50540000000550540000000708004500005400004000400100000a0000020a0000010000"


def side(directory: Path, ours: str) -> Side:
    """A side of whose daemons one is ours."""
    return Side(directory / "side", write_stand_ins(directory / "programs", (ours,)))


@pytest.mark.parametrize("ours", DAEMONS)
def test_pair_of_ours_and_theirs_forwards_frames(ours: str, tmp_path: Path) -> None:
    with started(side(tmp_path, ours)) as pair:
        pair.must("ovs-vsctl add-br br0 -- set bridge br0 datapath_type=dummy fail_mode=standalone")
        for number in (1, 2, 3):
            pair.must(
                f"ovs-vsctl add-port br0 p{number} -- set interface p{number} type=dummy"
                f" ofport_request={number} options:tx_pcap=p{number}.pcap"
            )
        assert pair.must("ovs-vsctl get interface p2 ofport error") == "2\n[]\n"
        pair.must("ovs-appctl time/stop")
        pair.must(f"ovs-appctl netdev-dummy/receive p1 {UNKNOWN}; ovs-appctl time/warp 500 100")
        pair.must(f"ovs-appctl netdev-dummy/receive p2 {ANSWER}; ovs-appctl time/warp 500 100")
        sent = [(pair.directory / f"p{number}.pcap").read_bytes() for number in (1, 2, 3)]
        shown = pair.must("ovs-appctl fdb/show br0 | sort")
        pair.must("ovs-vsctl del-port p3 -- set port p1 tag=5")
        assert pair.must("ovs-vsctl list-ports br0") == "p1\np2\n"
        assert "p3" not in pair.must("ovs-appctl dpif/show")
        pair.must("ovs-appctl exit --cleanup; ovs-appctl -t ovsdb-server exit")
    told, answered = bytes.fromhex(UNKNOWN), bytes.fromhex(ANSWER)
    assert [told in frames for frames in sent] == [False, True, True]
    assert [answered in frames for frames in sent] == [True, False, False]
    assert "    1     0  50:54:00:00:00:05 " in shown
    assert "    2     0  50:54:00:00:00:07 " in shown


@pytest.mark.parametrize("ours", DAEMONS)
def test_either_may_go_and_come_again(ours: str, tmp_path: Path) -> None:
    with started(side(tmp_path, ours)) as pair:
        pair.must("ovs-vsctl add-br br0 -- set bridge br0 datapath_type=dummy")
        pair.end("ovsdb-server")
        pair.start_server()
        pair.must("ovs-vsctl add-port br0 p1 -- set interface p1 type=dummy")
        assert pair.must("ovs-vsctl get interface p1 ofport") == "1\n"
        pair.end("ovs-vswitchd")
        pair.start_switch()
        pair.must("ovs-vsctl add-port br0 p2 -- set interface p2 type=dummy")
        assert pair.must("ovs-vsctl get interface p1 ofport -- get interface p2 ofport") == "1\n2\n"


@pytest.mark.parametrize("compacts", ["their server", "our server", "ovsdb-tool"])
@pytest.mark.parametrize("ours_is_first", [False, True])
def test_either_server_reads_the_file_of_the_other(
    compacts: str, ours_is_first: bool, tmp_path: Path
) -> None:
    ours = Side(tmp_path / "side", write_stand_ins(tmp_path / "programs", ("ovsdb-server",)))
    theirs = Side(tmp_path / "side")
    first, second = (ours, theirs) if ours_is_first else (theirs, ours)
    database = first.directory / "conf.db"
    database.write_bytes((SCENES / "lab.db").read_bytes())
    first.start_server()
    first.must(
        "ovs-vsctl --no-wait del-br br1 -- add-br br7 -- set bridge br7"
        ' external_ids:text=\'"é \\" \\\\ "\' -- set port p2 trunks=1,2,3'
        " -- comment 'by the first'"
    )
    written = _end(first)
    compacting = {"their server": theirs, "our server": ours}.get(compacts)
    if compacting is None:
        first.must("ovsdb-tool compact conf.db")
    else:
        compacting.start_server()
        compacting.must("ovs-appctl -t ovsdb-server ovsdb-server/compact")
        assert _end(compacting) == written
    assert first.must("ovsdb-tool show-log conf.db | grep -c ^record") == "2\n"
    second.start_server()
    second.must("ovs-vsctl --no-wait set bridge br0 external_ids:purpose=changed")
    again = _end(second)
    assert again == written.replace("purpose=access", "purpose=changed")
    first.start_server()
    assert _end(first) == again
    assert "changed" in first.must("ovsdb-tool show-log -m conf.db")


def _end(server: Side) -> str:
    """All that a server knows; it ends."""
    try:
        dumped = server.must("ovsdb-client -f csv dump Open_vSwitch")
        server.end("ovsdb-server")
    finally:
        server.stop()
    return dumped
