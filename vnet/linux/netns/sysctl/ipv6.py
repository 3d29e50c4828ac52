"""net.ipv6, and net.ipv6.conf of a device (Documentation/networking/ip-sysctl.rst).

Most of what is set at ``all`` here has no effect on devices; some of it is passed on to them.
"""

from __future__ import annotations

from dataclasses import dataclass

from vnet.linux.netns.sysctl.knob import Combine, Spread, knob

_BYTE = 255


@dataclass(frozen=True, slots=True)
class Ipv6Knobs:
    """net.ipv6."""

    anycast_src_echo_reply: int = knob(0, least=0, most=1)
    auto_flowlabels: int = knob(1, least=0, most=3)
    fib_multipath_hash_policy: int = knob(0, least=0, most=3)
    ip6frag_time: int = knob(60, least=0)
    mld_qrv: int = knob(2, least=1)


@dataclass(frozen=True, slots=True)
class Icmp6Knobs:
    """net.ipv6.icmp."""

    echo_ignore_all: int = knob(0, least=0, most=1)
    echo_ignore_anycast: int = knob(0, least=0, most=1)
    echo_ignore_multicast: int = knob(0, least=0, most=1)
    error_anycast_as_unicast: int = knob(0, least=0, most=1)
    ratelimit: int = knob(100, least=0)
    ratemask: str = knob("0-1,3-127")


@dataclass(frozen=True, slots=True)
class Ipv6RouteKnobs:
    """net.ipv6.route."""

    min_adv_mss: int = knob(1220)
    mtu_expires: int = knob(600)


@dataclass(frozen=True, slots=True)
class Ipv6Conf:
    """net.ipv6.conf of a device. ``mtu`` follows the device's, or what a router advertises."""

    accept_dad: int = knob(1, Combine.LARGER, at_all=0)
    accept_ra: int = knob(1)
    accept_ra_defrtr: int = knob(1)
    accept_ra_from_local: int = knob(0)
    accept_ra_min_hop_limit: int = knob(1)
    accept_ra_min_lft: int = knob(0)
    accept_ra_mtu: int = knob(1)
    accept_ra_pinfo: int = knob(1)
    accept_ra_rt_info_max_plen: int = knob(0)
    accept_ra_rt_info_min_plen: int = knob(0)
    accept_ra_rtr_pref: int = knob(1)
    accept_redirects: int = knob(1)
    accept_source_route: int = knob(0, Combine.SMALLER)
    accept_untracked_na: int = knob(0, least=0, most=2)
    addr_gen_mode: int = knob(0, least=0, most=3, spread=Spread.DEVICES_AND_DEFAULT)
    autoconf: int = knob(1)
    dad_transmits: int = knob(1)
    disable_ipv6: int = knob(0, spread=Spread.DEVICES_AND_DEFAULT)
    disable_policy: int = knob(0)
    drop_unicast_in_l2_multicast: int = knob(0)
    drop_unsolicited_na: int = knob(0)
    enhanced_dad: int = knob(1, Combine.EITHER)
    force_forwarding: int = knob(0, least=0, most=1, spread=Spread.DEVICES)
    force_mld_version: int = knob(0, Combine.ALL_FIRST)
    force_tllao: int = knob(0)
    forwarding: int = knob(0, spread=Spread.DEVICES_AND_DEFAULT)
    hop_limit: int = knob(64, least=1, most=_BYTE)
    ignore_routes_with_linkdown: int = knob(0, spread=Spread.DEVICES_AND_DEFAULT)
    ioam6_enabled: int = knob(0)
    ioam6_id: int = knob(65535)
    ioam6_id_wide: int = knob(4294967295, most=0xFFFFFFFF)
    keep_addr_on_down: int = knob(0, Combine.ALL_FIRST)
    max_addresses: int = knob(16)
    max_desync_factor: int = knob(600)
    mc_forwarding: int = knob(0)
    mldv1_unsolicited_report_interval: int = knob(10_000)
    mldv2_unsolicited_report_interval: int = knob(1_000)
    mtu: int = knob(1280)
    ndisc_evict_nocarrier: int = knob(1, Combine.BOTH, least=0, most=1)
    ndisc_notify: int = knob(0, Combine.EITHER)
    ndisc_tclass: int = knob(0, least=0, most=_BYTE)
    optimistic_dad: int = knob(0, Combine.EITHER)
    proxy_ndp: int = knob(0, Combine.EITHER)
    ra_defrtr_metric: int = knob(1024, least=1)
    ra_honor_pio_life: int = knob(0)
    ra_honor_pio_pflag: int = knob(0)
    regen_max_retry: int = knob(3)
    regen_min_advance: int = knob(2)
    router_probe_interval: int = knob(60)
    router_solicitation_delay: int = knob(1)
    router_solicitation_interval: int = knob(4)
    router_solicitation_max_interval: int = knob(3600)
    router_solicitations: int = knob(-1, least=-1)
    rpl_seg_enabled: int = knob(0)
    seg6_enabled: int = knob(0)
    seg6_require_hmac: int = knob(0)
    suppress_frag_ndisc: int = knob(1)
    temp_prefered_lft: int = knob(86400)
    temp_valid_lft: int = knob(604800)
    use_oif_addrs_only: int = knob(0)
    use_optimistic: int = knob(0, Combine.EITHER)
    use_tempaddr: int = knob(0)
