"""Connections as ``ovs-appctl dpctl/dump-conntrack`` prints them, and the other texts of
ovs-dpctl(8) about connection tracking."""

from __future__ import annotations

from collections import Counter
from socket import AF_INET, AF_INET6, inet_ntop

from vnet.base.units import NS_PER_MS
from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.extract import ICMP, ICMPV6
from vnet.tables.conntrack.fragments import Fragments
from vnet.tables.conntrack.key import parts_of
from vnet.tables.conntrack.limits import ZoneLimits
from vnet.tables.conntrack.packet import IPV4, IPV6
from vnet.tables.conntrack.pieces import FragmentKey
from vnet.tables.conntrack.tcp import (
    WSCALE_KNOWN,
    WSCALE_MASK,
    WSCALE_UNKNOWN,
    Peer,
    TcpPeers,
    TcpState,
)
from vnet.tables.conntrack.tracker import ConnTracker

PROTOCOL_NAMES = {
    1: "icmp",
    2: "igmp",
    6: "tcp",
    17: "udp",
    33: "dccp",
    58: "icmpv6",
    132: "sctp",
    136: "udplite",
}

_STATISTICS = {
    "TCP": 6,
    "UDP": 17,
    "UDPLITE": 136,
    "SCTP": 132,
    "ICMP": 1,
    "DCCP": 33,
    "IGMP": 2,
}
"""In the order in which ``ct-stats-show`` prints them. It counts ICMPv6 and prints no line."""

_COALESCED = {
    TcpState.FIN_WAIT_2: TcpState.TIME_WAIT,
    TcpState.SYN_RECV: TcpState.ESTABLISHED,
}
"""States that Linux does not tell apart are shown as one."""


def dump_text(
    tracker: ConnTracker,
    now_ns: int,
    zone: int | None = None,
    *,
    stats: bool = False,
    verbose: bool = False,
) -> list[str]:
    """One line for each connection; ``stats`` and ``verbose`` are the options -s and -m.

    In Open vSwitch their order is that of a hash that differs at each start; here it is that
    of their making.
    """
    conns = tracker.conns(now_ns, zone)
    return [conn_text(conn, now_ns, stats=stats, verbose=verbose) for conn in conns]


def conn_text(conn: Conn, now_ns: int, *, stats: bool = False, verbose: bool = False) -> str:
    """A connection in one line."""
    parts = parts_of(conn.key)
    protocol = PROTOCOL_NAMES.get(parts.protocol, str(parts.protocol))
    text = [f"{protocol},orig=({key_text(conn.key)}),reply=({key_text(conn.reply_key)})"]
    if verbose:
        text.append("id=0")
    if parts.zone:
        text.append(f"zone={parts.zone}")
    if verbose:
        text.append("status=0")
    if stats:
        text.append(f"timeout={conn.timeout_s(now_ns // NS_PER_MS)}")
    if conn.mark:
        text.append(f"mark={conn.mark}")
    if conn.label:
        text.append(f"labels={conn.label:#x}")
    if isinstance(conn.l4, TcpPeers):
        text.append(f"protoinfo=({_tcp_verbose(conn.l4) if verbose else _tcp_text(conn.l4)})")
    helper = conn.helper
    if helper is not None:
        if helper.name:
            text.append(f"helper={helper.name}")
        if verbose and helper.parent_key is not None:
            text.append(f"parent=({key_text(helper.parent_key)})")
    return ",".join(text)


def key_text(key: bytes) -> str:
    """A key as it stands in the parentheses."""
    parts = parts_of(key)
    text = f"src={_ip_text(parts.source)},dst={_ip_text(parts.target)}"
    if parts.protocol in (ICMP, ICMPV6):
        return f"{text},id={parts.ident},type={parts.source_part >> 8},code=0"
    return f"{text},sport={parts.source_part},dport={parts.target_part}"


def _ip_text(ip: bytes) -> str:
    return inet_ntop(AF_INET if len(ip) == 4 else AF_INET6, ip)


def _shown_state(peers: TcpPeers) -> TcpState:
    state = max(peers.original.state, peers.reply.state)
    return _COALESCED.get(state, state)


def _tcp_text(peers: TcpPeers) -> str:
    return f"state={_shown_state(peers).name}"


