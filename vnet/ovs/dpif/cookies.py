"""What ``userspace`` actions send along with a packet, so that userspace knows what to do with it
(``union user_action_cookie``)."""

from __future__ import annotations

from enum import IntFlag

from vnet.base.record import record
from vnet.ovs.flow.ports import OdpPort


class SlowPath(IntFlag):
    """Why a flow is handled by userspace (enum slow_path_reason)."""

    CFM = 1
    BFD = 2
    LACP = 4
    STP = 8
    LLDP = 16
    ACTION = 32
    MATCH = 64


@record(frozen=True, slots=True)
class ControllerCookie:
    """A userspace action that sends a packet-in."""

    reason: int
    dont_send: bool
    continuation: bool
    recirc_id: int
    rule_cookie: int
    controller_id: int
    max_len_bytes: int


@record(frozen=True, slots=True)
class SlowPathCookie:
    """A userspace action that has the whole frame handled by translation."""

    reason: SlowPath


@record(frozen=True, slots=True)
class FlowSampleCookie:
    """A userspace action that samples for a collector."""

    probability: int
    collector_set_id: int
    obs_domain_id: int
    obs_point_id: int
    output_port: OdpPort
    direction: str = ""


@record(frozen=True, slots=True)
class SflowCookie:
    """A userspace action of sFlow. ``output`` is as sFlow writes ports."""

    vid: int
    pcp: int
    output: int


@record(frozen=True, slots=True)
class IpfixCookie:
    """A userspace action of a bridge's IPFIX; ``output_port`` is ``ODPP_NONE`` on the way in."""

    output_port: OdpPort


SampleCookie = FlowSampleCookie | SflowCookie | IpfixCookie
"""What only looks at packets."""

Cookie = ControllerCookie | SlowPathCookie | SampleCookie
