"""Queues as ``ovs-ofctl queue-stats`` and ``ovs-appctl qos/show`` list them."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.flow.names import NO_NAMES, Names, port_text
from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.queue_facts import queues_of
from vnet.ovs.openflow.messages import QUEUE_ALL, QueueRequest
from vnet.ovs.openflow.text.flow_print import duration_text

_UNKNOWN = "?"


def queue_stats(
    bridge: Ofproto, number: OfpPort = OFPP_NONE, queue: int = QUEUE_ALL, names: Names = NO_NAMES
) -> Iterator[str]:
    """What each queue has sent, or one port's, or one of them: lines, the first of which counts
    the queues. Raises :class:`OpenFlowError` for a port or queue that is not there.
    """
    found = queues_of(bridge, QueueRequest(number, queue))
    yield f"{len(found)} queues"
    for stats in found:
        age_ns = stats.duration_ns
        yield (
            f"  port {port_text(stats.port, names)} queue {stats.queue}: "
            f"bytes={_counter(stats.tx_bytes)}, pkts={_counter(stats.tx_packets)}, "
            f"errors={_counter(stats.tx_errors)}, "
            f"duration={_UNKNOWN if age_ns is None else duration_text(age_ns)}"
        )


def qos_show(port: OfPort) -> Iterator[str]:
    """The set-up of one port's queues, and what they have sent."""
    if port.queues is None:
        yield f"QoS not configured on {port.name}"
        return
    yield f"QoS: {port.name} {port.queues.qos_type}"
    yield from _settings(port.queues.settings)
    stats = port.queues.stats()
    for queue, details in port.queues.queues.items():
        yield ""
        yield f"Queue {queue}:" if queue else "Default:"
        yield from (f"  {line}" for line in _settings(details))
        counted = stats[queue]
        yield f"  tx_packets: {counted.tx_packets}"
        yield f"  tx_bytes: {counted.tx_bytes}"
        yield f"  tx_errors: {counted.tx_errors}"


def _counter(value: int | None) -> str:
    return _UNKNOWN if value is None else str(value)


def _settings(settings: dict[str, str]) -> Iterator[str]:
    return (f"{name}: {value}" for name, value in settings.items())
