"""net.ipv4, and net.ipv4.conf of a device (Documentation/networking/ip-sysctl.rst).

Times are in the units of their names or, as the kernel has them, in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from vnet.linux.netns.sysctl.knob import Combine, Spread, combined, knob
from vnet.linux.netns.sysctl.tcp import TcpKnobs

_BYTE = 255
_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Ipv4Knobs(TcpKnobs):
    """net.ipv4. Here ip_forward is ``conf.all.forwarding`` by another name, as in the kernel."""

    fib_multipath_hash_fields: int = knob(7, least=1, most=4095)
    fib_multipath_hash_policy: int = knob(0, least=0, most=3)
    icmp_echo_enable_probe: int = knob(0, least=0, most=1)
    icmp_echo_ignore_all: int = knob(0, least=0, most=1)
    icmp_echo_ignore_broadcasts: int = knob(1, least=0, most=1)
    icmp_errors_use_inbound_ifaddr: int = knob(0, least=0, most=1)
    icmp_ignore_bogus_error_responses: int = knob(1, least=0, most=1)
    icmp_msgs_burst: int = knob(50, least=0)
    icmp_msgs_per_sec: int = knob(1000, least=0)
    icmp_ratelimit: int = knob(1000, least=0)
    icmp_ratemask: int = knob(6168, least=0)
    igmp_link_local_mcast_reports: int = knob(1, least=0, most=1)
    igmp_max_memberships: int = knob(20)
    igmp_max_msf: int = knob(10)
    igmp_qrv: int = knob(2, least=1)
    ip_autobind_reuse: int = knob(0, least=0, most=1)
    ip_default_ttl: int = knob(64, least=1, most=_BYTE)
    ip_dynaddr: int = knob(0, least=0, most=7)
    ip_early_demux: int = knob(1, least=0, most=1)
    ip_forward_update_priority: int = knob(1, least=0, most=1)
    ip_forward_use_pmtu: int = knob(0, least=0, most=_BYTE)
    ip_local_port_range: tuple[int, int] = knob((32768, 60999), least=1, most=_PORT, is_range=True)
    ip_local_reserved_ports: str = knob("")
    ip_no_pmtu_disc: int = knob(0, least=0, most=3)
    ip_nonlocal_bind: int = knob(0, least=0, most=1)
    ip_unprivileged_port_start: int = knob(1024, least=0, most=_PORT)
    ipfrag_time: int = knob(30, least=0)


@dataclass(frozen=True, slots=True)
class Ipv4RouteKnobs:
    """net.ipv4.route. The two of redirects are in jiffies of 4 ms."""

    min_adv_mss: int = knob(256)
    min_pmtu: int = knob(552, least=68)
    mtu_expires: int = knob(600)
    redirect_load: int = knob(5)
    redirect_number: int = knob(9)
    redirect_silence: int = knob(5120)


@dataclass(frozen=True, slots=True)
class Ipv4Conf:
    """net.ipv4.conf of a device."""

    accept_local: int = knob(0, Combine.EITHER)
    accept_redirects: int = knob(1)
    accept_source_route: int = knob(1, Combine.BOTH, at_all=0)
    arp_accept: int = knob(0, Combine.LARGER)
    arp_announce: int = knob(0, Combine.LARGER)
    arp_evict_nocarrier: int = knob(1, Combine.BOTH)
    arp_filter: int = knob(0, Combine.EITHER)
    arp_ignore: int = knob(0, Combine.LARGER)
    arp_notify: int = knob(0, Combine.LARGER)
    bc_forwarding: int = knob(0, Combine.BOTH)
    drop_gratuitous_arp: int = knob(0, Combine.EITHER)
    drop_unicast_in_l2_multicast: int = knob(0, Combine.EITHER)
    force_igmp_version: int = knob(0, Combine.ALL_FIRST)
    forwarding: int = knob(0, spread=Spread.DEVICES_AND_DEFAULT)
    igmpv2_unsolicited_report_interval: int = knob(10_000)
    igmpv3_unsolicited_report_interval: int = knob(1_000)
    ignore_routes_with_linkdown: int = knob(0, Combine.EITHER)
    log_martians: int = knob(0, Combine.EITHER)
    medium_id: int = knob(0)
    promote_secondaries: int = knob(0, Combine.EITHER)
    proxy_arp: int = knob(0, Combine.EITHER)
    proxy_arp_pvlan: int = knob(0, Combine.EITHER)
    route_localnet: int = knob(0, Combine.EITHER)
    rp_filter: int = knob(0, Combine.LARGER)
    secure_redirects: int = knob(1, Combine.EITHER)
    send_redirects: int = knob(1, Combine.EITHER)
    shared_media: int = knob(1, Combine.EITHER)
    src_valid_mark: int = knob(0, Combine.EITHER)


@lru_cache(maxsize=4096)
def ipv4_in_force(everywhere: Ipv4Conf, own: Ipv4Conf) -> Ipv4Conf:
    """What holds on a device. Who forwards believes redirects only if ``all`` and it do."""
    redirects = (everywhere.accept_redirects, own.accept_redirects)
    believed = all(redirects) if own.forwarding else any(redirects)
    return replace(combined(everywhere, own), accept_redirects=int(believed))
