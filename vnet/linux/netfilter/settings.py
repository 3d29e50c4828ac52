"""net.netfilter as tracking takes it."""

from __future__ import annotations

from functools import lru_cache

from vnet.linux.netns.sysctl.conntrack import ConntrackKnobs
from vnet.tables.conntrack.linux.settings import Settings


@lru_cache
def settings_of(knobs: ConntrackKnobs) -> Settings:
    """The settings; equal ones are one instance."""
    return Settings(
        most_entries=knobs.nf_conntrack_max,
        buckets=knobs.nf_conntrack_buckets,
        checks_checksums=bool(knobs.nf_conntrack_checksum),
        counts=bool(knobs.nf_conntrack_acct),
        tcp_be_liberal=bool(knobs.nf_conntrack_tcp_be_liberal),
        tcp_loose=bool(knobs.nf_conntrack_tcp_loose),
        tcp_ignore_invalid_rst=bool(knobs.nf_conntrack_tcp_ignore_invalid_rst),
        tcp_max_retrans=knobs.nf_conntrack_tcp_max_retrans,
        tcp_timeouts_s=(
            knobs.nf_conntrack_tcp_timeout_syn_sent,
            knobs.nf_conntrack_tcp_timeout_syn_sent,
            knobs.nf_conntrack_tcp_timeout_syn_recv,
            knobs.nf_conntrack_tcp_timeout_established,
            knobs.nf_conntrack_tcp_timeout_fin_wait,
            knobs.nf_conntrack_tcp_timeout_close_wait,
            knobs.nf_conntrack_tcp_timeout_last_ack,
            knobs.nf_conntrack_tcp_timeout_time_wait,
            knobs.nf_conntrack_tcp_timeout_close,
            # The second SYN of two that met has the first one's default, and no name of its own.
            120,
        ),
        tcp_retrans_timeout_s=knobs.nf_conntrack_tcp_timeout_max_retrans,
        tcp_unacknowledged_timeout_s=knobs.nf_conntrack_tcp_timeout_unacknowledged,
        udp_timeout_s=knobs.nf_conntrack_udp_timeout,
        udp_stream_timeout_s=knobs.nf_conntrack_udp_timeout_stream,
        icmp_timeout_s=knobs.nf_conntrack_icmp_timeout,
        icmpv6_timeout_s=knobs.nf_conntrack_icmpv6_timeout,
        gre_timeout_s=knobs.nf_conntrack_gre_timeout,
        gre_stream_timeout_s=knobs.nf_conntrack_gre_timeout_stream,
        generic_timeout_s=knobs.nf_conntrack_generic_timeout,
    )
