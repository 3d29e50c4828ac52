"""Bundles: all or nothing, and what is said of those that fail or are forgotten."""

from __future__ import annotations

import pytest

from tests.ovs.connmgr.talk import Peer
from tests.ovs.connmgr.test_flows import flow_mod
from tests.ovs.whole_switch import flow_lines, frame_of, switch_with
from vnet.base.units import NS_PER_S
from vnet.ovs.openflow.messages import BundleControl, BundleFlags, BundleType
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.connection.bundle import (
    BundleAdd,
    encode_bundle_add,
    encode_bundle_control,
)
from vnet.ovs.openflow.wire.message import Message

OF14 = OpenFlowVersion.OF14
ATOMIC, ORDERED = BundleFlags.ATOMIC, BundleFlags.ORDERED
OPEN, CLOSE = BundleType.OPEN_REQUEST, BundleType.CLOSE_REQUEST
COMMIT, DISCARD = BundleType.COMMIT_REQUEST, BundleType.DISCARD_REQUEST

BAD_ID = "01 00110002"
MSG_FAILED = "01 0011000d"
PORT_MOD = "10 00000001 00000000 {mac} 0000 00000040 00000040"


def control(kind: BundleType, flags: BundleFlags = ORDERED, bundle_id: int = 1) -> str:
    return f"21 {encode_bundle_control(BundleControl(bundle_id, kind, flags)).hex()}"


def add(said: str, flags: BundleFlags = ORDERED) -> str:
    kind, _, body = said.partition(" ")
    data = bytes.fromhex(body)
    header = bytes((OF14, int(kind, 16))) + (8 + len(data)).to_bytes(2, "big") + b"\0\0\0\7"
    message = Message(OF14, int(kind, 16), 7, header + data)
    return f"22 {encode_bundle_add(BundleAdd(1, flags, message)).hex()}"


def starts(answers: list[str], n_digits: int = 8) -> list[str]:
    return [answer[: 3 + n_digits] for answer in answers]


FLOW = flow_mod("priority=7,in_port=1,actions=output:2", OF14)
OTHER_FLOW = flow_mod("priority=8,in_port=2,actions=output:1", OF14)
IMPOSSIBLE_FLOW = flow_mod("in_port=2,actions=group:9", OF14)


def test_nothing_happens_before_the_commit_and_then_everything() -> None:
    switch = switch_with()
    peer = Peer(switch, OF14)
    assert peer.say(control(OPEN)) == ["21 0000000100010000"]
    assert peer.say(add(FLOW), add(OTHER_FLOW)) == []
    assert flow_lines(switch) == []
    assert peer.say(control(CLOSE)) == ["21 0000000100030000"]
    assert peer.say(control(COMMIT)) == ["21 0000000100050000"]
    assert len(flow_lines(switch)) == 2
    assert starts(peer.say(control(COMMIT))) == [BAD_ID]


def test_what_fails_is_told_by_itself_and_the_rest_is_undone() -> None:
    switch = switch_with()
    peer = Peer(switch, OF14)
    peer.say(control(OPEN), add(FLOW), add(IMPOSSIBLE_FLOW), add(OTHER_FLOW))
    refused, failed = peer.say(control(COMMIT))
    assert refused.startswith("01 00020009" + "0522"), "OFPBAC_BAD_OUT_GROUP of what was added"
    assert failed.startswith(MSG_FAILED + "0521")
    assert flow_lines(switch) == []


def test_what_cannot_be_read_is_refused_at_once_and_the_bundle_goes_on() -> None:
    switch = switch_with()
    peer = Peer(switch, OF14)
    peer.say(control(OPEN), add(FLOW))
    bad = bytearray.fromhex(FLOW[3:])
    bad[16] = 0xFF
    assert starts(peer.say(add(f"0e {bad.hex()}"))) == ["01 00050002"], "OFPFMFC_BAD_TABLE_ID"
    assert peer.say(control(COMMIT)) == ["21 0000000100050000"]
    assert len(flow_lines(switch)) == 1


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ([control(CLOSE)], "00110002"),
        ([control(OPEN), control(OPEN)], "00110002"),
        ([control(OPEN), control(CLOSE), control(CLOSE)], "00110004"),
        ([control(OPEN), control(CLOSE), add(FLOW)], "00110004"),
        ([control(OPEN), add(FLOW, ATOMIC)], "00110007"),
        ([control(OPEN), control(COMMIT, ATOMIC)], "00110007"),
        ([control(DISCARD)], "00110002"),
    ],
)
def test_bundles_have_an_order_of_things(said: list[str], error: str) -> None:
    assert starts(Peer(switch_with(), OF14).say(*said))[-1] == f"01 {error}"


