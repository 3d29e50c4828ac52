"""What exporters of IPFIX have seen (NXST_IPFIX_BRIDGE and NXST_IPFIX_FLOW).

Nobody exports yet, and so nothing is counted: who is asked says at least whether there are
collectors.
"""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.connmgr.request import Request
from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.flow.hashing import hash_int
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import IpfixStats
from vnet.ovs.openflow.wire.nicira.ipfix import encode_ipfix_stats


def of_bridge(request: Request) -> Iterable[bytes]:
    """NXST_IPFIX_BRIDGE: of the bridge as a whole"""
    ipfix = request.bridge.sampling.ipfix
    if ipfix is None or not ipfix.probability:
        raise OpenFlowError("NXST_NOT_CONFIGURED")
    return request.parts([encode_ipfix_stats(IpfixStats())])


def of_flows(request: Request) -> Iterable[bytes]:
    """NXST_IPFIX_FLOW: of each set of collectors that flows name, as Open vSwitch orders them"""
    ipfix = request.bridge.sampling.ipfix
    if ipfix is None or not ipfix.sets:
        raise OpenFlowError("NXST_NOT_CONFIGURED")
    order = hash_table_order(hash_int(number, 0) for number in ipfix.sets)
    numbers = [ipfix.sets[position] for position in order]
    return request.parts(
        encode_ipfix_stats(IpfixStats(collector_set_id=number)) for number in numbers
    )
