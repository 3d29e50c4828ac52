"""The stacks in a flow, VLAN tags and MPLS labels, and what else actions wipe out of it.

A mask beside a flow (``wc``) is told what an operation looked at. Members are numbered from the
outermost.
"""

from __future__ import annotations

from vnet.ovs.flow.flow import CFI, MEMBERS, N_MPLS_LABELS, Bits, Flow, Stage
from vnet.ovs.flow.prerequisites import is_ip
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_VLAN_8021AD,
    ETH_TYPE_VLAN_8021Q,
)

ETH_TYPES_MPLS = frozenset((ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST))
ETH_TYPES_VLAN = frozenset((ETH_TYPE_VLAN_8021Q, ETH_TYPE_VLAN_8021AD))

IP_DSCP_MASK = 0xFC
IP_ECN_MASK = 0x03

VLAN_VID_MASK = 0x0FFF
VLAN_PCP_MASK = 0xE000
VLAN_PCP_SHIFT = 13

MPLS_LABEL_MASK = 0xFFFFF000
MPLS_TC_MASK = 0x00000E00
MPLS_BOS_MASK = 0x00000100
MPLS_TTL_MASK = 0x000000FF
MPLS_LABEL_SHIFT = 12
MPLS_TC_SHIFT = 9

_IPV4_EXPLICIT_NULL = 0
_IPV6_EXPLICIT_NULL = 2
_DEFAULT_MPLS_TTL = 64

VLANS: tuple[tuple[Bits, Bits], ...] = (
    (Flow.vlan_tpid, Flow.vlan_tci),
    (Flow.vlan1_tpid, Flow.vlan1_tci),
)
"""Where the tags are: TPID and TCI of each."""

_TAG_MASKS = tuple(tpid.mask | tci.mask for tpid, tci in VLANS)
_ALL_TAGS = sum(_TAG_MASKS)

PACKET_MASK = sum(bits.mask for bits in MEMBERS if bits.stage >= Stage.L2)
"""Every bit that comes out of the packet's headers."""

_NETWORK_MASK = sum(bits.mask for bits in MEMBERS if bits.stage >= Stage.L3)
_CONNECTION_MASK = sum(
    bits.mask
    for bits in (
        Flow.ct_state,
        Flow.ct_zone,
        Flow.ct_mark,
        Flow.ct_label,
        Flow.ct_nw_proto,
        Flow.ct_tp_src,
        Flow.ct_tp_dst,
    )
)
_CONNECTION_IPV4 = Flow.ct_nw_src.mask | Flow.ct_nw_dst.mask
_CONNECTION_IPV6 = Flow.ct_ipv6_src.mask | Flow.ct_ipv6_dst.mask

# -- VLAN tags


def tag(flow: Flow, index: int) -> tuple[int, int]:
    """TPID and TCI of a tag."""
    tpid, tci = VLANS[index]
    return flow.get(tpid), flow.get(tci)


def count_tags(flow: Flow) -> int:
    """How many tags there are."""
    if not flow.vlan_tci & CFI:
        return 0
    return 2 if flow.vlan1_tci & CFI else 1


def pop_tag(flow: Flow, wc: Flow) -> None:
    """Take the outer tag off, if there is one."""
    count = count_tags(flow)
    if count > 1:
        wc.key |= _TAG_MASKS[1]
        tpid, tci = tag(flow, 1)
        flow.vlan_tpid, flow.vlan_tci = tpid, tci
    if count:
        flow.key &= ~_TAG_MASKS[count - 1]


def push_tag(flow: Flow, wc: Flow, tpid: int, *, copies: bool = False) -> None:
    """Put a tag in front, of VLAN 0 and priority 0. What was a third one is forgotten.

    With ``copies`` it is of the VLAN and priority of the tag that was outermost, as OpenFlow
    has it (1.3.5, section 5.12.1).
    """
    for index in range(count_tags(flow)):
        wc.key |= _TAG_MASKS[index]
    outer = tag(flow, 0)
    flow.key &= ~_ALL_TAGS
    flow.vlan1_tpid, flow.vlan1_tci = outer
    flow.vlan_tpid, flow.vlan_tci = tpid, (outer[1] if copies else 0) | CFI


def copy_tags(source: Flow, target: Flow) -> None:
    """Give ``target`` the tags of ``source``."""
    target.key = target.key & ~_ALL_TAGS | source.key & _ALL_TAGS


# -- MPLS labels


def is_mpls(flow: Flow) -> bool:
    """Whether the packet has labels (the EtherType is always in the mask)."""
    return flow.dl_type in ETH_TYPES_MPLS


