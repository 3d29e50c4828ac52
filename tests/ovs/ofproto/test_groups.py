"""Groups: requests that change them, how select groups choose, what they count."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.base.units import NS_PER_S
from vnet.ovs.dpif.actions import HashAlgorithm
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.flow.protocols import P_OF13_OXM, P_OF15_OXM
from vnet.ovs.ofproto.dump.groups import dump_group_stats, dump_groups
from vnet.ovs.ofproto.groups.dp_hash import slots_of_buckets
from vnet.ovs.ofproto.groups.group import SelectionMethod
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    BUCKET_ALL,
    BUCKET_FIRST,
    BUCKET_LAST,
    GROUP_ALL,
    Bucket,
    FlowModCommand,
    GroupMod,
    GroupModCommand,
    GroupType,
    RemovedReason,
)
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.text.group import parse_group
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.sim.scheduler import Scheduler

ADD, MODIFY, ADD_OR_MODIFY, DELETE, INSERT_BUCKET, REMOVE_BUCKET = GroupModCommand
ALL, SELECT, INDIRECT, FAST_FAILOVER = GroupType


@pytest.fixture
def bridge() -> Ofproto:
    return Ofproto("br0", Scheduler())


def buckets(*ids: int, weight: int = 1, watch: int | None = None) -> tuple[Bucket, ...]:
    if watch is None:
        return tuple(Bucket(bucket_id, (), weight) for bucket_id in ids)
    return tuple(Bucket(bucket_id, (), weight, OfpPort(watch)) for bucket_id in ids)


def group(
    command: GroupModCommand,
    *ids: int,
    group_id: int = 1,
    kind: GroupType = ALL,
    place: int = BUCKET_ALL,
) -> GroupMod:
    return GroupMod(command, group_id, kind, buckets(*ids), place)


def ids_of(bridge: Ofproto, group_id: int = 1) -> list[int]:
    return [bucket.bucket_id for bucket in bridge.groups[group_id].buckets]


def refuses(bridge: Ofproto, error: str, mod: GroupMod) -> None:
    before = dict(bridge.groups)
    with pytest.raises(OpenFlowError) as raised:
        bridge.group_mod(mod)
    assert raised.value.name == error
    assert bridge.groups == before


# -- requests


def test_a_group_is_added_once(bridge: Ofproto) -> None:
    bridge.group_mod(group(ADD, 1, 2))
    refuses(bridge, "OFPGMFC_GROUP_EXISTS", group(ADD, 1))


def test_what_is_not_there_cannot_be_changed(bridge: Ofproto) -> None:
    refuses(bridge, "OFPGMFC_UNKNOWN_GROUP", group(MODIFY, 1))
    refuses(bridge, "OFPGMFC_UNKNOWN_GROUP", group(REMOVE_BUCKET, place=1))
    bridge.group_mod(group(ADD_OR_MODIFY, 1))
    bridge.group_mod(group(ADD_OR_MODIFY, 2))
    assert ids_of(bridge) == [2]


def test_a_changed_group_counts_anew_but_is_as_old_as_it_was(bridge: Ofproto) -> None:
    bridge.group_mod(group(ADD, 1))
    bridge.groups[1].credit(1, FlowStats(3, 300))
    bridge.scheduler.run(NS_PER_S)
    bridge.group_mod(group(MODIFY, 1))
    entry = bridge.groups[1]
    assert (entry.n_packets, entry.created_ns, entry.modified_ns) == (0, 0, NS_PER_S)


@pytest.mark.parametrize(
    ("error", "mod"),
    [
        ("OFPGMFC_INVALID_GROUP", group(ADD, kind=INDIRECT)),
        ("OFPGMFC_INVALID_GROUP", group(ADD, 1, 2, kind=INDIRECT)),
        ("OFPGMFC_INVALID_GROUP", group(ADD, 1, kind=FAST_FAILOVER)),
        ("OFPGMFC_WATCH_UNSUPPORTED", GroupMod(ADD, 1, ALL, buckets(1, watch=1))),
        ("OFPGMFC_BAD_BUCKET", group(ADD, 1, 1)),
        ("OFPGMFC_INVALID_GROUP", group(ADD, 1, group_id=0xFFFFFF01)),
        ("OFPGMFC_UNKNOWN_GROUP", group(INSERT_BUCKET, 1, place=BUCKET_LAST)),
    ],
)
def test_refuses(bridge: Ofproto, error: str, mod: GroupMod) -> None:
    refuses(bridge, error, mod)


@pytest.mark.parametrize(
    ("place", "expected"),
    [(BUCKET_FIRST, [8, 9, 1, 2]), (BUCKET_LAST, [1, 2, 8, 9]), (1, [1, 8, 9, 2])],
)
def test_buckets_are_inserted(bridge: Ofproto, place: int, expected: list[int]) -> None:
    bridge.group_mod(group(ADD, 1, 2))
    bridge.group_mod(group(INSERT_BUCKET, 8, 9, place=place))
    assert ids_of(bridge) == expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [(BUCKET_FIRST, [2, 3]), (BUCKET_LAST, [1, 2]), (2, [1, 3]), (BUCKET_ALL, [])],
)
def test_buckets_are_removed(bridge: Ofproto, place: int, expected: list[int]) -> None:
    bridge.group_mod(group(ADD, 1, 2, 3))
    bridge.group_mod(group(REMOVE_BUCKET, place=place))
    assert ids_of(bridge) == expected


def test_bucket_commands_need_buckets_that_are_there_or_are_not(bridge: Ofproto) -> None:
    bridge.group_mod(group(ADD, 1, 2))
    refuses(bridge, "OFPGMFC_UNKNOWN_BUCKET", group(INSERT_BUCKET, 8, place=7))
    refuses(bridge, "OFPGMFC_BUCKET_EXISTS", group(INSERT_BUCKET, 2, place=BUCKET_LAST))
    refuses(bridge, "OFPGMFC_UNKNOWN_BUCKET", group(REMOVE_BUCKET, place=7))
    refuses(bridge, "OFPGMFC_BAD_BUCKET", group(REMOVE_BUCKET, 7, place=1))


def test_buckets_without_a_number_get_the_lowest_free_ones(bridge: Ofproto) -> None:
    bridge.group_mod(group(ADD, BUCKET_ALL, 0, BUCKET_ALL))
    assert ids_of(bridge) == [1, 0, 2]


# -- flows and groups


def test_flows_that_output_to_a_group_go_with_it(bridge: Ofproto) -> None:
    gone: list[RemovedReason] = []

    def note(_rule: Rule, reason: RemovedReason) -> None:
        gone.append(reason)

    bridge.flow_removed.append(note)
    bridge.bundle([group(ADD, 1, group_id=1), group(ADD, 1, group_id=2)])
    for text in (
        "in_port=1,send_flow_rem,actions=group:1",
        "in_port=2,send_flow_rem,actions=write_actions(group:1,group:2)",
        "in_port=3,send_flow_rem,actions=group:2",
    ):
        bridge.flow_mod(parse_flow(text, FlowModCommand.ADD, allowed=P_OF15_OXM))
    assert len(bridge.groups[1].rules) == 2
    bridge.group_mod(group(DELETE, group_id=1))
    assert gone == [RemovedReason.GROUP_DELETE] * 2
    assert len(bridge.groups[2].rules) == 1
    bridge.group_mod(group(DELETE, group_id=GROUP_ALL))
    assert not bridge.groups
    assert not list(bridge.flows())


def test_a_changed_group_keeps_its_flows(bridge: Ofproto) -> None:
    bridge.group_mod(group(ADD, 1))
    bridge.flow_mod(parse_flow("actions=group:1", FlowModCommand.ADD))
    bridge.group_mod(group(MODIFY, 2))
    assert len(bridge.groups[1].rules) == 1
    bridge.flow_mod(parse_flow("actions=drop", FlowModCommand.ADD))
    assert not bridge.groups[1].rules


def test_each_action_that_outputs_to_a_group_counts(bridge: Ofproto) -> None:
    bridge.group_mod(group(ADD, 1))
    bridge.flow_mod(parse_flow("in_port=1,actions=group:1,group:1", FlowModCommand.ADD))
    bridge.flow_mod(parse_flow("in_port=2,actions=group:1", FlowModCommand.ADD))
    assert bridge.groups[1].ref_count == 3
    bridge.flow_mod(parse_flow("in_port=1,actions=drop", FlowModCommand.ADD))
    assert bridge.groups[1].ref_count == 1


def test_to_delete_a_group_that_is_not_there_is_no_error(bridge: Ofproto) -> None:
    bridge.group_mod(group(DELETE, group_id=77))


# -- counting


def test_a_packet_counts_for_its_bucket_or_for_all(bridge: Ofproto) -> None:
    bridge.group_mod(group(ADD, 4, 5))
    entry = bridge.groups[1]
    entry.credit(5, FlowStats(1, 60))
    entry.credit(None, FlowStats(2, 120))
    assert entry.n_packets == 3
    assert [stats.n_packets for stats in entry.bucket_stats] == [2, 3]


# -- selection


@given(st.lists(st.integers(0, 40), min_size=1, max_size=9))
def test_hashes_are_dealt_out_by_weight(weights: list[int]) -> None:
    slots = slots_of_buckets(weights)
    total = sum(weights)
    if not slots:
        lightest = min((w for w in weights if w), default=0)
        assert lightest == 0 or total / lightest > 128
        return
    assert len(slots) in (16, 32, 64, 128, 256)
    counts = Counter(slots)
    for position, weight in enumerate(weights):
        fair = len(slots) * weight / total
        assert (counts[position] == 0) if weight == 0 else abs(counts[position] - fair) <= 2


def test_hashes_of_two_buckets_as_open_vswitch_deals_them() -> None:
    assert Counter(slots_of_buckets([1, 2])) == {0: 5, 1: 11}


def test_a_select_group_goes_by_the_datapaths_hash_if_weights_allow(bridge: Ofproto) -> None:
    bridge.group_mod(group(ADD, 1, 2, kind=SELECT))
    entry = bridge.groups[1]
    assert entry.selection is SelectionMethod.DP_HASH
    assert entry.hash_algorithm is HashAlgorithm.SYM_L4
    uneven = (Bucket(1, (), 1), Bucket(2, (), 1000))
    bridge.group_mod(GroupMod(ADD, 2, SELECT, uneven))
    assert bridge.groups[2].selection is SelectionMethod.DEFAULT


def test_a_controller_may_ask_for_a_method(bridge: Ofproto) -> None:
    by_dp_hash = GroupMod(
        ADD,
        1,
        SELECT,
        buckets(1, 2),
        selection_method="dp_hash",
        selection_method_param=1 << 32 | 7,
    )
    by_fields = GroupMod(
        ADD, 2, SELECT, buckets(1), selection_method="hash", fields=(("ip_src", 0xFFFFFFFF),)
    )
    bridge.bundle([by_dp_hash, by_fields])
    entry = bridge.groups[1]
    assert (entry.hash_algorithm, entry.hash_basis) == (HashAlgorithm.SYM_L4, 7)
    assert bridge.groups[2].selection is SelectionMethod.HASH


def test_inserted_buckets_get_all_hashes_and_a_removal_ends_them(bridge: Ofproto) -> None:
    """As in Open vSwitch 3.1, which looks at the buckets of the latest request only."""
    bridge.group_mod(group(ADD, 1, 2, kind=SELECT))
    bridge.group_mod(group(INSERT_BUCKET, 9, place=BUCKET_LAST))
    assert set(bridge.groups[1].hash_slots) == {2}
    bridge.group_mod(group(REMOVE_BUCKET, place=1))
    assert bridge.groups[1].type is SELECT
    assert bridge.groups[1].selection is SelectionMethod.DEFAULT


# -- listing


def parsed(text: str) -> GroupMod:
    return parse_group(text, ADD, allowed=P_OF15_OXM)


def test_lists_groups_as_ovs_ofctl_does(bridge: Ofproto) -> None:
    bridge.group_mod(parsed("group_id=7,type=select,bucket=actions=1,bucket=weight:2,actions=2"))
    bridge.group_mod(
        parsed("group_id=2,type=ff,bucket=watch_port:1,actions=1,bucket=watch_group:7,actions=2")
    )
    assert list(dump_groups(bridge)) == [
        "group_id=2,type=ff,bucket=bucket_id:0,watch_port:1,actions=output:1,"
        "bucket=bucket_id:1,watch_group:7,actions=output:2",
        "group_id=7,type=select,bucket=bucket_id:0,actions=output:1,"
        "bucket=bucket_id:1,weight:2,actions=output:2",
    ]
    assert list(dump_groups(bridge, P_OF13_OXM, group_id=7)) == [
        "group_id=7,type=select,bucket=actions=output:1,bucket=weight:2,actions=output:2"
    ]


def test_lists_statistics_as_ovs_ofctl_does(bridge: Ofproto) -> None:
    bridge.group_mod(group(ADD, 4, 5))
    bridge.groups[1].credit(5, FlowStats(1, 60))
    bridge.scheduler.run(1_250_000_000)
    counters = (
        "ref_count=0,packet_count=1,byte_count=60,bucket0:packet_count=0,byte_count=0,"
        "bucket1:packet_count=1,byte_count=60"
    )
    assert list(dump_group_stats(bridge)) == [f"group_id=1,duration=1.250s,{counters}"]
    assert list(dump_group_stats(bridge, OpenFlowVersion.OF12)) == [f"group_id=1,{counters}"]
    assert list(dump_group_stats(bridge, group_id=9)) == []
