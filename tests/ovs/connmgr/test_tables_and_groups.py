"""What a bridge tells of its tables and groups, and how controllers change them.

Long answers are held against the first digits of SHA-256 of what ovs-vswitchd 3.1 sends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from tests.ovs.command_switch import Switch
from tests.ovs.connmgr.talk import Peer
from tests.ovs.whole_switch import switch_with
from vnet.ovs.ofproto.table_facts import table_features
from vnet.ovs.openflow.messages import (
    BUCKET_LAST,
    Bucket,
    GroupMod,
    GroupModCommand,
    TableFeatures,
    TableFeaturesCommand,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.packing import pack, pack_multipart
from vnet.ovs.openflow.wire.table.features import encode_table_features

OF13, OF15 = OpenFlowVersion.OF13, OpenFlowVersion.OF15
Wanted = Callable[[list[TableFeatures]], list[TableFeatures]]


def asked(peer: Peer, kind: Kind, body: bytes = b"") -> list[str]:
    raw = pack(kind, peer.version, 7, body)
    return peer.say(f"{raw[1]:02x} {raw[8:].hex()}")


@pytest.mark.parametrize(
    ("version", "kind", "digits"),
    [
        (1, kinds.OFPST_TABLE_REQUEST, "8387373e"),
        (2, kinds.OFPST_TABLE_REQUEST, "f2140f15"),
        (3, kinds.OFPST_TABLE_REQUEST, "66b36aef"),
        (4, kinds.OFPST_TABLE_REQUEST, "bf2af5e4"),
        (5, kinds.OFPST_TABLE_REQUEST, "bf2af5e4"),
        (6, kinds.OFPST_TABLE_REQUEST, "bf2af5e4"),
        (4, kinds.OFPST_TABLE_FEATURES_REQUEST, "4f88ca9e"),
        (5, kinds.OFPST_TABLE_FEATURES_REQUEST, "4f88ca9e"),
        (6, kinds.OFPST_TABLE_FEATURES_REQUEST, "22d61eb6"),
        (5, kinds.OFPST_TABLE_DESC_REQUEST, "3f17e009"),
        (6, kinds.OFPST_TABLE_DESC_REQUEST, "3f17e009"),
        (1, kinds.NXST_GROUP_FEATURES_REQUEST, "097d38b3"),
        (2, kinds.NXST_GROUP_FEATURES_REQUEST, "a17e82c8"),
        (3, kinds.OFPST_GROUP_FEATURES_REQUEST, "4b3810ce"),
        (4, kinds.OFPST_GROUP_FEATURES_REQUEST, "4b3810ce"),
        (5, kinds.OFPST_GROUP_FEATURES_REQUEST, "4b3810ce"),
        (6, kinds.OFPST_GROUP_FEATURES_REQUEST, "4b3810ce"),
    ],
)
def test_what_tables_and_groups_can_do_is_told_to_the_byte(
    version: int, kind: Kind, digits: str
) -> None:
    answers = asked(Peer(switch_with(), OpenFlowVersion(version)), kind)
    assert sha256("\n".join(answers).encode()).hexdigest()[:8] == digits


def change(peer: Peer, tables: list[TableFeatures]) -> list[str]:
    """Ask for other features, in as many messages as it takes; what is heard."""
    entries = [encode_table_features(one, peer.version) for one in tables]
    kind = kinds.OFPST_TABLE_FEATURES_REQUEST
    parts = pack_multipart(kind, peer.version, 7, entries)
    return peer.say(*(f"{raw[1]:02x} {raw[8:].hex()}" for raw in parts))


def features(switch: Switch) -> list[TableFeatures]:
    return table_features(switch.vswitchd.running["br0"].ofproto)


def test_tables_are_named() -> None:
    switch = switch_with()
    peer, known = Peer(switch, OF13), features(switch)
    named = [replace(one, name=f"t{one.table_id}" if one.table_id < 2 else "") for one in known]
    assert len(change(peer, named)) == 20
    assert [one.name for one in features(switch)[:3]] == ["t0", "t1", ""]


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (lambda known: known[:1], "000d0005"),
        (lambda known: [*known, known[0]], "ffff002c00002320"),
        (lambda known: [*known, replace(known[0], table_id=254)], "000d0005"),
        (lambda known: [replace(one, max_entries=5) for one in known], "000d0005"),
    ],
    ids=["others left out", "one twice", "one that is not there", "smaller"],
)
def test_tables_can_be_nothing_else_than_they_are(wanted: Wanted, error: str) -> None:
    switch = switch_with()
    peer, known = Peer(switch, OF13), features(switch)
    (refusal,) = change(peer, wanted(known))
    assert refusal.startswith(f"01 {error}0412")
    assert features(switch) == known


def test_one_table_may_be_modified_from_1_5_on() -> None:
    switch = switch_with()
    peer = Peer(switch, OF15)
    wanted = replace(
        features(switch)[3], command=TableFeaturesCommand.MODIFY, name="third", nonmiss=None
    )
    assert len(change(peer, [wanted])) == 20
    assert features(switch)[3].name == "third"


def test_settings_name_tables_before_controllers_do() -> None:
    switch = switch_with()
    switch.vsctl(
        *("set", "bridge", "br0", "flow_tables:1=@t"),
        *("--", "--id=@t", "create", "flow_table", "name=mine"),
    )
    peer, known = Peer(switch, OF13), features(switch)
    (refusal,) = change(peer, [replace(one, name="other") for one in known])
    assert refusal.startswith("01 000d0005")
    assert features(switch)[1].name == "mine"


@pytest.mark.parametrize("version", OpenFlowVersion)
def test_groups_are_added_told_of_and_deleted_in_every_version(version: OpenFlowVersion) -> None:
    switch = switch_with()
    peer = Peer(switch, version)
    is_nicira = version is OpenFlowVersion.OF10
    mod = kinds.NXT_GROUP_MOD if is_nicira else kinds.OFPT_GROUP_MOD
    desc = kinds.NXST_GROUP_DESC_REQUEST if is_nicira else kinds.OFPST_GROUP_DESC_REQUEST
    all_groups = bytes.fromhex("fffffffc00000000")
    group = bytes.fromhex("0000000000000055")
    if version in (OpenFlowVersion.OF10, OF15):
        empty, everything = group + bytes.fromhex("00000000ffffffff"), all_groups
        delete = bytes.fromhex("00020000fffffffc00000000ffffffff")
    else:
        empty, everything, delete = group, b"", bytes.fromhex("00020000fffffffc")
    assert asked(peer, mod, empty) == []
    assert "group_id=85,type=all" in switch.run(["ovs-ofctl", "-OOpenFlow15", "dump-groups", "br0"])
    (told,) = asked(peer, desc, everything)
    assert "00000055" in told
    (refusal,) = asked(peer, mod, empty)
    assert "0006" in refusal, "OFPGMFC_GROUP_EXISTS"
    assert asked(peer, mod, delete) == []
    assert "group_id" not in switch.run(["ovs-ofctl", "-OOpenFlow15", "dump-groups", "br0"])


def test_who_exports_no_samples_has_none_to_tell_of() -> None:
    peer = Peer(switch_with(), OF13)
    (refusal,) = asked(peer, kinds.NXST_IPFIX_BRIDGE_REQUEST)
    assert refusal.startswith("01 ffff002400002320"), "NXST_NOT_CONFIGURED"


@pytest.mark.parametrize(
    ("mod", "error"),
    [
        (
            "0001 0005 00000001" + "0002 0010 00000064 0000000a 01000000",
            "000c0003",
        ),  # UNKNOWN_METER
        ("0000 0005 00000064", "000c000b"),  # OUT_OF_BANDS
        ("0000 0004 00000064" + "0001 0010 00000064 00000000 00000000", "000c0005"),  # BAD_FLAGS
        ("0000 0001 00000064" + "0002 0010 00000000 00000000 00000000", "000c0006"),  # BAD_RATE
        ("0000 0011 00000064" + "0002 0010 00000001 00000000 00000000", "000c0005"),  # BAD_FLAGS
        ("0000 0001 00000064" + "0002 0010 00000001 00000000 00000000", "000c0008"),  # BAD_BAND
        ("0000 0001 00000000", "000c0002"),  # INVALID_METER
    ],
)
def test_meters_are_judged_in_the_order_of_open_vswitch(mod: str, error: str) -> None:
    (refusal,) = Peer(switch_with(), OF13).say(f"1d {mod}")
    assert refusal.startswith(f"01 {error}")


def test_a_request_that_may_not_come_in_parts_is_refused_by_its_first() -> None:
    first, last = "12 0006 0001 00000000 fffffffc00000000", "12 0006 0000 00000000 fffffffc00000000"
    (refusal,) = Peer(switch_with(), OF13).say(first, last)
    assert refusal == "01 00010002" + "0412001800000007" + "0006000100000000fffffffc00000000"


def test_a_group_that_no_message_has_room_for_is_left_out_of_answers_and_news() -> None:
    """Buckets may be added until there are more than a message can hold."""
    switch = switch_with()
    others = [Peer(switch, version, is_primary=True) for version in OpenFlowVersion]
    others[4].say("1c 000b000800000003")
    bridge, command = switch.bridge(), GroupModCommand.INSERT_BUCKET
    bridge.group_mod(GroupMod(GroupModCommand.ADD, 1))
    bridge.group_mod(GroupMod(GroupModCommand.ADD, 2))
    buckets = tuple(Bucket(number, ()) for number in range(5000))
    bridge.group_mod(GroupMod(command, 1, buckets=buckets, command_bucket_id=BUCKET_LAST))
    assert [len(other.take()) for other in others] == [0, 0, 0, 0, 2, 0], "of the empty groups"
    all_groups = bytes.fromhex("fffffffc00000000")
    for other in others:
        is_nicira = other.version is OpenFlowVersion.OF10
        stats = kinds.NXST_GROUP_REQUEST if is_nicira else kinds.OFPST_GROUP_REQUEST
        desc = kinds.NXST_GROUP_DESC_REQUEST if is_nicira else kinds.OFPST_GROUP_DESC_REQUEST
        has_numbers = other.version in (OpenFlowVersion.OF10, OF15)
        for kind, body in ((stats, all_groups), (desc, all_groups if has_numbers else b"")):
            (told,) = asked(other, kind, body)
            assert "00000002" in told
            assert len(told) < 200


def test_a_group_whose_actions_are_too_long_in_another_version_is_left_out() -> None:
    """An action that outputs takes 8 bytes in OpenFlow 1.0 and 16 in others."""
    switch = switch_with()
    older, newer = Peer(switch, OpenFlowVersion.OF10), Peer(switch, OF13)
    actions = bytes.fromhex("0000000800010000") * 5000
    bucket = (8 + len(actions)).to_bytes(2, "big") + len(actions).to_bytes(2, "big") + bytes(4)
    buckets = bucket + actions
    head = bytes.fromhex("0000000000000001") + len(buckets).to_bytes(2, "big") + bytes(2)
    assert asked(older, kinds.NXT_GROUP_MOD, head + b"\xff" * 4 + buckets) == []
    assert asked(newer, kinds.OFPST_GROUP_DESC_REQUEST) == ["13 0007000000000000"]
