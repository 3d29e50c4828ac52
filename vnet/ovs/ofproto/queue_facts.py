"""What a bridge tells of the queues that its ports send by."""

from __future__ import annotations

from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.ofproto.description import ports_in_order
from vnet.ovs.ofproto.dump.elapsed import elapsed_ns
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import QUEUE_ALL, QueueRequest, QueueStats


def queues_of(bridge: Ofproto, request: QueueRequest) -> list[QueueStats]:
    """What each queue that is asked about has sent.

    Raises OFPQOFC_BAD_PORT for a port, and OFPQOFC_BAD_QUEUE for a queue that is not there.
    """
    ports = ports_in_order(bridge)
    if request.port != OFPP_NONE:
        if request.port not in bridge.ports:
            raise OpenFlowError("OFPQOFC_BAD_PORT")
        ports = [bridge.ports[request.port]]
    now_ns, wanted = bridge.scheduler.now_ns, request.queue
    found = [
        stats
        for port in ports
        for stats in _of_port(port, now_ns)
        if wanted in (QUEUE_ALL, stats.queue)
    ]
    if not found and (wanted != QUEUE_ALL or not ports):
        raise OpenFlowError("OFPQOFC_BAD_QUEUE")
    return found


def _of_port(port: OfPort, now_ns: int) -> list[QueueStats]:
    """Dummy devices have one queue, of which they know nothing."""
    if port.queues is None:
        is_dummy = port.device is not None and port.device.kind == "dummy"
        return [QueueStats(port.number, 0)] * is_dummy
    created_ns = port.queues.created_ns
    return [
        QueueStats(
            OfpPort(port.number),
            queue,
            sent.tx_bytes,
            sent.tx_packets,
            sent.tx_errors,
            elapsed_ns(created_ns[queue], now_ns),
        )
        for queue, sent in port.queues.stats().items()
    ]
