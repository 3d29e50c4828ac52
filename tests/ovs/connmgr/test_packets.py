"""Packets that come to controllers, and those that they send."""

from __future__ import annotations

import pytest

from tests.ovs.command_switch import Switch
from tests.ovs.connmgr.talk import Peer
from tests.ovs.whole_switch import frame_of, switch_with
from vnet.netdev.device import NetDevice
from vnet.ovs.connmgr.packet_ins import CONTROLLER_TOO_SLOW
from vnet.ovs.ofproto.packet_in_sink import NO_CONTROLLER
from vnet.ovs.openflow.messages import PacketIn
from vnet.ovs.openflow.text.actions import parse_actions
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import encode_actions
from vnet.ovs.openflow.wire.message import Message
from vnet.ovs.openflow.wire.packet.packet_in import decode_packet_in
from vnet.ovs.openflow.wire.recognition import kind_of

FRAME = frame_of("in_port=1,tcp,tcp_dst=80")
OF10, OF12, OF13 = OpenFlowVersion.OF10, OpenFlowVersion.OF12, OpenFlowVersion.OF13
NICIRA = "00002320"


def switch_of(*flows: str) -> Switch:
    switch = switch_with(flows)
    switch.vswitchd.backer.packet_in_sink = None
    return switch


def packet_ins(peer: Peer) -> list[PacketIn]:
    """What has come to a controller, each of which is a packet."""
    found = []
    for text in peer.take():
        kind_text, _, body = text.partition(" ")
        data = bytes.fromhex(body)
        header = bytes((peer.version, int(kind_text, 16))) + (8 + len(data)).to_bytes(2, "big")
        raw = header + bytes(4) + data
        kind, offset = kind_of(Message(raw[0], raw[1], 0, raw))
        found.append(decode_packet_in(kind, raw[offset:], peer.version))
    return found


def came(switch: Switch, *peers: Peer, port: str = "p1") -> list[int]:
    """How many packet-ins each controller gets of a frame."""
    for peer in peers:
        peer.take()
    switch.vswitchd.backer.revalidator.settle()
    switch.inject(port, FRAME)
    return [len(packet_ins(peer)) for peer in peers]


def lost(switch: Switch) -> dict[str, int]:
    """Why frames that came in by port 1 have ended."""
    device: NetDevice = switch.devices["p1"]
    return {reason.word: count for reason, count in device.drops.items()}


def test_until_openflow_1_3_a_controller_hears_of_packets_without_a_flow() -> None:
    switch = switch_of()
    assert came(switch, Peer(switch, OF13, is_primary=True)) == [0]
    older = Peer(switch, OF12, is_primary=True)
    newer = Peer(switch, OF13, is_primary=True)
    assert came(switch, older, newer) == [1, 0]
    older.ofconn.closed()
    assert came(switch, newer) == [0]


def test_who_is_at_a_programs_service_gets_packets_once_it_asks() -> None:
    switch = switch_of("actions=controller")
    peer = Peer(switch, OF13)
    assert came(switch, peer) == [0]
    peer.say("09 00000080")
    assert came(switch, peer) == [1]


def test_controllers_have_numbers_that_actions_name() -> None:
    switch = switch_of("actions=controller(id=7)")
    seven, other = Peer(switch, OF13, is_primary=True), Peer(switch, OF13, is_primary=True)
    assert came(switch, seven, other) == [0, 0]
    seven.say(f"04 {NICIRA} 00000014 000000000000 0007")
    assert came(switch, seven, other) == [1, 0]


@pytest.mark.parametrize(("number", "kind"), [(0, "0a"), (1, "04"), (2, "04")])
def test_a_controller_chooses_the_format(number: int, kind: str) -> None:
    switch = switch_of("cookie=5,actions=set_field:3->reg1,controller(userdata=01.02)")
    peer = Peer(switch, OF10, is_primary=True)
    peer.say(f"04 {NICIRA} 00000010 {number:08x}")
    switch.inject("p1", FRAME)
    (text,) = peer._messages()
    assert text.startswith(kind)
    peer._heard.clear()
    switch.inject("p1", FRAME)
    (packet_in,) = packet_ins(peer)
    assert (packet_in.frame, packet_in.userdata) == (FRAME, b"\1\2" if number == 2 else b"")
    assert packet_in.cookie == (5 if number else 0xFFFF_FFFF_FFFF_FFFF)


def test_a_frame_that_only_controllers_were_to_get_is_dropped_where_none_does() -> None:
    switch = switch_of("actions=controller")
    came(switch)
    assert lost(switch) == {NO_CONTROLLER.word: 1}
    came(switch, Peer(switch, OF13, is_primary=True))
    assert lost(switch) == {NO_CONTROLLER.word: 1}


