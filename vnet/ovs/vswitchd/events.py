"""What a switch counts of what happens to it, as ``coverage/show`` tells it."""

from __future__ import annotations

from functools import partial

from vnet.ovs.unixctl.coverage import Coverage
from vnet.ovs.unixctl.coverage_names import VSWITCHD_EVENTS
from vnet.ovs.vswitchd.daemon import Daemon

_FOLLOWED = (
    "mac_learning_evicted",
    "mac_learning_expired",
    "mac_learning_learned",
    "mac_learning_moved",
    "mac_learning_static_none_move",
    "ofproto_packet_out",
    "ofproto_recv_openflow",
    "rconn_overflow",
    "rconn_queued",
    "rconn_sent",
)
_DROPS = ("drop_action_", "datapath_drop_")


def follow_events(coverage: Coverage, daemon: Daemon) -> None:
    """Have ``coverage`` know of what happens to a switch, which may not be there yet."""
    for event in _FOLLOWED:
        coverage.follow(event, partial(_count, daemon, event))
    for event in VSWITCHD_EVENTS:
        if event.startswith(_DROPS):
            coverage.follow(event, partial(_count_drops, daemon, event))


def _count(daemon: Daemon, event: str) -> int:
    return daemon.vswitchd.backer.events[event] if daemon.has_switch else 0


def _count_drops(daemon: Daemon, event: str) -> int:
    return daemon.vswitchd.backer.dpif.n_drops(event) if daemon.has_switch else 0
