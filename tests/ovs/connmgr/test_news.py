"""What controllers are told unasked of flows, tables, groups and meters."""

from __future__ import annotations

from tests.ovs.connmgr.talk import Peer
from tests.ovs.connmgr.test_flows import flow_mod
from tests.ovs.whole_switch import switch_with
from vnet.base.units import NS_PER_S
from vnet.ovs.openflow.messages import (
    Bucket,
    FlowModCommand,
    GroupMod,
    GroupModCommand,
    MeterMod,
    MeterModCommand,
    TableMod,
    TableVacancy,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.connection.request_forward import decode_request_forward
from vnet.ovs.openflow.wire.group.group_mod import decode_group_mod
from vnet.ovs.openflow.wire.kinds import OFPT_GROUP_MOD, OFPT_METER_MOD
from vnet.ovs.openflow.wire.message import HEADER_BYTES, Message, encode
from vnet.ovs.openflow.wire.recognition import kind_of

OF13, OF14 = OpenFlowVersion.OF13, OpenFlowVersion.OF14
ALL_REASONS_14 = "1c" + "".join(
    f"{kind:04x}0008{mask:08x}" for kind, mask in ((9, 0x18), (8, 0x18), (11, 3), (10, 3))
)


def test_flows_that_wish_it_are_told_of_when_they_go() -> None:
    switch = switch_with(["send_flow_rem,hard_timeout=2,in_port=1,actions=drop"])
    controllers = [Peer(switch, version, is_primary=True) for version in OpenFlowVersion]
    tool = Peer(switch, OF13)
    switch.scheduler.run(3 * NS_PER_S)
    told = [peer.take() for peer in controllers]
    assert [len(one) for one in told] == [1] * len(told)
    assert all(one[0].startswith("0b ") for one in told)
    assert tool.take() == [], "ovs-ofctl did not ask for anything"


def test_a_secondary_is_told_of_ports_only() -> None:
    switch = switch_with(["send_flow_rem,in_port=1,actions=drop"])
    peer, other = Peer(switch, OF13, is_primary=True), Peer(switch, OF13, is_primary=True)
    peer.say("18 00000003000000000000000000000001")
    assert len(other.say(flow_mod("", OF13, FlowModCommand.DELETE))) == 1
    assert peer.take() == []


def test_tables_that_fill_and_empty_are_told_of_once_each_way() -> None:
    switch = switch_with()
    switch.vsctl(
        *("--", "--id=@t", "create", "flow_table", "flow_limit=10", "--"),
        *("set", "bridge", "br0", "flow_tables:0=@t"),
    )
    peer = Peer(switch, OF14, is_primary=True)
    peer.say(f"{ALL_REASONS_14[:2]} {ALL_REASONS_14[2:]}")
    switch.bridge().table_mod(TableMod(0, vacancy_events=True, vacancy=TableVacancy(30, 60)))
    other = Peer(switch, OF14)
    for n in range(9):
        other.say(flow_mod(f"priority={n + 1},in_port=1,actions=drop", OF14))
    told = peer.take()
    assert [one[:5] for one in told] == ["1f 03"], "20 per cent are free"
    other.say(flow_mod("", OF14, FlowModCommand.DELETE))
    assert [one[:5] for one in peer.take()] == ["1f 04"]


def test_what_one_connection_asks_of_groups_and_meters_others_may_hear() -> None:
    switch = switch_with()
    peer = Peer(switch, OF14, is_primary=True)
    switch.bridge().group_mod(GroupMod(GroupModCommand.ADD, 1))
    assert peer.take() == [], "nobody has asked to be told"
    peer.say(f"{ALL_REASONS_14[:2]} {ALL_REASONS_14[2:]}")
    bucket = Bucket(5, (), weight=0)
    bridge = switch.bridge()
    bridge.group_mod(GroupMod(GroupModCommand.ADD_OR_MODIFY, 2, buckets=(bucket,)))
    command, buckets = GroupModCommand.INSERT_BUCKET, (Bucket(6, (), weight=0),)
    bridge.group_mod(GroupMod(command, 2, buckets=buckets, command_bucket_id=5))
    bridge.meter_mod(MeterMod(MeterModCommand.DELETE, 3))
    told = [forwarded(one) for one in peer.take()]
    assert [kind_of(one)[0] for one in told] == [OFPT_GROUP_MOD, OFPT_GROUP_MOD, OFPT_METER_MOD]
    mods = [decode_group_mod(one.raw[HEADER_BYTES:], OF14) for one in told[:2]]
    assert [mod.command for mod in mods] == [GroupModCommand.ADD, GroupModCommand.MODIFY]
    assert [len(mod.buckets) for mod in mods] == [1, 2], "with the new bucket and the old one"


def forwarded(text: str) -> Message:
    """The request in an OFPT_REQUESTFORWARD of 1.4, which is a type and a body in digits."""
    body = bytes.fromhex(text.removeprefix("20 "))
    outer = encode(OF14, 0x20, 0, body)
    return decode_request_forward(Message(OF14, 0x20, 0, outer), HEADER_BYTES)


def test_who_comes_as_the_last_one_goes_hears_of_a_new_port_once() -> None:
    switch = switch_with()
    peer = Peer(switch, OF13, is_primary=True)
    switch.vsctl("add-port", "br0", "p9", "--", "set", "interface", "p9", "type=dummy")
    peer.ofconn.closed()
    other = Peer(switch, OF13, is_primary=True)
    switch.scheduler.run(NS_PER_S)
    assert other.take() == [], "it can ask for the ports that there were when it came"
