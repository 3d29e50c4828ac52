"""net.ipv4.neigh and net.ipv6.neigh (arp(7)): per device, with one table's limits in ``default``.

``locktime`` and ``proxy_delay`` are in hundredths of a second, as are all times there that do not
say otherwise and are not whole seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vnet.linux.netns.sysctl.knob import knob


@dataclass(frozen=True, slots=True)
class NeighborConf:
    """neigh.DEVICE: timers and counts. Those of a table as a whole are in neigh.default alone."""

    anycast_delay: int = knob(100, least=0)
    app_solicit: int = knob(0, least=0)
    base_reachable_time_ms: int = knob(30_000, least=1)
    delay_first_probe_time: int = knob(5, least=0)
    gc_stale_time: int = knob(60, least=0)
    gc_interval: int = knob(30, least=1, only_default=True)
    gc_thresh1: int = knob(128, least=0, only_default=True)
    gc_thresh2: int = knob(512, least=0, only_default=True)
    gc_thresh3: int = knob(1024, least=0, only_default=True)
    interval_probe_time_ms: int = knob(5_000, least=1)
    locktime: int = knob(100, least=0)
    mcast_resolicit: int = knob(0, least=0)
    mcast_solicit: int = knob(3, least=0)
    proxy_delay: int = knob(80, least=0)
    proxy_qlen: int = knob(64, least=0)
    retrans_time_ms: int = knob(1_000, least=1)
    ucast_solicit: int = knob(3, least=0)
    unres_qlen_bytes: int = knob(212_992, least=0)


QUEUED_PACKET_BYTES = 2090
"""What a full frame takes of unres_qlen_bytes in the kernel (SKB_TRUESIZE)."""

SCALED = {
    "base_reachable_time": ("base_reachable_time_ms", 1000),
    "retrans_time": ("retrans_time_ms", 10),
    "unres_qlen": ("unres_qlen_bytes", QUEUED_PACKET_BYTES),
}
"""Older names of settings, and what one of their units is in the newer."""

ARP_DEFAULTS = NeighborConf()
ND_DEFAULTS = replace(ARP_DEFAULTS, locktime=0)