def test_the_first_addition_begins_a_bundle_that_nobody_opened() -> None:
    switch = switch_with()
    assert Peer(switch, OF14).say(add(FLOW), control(COMMIT)) == ["21 0000000100050000"]
    assert len(flow_lines(switch)) == 1


def test_ports_are_changed_with_the_rest_but_never_at_the_same_moment() -> None:
    switch = switch_with(n_ports=2)
    port = next(port for port in switch.bridge().ports.values() if port.number == 1)
    peer, said = Peer(switch, OF14), PORT_MOD.format(mac=port.mac.hex())
    both = ATOMIC | ORDERED
    peer.say(control(OPEN, both), add(FLOW, both), add(said, both))
    assert starts(peer.say(control(COMMIT, both))) == [MSG_FAILED, MSG_FAILED]
    assert flow_lines(switch) == []
    peer.say(control(OPEN), add(said), add(FLOW))
    assert peer.say(control(COMMIT)) == ["21 0000000100050000"]
    assert (int(port.config), len(flow_lines(switch))) == (0x40, 1)


def test_a_bundle_that_nobody_adds_to_is_given_up_after_ten_seconds() -> None:
    switch = switch_with()
    peer = Peer(switch, OF14)
    peer.say(control(OPEN))
    switch.scheduler.run(9 * NS_PER_S)
    peer.say(add(FLOW))
    switch.scheduler.run(18 * NS_PER_S)
    assert peer.take() == []
    switch.scheduler.run(20 * NS_PER_S)
    assert starts(peer.take()) == ["01 0011000e"], "OFPBFC_TIMEOUT"
    assert starts(peer.say(control(COMMIT))) == [BAD_ID]


def test_packets_of_a_bundle_that_fails_leave_nothing_behind() -> None:
    """``ct(table=5)`` has a state wait for the packet to come back."""
    switch = switch_with()
    peer = Peer(switch, OF14)
    ct = "ffff0018000023200023" + "0000 00000000 0000 05 000000 0000"
    packet_out = f"0d ffffffff 00000001 0018 000000000000 {ct} {frame_of('tcp').hex()}"
    peer.say(control(OPEN), add(packet_out), add(packet_out), add(IMPOSSIBLE_FLOW))
    (_, refusal) = peer.say(control(COMMIT))
    assert refusal.startswith(MSG_FAILED)
    recirc = switch.vswitchd.backer.recirc
    assert len(recirc) == 1
    switch.scheduler.run(60 * NS_PER_S)
    recirc.sweep(switch.scheduler.now_ns)
    assert len(recirc) == 0


def test_bundles_do_not_grow_without_end() -> None:
    """64 MiB of messages, and 1000 bundles, may wait."""
    peer = Peer(switch_with(), OF14)
    packet_out = add(f"0d ffffffff fffffffd 0000 000000000000 {'00' * 65000}")
    peer.say(control(OPEN))
    answers = [peer.say(packet_out) for _ in range(1035)]
    (refusal,) = [answer for answer in answers if answer]
    assert starts(refusal) == ["01 0011000c"], "OFPBFC_MSG_TOO_MANY"
    assert answers.index(refusal) == (64 << 20) // 65064
    assert peer.say(control(DISCARD)) == ["21 0000000100070000"], "a later message began it anew"
    opened = [peer.say(control(OPEN, bundle_id=number)) for number in range(1001)]
    assert starts(opened[-1]) == ["01 00110005"], "OFPBFC_OUT_OF_BUNDLES"
    assert all(answer[0].startswith("21") for answer in opened[:-1])
