"""Flows that are watched: what is told, to whom, and what happens to those who do not read."""

from __future__ import annotations

import struct

import pytest

from tests.ovs.connmgr.talk import Peer
from tests.ovs.connmgr.test_bundles import add, control
from tests.ovs.connmgr.test_flows import flow_mod
from tests.ovs.whole_switch import frame_of, switch_with
from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OFPP_IN_PORT, OfpPort
from vnet.ovs.openflow.messages import (
    GROUP_ANY,
    BundleType,
    FlowModCommand,
    FlowMonitorFlags,
    FlowMonitorRequest,
    FlowUpdate,
    FlowUpdateEvent,
    RemovedReason,
)
from vnet.ovs.openflow.ofpacts import Resubmit
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import encode_actions
from vnet.ovs.openflow.wire.flow import decode_flow_updates, encode_flow_monitor_request
from vnet.ovs.openflow.wire.message import Message
from vnet.ovs.openflow.wire.recognition import kind_of

OF10, OF11 = OpenFlowVersion.OF10, OpenFlowVersion.OF11
OF13, OF14 = OpenFlowVersion.OF13, OpenFlowVersion.OF14
ADD, MODIFY, DELETE = FlowModCommand.ADD, FlowModCommand.MODIFY, FlowModCommand.DELETE
ALL = (
    FlowMonitorFlags.INITIAL
    | FlowMonitorFlags.ADD
    | FlowMonitorFlags.REMOVED
    | FlowMonitorFlags.MODIFY
    | FlowMonitorFlags.INSTRUCTIONS
)


def watch(peer: Peer, request: FlowMonitorRequest) -> list[FlowUpdate]:
    raw = encode_flow_monitor_request(request, peer.version, 7)
    return updates(peer, peer.say(f"{raw[1]:02x} {raw[8:].hex()}"))


def updates(peer: Peer, heard: list[str]) -> list[FlowUpdate]:
    """What is told of flows in messages; pauses are updates, too."""
    told: list[FlowUpdate] = []
    for said in heard:
        kind, _, body = said.partition(" ")
        raw = bytes.fromhex(body)
        header = bytes((peer.version, int(kind, 16))) + (8 + len(raw)).to_bytes(2, "big")
        message = Message(peer.version, int(kind, 16), 0, header + bytes(4) + raw)
        found, offset = kind_of(message)
        if found.name.endswith(("PAUSED", "RESUMED")):
            told.append(FlowUpdate(FlowUpdateEvent[found.name.rpartition("_")[2]]))
        else:
            told += decode_flow_updates(message.raw[offset:], found, peer.version)
    return told


@pytest.mark.parametrize("version", [OF10, OF11, OF13, OF14])
def test_what_others_do_is_told_and_what_one_does_oneself_is_abbreviated(
    version: OpenFlowVersion,
) -> None:
    switch = switch_with(["priority=3,in_port=1,actions=output:2"])
    watcher, other = Peer(switch, version), Peer(switch, version)
    first = watch(watcher, FlowMonitorRequest(5, flags=ALL))
    event = FlowUpdateEvent.INITIAL if version is OF14 else FlowUpdateEvent.ADDED
    assert [(u.event, u.priority) for u in first] == [(event, 3)]
    assert first[0].actions == parse_flow("actions=output:2", ADD).actions
    mods = flow_mod("priority=4,in_port=2,actions=drop", version)
    other.say(mods, flow_mod("actions=output:1", version, MODIFY))
    told = updates(watcher, watcher.take())
    events = [FlowUpdateEvent.ADDED, FlowUpdateEvent.MODIFIED, FlowUpdateEvent.MODIFIED]
    assert [u.event for u in told] == events
    own = updates(watcher, watcher.say(flow_mod("", version, DELETE)))
    assert [(u.event, u.xid) for u in own] == [(FlowUpdateEvent.ABBREV, 7)]
    assert other.take() == []


