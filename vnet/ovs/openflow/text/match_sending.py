"""What a switch receives when a match is sent to it by any protocol.

OpenFlow 1.0 and 1.1 send a structure of fixed members, NXM and later versions a list of fields.
Each can say less than a match holds: ports without their protocol are left out, and a VLAN's
priority without the VLAN; some fields arrive with more bits matched than were asked for.
"""

from __future__ import annotations

from functools import lru_cache

from vnet.ovs.flow.errors import MatchError
from vnet.ovs.flow.flow import Bits, Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.match_fields import as_sent
from vnet.ovs.flow.openflow10 import as_sent_openflow10
from vnet.ovs.flow.ports import OFPP_MAX
from vnet.ovs.flow.protocol_numbers import IPPROTO_ICMP, IPPROTO_ICMPV6
from vnet.ovs.flow.protocols import P_OF10_NXM_ANY, P_OF10_STD_ANY, P_OF11_STD
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.version import version_of
from vnet.ovs.openflow.wire.match.openflow11 import decode_openflow11, encode_openflow11


def match_as_sent(match: Match, protocol: int) -> Match:
    """What a switch makes of a match sent by ``protocol``, one of ``vnet.ovs.flow.protocols``.

    Raises :class:`OpenFlowError` where it refuses it, such as OFPBMC_BAD_PREREQ for a port in
    later fragments.
    """
    if protocol & P_OF10_STD_ANY:
        return as_sent_openflow10(match)
    if protocol & P_OF11_STD:
        return decode_openflow11(encode_openflow11(match), 0)
    of_version = 0 if protocol & P_OF10_NXM_ANY else version_of(protocol) - 1
    try:
        return _as_sent_in_fields(match, of_version)
    except MatchError as refused:
        raise OpenFlowError(refused.name, refused.hint) from None


# -- lists of fields


def _masks(*members: Bits) -> int:
    return sum(bits.mask for bits in members)


_DECIDING = _masks(
    Flow.packet_type, Flow.dl_type, Flow.vlan_tci, Flow.nw_proto, Flow.nw_frag, Flow.ct_state
)
_DECIDING_ICMP = _DECIDING | _masks(Flow.tp_src, Flow.tp_dst)
_ANY_VALUE = (
    _DECIDING_ICMP
    | _masks(
        Flow.in_port, Flow.dl_src, Flow.dl_dst, Flow.nw_src, Flow.nw_dst, Flow.nw_tos, Flow.nw_ttl
    )
    | _masks(Flow.tcp_flags, Flow.ipv6_src, Flow.ipv6_dst)
    | _masks(Flow.arp_sha, Flow.arp_tha, Flow.nd_target, Flow.ct_zone, Flow.ct_mark)
    | _masks(Flow.tun_id, Flow.metadata, *Flow.regs)
)
"""Members whose values alone are no reason to refuse a match, but for unusual ones."""
_ICMP = (IPPROTO_ICMP, IPPROTO_ICMPV6)
_BEYOND_ICMP = sum(0xFF00 << bits.shift for bits in (Flow.tp_src, Flow.tp_dst, Flow.tcp_flags))


def _as_sent_in_fields(match: Match, of_version: int) -> Match:
    """As :func:`as_sent`; what is decided by the kind of match is decided once for each kind."""
    value, mask, tun_options = match
    if mask & ~_ANY_VALUE or tun_options or Flow.in_port.of(value) >= OFPP_MAX:
        return as_sent(match, of_version)
    deciding = value & _DECIDING
    if Flow.nw_proto.of(value) in _ICMP:
        if value & _BEYOND_ICMP:
            return as_sent(match, of_version)
        deciding = value & _DECIDING_ICMP
    received = _received_mask(mask, deciding, of_version)
    return Match(value & received, received)


@lru_cache(maxsize=1024)
def _received_mask(mask: int, deciding: int, of_version: int) -> int:
    return as_sent(Match(deciding, mask), of_version).mask
