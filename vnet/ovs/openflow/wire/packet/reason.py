"""Why a packet goes to the controller, in the words that a version has for it."""

from __future__ import annotations

from vnet.ovs.openflow.ofpacts import PacketInReason
from vnet.ovs.openflow.version import OpenFlowVersion

_SINCE_14 = (PacketInReason.ACTION_SET, PacketInReason.GROUP, PacketInReason.PACKET_OUT)


def reason_in(reason: int, version: OpenFlowVersion) -> int:
    """The number of a reason on the wire.

    Until OpenFlow 1.4 there are few. A flow that is for packets without another one (priority 0,
    and matching everything) is a table miss since OpenFlow 1.3, which requires such flows.
    """
    if reason == PacketInReason.IMPLICIT_MISS:
        return PacketInReason.NO_MATCH
    if reason == PacketInReason.EXPLICIT_MISS:
        has_miss_flows = version >= OpenFlowVersion.OF13
        return PacketInReason.NO_MATCH if has_miss_flows else PacketInReason.ACTION
    if reason in _SINCE_14 and version < OpenFlowVersion.OF14:
        return PacketInReason.ACTION
    return reason