def test_flows_that_go_by_themselves_are_told_with_the_reason() -> None:
    switch = switch_with(["hard_timeout=2,in_port=1,actions=drop"])
    watcher = Peer(switch, OF14)
    watch(watcher, FlowMonitorRequest(5, flags=FlowMonitorFlags.REMOVED))
    switch.scheduler.run(3_000_000_000)
    told = updates(watcher, watcher.take())
    assert [(u.event, u.reason) for u in told] == [
        (FlowUpdateEvent.REMOVED, RemovedReason.HARD_TIMEOUT)
    ]


def test_up_to_1_2_actions_are_told_as_a_list() -> None:
    """Recorded from ovs-vswitchd 3.1, which has instructions in such a flow's statistics."""
    watcher = Peer(switch_with(["in_port=1,actions=output:2"]), OF11)
    raw = encode_flow_monitor_request(FlowMonitorRequest(5, flags=ALL), OF11, 7)
    (said,) = watcher.say(f"12 {raw[8:].hex()}")
    assert said.endswith("00000010000000020000000000000000"), "output, and no instruction"
    assert "0004001800000000" not in said


def test_only_what_was_asked_for_is_told() -> None:
    switch = switch_with()
    watcher, other = Peer(switch, OF14), Peer(switch, OF14)
    match = parse_flow("in_port=1", DELETE).match
    watch(watcher, FlowMonitorRequest(5, flags=FlowMonitorFlags.ADD, match=match, table_id=1))
    other.say(
        flow_mod("table=1,in_port=2,actions=drop", OF14),
        flow_mod("table=0,in_port=1,actions=drop", OF14),
        flow_mod("table=1,in_port=1,ip,actions=drop", OF14),
        flow_mod("table=1", OF14, DELETE),
    )
    assert [u.event for u in updates(watcher, watcher.take())] == [FlowUpdateEvent.ADDED]


@pytest.mark.parametrize(("group", "n_told"), [(GROUP_ANY, 2), (1, 1)])
def test_flows_are_watched_for_the_port_that_they_went_to_if_they_go_by_the_group(
    group: int, n_told: int
) -> None:
    watched = ["priority=1,actions=output:2,group:1", "priority=2,actions=output:2"]
    switch = switch_with(watched, groups=["group_id=1,type=all,bucket=output:1"])
    watcher, other = Peer(switch, OF14), Peer(switch, OF14)
    flags = FlowMonitorFlags.MODIFY
    watch(watcher, FlowMonitorRequest(5, flags=flags, out_port=OfpPort(2), out_group=group))
    strict = FlowModCommand.MODIFY_STRICT
    other.say(
        flow_mod("priority=1,actions=group:1", OF14, strict),
        flow_mod("priority=2,actions=output:1", OF14, strict),
    )
    assert len(updates(watcher, watcher.take())) == n_told


def test_what_a_packet_teaches_is_nobodys_own_doing() -> None:
    learn = "learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[])"
    switch = switch_with([f"in_port=1,actions={learn}"])
    watcher = Peer(switch, OF14)
    watch(watcher, FlowMonitorRequest(5, flags=ALL, table_id=1))
    frame = frame_of("udp,dl_src=02:00:00:00:00:09,nw_src=10.0.0.1,nw_dst=10.0.0.2,udp_dst=53")
    actions = encode_actions((Resubmit(OFPP_IN_PORT, 0),), OF14)
    body = struct.pack("!IIH6x", 0xFFFFFFFF, 1, len(actions)) + actions + frame
    own = flow_mod("table=1,actions=drop", OF14)
    heard = watcher.say(add(own), add(f"0d {body.hex()}"), control(BundleType.COMMIT_REQUEST))
    told = updates(watcher, [said for said in heard if said.startswith("13")])
    events = [FlowUpdateEvent.ABBREV, FlowUpdateEvent.ADDED]
    assert [u.event for u in told] == events
    assert FIELDS["eth_dst"].get(Flow(told[1].match.value)) == 0x020000000009


