"""net.netfilter: what connection tracking can be told (nf_conntrack-sysctl.rst of the kernel)."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.linux.netns.sysctl.knob import knob


@dataclass(frozen=True, slots=True)
class ConntrackKnobs:
    """net.netfilter; times are in seconds."""

    nf_conntrack_acct: int = knob(0, least=0, most=1)
    nf_conntrack_buckets: int = knob(262_144, least=1)
    nf_conntrack_checksum: int = knob(1, least=0, most=1)
    nf_conntrack_count: int = knob(0)
    nf_conntrack_events: int = knob(2, least=0, most=2)
    nf_conntrack_expect_max: int = knob(4096, least=1)
    nf_conntrack_frag6_high_thresh: int = knob(4_194_304)
    nf_conntrack_frag6_low_thresh: int = knob(3_145_728)
    nf_conntrack_frag6_timeout: int = knob(60)
    nf_conntrack_generic_timeout: int = knob(600, least=0)
    nf_conntrack_gre_timeout: int = knob(30, least=0)
    nf_conntrack_gre_timeout_stream: int = knob(180, least=0)
    nf_conntrack_icmp_timeout: int = knob(30, least=0)
    nf_conntrack_icmpv6_timeout: int = knob(30, least=0)
    nf_conntrack_log_invalid: int = knob(0, least=0, most=255)
    nf_conntrack_max: int = knob(262_144, least=0)
    nf_conntrack_sctp_timeout_closed: int = knob(10, least=0)
    nf_conntrack_sctp_timeout_cookie_echoed: int = knob(3, least=0)
    nf_conntrack_sctp_timeout_cookie_wait: int = knob(3, least=0)
    nf_conntrack_sctp_timeout_established: int = knob(210, least=0)
    nf_conntrack_sctp_timeout_heartbeat_sent: int = knob(30, least=0)
    nf_conntrack_sctp_timeout_shutdown_ack_sent: int = knob(3, least=0)
    nf_conntrack_sctp_timeout_shutdown_recd: int = knob(3, least=0)
    nf_conntrack_sctp_timeout_shutdown_sent: int = knob(3, least=0)
    nf_conntrack_tcp_be_liberal: int = knob(0, least=0, most=1)
    nf_conntrack_tcp_ignore_invalid_rst: int = knob(0, least=0, most=1)
    nf_conntrack_tcp_loose: int = knob(1, least=0, most=1)
    nf_conntrack_tcp_max_retrans: int = knob(3, least=0, most=255)
    nf_conntrack_tcp_timeout_close: int = knob(10, least=0)
    nf_conntrack_tcp_timeout_close_wait: int = knob(60, least=0)
    nf_conntrack_tcp_timeout_established: int = knob(432_000, least=0)
    nf_conntrack_tcp_timeout_fin_wait: int = knob(120, least=0)
    nf_conntrack_tcp_timeout_last_ack: int = knob(30, least=0)
    nf_conntrack_tcp_timeout_max_retrans: int = knob(300, least=0)
    nf_conntrack_tcp_timeout_syn_recv: int = knob(60, least=0)
    nf_conntrack_tcp_timeout_syn_sent: int = knob(120, least=0)
    nf_conntrack_tcp_timeout_time_wait: int = knob(120, least=0)
    nf_conntrack_tcp_timeout_unacknowledged: int = knob(300, least=0)
    nf_conntrack_timestamp: int = knob(0, least=0, most=1)
    nf_conntrack_udp_timeout: int = knob(30, least=0)
    nf_conntrack_udp_timeout_stream: int = knob(120, least=0)
    nf_hooks_lwtunnel: int = knob(0, least=0, most=1)
