"""Requests that add, change and delete flows, in ``ovs-ofctl``'s words."""

from __future__ import annotations

import pytest

from vnet.base.units import NS_PER_S
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.flow.fields import Subfield
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.flow.protocols import P_OF10_ANY, P_OF10_NXM_TID, P_OF11_STD, P_OF15_OXM
from vnet.ovs.ofproto.dump.flows import dump_aggregate, dump_flows
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.selection import Selection
from vnet.ovs.ofproto.rules.table import TableSettings
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    Bucket,
    FlowFlags,
    FlowMod,
    FlowModCommand,
    GroupMod,
    GroupModCommand,
    RemovedReason,
)
from vnet.ovs.openflow.ofpacts import Group, Output
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.sim.scheduler import Scheduler


class Bridge:
    """A bridge that is spoken to as by ``ovs-ofctl -O OpenFlow15``, or OpenFlow10."""

    def __init__(self) -> None:
        self.scheduler = Scheduler()
        self.ofproto = Ofproto("br0", self.scheduler)
        self.removed: list[tuple[str, RemovedReason]] = []
        self.ofproto.flow_removed.append(self._note)

    def _note(self, rule: Rule, reason: RemovedReason) -> None:
        self.removed.append((f"{rule.cookie:#x}", reason))

    def ofctl(self, command: FlowModCommand, text: str, allowed: int = P_OF15_OXM) -> None:
        self.ofproto.flow_mod(parse_flow(text, command, allowed=allowed))

    def add(self, *texts: str, allowed: int = P_OF15_OXM) -> None:
        for text in texts:
            self.ofctl(FlowModCommand.ADD, text, allowed)

    def flows(self) -> list[str]:
        """As by ``dump-flows --no-stats``."""
        return list(dump_flows(self.ofproto, P_OF15_OXM, shows_statistics=False))

    def rule(self) -> Rule:
        """The only one."""
        (rule,) = self.ofproto.flows()
        return rule

    def refuses(self, error: str, command: FlowModCommand, text: str) -> None:
        before = self.flows()
        with pytest.raises(OpenFlowError) as raised:
            self.ofctl(command, text)
        assert raised.value.name == error
        assert self.flows() == before


ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT = FlowModCommand


@pytest.fixture
def bridge() -> Bridge:
    return Bridge()


def packets(n: int, used_ns: int = 0) -> FlowStats:
    return FlowStats(n, 100 * n, used_ns)


# -- add


def test_a_flow_replaces_the_one_with_its_match_and_priority(bridge: Bridge) -> None:
    bridge.add("priority=5,ip,actions=output:1", "priority=6,ip,actions=output:2")
    bridge.add("priority=5,ip,cookie=9,idle_timeout=3,actions=output:3")
    assert bridge.flows() == [
        "priority=6,ip actions=output:2",
        "cookie=0x9, idle_timeout=3, priority=5,ip actions=output:3",
    ]


def test_what_a_replaced_flow_has_counted_goes_on(bridge: Bridge) -> None:
    bridge.add("actions=output:1")
    bridge.ofproto.credit(bridge.rule(), packets(3, 7))
    bridge.scheduler.run(NS_PER_S)
    bridge.add("actions=output:2")
    rule = bridge.rule()
    assert (rule.n_packets, rule.n_bytes, rule.used_ns) == (3, 300, 7)
    assert rule.created_ns == NS_PER_S


def test_reset_counts_starts_anew(bridge: Bridge) -> None:
    bridge.add("actions=output:1")
    bridge.ofproto.credit(bridge.rule(), packets(3))
    bridge.add("reset_counts,actions=output:2")
    assert bridge.rule().n_packets == 0


def test_openflow_1_0_always_starts_anew(bridge: Bridge) -> None:
    bridge.add("actions=output:1")
    bridge.ofproto.credit(bridge.rule(), packets(3))
    bridge.add("actions=output:2", allowed=P_OF10_ANY)
    assert bridge.rule().n_packets == 0


def test_counters_are_handed_in_before_they_are_reset(bridge: Bridge) -> None:
    bridge.add("actions=output:1")
    late = [packets(4)]

    def hand_in() -> None:
        while late:
            bridge.ofproto.credit(rule, late.pop())

    rule = bridge.rule()
    bridge.ofproto.before_reading_stats = hand_in
    bridge.add("reset_counts,actions=output:2")
    assert bridge.rule().n_packets == 0


