"""Connections as ``ovs-appctl dpctl/dump-conntrack`` prints them (ovs-dpctl(8))."""

from __future__ import annotations

from vnet.tables.conntrack.tracker import ConnTracker


def dump_text(
    tracker: ConnTracker,
    now_ns: int,
    zone: int | None = None,
    *,
    stats: bool = False,
    verbose: bool = False,
) -> list[str]:
    """One line for each connection; ``stats`` and ``verbose`` are the options -s and -m."""
    raise NotImplementedError


def stats_text(
    tracker: ConnTracker, now_ns: int, zone: int | None = None, *, verbose: bool = False
) -> str:
    """What ``dpctl/ct-stats-show`` prints."""
    raise NotImplementedError
