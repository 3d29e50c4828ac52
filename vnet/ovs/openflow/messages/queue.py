"""Queues of ports: how they are set up, and what they have sent."""

from __future__ import annotations

from vnet.base.record import record
from vnet.ovs.flow.ports import OFPP_NONE, OfpPort

QUEUE_ALL = 0xFFFFFFFF


@record(frozen=True, slots=True)
class QueueRequest:
    """Which queues are asked about; OFPP_NONE is every port, QUEUE_ALL every queue."""

    port: OfpPort = OFPP_NONE
    queue: int = QUEUE_ALL


@record(frozen=True, slots=True)
class QueueConfig:
    """How a queue is set up. Rates are in tenths of a per cent of the port's, above 1000 disabled;
    None is unknown."""

    port: OfpPort
    queue: int
    min_rate: int | None = None
    max_rate: int | None = None


@record(frozen=True, slots=True)
class QueueStats:
    """What a queue has sent. None is unknown."""

    port: OfpPort
    queue: int
    tx_bytes: int | None = None
    tx_packets: int | None = None
    tx_errors: int | None = None
    duration_ns: int | None = None
