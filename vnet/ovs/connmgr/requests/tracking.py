"""What only Open vSwitch is asked: connections to be forgotten, and what collectors were sent."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.connmgr.request import NO_ANSWER, Request
from vnet.ovs.openflow.wire.ct_flush import decode_ct_flush
from vnet.ovs.openflow.wire.nicira import decode_zone
from vnet.tables.conntrack.flush import flush_matching


def flush_zone(request: Request) -> Iterable[bytes]:
    """NXT_CT_FLUSH_ZONE"""
    zone = decode_zone(request.body)
    request.ofconn.manager.backer.dpif.ct_flush(zone)
    return NO_ANSWER


def flush(request: Request) -> Iterable[bytes]:
    """NXT_CT_FLUSH; it is no error where there is no such connection."""
    wanted = decode_ct_flush(request.body)
    now_ns = request.bridge.scheduler.now_ns
    tracker = request.ofconn.manager.backer.dpif.tracker
    flush_matching(tracker, wanted.match, now_ns, wanted.zone)
    return NO_ANSWER
