"""What of multicast can be set on a bridge, with the kernel's defaults (ip-link(8), mcast_...)."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.base.units import NS_PER_S
from vnet.linux.timer_wheel import JIFFY_NS

ROUTER_DISABLED = 0
ROUTER_LEARNED = 1
ROUTER_PERMANENT = 2
ROUTER_TEMPORARY = 3
"""``mcast_router`` of a port: never; where queries come from; always; for a time, unasked."""

KNOWS_SOURCES = 3
"""The version of IGMP (MLD's 2 counts as that) that tells senders apart."""

_QUERY_S = 125
_RESPONSE_S = 10
_ROBUSTNESS = 2


@dataclass(slots=True)
class MulticastSettings:
    """The intervals of RFC 3376 section 8, and what else is set; times in nanoseconds."""

    querier: bool = False
    """Whether the bridge itself asks who wants what."""
    query_use_ifaddr: bool = False
    """Whether IPv4 queries come from an address of the host, and not from 0.0.0.0."""
    igmp_version: int = 2
    mld_version: int = 1
    hash_max: int = 4096
    """How many groups are remembered; with one more, snooping turns itself off."""
    last_member_count: int = _ROBUSTNESS
    startup_query_count: int = _ROBUSTNESS
    last_member_interval_ns: int = NS_PER_S
    membership_interval_ns: int = (_ROBUSTNESS * _QUERY_S + _RESPONSE_S) * NS_PER_S
    querier_interval_ns: int = (_ROBUSTNESS * _QUERY_S + _RESPONSE_S // 2) * NS_PER_S
    query_interval_ns: int = _QUERY_S * NS_PER_S
    query_response_interval_ns: int = _RESPONSE_S * NS_PER_S
    startup_query_interval_ns: int = _QUERY_S * NS_PER_S // 4 // JIFFY_NS * JIFFY_NS

    @property
    def last_member_time_ns(self) -> int:
        """How long a group is kept once its last member may have gone."""
        return self.last_member_count * self.last_member_interval_ns

    def version(self, family: int) -> int:
        """The version of IGMP or MLD that is spoken, 2 or 3 as IGMP counts."""
        return self.igmp_version if family == 4 else self.mld_version + 1
