"""What becomes of single frames in a whole switch, seen by its ports and in its traces."""

from __future__ import annotations

import pytest

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.whole_switch import frame_of, outputs, switch_with

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def tagged(frame: bytes, *vids: int) -> bytes:
    """The frame with 802.1Q tags, the outermost first."""
    tags = b"".join(b"\x81\0" + vid.to_bytes(2, "big") for vid in vids)
    return frame[:12] + tags + frame[12:]


@pytest.mark.parametrize(
    ("mac", "is_forwarded"),
    [
        ("01:80:c2:00:00:0f", False),
        ("01:80:c2:00:00:10", True),
        ("00:e0:2b:00:00:04", False),
        ("01:00:0c:cc:cc:cd", False),
        ("01:00:0c:cc:cc:c7", False),
        ("01:00:0c:cc:cc:c8", True),
    ],
)
def test_normal_drops_what_is_meant_for_the_switch_itself(mac: str, is_forwarded: bool) -> None:
    switch = switch_with(["actions=normal"], n_ports=2)
    frame = frame_of(f"udp,dl_src={A},dl_dst={mac}")
    assert ("p2" in outputs(switch, "p1", frame)) is is_forwarded


def test_a_trace_sees_as_many_tags_as_the_datapath() -> None:
    switch = switch_with(["dl_vlan=10,ip,actions=2", "priority=0,actions=drop"])
    frame = tagged(frame_of(f"udp,dl_src={A},dl_dst={B}"), 10, 20)
    words = ["ofproto/trace", BRIDGE, "in_port=1", frame.hex()]
    assert "dl_type=0x8100" in switch.appctl(words)
    switch.run(["ovs-vsctl", "set", "open_vswitch", ".", "other_config:vlan-limit=2"])
    trace = switch.appctl(words)
    assert "Flow: udp,in_port=1,dl_vlan=10,dl_vlan_pcp=0,dl_vlan1=20,dl_vlan_pcp1=0" in trace
    assert "Datapath actions: 2" in trace


@pytest.mark.parametrize("flow", ["actions=NORMAL", "dl_dst=02:00:00:00:00:0b,actions=NORMAL"])
def test_frames_with_a_tag_are_not_taken_for_untagged_ones_that_came_before(flow: str) -> None:
    switch = switch_with([flow])
    switch.vsctl("set", "port", "p2", "tag=20")
    frame = frame_of(f"udp,dl_src={A},dl_dst={B}")
    for _ in range(2):
        assert "p2" not in outputs(switch, "p1", frame)
        assert "p2" in outputs(switch, "p1", tagged(frame, 20))
        assert "p2" not in outputs(switch, "p1", tagged(frame, 30))


def test_a_megaflow_that_ignores_tags_still_says_whether_there_is_one() -> None:
    switch = switch_with([f"dl_dst={B},actions=output:2"])
    frame = frame_of(f"udp,dl_src={A},dl_dst={B}")
    for one in (frame, tagged(frame, 20), tagged(frame, 30)):
        assert outputs(switch, "p1", one) == ["p2"]
    dump = switch.appctl(["dpctl/dump-flows"])
    assert [text in dump for text in ("vlan(vid=20),", "vlan(vid=30),")] == [True, True]
    assert switch.datapath.stats().n_flows == 3


def test_copies_in_copies_may_nest_hundreds_deep() -> None:
    flows = []
    for table in range(100):
        actions = f"resubmit(,{table + 1})"
        for _ in range(4):
            actions = f"clone(ct(commit),{actions}),output:3"
        flows.append(f"table={table},udp,actions={actions}")
    switch = switch_with([*flows, "table=100,actions=output:2"])
    frame = frame_of(f"udp,dl_src={A},dl_dst={B},nw_src=10.0.0.1,nw_dst=10.0.0.2")
    for _ in range(3):
        assert outputs(switch, "p1", frame) == ["p2", *["p3"] * 400]
    switch.ofctl(["add-flow", BRIDGE, "arp,actions=drop"])
    assert len(outputs(switch, "p1", frame)) == 401
    assert "clone(" * 400 in switch.appctl(["dpctl/dump-flows"]).replace("ct(commit),", "")
