"""What a switch demands of matches on connections, in changes of flows only."""

from __future__ import annotations

from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_IP, ETH_TYPE_IPV6
from vnet.ovs.openflow.errors import OpenFlowError

_NEEDED = (
    (Flow.ct_nw_src.mask | Flow.ct_nw_dst.mask, ETH_TYPE_IP),
    (Flow.ct_ipv6_src.mask | Flow.ct_ipv6_dst.mask, ETH_TYPE_IPV6),
)
"""Addresses of a connection, and the EtherType that a match on them must be about."""
_ANY_ADDRESS = _NEEDED[0][0] | _NEEDED[1][0]


def check_ct_addresses(match: Match) -> None:
    """Raise OFPBAC_MATCH_INCONSISTENT for addresses of the other version of IP."""
    if not match.mask & _ANY_ADDRESS:
        return
    dl_type = Flow.dl_type.of(match.value)
    if any(match.mask & bits and dl_type != needed for bits, needed in _NEEDED):
        raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")
