"""Queues as ``ovs-ofctl queue-stats`` and ``queue-get-config``, and ``ovs-appctl qos/show`` list
them."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.flow.names import NO_NAMES, Names, port_text
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.ofproto.dump.elapsed import elapsed_ns
from vnet.ovs.ofproto.dump.ports import hashed
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.text.flow_print import duration_text

_UNKNOWN = "bytes=?, pkts=?, errors=?, duration=?"


def queue_stats(
    bridge: Ofproto,
    number: OfpPort | None = None,
    queue: int | None = None,
    names: Names = NO_NAMES,
) -> Iterator[str]:
    """What each queue has sent, or one port's, or one of them: lines, the first of which counts
    the queues. Raises :class:`OpenFlowError` for a port or queue that is not there.
    """
    lines = [
        f"  port {port_text(port.number, names)} queue {found}: {text}"
        for port in _chosen(bridge, number)
        for found, text in _stats(port, bridge.scheduler.now_ns).items()
        if queue in (None, found)
    ]
    if queue is not None and not lines:
        raise OpenFlowError("OFPQOFC_BAD_QUEUE")
    yield f"{len(lines)} queues"
    yield from lines


def queue_get_config(
    bridge: Ofproto, number: OfpPort | None = None, names: Names = NO_NAMES
) -> Iterator[str]:
    """Which queues there are. OpenFlow's way to write their rates fits none of those here."""
    for port in sorted(_chosen(bridge, number), key=lambda port: port.number):
        queues = _stats(port, bridge.scheduler.now_ns)
        if queues:
            yield f"port={port_text(port.number, names)}"
            yield from (f"queue {queue}:" for queue in queues)


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


def _chosen(bridge: Ofproto, number: OfpPort | None) -> list[OfPort]:
    if number is not None and number not in bridge.ports:
        raise OpenFlowError("OFPQOFC_BAD_PORT")
    return [port for port in hashed(bridge) if number in (None, port.number)]


def _stats(port: OfPort, now_ns: int) -> dict[int, str]:
    """The text about each queue of a port. Dummy devices have one of which they know nothing."""
    if port.queues is None:
        is_dummy = port.device is not None and port.device.kind == "dummy"
        return {0: _UNKNOWN} if is_dummy else {}
    created_ns = port.queues.created_ns
    return {
        queue: f"bytes={stats.tx_bytes}, pkts={stats.tx_packets}, errors={stats.tx_errors}, "
        f"duration={duration_text(elapsed_ns(created_ns[queue], now_ns))}"
        for queue, stats in port.queues.stats().items()
    }


def _settings(settings: dict[str, str]) -> Iterator[str]:
    return (f"{name}: {value}" for name, value in settings.items())
