"""Multicast in the learning switch: where group traffic goes, and what is heard of groups.

Messages of IGMP and MLD come up one by one, so that every report keeps a member young; other
traffic is forwarded by flows, which are translated again when the table changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from vnet.l2.membership import (
    MLD_DONE,
    MLD_QUERY,
    MLD_REPORT,
    MLD_REPORT_V2,
    Membership,
    igmp_memberships,
    mapped,
    mld_memberships,
)
from vnet.l2.snooping import Snooping
from vnet.ovs.dpif.cookies import SlowPath
from vnet.ovs.flow.extract import layers
from vnet.ovs.flow.flow import N_VLANS, Flow
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    IPPROTO_ICMPV6,
    IPPROTO_IGMP,
)
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.wire import igmp
from vnet.wire.checksum import checksum, pseudo_header_sum

_GROUP_BIT = 1 << 40
_MAC_BROADCAST = (1 << 48) - 1

_LOCAL_GROUPS = 0xE000_0000
_LOCAL_GROUPS_MASK = 0xFFFF_FF00
"""224.0.0.0/24, which no router forwards (RFC 4541 section 2.1.2, item 2)."""
_ALL_HOSTS_IPV6 = 0xFF02 << 112 | 1

_MEMBERSHIP = frozenset((igmp.REPORT_V1, igmp.REPORT_V2, igmp.REPORT_V3, igmp.LEAVE))
_MLD = frozenset((MLD_QUERY, MLD_REPORT, MLD_DONE, MLD_REPORT_V2))

Targets = list[Bundle] | None
"""The bundles that a frame goes out of; None: of all that floods go out of."""


def is_snooped(ctx: XlateCtx) -> bool:
    """Whether what becomes of a frame is for the table of groups to say."""
    flow = ctx.flow
    return (
        ctx.bridge.switching.snooping is not None
        and bool(flow.dl_dst & _GROUP_BIT)
        and flow.dl_dst != _MAC_BROADCAST
        and flow.dl_type in (ETH_TYPE_IP, ETH_TYPE_IPV6)
    )


def multicast_targets(ctx: XlateCtx, bundle: Bundle, vlan: int, *, may_learn: bool) -> Targets:
    """Where a frame goes that came in by ``bundle`` in ``vlan``.

    ``may_learn`` is whether the frame came in by a port, and not from a controller.
    """
    flow, wc = ctx.flow, ctx.wc
    assert ctx.bridge.switching.snooping is not None
    table = ctx.bridge.switching.snooping.table
    wc.fill(Flow.nw_proto)
    if flow.dl_type == ETH_TYPE_IP and flow.nw_proto == IPPROTO_IGMP:
        return _igmp(ctx, table, bundle, vlan, may_learn=may_learn)
    if flow.dl_type == ETH_TYPE_IPV6 and flow.nw_proto == IPPROTO_ICMPV6:
        wc.fill(Flow.tp_src)
        if flow.tp_src in _MLD:
            return _mld(ctx, table, bundle, vlan, may_learn=may_learn)
    if _is_local(ctx):
        ctx.detail("RFC4541: section 2.1.2, item 2, flooding")
        return None
    return _group_targets(ctx, table, bundle, vlan)


def _is_local(ctx: XlateCtx) -> bool:
    if ctx.flow.dl_type == ETH_TYPE_IP:
        ctx.wc.fill(Flow.nw_dst)
        return ctx.flow.nw_dst & _LOCAL_GROUPS_MASK == _LOCAL_GROUPS
    ctx.wc.fill(Flow.ipv6_dst)
    return ctx.flow.ipv6_dst == _ALL_HOSTS_IPV6


# -- group traffic


def _group_targets(ctx: XlateCtx, table: Snooping[Bundle], bundle: Bundle, vlan: int) -> Targets:
    flow = ctx.flow
    if flow.dl_type == ETH_TYPE_IP:
        address = mapped(flow.nw_dst.to_bytes(4, "big"))
    else:
        address = flow.ipv6_dst.to_bytes(16, "big")
    group = table.lookup(address, vlan)
    if group is None and table.flood_unregistered:
        ctx.detail("unregistered multicast, flooding")
        return None
    if group is None:
        return [*_routers(ctx, table, bundle, vlan), *_flood_ports(ctx, table, bundle)]
    return [
        *_members(ctx, list(group.members), bundle),
        *_flood_ports(ctx, table, bundle),
        *_routers(ctx, table, bundle, vlan),
    ]


def _members(ctx: XlateCtx, members: list[Bundle], bundle: Bundle) -> Iterator[Bundle]:
    for member in members:
        if member is bundle:
            ctx.detail("mcast group port is input port, dropping")
        else:
            ctx.detail("forwarding to mcast group port")
            yield member


def _routers(ctx: XlateCtx, table: Snooping[Bundle], bundle: Bundle, vlan: int) -> Iterator[Bundle]:
    for router_vlan, port, _until_s in table.routers():
        if router_vlan != vlan:
            ctx.detail("mcast router is on another vlan, dropping")
        elif port is bundle:
            ctx.detail("mcast router port is input port, dropping")
        else:
            ctx.detail("forwarding to mcast router port")
            yield port


def _flood_ports(ctx: XlateCtx, table: Snooping[Bundle], bundle: Bundle) -> Iterator[Bundle]:
    for port in table.flood_ports:
        if port is bundle:
            ctx.detail("mcast flood port is input port, dropping")
        else:
            ctx.detail("forwarding to mcast flood port")
            yield port


def _report_targets(ctx: XlateCtx, table: Snooping[Bundle], bundle: Bundle, vlan: int) -> Targets:
    """Reports go to routers, and where somebody has said that they shall (RFC 4541, 2.1.1)."""
    targets = list(_routers(ctx, table, bundle, vlan))
    for port in table.report_ports:
        if port is bundle:
            ctx.detail("mcast port is input port, dropping the Report")
        else:
            ctx.detail("forwarding report to mcast flagged port")
            targets.append(port)
    return targets


# -- messages


def _igmp(
    ctx: XlateCtx, table: Snooping[Bundle], bundle: Bundle, vlan: int, *, may_learn: bool
) -> Targets:
    ctx.slow |= SlowPath.ACTION
    kind = ctx.flow.tp_src
    if may_learn and (kind in _MEMBERSHIP or kind == igmp.QUERY):
        _hear(ctx, table, bundle, vlan)
    if kind in _MEMBERSHIP:
        return _report_targets(ctx, table, bundle, vlan)
    ctx.detail("multicast traffic, flooding")
    return None


def _mld(
    ctx: XlateCtx, table: Snooping[Bundle], bundle: Bundle, vlan: int, *, may_learn: bool
) -> Targets:
    ctx.slow |= SlowPath.ACTION
    if may_learn:
        _hear(ctx, table, bundle, vlan)
    if ctx.flow.tp_src != MLD_QUERY:
        return _report_targets(ctx, table, bundle, vlan)
    ctx.detail("MLD query, flooding")
    return None


def _hear(ctx: XlateCtx, table: Snooping[Bundle], bundle: Bundle, vlan: int) -> None:
    """Learn from a message, if there is one to read and anything may be learned."""
    frame = ctx.in_.frame
    if frame is None or not ctx.in_.allow_side_effects or bundle in table.flood_ports:
        return
    is_ipv4 = ctx.flow.dl_type == ETH_TYPE_IP
    place = f"on port {bundle.name} in VLAN {vlan}"
    message = _message(frame, is_ipv4=is_ipv4)
    if message is None:
        protocol = "IGMP" if is_ipv4 else "MLD"
        ctx.detail(f"multicast snooping received bad {protocol} checksum {place}")
    elif ctx.flow.tp_src in (igmp.QUERY, MLD_QUERY):
        _hear_query(ctx, table, bundle, vlan, place)
    elif is_ipv4:
        _note(ctx, table, bundle, vlan, igmp_memberships(message), place)
    else:
        _note(ctx, table, bundle, vlan, mld_memberships(message), place)


def _hear_query(
    ctx: XlateCtx, table: Snooping[Bundle], bundle: Bundle, vlan: int, place: str
) -> None:
    """A query without a source is not a router's (RFC 4541 section 2.1.1)."""
    flow = ctx.flow
    is_ipv4 = flow.dl_type == ETH_TYPE_IP
    source = flow.nw_src if is_ipv4 else flow.ipv6_src
    if source and table.add_router(vlan, bundle, ctx.bridge.scheduler.now_ns):
        sender = f"from {IPv4Address(flow.nw_src)} is " if is_ipv4 else ""
        ctx.detail(f"multicast snooping query {sender}{place}")