def test_a_controller_that_reads_nothing_loses_packets_and_no_more() -> None:
    switch = switch_of("actions=controller")
    peer = Peer(switch, OF13, is_primary=True)
    peer.ofconn.backlog = lambda: len(peer._heard)
    for _ in range(150):
        switch.inject("p1", FRAME)
    assert len(packet_ins(peer)) == 100
    assert lost(switch) == {CONTROLLER_TOO_SLOW.word: 50}
    assert came(switch, peer) == [1]


def test_a_packet_of_a_controller_leaves_by_the_port_that_it_names() -> None:
    switch = switch_of()
    peer = Peer(switch, OF10)
    assert peer.say(f"0d ffffffff fffd 0008 0000000800020000 {FRAME.hex()}") == []
    switch.settle()
    assert switch.take_sent() == [("p2", FRAME)]


def test_who_may_only_look_on_sends_nothing() -> None:
    switch = switch_of()
    peer = Peer(switch, OF13, is_primary=True)
    peer.say("18 00000003 00000000 0000000000000001")
    packet_out = "0d ffffffff fffffffd 0010 000000000000 0000001000000002ffff000000000000"
    (answer,) = peer.say(f"{packet_out} {FRAME.hex()}")
    assert answer.startswith("01 0001000a")
    switch.settle()
    assert switch.take_sent() == []


def test_a_packet_that_waits_goes_on_when_its_controller_says_so() -> None:
    switch = switch_of("actions=controller(pause),output:3")
    peer = Peer(switch, OF10, is_primary=True)
    peer.say(f"04 {NICIRA} 00000010 00000002")
    switch.inject("p1", FRAME)
    assert switch.take_sent() == []
    (text,) = peer.take()
    body = text.partition(" ")[2]
    assert body.startswith(f"{NICIRA}0000001e")
    assert peer.say(f"04 {NICIRA} 0000001c {body[16:]}") == []
    switch.settle()
    assert [name for name, _ in switch.take_sent()] == ["p3"]


def resumed(switch: Switch, version: OpenFlowVersion = OF13) -> list[str]:
    """What a bridge answers to a controller by whose leave a packet goes on."""
    peer = Peer(switch, version, is_primary=True)
    peer.say(f"04 {NICIRA} 00000010 00000002")
    switch.inject("p1", FRAME)
    (text,) = peer.take()
    return peer.say(f"04 {NICIRA} 0000001c {text.partition(' ')[2][16:]}")


def test_actions_for_tests_do_not_go_on_where_a_daemon_has_no_dummies() -> None:
    switch = switch_of("actions=controller(pause),debug_slow,output:3")
    switch.vswitchd.backer.allows_debug = False
    (answer,) = resumed(switch)
    assert answer.startswith("01 00020003"), "OFPBAC_BAD_VENDOR_TYPE"
    switch.vswitchd.backer.allows_debug = True
    assert resumed(switch) == []


def test_what_goes_on_may_be_actions_that_only_full_bridges_know() -> None:
    switch = switch_with(options=["other-config:openflow-full=true"])
    switch.vswitchd.backer.packet_in_sink = None
    flow = "actions=controller(pause),push_pbb:0x88e7,output:3"
    switch.ofctl(["-OOpenFlow15", "add-flow", "br0", flow])
    assert resumed(switch) == []


def test_a_packet_whose_bridge_is_not_known_does_not_go_on() -> None:
    peer = Peer(switch_of(), OF10)
    (answer,) = peer.say(f"04 {NICIRA} 0000001c 00000005aa000000")
    assert answer.startswith("01 b0c2")


def test_what_happens_on_connections_is_counted() -> None:
    switch = switch_of("actions=controller")
    peer = Peer(switch, OF10, is_primary=True)
    peer.say(f"0d ffffffff fffd 0008 0000000800020000 {FRAME.hex()}", "02", "02")
    peer.ofconn.backlog = lambda: len(peer._heard)
    for _ in range(101):
        switch.inject("p1", FRAME)
    events = switch.vswitchd.backer.events
    assert (events["ofproto_packet_out"], events["ofproto_recv_openflow"]) == (1, 3)
    assert (events["rconn_overflow"], events["rconn_sent"]) == (1, 1 + 2 + 100)


def test_a_packet_of_a_controller_may_name_an_option_that_is_not_mapped() -> None:
    switch = switch_of()
    peer = Peer(switch, OF13)
    option = parse_actions("set_field:1->tun_metadata0,output:2").actions
    actions = encode_actions(option, OF13)
    said = f"0d ffffffff fffffffd {len(actions):04x} 000000000000 {actions.hex()} {FRAME.hex()}"
    assert peer.say(said) == []
    switch.settle()
    assert switch.take_sent() == [("p2", FRAME)]
