"""A translation's mask covers all that its actions depend on, and what they cost is known."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.ovs.command_switch import Switch
from tests.ovs.ofproto.xlate.test_recorded_translations import blocks, set_up, two_bridges
from vnet.ovs.dpif.actions import OdpAction, OdpActions
from vnet.ovs.dpif.text.actions import actions_text
from vnet.ovs.dpif.text.parse_actions import parse_actions
from vnet.ovs.flow.flow import Bits, Flow
from vnet.ovs.flow.match_parse import parse_exact_flow
from vnet.ovs.ofproto.xlate.action_size import RunningSize, actions_bytes
from vnet.ovs.ofproto.xlate.context import XlateIn, XlateOut
from vnet.ovs.ofproto.xlate.loop import known_actions
from vnet.ovs.ofproto.xlate.translate import translate
from vnet.ovs.openflow.ofpacts import Ofpact

CASES = blocks()

VARIED: tuple[Bits, ...] = (
    *(Flow.dl_src, Flow.dl_dst, Flow.nw_src, Flow.nw_dst, Flow.nw_ttl, Flow.nw_tos),
    *(Flow.ipv6_src, Flow.ipv6_dst, Flow.tp_src, Flow.tp_dst, Flow.tcp_flags),
    *(Flow.pkt_mark, Flow.skb_priority, Flow.ct_mark, Flow.ct_label, Flow.ct_state),
    *(Flow.arp_sha, Flow.arp_tha, Flow.nd_target, *Flow.nsh_context),
)
"""Label stack entries are not among them: Open vSwitch writes one whole, whatever it looked at.
Nor is the hash: whether there is one yet is not in the mask, since the datapath's is never 0.
"""

NOISE = sum(bits.mask for bits in VARIED)
_ICMP_UNUSED = 0xFF00 << Flow.tp_src.shift | 0xFF00 << Flow.tp_dst.shift


def noise_for(flow: Flow) -> int:
    """The bits that can be any in packets of this kind: ICMP's type and code have 8 each."""
    return NOISE & ~_ICMP_UNUSED if flow.nw_proto in (1, 58) else NOISE


def translated(switch: Switch, flow: Flow) -> XlateOut:
    backer = switch.vswitchd.backer
    return translate(XlateIn(switch.bridge("br0"), backer, flow))


@settings(max_examples=examples(100))
@given(st.sampled_from(range(len(CASES))), st.integers(0, (1 << NOISE.bit_length()) - 1))
def test_packets_that_differ_outside_the_mask_get_the_same_actions(case: int, noise: int) -> None:
    switch = two_bridges()
    lines = CASES[case]
    set_up(switch, lines)
    text = next(line for line in lines if line.startswith("trace "))
    flow = parse_exact_flow(text.removeprefix("trace "))
    first = translated(switch, flow)
    other = Flow(flow.key ^ noise & noise_for(flow) & ~first.wc.key)
    second = translated(switch, other)
    # What is frozen in between (addresses in registers, say) may have another number.
    kept = [
        re.sub(r"recirc(_id)?[(=]\w+", "", actions_text(out.actions)) for out in (first, second)
    ]
    assert kept[0] == kept[1]
    assert second.wc == first.wc
    assert second.error == first.error


def test_every_action_has_a_function_that_carries_it_out() -> None:
    kinds = {kind.__name__ for kind in Ofpact.__subclasses__()}
    assert {kind.__name__ for kind in known_actions()} == kinds


SIZED = [
    parse_actions(text)
    for text in (
        "1,2,pop_vlan",
        "set(ipv4(src=10.0.0.1)),push_vlan(vid=7,pcp=0)",
        "ct(commit,zone=5,mark=0x1/0xff,nat(src=10.0.0.1-10.0.0.9:5-9)),recirc(0x1)",
        "clone(ct_clear,3),check_pkt_len(size=200,gt(1),le(trunc(64),2))",
        "hash(sym_l4(0)),userspace(pid=0,slow_path(action))",
    )
]


@given(st.lists(st.tuples(st.sampled_from(SIZED), st.integers(0, 5))))
def test_a_running_size_is_the_size_of_what_is_there(steps: list[tuple[OdpActions, int]]) -> None:
    running, actions = RunningSize(), list[OdpAction]()
    for more, n_cut in steps:
        del actions[max(0, len(actions) - n_cut) :]
        actions += more
        assert running.of(actions) == actions_bytes(actions)


def test_actions_have_the_size_of_their_netlink_attributes() -> None:
    assert [actions_bytes(actions) for actions in SIZED] == [20, 40, 84, 60, 72]