def test_check_overlap_refuses_what_some_packet_could_match_twice(bridge: Bridge) -> None:
    bridge.add("priority=5,in_port=1,actions=drop")
    bridge.refuses("OFPFMFC_OVERLAP", ADD, "priority=5,check_overlap,ip,actions=drop")
    bridge.add("priority=6,check_overlap,ip,actions=drop")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("OFPBAC_BAD_OUT_GROUP", "actions=group:5"),
        ("OFPBAC_BAD_OUT_GROUP", "actions=write_actions(group:5)"),
        ("OFPMMFC_INVALID_METER", "actions=meter:5,output:1"),
        ("OFPBRC_EPERM", "table=254,actions=drop"),
        ("OFPBRC_EPERM", "recirc_id=1,actions=drop"),
        ("OFPBRC_EPERM", "dp_hash=1,actions=drop"),
    ],
)
def test_refuses(bridge: Bridge, error: str, text: str) -> None:
    bridge.refuses(error, ADD, text)


def test_a_table_that_there_is_not_is_refused(bridge: Bridge) -> None:
    with pytest.raises(OpenFlowError, match="OFPBRC_BAD_TABLE_ID"):
        bridge.ofproto.flow_mod(FlowMod(ADD, table_id=300))


# -- modify


def test_modify_changes_actions_of_what_it_covers_and_nothing_else(bridge: Bridge) -> None:
    bridge.add(
        "cookie=1,idle_timeout=9,importance=2,ip,nw_dst=10.0.0.1,actions=output:1",
        "table=3,tcp,actions=output:1",
        "arp,actions=output:1",
    )
    bridge.ofctl(MODIFY, "ip,actions=output:7")
    assert bridge.flows() == [
        "cookie=0x1, idle_timeout=9, importance=2, ip,nw_dst=10.0.0.1 actions=output:7",
        "arp actions=output:1",
        "table=3, tcp actions=output:1",
    ]


def test_modify_strict_changes_the_one_it_names(bridge: Bridge) -> None:
    bridge.add("priority=5,ip,actions=output:1", "priority=6,ip,actions=output:1")
    bridge.ofctl(MODIFY_STRICT, "priority=6,ip,actions=output:7")
    assert bridge.flows() == ["priority=5,ip actions=output:1", "priority=6,ip actions=output:7"]


def test_a_modification_keeps_the_time_of_creation_and_renews_that_of_change(
    bridge: Bridge,
) -> None:
    bridge.add("actions=output:1")
    bridge.scheduler.run(NS_PER_S)
    bridge.ofctl(MODIFY, "table=0,actions=output:2")
    rule = bridge.rule()
    assert (rule.created_ns, rule.modified_ns) == (0, NS_PER_S)


def test_by_openflow_1_0_a_modification_that_finds_nothing_adds(bridge: Bridge) -> None:
    bridge.ofctl(MODIFY, "ip,actions=output:1", P_OF10_ANY)
    assert bridge.flows() == ["ip actions=output:1"]


def test_later_versions_add_nothing_by_modifying(bridge: Bridge) -> None:
    bridge.ofctl(MODIFY, "table=0,ip,actions=output:1")
    assert bridge.flows() == []


def test_openflow_1_1_gives_a_cookie_only_to_what_a_modification_adds(bridge: Bridge) -> None:
    bridge.add("cookie=1,tcp,actions=drop", allowed=P_OF11_STD)
    for match in ("tcp", "udp"):
        bridge.ofctl(FlowModCommand.MODIFY, f"cookie=2,{match},actions=drop", P_OF11_STD)
    assert [rule.cookie for rule in bridge.ofproto.flows()] == [1, 2]


def test_a_packet_that_is_kept_cannot_be_named(bridge: Bridge) -> None:
    for command in (FlowModCommand.ADD, FlowModCommand.MODIFY, FlowModCommand.MODIFY_STRICT):
        with pytest.raises(OpenFlowError, match="OFPBRC_BUFFER_UNKNOWN"):
            bridge.ofproto.flow_mod(FlowMod(command, buffer_id=5, actions=(Group(7),)))
    bridge.ofproto.flow_mod(FlowMod(FlowModCommand.DELETE, buffer_id=5))