def count_labels(flow: Flow, wc: Flow | None) -> int:
    """How many labels there are, as far as the flow can tell."""
    if not is_mpls(flow):
        return 0
    count = 0
    for index, bits in enumerate(Flow.mpls_lse):
        if wc is not None:
            wc.key |= MPLS_BOS_MASK << bits.shift
        lse = flow.get(bits)
        if lse & MPLS_BOS_MASK:
            return index + 1
        if lse:
            count += 1
    return count


def count_common_labels(a: Flow, n_a: int, b: Flow, n_b: int) -> int:
    """How many labels two stacks have in common, from the innermost."""
    count = 0
    for index in range(1, min(n_a, n_b) + 1):
        if a.get(Flow.mpls_lse[n_a - index]) != b.get(Flow.mpls_lse[n_b - index]):
            break
        count += 1
    return count


def push_label(
    flow: Flow, n: int, ethertype: int, wc: Flow | None, *, forget_network: bool
) -> None:
    """Put a label in front of ``n``: a copy of the outermost, or one made for the packet.

    With ``forget_network`` what was behind the new first label is no longer part of the flow.
    """
    labels = Flow.mpls_lse
    if n:
        if wc is not None:
            for index in range(n):
                wc.fill(labels[index])
        for index in range(n, 0, -1):
            flow.put(labels[index], flow.get(labels[index - 1]))
        flow.put(labels[0], flow.get(labels[1]) & ~MPLS_BOS_MASK)
    else:
        flow.put(labels[0], _first_label(flow, wc))
        if forget_network:
            flow.key &= ~(_NETWORK_MASK | Flow.dp_hash.mask)
    flow.dl_type = ethertype


def push_plain_label(flow: Flow, ethertype: int, wc: Flow) -> None:
    """Put the first label around a packet as OpenFlow has it (1.3.5, section 5.12.1): all 0, but
    for a TTL that the packet has.
    """
    ttl = 0
    if is_ip(flow):
        wc.fill(Flow.nw_ttl)
        ttl = flow.nw_ttl
    flow.key &= ~(_NETWORK_MASK | Flow.dp_hash.mask)
    flow.put(Flow.mpls_lse[0], MPLS_BOS_MASK | ttl)
    flow.dl_type = ethertype


def _first_label(flow: Flow, wc: Flow | None) -> int:
    is_ipv6 = flow.dl_type == ETH_TYPE_IPV6
    label = _IPV6_EXPLICIT_NULL if is_ipv6 else _IPV4_EXPLICIT_NULL
    tc, ttl = 0, _DEFAULT_MPLS_TTL
    if is_ip(flow):
        # The traffic class takes what of the DSCP finds room in it.
        tc = (flow.nw_tos & IP_DSCP_MASK) >> 2 & 0x7
        ttl = flow.nw_ttl or _DEFAULT_MPLS_TTL
        if wc is not None:
            wc.nw_tos |= IP_DSCP_MASK
            wc.fill(Flow.nw_ttl)
    return label << MPLS_LABEL_SHIFT | tc << MPLS_TC_SHIFT | MPLS_BOS_MASK | ttl


def pop_label(flow: Flow, n: int, ethertype: int, wc: Flow | None) -> bool:
    """Take the outermost of ``n`` labels off; False where that cannot be done.

    It cannot where there is none, and where the stack goes on beyond what a flow holds.
    """
    labels = Flow.mpls_lse
    if n == 0:
        return False
    if n == N_MPLS_LABELS:
        if wc is not None:
            wc.key |= MPLS_BOS_MASK << labels[-1].shift
        if not flow.get(labels[-1]) & MPLS_BOS_MASK:
            return False
    if wc is not None:
        for index in range(1, n):
            wc.fill(labels[index])
    for index in range(1, n):
        flow.put(labels[index - 1], flow.get(labels[index]))
    flow.put(labels[n - 1], 0)
    flow.dl_type = ethertype
    return True


# -- what is wiped out


def clear_labels(flow: Flow) -> None:
    """Forget all labels."""
    for bits in Flow.mpls_lse:
        flow.clear(bits)


def clear_packet(flow: Flow) -> None:
    """Forget all headers, and keep what rides with the packet."""
    flow.key &= ~PACKET_MASK


def clear_connection(flow: Flow) -> None:
    """Forget what the connection tracker said."""
    forget = _CONNECTION_MASK
    if flow.dl_type == ETH_TYPE_IP:
        forget |= _CONNECTION_IPV4
    elif flow.dl_type == ETH_TYPE_IPV6:
        forget |= _CONNECTION_IPV6
    flow.key &= ~forget
