"""Fields and actions that Open vSwitch lacks, in messages: known on bridges with ``openflow-full``,
refused on others with Open vSwitch's errors."""

from __future__ import annotations

import pytest

from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.flow.names import Names
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import CopyTtlIn, CopyTtlOut, Ofpacts, PopPbb, PushPbb, SetField
from vnet.ovs.openflow.text.actions import parse_actions
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import decode_actions, encode_actions
from vnet.ovs.openflow.wire.match import decode_match, decode_nxm, encode_match, encode_nxm

OF13 = OpenFlowVersion.OF13
FULL = Names(openflow_full=True)

ACTIONS: tuple[Ofpacts, ...] = (
    (CopyTtlOut(), CopyTtlIn()),
    (PushPbb(0x88E7), PopPbb()),
    *(
        (SetField(FIELDS[name], 1, FIELDS[name].ones),)
        for name in ("eth_type", "nw_proto", "mpls_bos")
    ),
)


@pytest.mark.parametrize("text", ["dl_type=0x88e7,pbb_isid=0x60/0xf0", "ipv6,ipv6_exthdr=0x44"])
def test_fields_are_known_to_full_bridges_alone(text: str) -> None:
    match = parse_match(text, FULL)
    data = encode_match(match, OF13)
    assert decode_match(data, 0, OF13, openflow_full=True) == (match, len(data))
    with pytest.raises(OpenFlowError, match="OFPBMC_BAD_FIELD"):
        decode_match(data, 0, OF13)
    by_extension = encode_nxm(match)
    assert decode_nxm(by_extension, openflow_full=True) == (match, 0, 0)
    with pytest.raises(OpenFlowError, match="OFPBMC_BAD_FIELD"):
        decode_nxm(by_extension)


@pytest.mark.parametrize("actions", ACTIONS, ids=lambda actions: type(actions[0]).__name__)
def test_actions_are_known_to_full_bridges_alone(actions: Ofpacts) -> None:
    data = encode_actions(actions, OF13)
    assert decode_actions(data, OF13, openflow_full=True) == actions
    is_set = isinstance(actions[0], SetField)
    with pytest.raises(OpenFlowError) as refused:
        decode_actions(data, OF13)
    assert refused.value.name == ("OFPBAC_BAD_SET_ARGUMENT" if is_set else "OFPBAC_BAD_TYPE")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ("001a00088100 0000", "OFPBAC_BAD_ARGUMENT"),
        ("001a001088e7 00000000000000000000", "OFPBAC_BAD_LEN"),
    ],
)
def test_bad_pushes_are_refused(data: str, error: str) -> None:
    with pytest.raises(OpenFlowError, match=error):
        decode_actions(bytes.fromhex(data), OF13, openflow_full=True)
    with pytest.raises(OpenFlowError, match="OFPBAC_BAD_TYPE"):
        decode_actions(bytes.fromhex(data), OF13)


@pytest.mark.parametrize("version", OpenFlowVersion)
@pytest.mark.parametrize(
    "text",
    [
        "set_field:5/7->pbb_isid",
        "set_field:0x800->eth_type",
        "set_field:6->nw_proto",
        "set_field:1->mpls_bos",
        "copy_ttl_out,copy_ttl_in,push_pbb:0x88e7,pop_pbb,output:1",
    ],
)
def test_flows_can_be_told_in_every_version(text: str, version: OpenFlowVersion) -> None:
    actions = parse_actions(text, FULL).actions
    told = decode_actions(encode_actions(actions, version), version, openflow_full=True)
    if isinstance(actions[0], SetField):
        assert [(each.field, each.value) for each in told if isinstance(each, SetField)] == [
            (actions[0].field, actions[0].value)
        ]
    else:
        lacks_copies = version < OpenFlowVersion.OF11
        lacks_pbb = version < OpenFlowVersion.OF13
        assert told == actions[2 * lacks_copies : 2] + actions[2 + 2 * lacks_pbb :]
