"""LACP as ``ovs-appctl lacp/show`` and ``lacp/show-stats`` print it."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.ids import mac_text
from vnet.l2.lacp.aggregation import Aggregation
from vnet.l2.lacp.member import Member
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.wire.lacp import Info, State

_STATE_WORDS = {
    State.ACTIVITY: "activity",
    State.TIMEOUT: "timeout",
    State.AGGREGATION: "aggregation",
    State.SYNCHRONIZATION: "synchronized",
    State.COLLECTING: "collecting",
    State.DISTRIBUTING: "distributing",
    State.DEFAULTED: "defaulted",
    State.EXPIRED: "expired",
}


def dump_lacp(backer: Backer, name: str | None = None) -> Iterator[str]:
    """All that is known of one aggregation, or of all. Raises :class:`OvsTextError`."""
    for aggregation in _aggregations(backer, name):
        yield from _summary(aggregation)
        for member in _by_name(aggregation):
            yield ""
            yield from _member(aggregation, member)


def dump_lacp_stats(backer: Backer, name: str | None = None) -> Iterator[str]:
    """What the links of one aggregation, or of all, have counted. Raises as above."""
    for aggregation in _aggregations(backer, name):
        yield f"---- {aggregation.settings.name} statistics ----"
        for member in _by_name(aggregation):
            counters = member.counters
            yield ""
            yield f"member: {member.settings.name}:"
            yield f"  TX PDUs: {counters.tx_pdus}"
            yield f"  RX PDUs: {counters.rx_pdus}"
            yield f"  RX Bad PDUs: {counters.rx_bad}"
            yield f"  RX Marker Request PDUs: {counters.rx_markers}"
            yield f"  Link Expired: {counters.link_expired}"
            yield f"  Link Defaulted: {counters.link_defaulted}"
            yield f"  Carrier Status Changed: {counters.carrier_changed}"


def _aggregations(backer: Backer, name: str | None) -> list[Aggregation[OfPort]]:
    found = [one for one in backer.aggregations if name in (None, one.settings.name)]
    if name is not None and not found:
        raise OvsTextError("no such lacp object")
    return found


def _by_name(aggregation: Aggregation[OfPort]) -> list[Member]:
    return sorted(aggregation.members(), key=lambda member: member.settings.name)


def _summary(aggregation: Aggregation[OfPort]) -> Iterator[str]:
    settings = aggregation.settings
    yield f"---- {settings.name} ----"
    activity = "active" if settings.active else "passive"
    yield f"  status: {activity}{' negotiated' if aggregation.is_negotiated else ''}"
    yield f"  sys_id: {mac_text(settings.system)}"
    yield f"  sys_priority: {settings.system_priority}"
    yield f"  aggregation key: {'none' if aggregation.key is None else aggregation.key}"
    yield f"  lacp_time: {'fast' if settings.fast else 'slow'}"


def _member(aggregation: Aggregation[OfPort], member: Member) -> Iterator[str]:
    settings = member.settings
    attached = "attached" if member.attached else "detached"
    yield f"member: {settings.name}: {member.status.value} {attached}"
    yield f"  port_id: {settings.port}"
    yield f"  port_priority: {settings.priority}"
    yield f"  may_enable: {'true' if aggregation.is_usable(member) else 'false'}"
    for end, info in (("actor", aggregation.actor(member)), ("partner", member.partner)):
        yield ""
        yield from _end(end, info)


def _end(end: str, info: Info) -> Iterator[str]:
    yield f"  {end} sys_id: {mac_text(info.system)}"
    yield f"  {end} sys_priority: {info.system_priority}"
    yield f"  {end} port_id: {info.port}"
    yield f"  {end} port_priority: {info.port_priority}"
    yield f"  {end} key: {info.key}"
    words = [word for state, word in _STATE_WORDS.items() if state in info.state]
    yield " ".join((f"  {end} state:", *words))
