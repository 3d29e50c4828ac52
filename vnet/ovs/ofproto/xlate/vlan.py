"""VLAN tags on their way through the learning switch.

Inside the switch a frame belongs to one VLAN, whatever it wore on the wire. What comes in on an
access port has no tag and gets one; what leaves by a dot1q-tunnel loses the outer of two. These
are pure functions from the tags that were received to those of the inside, and from there to those
that are sent (ovs-vswitchd.conf.db(5), Port table, "VLAN Configuration").
"""

from __future__ import annotations

from typing import NamedTuple

from vnet.ovs.flow.flow import CFI, Bits, Flow
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.ofproto.switching.vlan_mode import PriorityTags, VlanMode

TPID_8021Q = 0x8100
TPIDS = frozenset({TPID_8021Q, 0x88A8})

VID_MASK = 0x0FFF
PCP_MASK = 0xE000


class Tag(NamedTuple):
    """A tag, or none (all zeros). ``pcp`` keeps its place in the TCI."""

    tpid: int = 0
    vid: int = 0
    pcp: int = 0


NO_TAG = Tag()
Tags = tuple[Tag, Tag]
"""The outer and the inner tag."""

_MEMBERS: tuple[tuple[Bits, Bits], ...] = (
    (Flow.vlan_tpid, Flow.vlan_tci),
    (Flow.vlan1_tpid, Flow.vlan1_tci),
)
VLAN_BITS = sum(tpid.mask | tci.mask for tpid, tci in _MEMBERS)


def received_tags(flow: Flow) -> Tags:
    """The tags of a frame as it came."""
    tags = [NO_TAG, NO_TAG]
    for index, (tpid_bits, tci_bits) in enumerate(_MEMBERS):
        tpid, tci = flow.get(tpid_bits), flow.get(tci_bits)
        if tpid not in TPIDS or not tci & CFI:
            break
        tags[index] = Tag(tpid, tci & VID_MASK, tci & PCP_MASK)
    return tags[0], tags[1]


def put_tags(flow: Flow, tags: Tags, priority_tags: PriorityTags) -> None:
    """Write tags into a flow. A tag of VLAN 0 and priority 0 is none, unless always wanted."""
    for (tpid_bits, tci_bits), tag in zip(_MEMBERS, tags, strict=True):
        tci = tag.vid | tag.pcp
        if tci or (priority_tags is PriorityTags.ALWAYS and tag.tpid):
            tci |= CFI
            flow.put(tpid_bits, tag.tpid or TPID_8021Q)
        flow.put(tci_bits, tci)


def inside_tags(bundle: Bundle, received: Tags) -> Tags:
    """What a frame with these tags, received on ``bundle``, wears inside the switch."""
    outer = received[0]
    own = Tag(outer.tpid or TPID_8021Q, bundle.vlan, outer.pcp)
    match bundle.vlan_mode:
        case VlanMode.ACCESS:
            return own, NO_TAG
        case VlanMode.DOT1Q_TUNNEL:
            return Tag(bundle.qinq_ethertype, bundle.vlan), outer
        case VlanMode.TRUNK:
            return received
        case VlanMode.NATIVE_TAGGED | VlanMode.NATIVE_UNTAGGED:
            return received if outer.vid else (own, received[1])


def sent_tags(bundle: Bundle, inside: Tags) -> Tags:
    """What a frame that wears these tags inside the switch is sent with on ``bundle``."""
    match bundle.vlan_mode:
        case VlanMode.ACCESS:
            return NO_TAG, NO_TAG
        case VlanMode.DOT1Q_TUNNEL:
            return inside[1], NO_TAG
        case VlanMode.NATIVE_UNTAGGED if inside[0].vid == bundle.vlan:
            return inside[1], NO_TAG
        case _:
            return inside
