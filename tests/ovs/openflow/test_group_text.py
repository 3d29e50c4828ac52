"""Groups in text: buckets, methods of selection, commands, refusals, and the way back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.examples import examples
from tests.ovs.openflow.kit import Verdict, group_texts, needs_ovs, real_group_verdict
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.flow.protocols import P_OF13_OXM, P_OF15_OXM, protocols_text
from vnet.ovs.ofproto.groups.group_mods import check_group_mod
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    BUCKET_LAST,
    GROUP_ALL,
    GroupMod,
    GroupModCommand,
    GroupType,
)
from vnet.ovs.openflow.ofpacts import Output
from vnet.ovs.openflow.text.group import parse_group, read_group
from vnet.ovs.openflow.text.group_print import group_message_text, group_text
from vnet.ovs.openflow.text.sending import group_as_sent, protocol_for
from vnet.ovs.openflow.version import version_of

ADD = GroupModCommand.ADD
INSERT = GroupModCommand.INSERT_BUCKET
REMOVE = GroupModCommand.REMOVE_BUCKET


def test_a_select_group_with_weights_and_watched_ports_is_read() -> None:
    mod = parse_group(
        "group_id=7,type=select,bucket=weight:5,watch_port:3,actions=output:1,output:2,"
        "bucket=output:4",
        ADD,
    )
    first, second = mod.buckets
    assert (mod.group_id, mod.type) == (7, GroupType.SELECT)
    assert (first.weight, first.watch_port) == (5, 3)
    assert first.actions == (Output(OfpPort(1)), Output(OfpPort(2)))
    assert second.weight == 1


def test_buckets_without_a_number_get_the_lowest_free_ones() -> None:
    text = "group_id=1,type=all,bucket=output:1,bucket=bucket_id:0,output:2,bucket=output:3"
    assert [bucket.bucket_id for bucket in parse_group(text, ADD).buckets] == [1, 0, 2]


def test_a_method_of_selection_has_fields_in_the_order_of_all_fields() -> None:
    mod = parse_group(
        "group_id=1,type=select,selection_method=hash,fields(ip_dst,eth_src=ff:ff:ff:00:00:00),"
        "bucket=output:1",
        ADD,
    )
    assert mod.fields == (("eth_src", 0xFFFFFF000000), ("ip_dst", FIELDS["ip_dst"].ones))
    assert group_text(mod) == (
        "group_id=1,type=select,selection_method=hash,fields(eth_src=ff:ff:ff:00:00:00,ip_dst),"
        "bucket=bucket_id:0,actions=output:1"
    )


def test_openflow_13_has_no_room_for_a_method_of_selection() -> None:
    text = "group_id=1,type=select,selection_method=hash,bucket=bucket_id:4,output:1"
    mod = parse_group(text, ADD, allowed=P_OF13_OXM)
    assert mod.selection_method == ""
    assert group_text(mod, version=version_of(P_OF13_OXM)) == (
        "group_id=1,type=select,bucket=actions=output:1"
    )


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("add group_id=1,type=all", ADD),
        ("add_or_mod group_id=1,type=all", GroupModCommand.ADD_OR_MODIFY),
        ("del group_id=1", GroupModCommand.DELETE),
        ("insert_bucket group_id=1,command_bucket_id=last,bucket=output:1", INSERT),
        ("remove group_id=1,command_bucket_id=all", REMOVE),
        ("group_id=1,type=all", ADD),
    ],
)
def test_a_line_may_begin_with_a_command(text: str, command: GroupModCommand) -> None:
    assert parse_group(text, None).command is command


def test_a_deletion_of_nothing_in_particular_is_of_all() -> None:
    assert parse_group("delete", None).group_id == GROUP_ALL
    assert parse_group("", GroupModCommand.DELETE).group_id == GROUP_ALL


def test_buckets_are_inserted_at_a_place() -> None:
    mod = parse_group("group_id=1,command_bucket_id=last,bucket=weight:3,output:1", INSERT)
    assert mod.command_bucket_id == BUCKET_LAST
    assert group_message_text(mod, version_of(P_OF15_OXM)) == (
        "INSERT_BUCKET command_bucket_id:last,group_id=1,"
        "bucket=bucket_id:0,weight:3,actions=output:1"
    )


@pytest.mark.parametrize(
    ("text", "command", "sentence"),
    [
        ("type=all", ADD, "must specify a group_id"),
        ("group_id=1", ADD, "must specify a type"),
        ("group_id=1,type=odd", ADD, "invalid group type odd"),
        ("group_id=4294967041,type=all", ADD, "invalid group id 4294967041"),
        ("group_id=1,type=all,foo=1", ADD, "unknown keyword foo"),
        ("group_id=1,type=all,bucket=", ADD, "bucket must specify actions"),
        ("group_id=1,type=all,bucket=weight:1", ADD, "bucket must specify actions"),
        (
            "group_id=1,type=all,bucket=weight:1,output:1",
            ADD,
            "Only select groups can have bucket weights.",
        ),
        (
            "group_id=1,type=ff,bucket=output:1",
            ADD,
            "fast failover bucket requires watch_port or watch_group",
        ),
        (
            "group_id=1,type=indirect,bucket=output:1,bucket=output:2",
            ADD,
            "Indirect groups can have at most one bucket.",
        ),
        ("group_id=1,type=all,bucket=watch_port:x,1", ADD, "x: invalid watch_port"),
        ("group_id=1,type=all,command_bucket_id=1", ADD, "command bucket id is not needed"),
        ("group_id=1,bucket=1", REMOVE, "bucket is not needed"),
        ("group_id=1,type=all", REMOVE, "type is not needed"),
        ("group_id=1,bucket=1", INSERT, "must specify a command bucket id"),
        ("group_id=1,command_bucket_id=all", INSERT, "command_bucket_id=all is not permitted"),
        (
            "group_id=1,type=select,fields=ip_dst",
            ADD,
            'fields may only be specified with "selection_method=hash"',
        ),
        (
            "group_id=1,type=select,selection_method_param=1",
            ADD,
            'selection_method_param is only allowed with "selection_method"',
        ),
        (
            "group_id=1,type=select,selection_method=hash,fields(odd,ip_dst)",
            ADD,
            "ip_dst: unknown field odd",
        ),
        (
            "group_id=1,type=select,selection_method=0123456789abcdef",
            ADD,
            "selection method is longer than 15 bytes long",
        ),
    ],
)
def test_refusals_are_open_vswitchs_sentences(
    text: str, command: GroupModCommand, sentence: str
) -> None:
    with pytest.raises(OvsTextError) as refusal:
        parse_group(text, command)
    assert refusal.value.what == sentence


def test_a_switch_refuses_a_method_it_does_not_know() -> None:
    with pytest.raises(OpenFlowError, match="OFPBPC_BAD_VALUE"):
        parse_group("group_id=1,type=select,selection_method=odd,bucket=output:1", ADD)


def received(text: str) -> GroupMod | None:
    """What a switch receives of a group; None if the client or the switch refuses it."""
    try:
        return parse_group(text, ADD, allowed=P_OF15_OXM)
    except (OvsTextError, OpenFlowError):
        return None


@settings(max_examples=examples(150))
@given(group_texts)
def test_a_group_that_was_printed_and_read_again_is_printed_the_same(text: str) -> None:
    """Text leaves out how much of a packet goes where only controllers would take a part."""
    group = received(text)
    if group is None:
        return
    printed = group_text(group)
    # Open vSwitch cannot read a field that it shows as set to ANY, under an empty mask.
    if "ANY->" not in printed:
        again = received(printed)
        assert again is not None
        assert group_text(again) == printed


def own_group_verdict(text: str) -> Verdict:
    try:
        mod, usable = read_group(text, ADD)
    except OvsTextError as refusal:
        return "error", refusal.what
    if not usable:
        return "error", "no usable protocol"
    protocol = protocol_for(usable)
    try:
        sent = group_as_sent(mod, protocol)
        check_group_mod(sent)
    except OpenFlowError as refusal:
        return "refused", protocols_text(usable), refusal.name
    return "sent", protocols_text(usable), group_message_text(sent, version_of(protocol))


class TestBesideOvsOfctl:
    pytestmark = needs_ovs

    @settings(max_examples=examples(60))
    @given(group_texts)
    def test_random_groups_are_taken_refused_and_printed_as_by_ovs_ofctl(self, text: str) -> None:
        assert own_group_verdict(text) == real_group_verdict(text)
