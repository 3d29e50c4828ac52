"""A lab that follows every frame, and knows how the last one died."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP

from vnet.lab.lab import Lab
from vnet.sim.trace import FlightRecorder, TraceNode

MS = 1_000_000
LabWith = Callable[..., Lab]

LOOP = """
version: 1
name: loop
hosts:
  h1: {hypervisor: kvm, nics: {eth0: }, switches: {br0: {uplink: eth0}}}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24, switch: br0}]}
switches:
  s1: {ports: 3}
  s2: {ports: 2}
links:
  - {ends: ['s1:p1', 's2:p1'], latency: 10us, bandwidth: 10mbit, queue: 3}
  - {ends: ['s1:p2', 's2:p2'], latency: 10us, bandwidth: 10mbit, queue: 3}
  - {ends: ['h1:eth0', 's1:p3'], latency: 10us}
"""
BROADCAST = b"\xff" * 6 + b"\x02\0\0\0\0\x01" + b"\x88\xb5" + bytes(46)


def recorder_of(lab: Lab) -> FlightRecorder:
    assert lab.flight_recorder is not None
    return lab.flight_recorder


def last_tree(lab: Lab) -> TraceNode:
    last = recorder_of(lab).last
    assert last is not None
    assert last.root is not None
    return last.root


def test_nobody_is_followed_unasked(lab_with: LabWith) -> None:
    lab = lab_with()
    lab.vm("vm1").ping("10.0.0.99", count=1)
    assert lab.flight_recorder is None


def test_a_healthy_run_has_no_deaths(lab_with: LabWith) -> None:
    lab = lab_with(follow=True)
    assert lab.vm("vm1").ping("vm2", count=3).received == 3
    assert recorder_of(lab).deaths == 0
    assert recorder_of(lab).last is None


def test_a_packet_that_waited_in_vain_has_its_questions_in_its_tree(lab_with: LabWith) -> None:
    lab = lab_with(follow=True)
    lab.vm("vm1").ping("10.0.0.99", count=1)
    root = last_tree(lab)
    assert (root.place, root.event) == ("vm1:eth0", "waits for the next hop's MAC")
    assert [child.event for child in root.children] == ["sent", "sent", "sent", "dropped", "sent"]
    assert [c.data[12:14] for c in root.children[:3]] == [b"\x08\x06"] * 3
    dead = root.children[3]
    assert dead.drop is not None
    assert dead.drop.word == "no-neighbor"


def test_a_packet_that_waited_and_left_dies_later_in_the_same_tree(lab_with: LabWith) -> None:
    lab = lab_with(follow=True)
    # The question is answered after 2 ms; the packet is on the cable half a millisecond later.
    lab.scheduler.at(2 * MS + MS // 2, lab.network.links[0].set_up, False)
    lab.vm("vm1").ping("10.0.0.2", count=1, timeout="1s")
    root = last_tree(lab)
    assert root.event == "waits for the next hop's MAC"
    (dead,) = [node for node in root.drops if node.drop and not node.drop.routine]
    assert (dead.place, dead.event) == ("h1:eth0--h2:eth0", "lost")


def test_ipv6_waits_too(lab_with: LabWith) -> None:
    lab = lab_with(follow=True)
    lab.advance("3s")
    lab.vm("vm1").ping("2001:db8::99", count=1)
    assert [c.event for c in last_tree(lab).children][:4] == ["sent", "sent", "sent", "dropped"]


def test_a_packet_that_never_left_is_a_tree_of_its_own(lab_with: LabWith) -> None:
    lab = lab_with(follow=True)
    lab.vm("vm1").ping("10.0.0.2", count=1, size=3000, df=True)
    root = last_tree(lab)
    assert root.children == []
    assert root.drop is not None
    assert root.drop.word == "fragmentation-needed"


def test_a_trace_that_was_asked_for_is_among_the_trees(lab_with: LabWith) -> None:
    lab = lab_with(follow=True)
    root = lab.trace("vm1", IP(dst="172.16.0.1") / ICMP())
    assert last_tree(lab) is root
    assert root.event == "handed to the vNIC"


def test_every_death_is_followed(lab_with: LabWith) -> None:
    """What the recorder counts are the drops of the report, routine ones aside."""
    lab = lab_with(follow=True)
    lab.vm("vm1").ping("10.0.0.99", count=3)
    lab.scheduler.after(MS // 2, lab.network.links[0].set_up, False)
    lab.vm("vm1").ping("10.0.0.2", count=2, timeout="3s")
    drops = [row for row in lab.report().drops if not row.reason.routine]
    assert recorder_of(lab).deaths == sum(row.frames for row in drops) > 3
    assert set(recorder_of(lab).reasons) == {row.reason for row in drops}


def test_following_changes_no_byte(lab_with: LabWith, tmp_path: Path) -> None:
    for follow in (False, True):
        with lab_with(follow=follow, pcap_dir=tmp_path / str(follow)) as lab:
            lab.vm("vm1").ping("10.0.0.99", count=2)
            lab.vm("vm1").ping("vm2", count=2)
            lab.advance("10s")
    written = [(tmp_path / str(f) / "small.pcapng").read_bytes() for f in (False, True)]
    assert written[0] == written[1]


@pytest.mark.slow
def test_a_trace_of_a_storm_is_cut() -> None:
    root = Lab.from_text(LOOP).trace("vm1", BROADCAST, within="400ms")
    nodes = list(root.walk())
    assert len(nodes) == 50_001
    assert [node.event for node in nodes if "cut here" in node.event] == [
        "the trace is cut here, for it has 50000 nodes"
    ]


@pytest.mark.slow
def test_a_storm_that_is_followed_fills_no_memory() -> None:
    lab = Lab.from_text(LOOP, follow=True)
    for _ in range(5):
        lab.vm("vm1").vnic().send(BROADCAST)
    lab.advance("300ms")
    recorder = recorder_of(lab)
    drops = [row for row in lab.report().drops if not row.reason.routine]
    assert recorder.deaths == sum(row.frames for row in drops) > 1000
    assert {row.reason.word for row in drops} >= {"link-queue-full"}


@pytest.mark.slow
def test_a_trace_that_was_asked_for_is_not_forgotten_for_what_others_say(
    lab_with: LabWith,
) -> None:
    def followed(**options: bool) -> list[str]:
        with lab_with(**options) as lab:
            if lab.flight_recorder is not None:
                lab.flight_recorder = FlightRecorder(most=100)
                for device in lab.network.devices():
                    device.recorder = lab.flight_recorder
            others = lab.network.vms["vm2"]
            others.make_ping(bytes((10, 0, 0, 77)), count=500, interval_ns=MS).start()
            root = lab.trace("vm1", IP(dst="10.0.0.99") / ICMP())
            return [node.event for node in root.walk()]

    assert followed(follow=True) == followed()


def test_a_machine_that_moved_is_followed_still() -> None:
    text = """
version: 1
hosts: {h1: {switches: {br0: }}, h2: {switches: {br0: }}}
vms: {vm1: {host: h1, vnics: [{ip: 10.0.0.1/24}]}}
scenario: [{move: {vm: vm1, to: h2}}]
"""
    with Lab.from_text(text, follow=True) as lab:
        lab.run()
        assert all(device.recorder is lab.flight_recorder for device in lab.network.devices())