def _tcp_verbose(peers: TcpPeers) -> str:
    original, reply = peers.original, peers.reply
    text = f"state_orig={original.state.name},state_reply={reply.state.name}"
    scales = original.wscale & WSCALE_MASK, reply.wscale & WSCALE_MASK
    if any(scales):
        text += f",wscale_orig={scales[0]},wscale_reply={scales[1]}"
    return f"{text},flags_orig={_peer_flags(original)},flags_reply={_peer_flags(reply)}"


def _peer_flags(peer: Peer) -> str:
    flags = (("WINDOW_SCALE", WSCALE_KNOWN), ("BE_LIBERAL", WSCALE_UNKNOWN))
    return "|".join(name for name, bit in flags if peer.wscale & bit) or "0"


def stats_text(
    tracker: ConnTracker, now_ns: int, zone: int | None = None, *, verbose: bool = False
) -> str:
    """What ``dpctl/ct-stats-show`` prints; ``verbose`` adds the states of TCP."""
    by_protocol: Counter[int] = Counter()
    by_state: Counter[TcpState] = Counter()
    for conn in tracker.conns(now_ns, zone):
        by_protocol[parts_of(conn.key).protocol] += 1
        if isinstance(conn.l4, TcpPeers):
            by_state[_shown_state(conn.l4)] += 1
    lines = ["Connections Stats:", f"    Total: {by_protocol.total()}"]
    for name, protocol in _STATISTICS.items():
        if by_protocol[protocol]:
            lines.append(f"  {name}: {by_protocol[protocol]}")
        if name == "TCP" and by_state and verbose:
            lines.append("    Conn per TCP states:")
            lines += [f"\t  [{state.name}]={by_state[state]}" for state in sorted(by_state)]
    named = sum(by_protocol[number] for number in (*_STATISTICS.values(), ICMPV6))
    if by_protocol.total() > named:
        lines.append(f"  Other: {by_protocol.total() - named}")
    return "".join(f"{line}\n" for line in lines)


def limits_text(limits: ZoneLimits, zones: list[int] | None = None) -> str:
    """What ``dpctl/ct-get-limits`` prints: of some zones, or of all that have a limit."""
    lines = [f"default limit={limits.default()}"]
    if not zones:
        lines += [f"zone={it.zone},limit={it.limit},count={it.count}" for it in limits]
    for zone in zones or ():
        found = limits.find(zone)
        limit, count = (0, 0) if found is None else (found.limit, found.count)
        lines.append(f"zone={zone},limit={limit},count={count}")
    return "\n".join(lines)


def fragments_text(fragments: Fragments, *, verbose: bool = False) -> str:
    """What ``dpctl/ipf-get-status`` prints; ``verbose`` adds what waits."""
    lines = [
        "Fragmentation Module Status",
        "---------------------------",
        f"v4 enabled: {fragments.is_enabled[IPV4]:d}",
        f"v6 enabled: {fragments.is_enabled[IPV6]:d}",
        f"max num frags (v4/v6): {fragments.max_held}",
        f"num frag: {fragments.held}",
    ]
    for version, ethertype in (("v4", IPV4), ("v6", IPV6)):
        counters = fragments.counters[ethertype]
        lines += [
            f"min {version} frag size: {fragments.min_bytes[ethertype]}",
            f"{version} frags accepted: {counters.accepted}",
            f"{version} frags completed: {counters.completed}",
            f"{version} frags expired: {counters.expired}",
            f"{version} frags too small: {counters.too_small}",
            f"{version} frags overlapped: {counters.overlapped}",
            f"{version} frags purged: {counters.purged}",
        ]
    text = "".join(f"        {line}\n" for line in lines)
    if not verbose:
        return text
    waiting = "".join(
        f"({_fragment_key_text(it.key)},num_fragments={len(it.pieces)},state={it.state_name})\n"
        for it in fragments.lists()
    )
    return f"{text}\n        Fragment Lists:\n\n{waiting}"


def _fragment_key_text(key: FragmentKey) -> str:
    return (
        f"src={_ip_text(key.source)},dst={_ip_text(key.target)},recirc_id={key.recirc_id},"
        f"ip_id={key.ident},dl_type={key.ethertype:#x},zone={key.zone},nw_proto={key.protocol}"
    )
