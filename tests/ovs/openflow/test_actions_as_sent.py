"""What a switch receives of actions: each version of OpenFlow has its own words for them."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.ovs.action_strategies import instructions
from vnet.ovs.flow.match import CATCHALL
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.flow.protocols import (
    P_OF10_STD,
    P_OF11_STD,
    P_OF12_OXM,
    P_OF13_OXM,
    P_OF14_OXM,
    P_OF15_OXM,
)
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import Ofpacts
from vnet.ovs.openflow.text.actions import (
    actions_text,
    check_actions,
    check_consistency,
    parse_actions,
    parse_instructions,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import as_sent, as_sent_outside_flows

OF10, OF11, _OF12, OF13, OF14, OF15 = OpenFlowVersion


class Sent(NamedTuple):
    """A line of ``actions_as_sent.txt``: actions with a match, and what arrives of them."""

    match: str
    actions: str
    version: OpenFlowVersion
    arrives: str


def sent() -> list[Sent]:
    """The table of ``actions_as_sent.txt``, a row for each version."""
    table = []
    match = actions = ""
    for line in Path(__file__).with_name("actions_as_sent.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if not line.startswith(" "):
            match, actions = line.split(" ", 1)
            match = "" if match == "any" else match
            continue
        versions, arrives = line.strip().split(": ", 1)
        first, _, last = versions.partition("-")
        for number in range(_minor(first), _minor(last or first) + 1):
            table.append(Sent(match, actions, OpenFlowVersion(number + 1), arrives))
    return table


def _minor(version: str) -> int:
    return int(version.removeprefix("1."))


PROTOCOLS = {
    OpenFlowVersion.OF10: P_OF10_STD,
    OpenFlowVersion.OF11: P_OF11_STD,
    OpenFlowVersion.OF12: P_OF12_OXM,
    OpenFlowVersion.OF13: P_OF13_OXM,
    OpenFlowVersion.OF14: P_OF14_OXM,
    OpenFlowVersion.OF15: P_OF15_OXM,
}


def journey(row: Sent) -> str:
    """What a switch keeps, or why it refuses, of actions checked and sent by a client."""
    match = parse_match(row.match)
    checked = check_actions(parse_instructions(row.actions).actions, match)
    try:
        arrived = as_sent(checked.actions, row.version)
        return actions_text(check_consistency(arrived, match, PROTOCOLS[row.version]))
    except OpenFlowError as refused:
        return refused.name


BY_ACTIONS = [list(rows) for _, rows in groupby(sent(), lambda row: (row.match, row.actions))]


@pytest.mark.parametrize("rows", BY_ACTIONS, ids=lambda rows: rows[0].actions)
def test_each_version_has_its_words_for_an_action(rows: list[Sent]) -> None:
    arrived = {row.version.name: journey(row) for row in rows}
    assert arrived == {row.version.name: row.arrives for row in rows}


@settings(max_examples=examples(100))
@given(instructions(), st.sampled_from(OpenFlowVersion))
def test_what_a_switch_received_it_can_send_on_unchanged(
    actions: Ofpacts, version: OpenFlowVersion
) -> None:
    assume("dl_vlan" not in actions_text(actions))  # arrives as another field: it has no header
    try:
        received = as_sent(actions, version)
    except OpenFlowError:
        assume(False)
    assert actions_text(as_sent(received, version)) == actions_text(received)


def test_a_bucket_has_no_room_for_instructions() -> None:
    actions = parse_instructions("output:1,goto_table:2").actions
    with pytest.raises(OpenFlowError, match="OFPBIC_UNSUP_INST"):
        as_sent_outside_flows(actions, OF13)
    # OpenFlow 1.0 knows no instruction, but says the same with an action.
    assert actions_text(as_sent_outside_flows(actions, OF10)) == "output:1,resubmit(,2)"


def test_a_meter_is_an_action_of_openflow_15() -> None:
    actions = parse_actions("meter:5,output:1").actions
    assert as_sent_outside_flows(actions, OF15) == actions


def test_a_meter_in_a_bucket_is_taken_for_another_action_before_openflow_15() -> None:
    """Open vSwitch writes the instruction into the bucket, where its type is that of another."""
    actions = parse_actions("meter:5,output:1").actions
    for version in (OF13, OF14):
        assert (
            actions_text(as_sent_outside_flows(actions, version)) == "mod_nw_dst:0.0.0.5,output:1"
        )
    assert actions_text(as_sent_outside_flows(actions, OF11)) == "output:1"


def test_what_the_match_says_of_a_tag_decides_whether_one_is_pushed() -> None:
    actions = parse_instructions("mod_vlan_vid:5").actions
    untagged = check_actions(actions, CATCHALL).actions
    tagged = check_actions(actions, parse_match("vlan_tci=0x1000/0x1000")).actions
    assert actions_text(as_sent(untagged, OF13)) == "push_vlan:0x8100,set_field:4101->vlan_vid"
    assert actions_text(as_sent(tagged, OF13)) == "set_field:4101->vlan_vid"
