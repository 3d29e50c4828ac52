"""Answers in many parts go out as the peer reads them, and keep nobody else waiting."""

from __future__ import annotations

from dataclasses import replace

from tests.ovs.command_switch import Switch
from tests.ovs.connmgr.talk import Peer
from tests.ovs.connmgr.test_flows import ALL_FLOWS_13
from tests.ovs.whole_switch import switch_with
from vnet.ovs.ofproto.table_facts import table_features
from vnet.ovs.openflow.messages import FlowModCommand
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.packing import pack_multipart
from vnet.ovs.openflow.wire.table.features import encode_table_features

OF13 = OpenFlowVersion.OF13
N_FLOWS = 300
FLOW = "in_port={}," + f"actions=note:{'77' * 8000}"
"""Eight of them are as much as a message has room for."""
ECHO = "02 aabbccdd"
PART_BYTES = 0xFFFF
UNREAD_BYTES = (1 << 20) + PART_BYTES
"""More than a peer may leave unread is not sent, and one part."""


def crowded_switch() -> Switch:
    switch = switch_with()
    ofproto = switch.bridge("br0")
    ofproto.bundle(
        parse_flow(FLOW.format(number), FlowModCommand.ADD) for number in range(1, N_FLOWS + 1)
    )
    return switch


def n_bytes(messages: list[str]) -> int:
    return sum(len(message.replace(" ", "")) // 2 + 7 for message in messages)


def test_who_reads_slowly_is_sent_no_more_than_it_reads_and_misses_nothing() -> None:
    peer = Peer(crowded_switch(), OF13)
    peer.reads = False
    first = peer.say(ALL_FLOWS_13, ECHO)
    assert 1 << 20 < n_bytes(first) <= UNREAD_BYTES
    assert peer.say() == [], "until it has read"
    peer.reads = True
    *rest, last = peer.say()
    assert last == "03 aabbccdd", "what was asked later is answered later"
    assert not peer.ofconn.is_behind
    parts = [*first, *rest]
    assert [part[:16] for part in parts] == ["13 0001000100000"] * (len(parts) - 1) + [
        "13 0001000000000"
    ]
    assert "".join(parts).count("77" * 8000) == N_FLOWS


def test_flows_are_told_as_they_were_when_they_were_asked_for() -> None:
    switch = crowded_switch()
    peer = Peer(switch, OF13)
    peer.reads = False
    parts = peer.say(ALL_FLOWS_13)
    ofproto = switch.bridge("br0")
    ofproto.flow_mod(parse_flow("actions=drop", FlowModCommand.MODIFY))
    ofproto.flow_mod(parse_flow("in_port=2", FlowModCommand.DELETE))
    ofproto.flow_mod(parse_flow("in_port=777,actions=drop", FlowModCommand.ADD))
    peer.reads = True
    parts += peer.say()
    assert "".join(parts).count("77" * 8000) == N_FLOWS
    again = "".join(peer.say(ALL_FLOWS_13))
    assert again.count("77" * 8000) == 0
    assert again.count("80000004") == N_FLOWS, "OXM_OF_IN_PORT of each"


def test_others_have_their_turn_after_each_part() -> None:
    switch = crowded_switch()
    peer, other = Peer(switch, OF13), Peer(switch, OF13)
    said = bytes.fromhex("0412003800000007" + ALL_FLOWS_13.replace(" ", "")[2:])
    peer.ofconn.take(said)
    n_turns = 0
    while peer.ofconn.run():
        assert n_bytes(peer.take()) <= PART_BYTES
        assert other.say(ECHO) == ["03 aabbccdd"]
        n_turns += 1
    assert n_turns >= N_FLOWS // 8 - 1


def test_a_long_request_for_tables_is_read_part_by_part() -> None:
    switch = switch_with()
    peer, other = Peer(switch, OF13), Peer(switch, OF13)
    known = table_features(switch.bridge("br0"))
    named = [replace(one, name=f"t{one.table_id}") for one in known]
    entries = [encode_table_features(one, OF13) for one in named]
    parts = pack_multipart(kinds.OFPST_TABLE_FEATURES_REQUEST, OF13, 7, entries)
    for part in parts:
        peer.ofconn.take(part)
    n_turns = 0
    while not peer.take():
        assert peer.ofconn.run()
        assert other.say(ECHO) == ["03 aabbccdd"]
        n_turns += 1
    assert n_turns >= len(parts) > 10
    assert [one.name for one in table_features(switch.bridge("br0"))[:2]] == ["t0", "t1"]


def test_of_an_answer_nothing_is_sent_once_the_connection_has_ended() -> None:
    peer = Peer(crowded_switch(), OF13)
    peer.reads = False
    assert peer.say(ALL_FLOWS_13)
    peer.ofconn.closed()
    peer.reads = True
    assert peer.say() == []
    assert not peer.ofconn.is_behind