def test_a_monitor_has_a_number_of_its_own() -> None:
    watcher = Peer(switch_with(), OF14)
    watch(watcher, FlowMonitorRequest(5, flags=ALL))
    raw = encode_flow_monitor_request(FlowMonitorRequest(5, flags=ALL), OF14, 7)
    assert watcher.say(f"12 {raw[8:].hex()}")[0].startswith("01 00100001"), "MONITOR_EXISTS"


def test_who_does_not_read_is_told_later_what_has_become_of_flows() -> None:
    switch = switch_with(["priority=1,in_port=1,actions=drop", "priority=2,actions=drop"])
    watcher, other = Peer(switch, OF14), Peer(switch, OF14)
    watch(watcher, FlowMonitorRequest(5, flags=ALL))
    watcher.reads = False
    for n in range(2200):
        other.say(flow_mod(f"priority={n + 10},in_port=2,actions=output:1", OF14))
    before = updates(watcher, watcher.take())
    assert before[-1].event is FlowUpdateEvent.PAUSED
    n_told = len(before) - 1
    assert 1000 < n_told < 2200
    other.say(flow_mod("priority=1,in_port=1", OF14, FlowModCommand.DELETE_STRICT))
    other.say(flow_mod("priority=2209,in_port=2", OF14, FlowModCommand.DELETE_STRICT))
    other.say(flow_mod("priority=2,actions=output:1", OF14, FlowModCommand.MODIFY_STRICT))
    meanwhile = updates(watcher, watcher.take())
    assert [(u.event, u.priority) for u in meanwhile] == [(FlowUpdateEvent.REMOVED, 1)]
    watcher.reads = True
    after = updates(watcher, watcher.say())
    assert after[-1].event is FlowUpdateEvent.RESUMED
    missed = {u.priority: u.event for u in after[:-1]}
    assert missed.pop(2) is FlowUpdateEvent.MODIFIED
    assert missed == dict.fromkeys(range(n_told + 10, 2209), FlowUpdateEvent.ADDED)


def test_a_request_that_fails_leaves_none_of_its_monitors() -> None:
    """Also where one of them has gone already by the same request."""
    peer = Peer(switch_with(), OF14)

    def monitor(number: int, command: int) -> str:
        return f"{number:08x} ffffffff ffffffff 001f ff {command:02x} 0001000400000000"

    parts = [monitor(2, 0), monitor(3, 0), monitor(2, 2), monitor(3, 0)]
    (refusal,) = peer.say(f"12 0010 0000 00000000 {' '.join(parts)}")
    assert refusal.startswith("01 00100001"), "OFPMOFC_MONITOR_EXISTS"
    (refusal,) = peer.say(f"12 0010 0000 00000000 {monitor(3, 2)}")
    assert refusal.startswith("01 00100003"), "OFPMOFC_UNKNOWN_MONITOR"
    assert not peer.ofconn.monitors


def test_there_are_512_monitors_at_most_and_those_that_went_at_once_tell_nothing() -> None:
    switch = switch_with(["in_port=1,actions=output:2"])
    peer = Peer(switch, OF14)

    def monitor(number: int, command: int) -> str:
        return f"{number:08x}ffffffffffffffff001fff{command:02x}0001000400000000"

    def said(*monitors: str) -> str:
        return f"12 0010 0000 00000000 {''.join(monitors)}"

    assert peer.say(said(monitor(1, 0), monitor(1, 2))) == ["13 0010000000000000"]
    assert len(peer.say(said(*(monitor(number, 0) for number in range(512))))) == 1
    (refusal,) = peer.say(said(monitor(512, 0)))
    assert refusal.startswith("01 00100000"), "OFPMOFC_UNKNOWN"
    assert len(peer.say(said(monitor(5, 2), monitor(512, 0)))[0]) > 100
