"""What each VLAN mode makes of the tags of a frame, on its way in and out."""

from __future__ import annotations

import pytest

from vnet.ovs.flow.flow import CFI, Flow
from vnet.ovs.ofproto.switching.bundle import Bundle, trunks_with_native
from vnet.ovs.ofproto.switching.vlan_mode import PriorityTags, VlanMode
from vnet.ovs.ofproto.xlate.vlan import (
    NO_TAG,
    Tag,
    Tags,
    inside_tags,
    put_tags,
    received_tags,
    sent_tags,
)

T10 = Tag(0x8100, 10)
T20 = Tag(0x8100, 20)
PRIORITY = Tag(0x8100, 0, 0x6000)
NONE: Tags = (NO_TAG, NO_TAG)


def bundle(mode: VlanMode, vlan: int = 10) -> Bundle:
    return Bundle("p1", [], vlan_mode=mode, vlan=vlan)


@pytest.mark.parametrize(
    ("mode", "received", "inside"),
    [
        (VlanMode.ACCESS, NONE, (T10, NO_TAG)),
        (VlanMode.ACCESS, (PRIORITY, NO_TAG), (Tag(0x8100, 10, 0x6000), NO_TAG)),
        (VlanMode.TRUNK, NONE, NONE),
        (VlanMode.TRUNK, (T20, T10), (T20, T10)),
        (VlanMode.NATIVE_TAGGED, NONE, (T10, NO_TAG)),
        (VlanMode.NATIVE_UNTAGGED, (T20, NO_TAG), (T20, NO_TAG)),
        (VlanMode.DOT1Q_TUNNEL, NONE, (Tag(0x88A8, 10), NO_TAG)),
        (VlanMode.DOT1Q_TUNNEL, (T20, NO_TAG), (Tag(0x88A8, 10), T20)),
    ],
)
def test_on_the_way_in(mode: VlanMode, received: Tags, inside: Tags) -> None:
    assert inside_tags(bundle(mode), received) == inside


@pytest.mark.parametrize(
    ("mode", "inside", "sent"),
    [
        (VlanMode.ACCESS, (T10, NO_TAG), NONE),
        (VlanMode.TRUNK, (T10, T20), (T10, T20)),
        (VlanMode.NATIVE_TAGGED, (T10, NO_TAG), (T10, NO_TAG)),
        (VlanMode.NATIVE_UNTAGGED, (T10, NO_TAG), NONE),
        (VlanMode.NATIVE_UNTAGGED, (T20, NO_TAG), (T20, NO_TAG)),
        (VlanMode.DOT1Q_TUNNEL, (Tag(0x88A8, 10), T20), (T20, NO_TAG)),
    ],
)
def test_on_the_way_out(mode: VlanMode, inside: Tags, sent: Tags) -> None:
    assert sent_tags(bundle(mode), inside) == sent


def test_tags_survive_the_flow() -> None:
    flow = Flow()
    put_tags(flow, (Tag(0x88A8, 5, 0x2000), T20), PriorityTags.NEVER)
    assert received_tags(flow) == (Tag(0x88A8, 5, 0x2000), T20)


def test_a_tag_without_the_cfi_bit_is_none() -> None:
    flow = Flow()
    flow.vlan_tpid, flow.vlan_tci = 0x8100, 10
    assert received_tags(flow) == NONE


@pytest.mark.parametrize(
    ("priority_tags", "tag", "tci"),
    [
        (PriorityTags.NEVER, Tag(0x8100, 0, 0), 0),
        (PriorityTags.ALWAYS, Tag(0x8100, 0, 0), CFI),
        (PriorityTags.IF_NONZERO, Tag(0x8100, 0, 0x6000), CFI | 0x6000),
    ],
)
def test_priority_tags_are_written_where_they_are_wanted(
    priority_tags: PriorityTags, tag: Tag, tci: int
) -> None:
    flow = Flow()
    put_tags(flow, (tag, NO_TAG), priority_tags)
    assert flow.vlan_tci == tci


def test_a_native_vlan_is_always_carried_and_vlan_0_never() -> None:
    trunks = trunks_with_native(frozenset({0, 20}), 10)
    assert [vlan for vlan in (0, 10, 20, 30) if vlan in trunks] == [10, 20]


def test_an_access_port_includes_only_its_vlan_without_a_second_tag() -> None:
    access = bundle(VlanMode.ACCESS)
    assert access.includes(10, 0)
    assert not access.includes(10, 20)
    assert not access.carries_trunk(10)


def test_a_tunnel_port_lets_pass_the_customers_vlans_it_names() -> None:
    tunnel = Bundle("p1", [], VlanMode.DOT1Q_TUNNEL, vlan=10, cvlans=frozenset({30}))
    assert tunnel.includes(10, 30)
    assert not tunnel.includes(10, 20)
    assert not tunnel.includes(11, 30)
