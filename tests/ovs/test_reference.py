"""``docs/ovs.md`` is what the code says, and what it says works."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ovs.command_switch import Switch
from vnet.ovs.flow.field import Field
from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.flow.prerequisites import Prerequisite
from vnet.ovs.ofproto.reference import (
    ACTION_DEEDS,
    ACTION_LIMITS,
    FIELD_LIMITS,
    NOT_WRITTEN,
    WORKS,
    markdown,
)
from vnet.ovs.ofproto.trace.tracer import Tracer, TraceRequest
from vnet.ovs.openflow import ofpacts
from vnet.ovs.openflow.ofpacts import Ofpact
from vnet.ovs.openflow.text.actions.registry import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "ovs.md"

NEEDS = {
    Prerequisite.NONE: "",
    Prerequisite.ETHERNET: "",
    Prerequisite.VLAN_VID: "dl_vlan=5,",
    Prerequisite.ARP: "arp,",
    Prerequisite.IPV4: "ip,",
    Prerequisite.IPV6: "ipv6,",
    Prerequisite.IP_ANY: "ip,",
    Prerequisite.NSH: "dl_type=0x894f,",
    Prerequisite.MPLS: "mpls,",
    Prerequisite.TCP: "tcp,",
    Prerequisite.UDP: "udp,",
    Prerequisite.SCTP: "sctp,",
    Prerequisite.ICMPV4: "icmp,",
    Prerequisite.ICMPV6: "icmp6,",
    Prerequisite.CT: "ct_state=+trk+est-inv,ip,",
    Prerequisite.ND: "icmp6,icmpv6_type=135,icmpv6_code=0,",
    Prerequisite.ND_SOLICIT: "icmp6,icmpv6_type=135,icmpv6_code=0,",
    Prerequisite.ND_ADVERT: "icmp6,icmpv6_type=136,icmpv6_code=0,",
}
MADE_BY_SWITCH = (
    "actset_output",
    "conj_id",
    "dp_hash",
    "in_port_oxm",
    "packet_type",
    "recirc_id",
    "skb_priority",
)
"""What no user can say of a packet: what a switch finds out itself."""


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), "run: vnet openflow > docs/ovs.md"


def test_every_action_has_a_row_and_every_limit_is_of_something() -> None:
    every = {cls for cls in vars(ofpacts).values() if _is_action(cls)} - NOT_WRITTEN
    assert set(KINDS) - NOT_WRITTEN == every
    assert set(ACTION_DEEDS) == every
    assert set(ACTION_LIMITS) <= every
    assert set(FIELD_LIMITS) <= set(FIELDS)
    assert all(limit.startswith(("partly: ", "no: ")) for limit in FIELD_LIMITS.values())


def _is_action(cls: object) -> bool:
    return isinstance(cls, type) and issubclass(cls, Ofpact) and cls is not Ofpact


def working() -> list[Field]:
    return [
        field
        for field in FIELDS.values()
        if FIELD_LIMITS.get(field.name, WORKS) == WORKS and field.name not in MADE_BY_SWITCH
    ]


def value_of(field: Field) -> str:
    """A value that suits the field, other than zero, as text."""
    if field.name == "in_port":
        return "1"
    if field.prerequisite is Prerequisite.VLAN_VID:
        return "5"
    if field.name == "eth_type":
        return "0x1234"
    if field.name == "ct_state":
        return "+trk+est"
    if field.name in ("vlan_tci", "vlan_vid"):
        return "0x1005"
    if field.name == "ip_frag":
        return "first"
    if field.name in ("icmp_type", "icmpv6_type"):
        return "3"
    if field.name == "nw_tos":
        return "16"
    return field.format(1 if field.name != "vlan_pcp" else 2, field.ones)


@pytest.fixture
def switch() -> Switch:
    switch = Switch()
    words = ["ovs-vsctl", "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy"]
    for number in (1, 2):
        words += ["--", "add-port", "br0", f"p{number}"]
        words += ["--", "set", "interface", f"p{number}", "type=dummy", f"ofport_request={number}"]
    switch.run(words)
    switch.run(["ovs-ofctl", "del-flows", "br0"])
    return switch


@pytest.mark.parametrize("field", working(), ids=lambda field: field.name)
def test_a_field_that_works_can_be_matched(switch: Switch, field: Field) -> None:
    needs = NEEDS[field.prerequisite]
    if field.name.startswith("ct_ipv6"):
        needs = needs.replace("ip,", "ipv6,")
    text = f"{needs}{field.name}={value_of(field)}"
    switch.run(["ovs-ofctl", "add-flow", "br0", f"{text},actions=2"])
    flow = Flow(parse_match(text).value)
    flow.in_port = 1
    request = TraceRequest(switch.bridge("br0"), flow)
    assert "output:2" in Tracer(switch.vswitchd.backer).trace(request)
