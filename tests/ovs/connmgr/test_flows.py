"""Flows that connections change, and are told of; answers are recorded from ovs-vswitchd 3.1."""

from __future__ import annotations

import pytest

from tests.ovs.connmgr.talk import Peer
from tests.ovs.whole_switch import flow_lines, frame_of, outputs, switch_with
from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.ofproto.revalidator import Ukey
from vnet.ovs.openflow.messages import FlowModCommand
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.version import OpenFlowVersion, protocol_of
from vnet.ovs.openflow.wire.flow import encode_flow_mod

OF10, OF13, OF15 = OpenFlowVersion.OF10, OpenFlowVersion.OF13, OpenFlowVersion.OF15

ALL_FLOWS_13 = (
    "12 0001 0000 00000000 ff000000 ffffffff ffffffff 00000000" + "00" * 16 + "0001000400000000"
)


def flow_mod(
    text: str,
    version: OpenFlowVersion = OF13,
    command: FlowModCommand = FlowModCommand.ADD,
) -> str:
    """The message that ovs-ofctl would send, as a peer says it."""
    raw = encode_flow_mod(parse_flow(text, command), protocol_of(version), 7)
    return f"{raw[1]:02x} {raw[8:].hex()}"


@pytest.mark.parametrize("version", OpenFlowVersion)
def test_flows_are_added_and_deleted_in_every_version(version: OpenFlowVersion) -> None:
    switch = switch_with()
    peer = Peer(switch, version)
    assert peer.say(flow_mod("priority=7,in_port=1,actions=output:2", version)) == []
    assert "priority=7,in_port=1 actions=output:2" in flow_lines(switch)[0]
    assert peer.say(flow_mod("in_port=1", version, FlowModCommand.DELETE)) == []
    assert flow_lines(switch) == []


def test_what_cannot_be_done_is_refused_with_the_whole_request() -> None:
    peer = Peer(switch_with(), OF13)
    request = flow_mod("in_port=1,actions=group:5")
    kind, body = request.split()
    length = 8 + len(body) // 2
    quoted = f"04{kind}{length:04x}00000007{body}"
    assert peer.say(request) == [f"01 00020009{quoted}"], "OFPBAC_BAD_OUT_GROUP"


def test_a_reply_says_what_flows_have_seen() -> None:
    switch = switch_with(["table=3,priority=7,idle_timeout=20,cookie=0x55,in_port=1,actions=drop"])
    switch.scheduler.run(3 * NS_PER_S + 5 * NS_PER_MS)
    assert Peer(switch, OF13).say(ALL_FLOWS_13) == [
        "13 0001000000000000"
        "0040030000000003004c4b400007001400000004000000000000000000000055"
        "00000000000000000000000000000000"
        "0001000c8000000400000001" + "00000000"
    ]


def test_more_than_a_message_has_room_for_comes_in_parts() -> None:
    flows = [f"priority={n},in_port=1,actions=output:2" for n in range(1, 901)]
    answers = Peer(switch_with(flows), OF13).say(ALL_FLOWS_13)
    assert [answer[3:11] for answer in answers] == ["00010001", "00010000"], "the first has more"
    assert len(answers[0]) // 2 < 65536


def test_a_barrier_is_answered_when_what_came_before_is_in_force() -> None:
    switch = switch_with(["in_port=1,actions=output:2"])
    frames = [frame_of(f"udp,nw_src=10.0.0.{n},nw_dst=10.0.1.1,udp_dst=53") for n in range(150)]
    assert outputs(switch, "p1", frames[0]) == ["p2"]
    peer = Peer(switch, OF13)
    assert peer.say(flow_mod("in_port=1,actions=output:3"), "14") == ["15"]
    assert outputs(switch, "p1", frames[0]) == ["p3"]
    many = [flow_mod(f"priority=40000,ip,nw_src=10.0.0.{n},actions=drop") for n in range(150)]
    peer.say(*many, "14")
    for frame in frames:
        switch.inject("p1", frame)
    switch.take_sent()
    for port in (2, 3):
        peer.say(flow_mod(f"ip,actions=output:{port}", command=FlowModCommand.MODIFY), "14")
        assert [outputs(switch, "p1", frame) for frame in frames] == [[f"p{port}"]] * 150


def test_barriers_that_follow_each_other_soon_have_few_flows_translated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    switch = switch_with(["in_port=1,actions=output:2"])
    peer = Peer(switch, OF13)
    revalidator = switch.vswitchd.backer.revalidator
    translated, revalidate = [], revalidator._revalidate

    def counted(ukey: Ukey, stats: FlowStats) -> bool:
        translated.append(ukey)
        return revalidate(ukey, stats)

    monkeypatch.setattr(revalidator, "_revalidate", counted)
    mods = [flow_mod(f"priority=5,tcp,tp_dst={n},actions=output:3") for n in range(350)]
    for mod in mods:
        assert peer.say(mod, "14") == ["15"]
        assert outputs(switch, "p1", frame_of("udp")) == ["p2"]
    assert len(translated) == 300, "then frames ask"
    switch.scheduler.run(switch.scheduler.now_ns + NS_PER_S)
    n_before = len(translated)
    assert outputs(switch, "p1", frame_of("udp")) == ["p2"]
    assert peer.say(flow_mod("priority=60000,actions=output:3"), "14") == ["15"]
    assert len(translated) == n_before + 1, "after a pause they are kept"
    assert outputs(switch, "p1", frame_of("udp")) == ["p3"]


def test_actions_for_tests_are_refused_where_a_daemon_has_no_dummies() -> None:
    switch = switch_with()
    peer = Peer(switch, OF10)
    action = "ffff00100000232000ff000000000000"
    group = "04 00002320 0000001f 0000 0000 00000001 0018 0000 ffffffff 0018 0010 00000000"
    group += action
    packet_out = f"0d ffffffff 0001 0010 {action} {'00' * 60}"
    requests = [flow_mod("actions=debug_recirc", OF10), group, packet_out]
    switch.vswitchd.backer.allows_debug = False
    refusals = [peer.say(request) for request in requests]
    assert [one[:11] for (one,) in refusals] == ["01 00020003"] * 3, "OFPBAC_BAD_VENDOR_TYPE"
    switch.vswitchd.backer.allows_debug = True
    assert [peer.say(request) for request in requests] == [[], [], []]
