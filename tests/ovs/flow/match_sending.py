"""What a switch receives when a match is sent to it by any protocol.

OpenFlow 1.0 and 1.1 send a structure of fixed members, NXM and later versions a list of fields.
Each can say less than a match holds: ports without their protocol are left out, and a VLAN's
priority without the VLAN; some fields arrive with more bits matched than were asked for.
"""

from __future__ import annotations

from vnet.ovs.flow.match import Match
from vnet.ovs.flow.protocols import P_OF10_NXM_ANY, P_OF10_STD_ANY
from vnet.ovs.openflow.version import version_of
from vnet.ovs.openflow.wire.match import (
    check_ct_addresses,
    decode_match,
    decode_nxm,
    encode_match,
    encode_nxm,
)
from vnet.ovs.openflow.wire.match.normalize import normalized


def match_as_sent(match: Match, protocol: int) -> Match:
    """What a switch makes of a flow's match sent by ``protocol``, one of
    ``vnet.ovs.flow.protocols``. To send that once more changes nothing.

    Raises :class:`OpenFlowError` where it refuses it, such as OFPBMC_BAD_PREREQ for a port in
    later fragments.
    """
    version = version_of(protocol)
    if protocol & P_OF10_NXM_ANY:
        received, _, _ = decode_nxm(encode_nxm(match))
    else:
        data = encode_match(match, version)
        received, _ = decode_match(data, 0, version, openflow_full=True)
    if protocol & P_OF10_STD_ANY:
        return normalized(received)
    check_ct_addresses(received)
    return received
