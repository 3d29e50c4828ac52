"""What a switch counts of what happens to it, as ``coverage/show`` tells it."""

from __future__ import annotations

from functools import partial

from vnet.ovs.unixctl.coverage import Coverage
from vnet.ovs.vswitchd.daemon import Daemon

_FOLLOWED = (
    "ofproto_packet_out",
    "ofproto_recv_openflow",
    "rconn_overflow",
    "rconn_queued",
    "rconn_sent",
)


def follow_events(coverage: Coverage, daemon: Daemon) -> None:
    """Have ``coverage`` know of what happens to a switch, which may not be there yet."""
    for event in _FOLLOWED:
        coverage.follow(event, partial(_count, daemon, event))


def _count(daemon: Daemon, event: str) -> int:
    return daemon.vswitchd.backer.events[event] if daemon.has_switch else 0
