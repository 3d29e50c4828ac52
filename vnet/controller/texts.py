"""Matches and actions by text, for apps that put records together."""

from __future__ import annotations

from vnet.ovs.flow.match import Match
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.openflow.ofpacts import Ofpacts
from vnet.ovs.openflow.text.actions import parse_instructions


def match(text: str) -> Match:
    """``"ip,nw_dst=10.0.0.0/8"``, as in a flow of ovs-ofctl(8)."""
    return parse_match(text)


def actions(text: str) -> Ofpacts:
    """``"set_field:3->nw_ttl,output:2"``, as behind ``actions=`` of ovs-ofctl(8)."""
    return parse_instructions(text).actions
