"""What tracking can be told (net.netfilter): defaults as the kernel has them."""

from __future__ import annotations

from dataclasses import dataclass

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are in seconds; ``tcp_timeouts_s`` has one for each state of TCP, by its number."""

    most_entries: int = 262_144
    buckets: int = 262_144
    checks_checksums: bool = True
    counts: bool = False
    tcp_be_liberal: bool = False
    tcp_loose: bool = True
    tcp_ignore_invalid_rst: bool = False
    tcp_max_retrans: int = 3
    tcp_timeouts_s: tuple[int, ...] = (120, 120, 60, 432_000, 120, 60, 30, 120, 10, 120)
    tcp_retrans_timeout_s: int = 300
    tcp_unacknowledged_timeout_s: int = 300
    udp_timeout_s: int = 30
    udp_stream_timeout_s: int = 120
    icmp_timeout_s: int = 30
    icmpv6_timeout_s: int = 30
    gre_timeout_s: int = 30
    gre_stream_timeout_s: int = 180
    generic_timeout_s: int = 600


DEFAULTS = Settings()
