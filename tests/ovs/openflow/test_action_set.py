"""In which order an action set is carried out (OpenFlow 1.5.1 section 5.6)."""

from __future__ import annotations

import pytest

from vnet.ovs.openflow.action_set import ALLOWED, action_list
from vnet.ovs.openflow.ofpacts import Ofpact
from vnet.ovs.openflow.text.actions import actions_text, parse_actions


@pytest.mark.parametrize(
    ("written", "carried_out"),
    [
        ("", "drop"),
        ("mod_nw_ttl:5,push_vlan:0x8100", "drop"),
        ("output:1,output:2", "output:2"),
        ("group:1,output:2", "group:1"),
        ("resubmit(,5),ct,output:1", "output:1"),
        ("ct,resubmit(,5)", "resubmit(,5)"),
        (
            "output:1,set_queue:3,dec_ttl,push_vlan:0x8100,mod_nw_ttl:5,pop_vlan,push_mpls:0x8847,"
            "mod_nw_ttl:6,dec_mpls_ttl,pop_mpls:0x0800,push_vlan:0x88a8",
            "pop_vlan,pop_mpls:0x0800,push_mpls:0x8847,push_vlan:0x88a8,dec_ttl,dec_mpls_ttl,"
            "set_queue:3,mod_nw_ttl:5,mod_nw_ttl:6,output:1",
        ),
    ],
)
def test_an_action_set_has_an_order_of_its_own(written: str, carried_out: str) -> None:
    assert actions_text(action_list(parse_actions(written).actions)) == carried_out


@pytest.mark.parametrize("text", ["note:01", "controller(id=1)", "exit", "clone(output:1)"])
def test_not_every_action_may_be_in_a_set(text: str) -> None:
    kinds: set[type[Ofpact]] = {type(action) for action in parse_actions(text).actions}
    assert not kinds & ALLOWED