def test_a_cookie_to_look_for_never_adds(bridge: Bridge) -> None:
    bridge.ofctl(MODIFY, "cookie=1/-1,ip,actions=output:1", P_OF10_NXM_TID)
    assert bridge.flows() == []


# -- delete


def test_delete_goes_by_cookie_masks(bridge: Bridge) -> None:
    bridge.add("cookie=0x11,in_port=1,actions=drop", "cookie=0x12,in_port=2,actions=drop")
    bridge.ofctl(DELETE, "cookie=0x1/0xf")
    assert bridge.flows() == ["cookie=0x12, in_port=2 actions=drop"]


def test_delete_goes_by_output_but_not_by_flood(bridge: Bridge) -> None:
    bridge.add(
        "in_port=1,actions=output:2",
        "in_port=2,actions=clone(output:2)",
        "in_port=3,actions=flood",
        "in_port=4,actions=output:3",
    )
    bridge.ofctl(DELETE, "out_port=2")
    assert bridge.flows() == ["in_port=3 actions=FLOOD", "in_port=4 actions=output:3"]


def test_delete_goes_by_group(bridge: Bridge) -> None:
    bridge.ofproto.group_mod(GroupMod(GroupModCommand.ADD, 7))
    bridge.add("in_port=1,actions=group:7", "in_port=2,actions=output:7")
    bridge.ofctl(DELETE, "out_group=7")
    assert bridge.flows() == ["in_port=2 actions=output:7"]


def test_delete_strict_needs_match_and_priority(bridge: Bridge) -> None:
    bridge.add("priority=5,ip,actions=drop", "priority=6,ip,actions=drop")
    bridge.ofctl(DELETE_STRICT, "priority=5,ip")
    bridge.ofctl(DELETE_STRICT, "priority=6")
    assert bridge.flows() == ["priority=6,ip actions=drop"]


def test_the_switchs_own_table_is_not_deleted_from(bridge: Bridge) -> None:
    bridge.refuses("OFPBRC_EPERM", DELETE, "table=254")
    bridge.ofctl(DELETE, "")
    assert len(bridge.ofproto.tables[254]) == 4


def test_who_asked_for_it_hears_of_flows_that_go(bridge: Bridge) -> None:
    bridge.add(
        "cookie=1,in_port=1,send_flow_rem,actions=drop",
        "cookie=2,in_port=2,actions=drop",
    )
    bridge.ofctl(DELETE, "")
    assert bridge.removed == [("0x1", RemovedReason.DELETE)]


def test_a_flow_that_is_replaced_goes_in_silence(bridge: Bridge) -> None:
    bridge.add("send_flow_rem,actions=drop", "actions=output:1")
    assert bridge.removed == []


def test_a_flow_that_has_gone_counts_nothing_more(bridge: Bridge) -> None:
    bridge.add("actions=drop")
    rule = bridge.rule()
    bridge.ofctl(DELETE, "")
    bridge.ofproto.credit(rule, packets(1))
    assert rule.removed
    assert rule.n_packets == 0


# -- all or nothing


def test_a_bundle_with_a_bad_request_changes_nothing(bridge: Bridge) -> None:
    bridge.add("cookie=1,in_port=1,actions=output:1", "cookie=2,in_port=2,actions=output:2")
    version = bridge.ofproto.version
    mods: list[FlowMod | GroupMod] = [
        parse_flow("cookie=7,in_port=1,actions=output:7", ADD, allowed=P_OF15_OXM),
        parse_flow("cookie=2/-1", DELETE, allowed=P_OF15_OXM),
        parse_flow("in_port=3,actions=output:3", ADD, allowed=P_OF15_OXM),
        GroupMod(GroupModCommand.ADD, 4, buckets=(Bucket(0, ()),)),
        parse_flow("in_port=4,actions=group:9", ADD, allowed=P_OF15_OXM),
    ]
    with pytest.raises(OpenFlowError, match="OFPBAC_BAD_OUT_GROUP"):
        bridge.ofproto.bundle(mods)
    assert sorted(bridge.flows()) == [
        "cookie=0x1, in_port=1 actions=output:1",
        "cookie=0x2, in_port=2 actions=output:2",
    ]
    assert not bridge.ofproto.groups
    assert bridge.removed == []
    assert bridge.ofproto.version == version


