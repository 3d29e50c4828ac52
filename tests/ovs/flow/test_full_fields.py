"""The fields of OpenFlow that Open vSwitch lacks: what bridges with ``openflow-full`` match."""

from __future__ import annotations

import pytest

from tests.ovs.flow.frames import ethernet, ipv6, tag
from tests.ovs.flow.match_sending import match_as_sent
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.extension_headers import ExtensionHeaders
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.fields import FIELDS, FULL_FIELDS, field_by_name
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.flow.names import Names
from vnet.ovs.flow.protocols import P_OF14_OXM

OF14 = 5
FULL = Names(openflow_full=True)

HOP = bytes((0, 0, 0, 0, 0, 0, 0, 0))
HOP_BY_HOP, TCP, ROUTING, FRAGMENT, ESP, AUTH, NONE, DESTINATION = 0, 6, 43, 44, 50, 51, 59, 60
E = ExtensionHeaders


def chain(*kinds: int) -> bytes:
    """An IPv6 packet with these headers, each as short as can be; the last is what they carry."""
    body = b"".join(bytes((following,)) + HOP[1:] for following in kinds[1:])
    return ethernet(0x86DD, ipv6(kinds[0], body + bytes(20)))


@pytest.mark.parametrize(
    ("kinds", "flags"),
    [
        ((TCP,), 0),
        ((NONE,), E.NO_NEXT),
        ((HOP_BY_HOP, TCP), E.HOP),
        ((HOP_BY_HOP, ROUTING, FRAGMENT, TCP), E.HOP | E.ROUTER | E.FRAG),
        ((DESTINATION, ESP), E.DEST | E.ESP),
        ((DESTINATION, ROUTING, DESTINATION, TCP), E.DEST | E.ROUTER),
        ((DESTINATION, DESTINATION, TCP), E.DEST | E.UNREPEATED),
        ((ROUTING, HOP_BY_HOP, TCP), E.ROUTER | E.HOP | E.UNSEQUENCED),
        ((HOP_BY_HOP, HOP_BY_HOP, NONE), E.HOP | E.NO_NEXT | E.UNREPEATED),
    ],
)
def test_extension_headers_are_told_with_what_is_odd_about_them(
    kinds: tuple[int, ...], flags: int
) -> None:
    assert Flow(extract(chain(*kinds))).ipv6_exthdr == flags


def test_headers_that_are_cut_short_end_the_chain() -> None:
    whole = chain(HOP_BY_HOP, DESTINATION, TCP)
    cut = ethernet(0x86DD, ipv6(HOP_BY_HOP, whole[54:64]))
    assert Flow(extract(cut)).ipv6_exthdr == E.HOP | E.DEST


@pytest.mark.parametrize("tags", [b"", tag(10, tpid=0x88A8)])
def test_a_backbone_service_tag_is_told(tags: bytes) -> None:
    inside = ethernet(0x0800, bytes(20))
    frame = bytes(12) + tags + b"\x88\xe7\x48\x00\x00\x64" + inside
    flow = Flow(extract(frame))
    assert flow.dl_type == 0x88E7
    assert FULL_FIELDS["pbb_isid"].get(flow) == 100
    assert FULL_FIELDS["pbb_uca"].get(flow) == 1
    assert not Flow(extract(frame[: len(tags) + 17])).pbb_tci


@pytest.mark.parametrize(
    "text",
    [
        "dl_type=0x88e7,pbb_isid=100",
        "dl_type=0x88e7,pbb_isid=0x60/0xf0,pbb_uca=1",
        "ipv6,ipv6_exthdr=0x44",
        "ipv6,ipv6_exthdr=0x40/0x1f0",
        "tcp6,ipv6_exthdr=0x1,tp_src=80",
    ],
)
def test_matches_are_read_printed_and_sent(text: str) -> None:
    match = parse_match(text, FULL)
    assert match_text(match) == text
    assert match_as_sent(match, P_OF14_OXM) == match


def test_other_bridges_know_none_of_them() -> None:
    assert not FIELDS.keys() & FULL_FIELDS.keys()
    for name in FULL_FIELDS:
        assert field_by_name(name) is None
        assert field_by_name(name, openflow_full=True) is FULL_FIELDS[name]
        with pytest.raises(OvsTextError, match=f"unknown field {name}"):
            parse_match(f"{name}=1")


def test_some_fields_may_be_set_on_full_bridges_alone() -> None:
    fields = {**FIELDS, **FULL_FIELDS}
    differ = {name for name, f in fields.items() if f.may_be_set(True) != f.may_be_set(False)}
    assert differ == {"eth_type", "nw_proto", "mpls_bos"}