def _note(
    ctx: XlateCtx,
    table: Snooping[Bundle],
    bundle: Bundle,
    vlan: int,
    memberships: Iterator[Membership],
    place: str,
) -> None:
    now_ns = ctx.bridge.scheduler.now_ns
    n_noted = 0
    for group, joins in memberships:
        if joins:
            n_noted += table.join(group, vlan, bundle, now_ns)
        else:
            n_noted += table.leave(group, vlan, bundle)
    if not n_noted:
        return
    flow = ctx.flow
    if flow.dl_type != ETH_TYPE_IP or flow.tp_src == igmp.REPORT_V3:
        ctx.detail(f"multicast snooping processed {n_noted} addresses {place}")
        return
    what = "leaving" if flow.tp_src == igmp.LEAVE else "learned that"
    address = IPv4Address(flow.igmp_group_ip4)
    ctx.detail(f"multicast snooping {what} {address} is {place}")


def _message(frame: bytes, *, is_ipv4: bool) -> bytes | None:
    """The IGMP or MLD message of a frame; None where its checksum is wrong or it is cut short."""
    found = layers(frame, vlan_limit=N_VLANS)
    if found.l3 is None or found.l4 is None:
        return None
    message = frame[found.l4 : found.end]
    if len(message) < _MESSAGE_BYTES:
        return None
    start = 0
    if not is_ipv4:
        source_at = found.l3 + _IPV6_SOURCE_AT
        source, target = frame[source_at : source_at + 16], frame[source_at + 16 : source_at + 32]
        start = pseudo_header_sum(source, target, IPPROTO_ICMPV6, len(message))
    return message if checksum(message, start) == 0 else None


_MESSAGE_BYTES = 8
_IPV6_SOURCE_AT = 8