def test_later_requests_of_a_bundle_see_what_earlier_ones_did(bridge: Bridge) -> None:
    bridge.ofproto.bundle(
        [
            GroupMod(GroupModCommand.ADD, 4, buckets=(Bucket(0, ()),)),
            parse_flow("in_port=4,actions=group:4", ADD, allowed=P_OF15_OXM),
        ]
    )
    assert bridge.flows() == ["in_port=4 actions=group:4"]


# -- limits


def test_a_full_table_takes_no_more(bridge: Bridge) -> None:
    bridge.ofproto.configure_table(0, TableSettings(max_flows=1))
    bridge.add("in_port=1,actions=drop")
    bridge.refuses("OFPFMFC_TABLE_FULL", ADD, "in_port=2,actions=drop")
    bridge.add("in_port=1,actions=output:1")


def test_a_full_table_that_evicts_gives_up_what_would_expire_first(bridge: Bridge) -> None:
    bridge.ofproto.configure_table(0, TableSettings(max_flows=2, evicts=True))
    bridge.add(
        "cookie=1,in_port=1,idle_timeout=90,send_flow_rem,actions=drop",
        "cookie=2,in_port=2,idle_timeout=60,send_flow_rem,actions=drop",
        "cookie=3,in_port=3,actions=drop",
    )
    assert bridge.removed == [("0x2", RemovedReason.EVICTION)]


def test_use_defers_eviction(bridge: Bridge) -> None:
    bridge.ofproto.configure_table(0, TableSettings(max_flows=2, evicts=True))
    bridge.add("cookie=1,in_port=1,idle_timeout=60,send_flow_rem,actions=drop")
    old = bridge.rule()
    bridge.scheduler.run(50 * NS_PER_S)
    bridge.add("cookie=2,in_port=2,idle_timeout=20,send_flow_rem,actions=drop")
    bridge.ofproto.credit(old, packets(1, 50 * NS_PER_S))
    bridge.add("in_port=3,actions=drop")
    assert bridge.removed == [("0x2", RemovedReason.EVICTION)]


def test_importance_counts_more_than_time(bridge: Bridge) -> None:
    bridge.ofproto.configure_table(0, TableSettings(max_flows=2, evicts=True))
    bridge.add(
        "cookie=1,in_port=1,importance=1,idle_timeout=90,send_flow_rem,actions=drop",
        "cookie=2,in_port=2,importance=2,idle_timeout=60,send_flow_rem,actions=drop",
        "in_port=3,actions=drop",
    )
    assert bridge.removed == [("0x1", RemovedReason.EVICTION)]


def test_whoever_has_most_flows_loses_one(bridge: Bridge) -> None:
    groups = (Subfield.parse("NXM_OF_IN_PORT[]"),)
    bridge.ofproto.configure_table(0, TableSettings(max_flows=3, evicts=True, groups=groups))
    bridge.add(
        "cookie=1,in_port=1,idle_timeout=10,send_flow_rem,actions=drop",
        "cookie=2,in_port=2,ip,idle_timeout=20,send_flow_rem,actions=drop",
        "cookie=3,in_port=2,arp,idle_timeout=30,send_flow_rem,actions=drop",
        "in_port=3,actions=drop",
    )
    assert bridge.removed == [("0x2", RemovedReason.EVICTION)]


def test_flows_that_never_expire_are_not_evicted(bridge: Bridge) -> None:
    bridge.ofproto.configure_table(0, TableSettings(max_flows=1, evicts=True))
    bridge.add("in_port=1,actions=drop")
    bridge.refuses("OFPFMFC_TABLE_FULL", ADD, "in_port=2,idle_timeout=9,actions=drop")


def test_a_lower_limit_evicts_at_once(bridge: Bridge) -> None:
    bridge.add(*(f"in_port={n},idle_timeout={n},actions=drop" for n in (1, 2, 3)))
    bridge.ofproto.configure_table(0, TableSettings(max_flows=1, evicts=True))
    assert bridge.flows() == ["idle_timeout=3, in_port=3 actions=drop"]


# -- learning


def learned(cookie: int, port: int) -> FlowMod:
    match = parse_flow(f"in_port={port},actions=drop", ADD).match
    actions = (Output(OfpPort(2)),)
    return FlowMod(MODIFY_STRICT, match, 9, 1, new_cookie=cookie, hard_timeout_s=5, actions=actions)


def test_learning_a_flow_again_makes_it_young(bridge: Bridge) -> None:
    assert bridge.ofproto.learn(learned(1, 1))
    bridge.scheduler.run(3 * NS_PER_S)
    version = bridge.ofproto.version
    assert bridge.ofproto.learn(learned(1, 1))
    assert bridge.ofproto.version == version
    bridge.scheduler.run(6 * NS_PER_S)
    assert len(bridge.ofproto.tables[1]) == 1


def test_learning_has_a_limit_for_each_cookie(bridge: Bridge) -> None:
    assert bridge.ofproto.learn(learned(1, 1), 1)
    assert not bridge.ofproto.learn(learned(1, 2), 1)
    assert bridge.ofproto.learn(learned(2, 2), 1)
    assert bridge.ofproto.learn(learned(1, 1), 1)


LEARNER = "learn(table=1,cookie=0x5,delete_learned,in_port=1)"


def test_learned_flows_go_with_the_last_flow_that_could_learn_them(bridge: Bridge) -> None:
    bridge.add(f"in_port=1,actions={LEARNER}", f"in_port=2,actions={LEARNER}")
    bridge.add("table=1,cookie=5,actions=drop", "table=1,cookie=6,ip,actions=drop")
    bridge.ofctl(DELETE, "table=0,in_port=1")
    assert len(bridge.ofproto.tables[1]) == 2
    bridge.add("in_port=2,actions=drop")
    assert bridge.flows()[1:] == ["cookie=0x6, table=1, ip actions=drop"]


def test_to_replace_a_learner_by_another_keeps_what_was_learned(bridge: Bridge) -> None:
    bridge.add(f"in_port=1,actions={LEARNER}", "table=1,cookie=5,actions=drop")
    bridge.add(f"in_port=1,actions={LEARNER},output:3")
    assert len(bridge.ofproto.tables[1]) == 1


# -- listing


def test_aggregate_counts_what_is_selected(bridge: Bridge) -> None:
    bridge.add("ip,actions=drop", "table=1,actions=drop")
    for rule in bridge.ofproto.flows():
        bridge.ofproto.credit(rule, packets(2))
    only_table_0 = Selection(table_id=0)
    assert dump_aggregate(bridge.ofproto, only_table_0) == (
        "packet_count=2 byte_count=200 flow_count=1"
    )


def test_a_dump_says_what_its_version_can(bridge: Bridge) -> None:
    bridge.add("cookie=5,importance=3,send_flow_rem,ip,actions=load:1->NXM_NX_REG0[],output:1")
    bridge.ofproto.credit(bridge.rule(), packets(2, 500_000_000))
    bridge.scheduler.run(2_345_600_000)
    bridge.ofctl(MODIFY, "table=0,actions=load:1->NXM_NX_REG0[],output:2")
    head = "cookie=0x5, duration=2.345s, table=0, n_packets=2, n_bytes=200, "
    assert list(dump_flows(bridge.ofproto, P_OF15_OXM)) == [
        head + "send_flow_rem importance=3, idle_age=1, ip actions=set_field:0x1->reg0,output:2"
    ]
    assert list(dump_flows(bridge.ofproto)) == [
        head + "idle_age=1, hard_age=0, ip actions=load:0x1->NXM_NX_REG0[],output:2"
    ]


def test_hidden_flows_are_the_switchs_own(bridge: Bridge) -> None:
    bridge.ofproto.flow_mod(FlowMod(ADD, priority=0x10000, new_cookie=0))
    assert bridge.flows() == []
    bridge.ofctl(DELETE, "")
    assert bridge.ofproto.lookup(0, Flow(), None) is not None


def test_flags_that_only_grant_rights_are_not_kept(bridge: Bridge) -> None:
    bridge.ofproto.flow_mod(FlowMod(ADD, flags=FlowFlags.NO_READONLY, new_cookie=0))
    assert bridge.rule().flags == FlowFlags.NONE


@pytest.mark.parametrize(
    "text",
    [
        "tun_metadata0=1,actions=drop",
        "actions=clone(delete_field:tun_metadata3)",
        "actions=move:NXM_NX_TUN_METADATA0[0..31]->NXM_NX_REG0[]",
        "actions=learn(table=1,NXM_NX_TUN_METADATA0[0..31])",
    ],
)
def test_flows_may_not_name_tunnel_options_that_nobody_has_mapped(text: str) -> None:
    Bridge().refuses("NXFMFC_INVALID_TLV_FIELD", ADD, text)
