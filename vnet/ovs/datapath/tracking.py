"""The ``ct`` action: how the datapath and the connection tracker speak to each other."""

from __future__ import annotations

from vnet.ovs.datapath.edit.checksums import ICMP, ICMPV6
from vnet.ovs.datapath.packet import RECIRC_ID, Packet
from vnet.ovs.dpif.actions import Ct, CtNat
from vnet.ovs.flow.flow import FRAG_LATER, Flow
from vnet.sim.frame import Meta
from vnet.tables.conntrack.action import CtAction, NatKind, NatRange
from vnet.tables.conntrack.key import KeyParts
from vnet.tables.conntrack.packet import (
    ESTABLISHED,
    INVALID,
    NEW,
    RELATED,
    REPLY,
    CtMeta,
    CtPacket,
)
from vnet.tables.conntrack.tracker import ConnTracker
from vnet.tables.conntrack.words import connection_text, packet_change_text

_DL_TYPE = Flow.dl_type
_ADDRESSES = {
    0x0800: (Flow.ct_nw_src, Flow.ct_nw_dst, 4),
    0x86DD: (Flow.ct_ipv6_src, Flow.ct_ipv6_dst, 16),
}
"""By EtherType: where a flow has the addresses of the original direction, and their length."""

_WITH_PORTS = frozenset((1, 2, 6, 17, ICMPV6, 132))
"""Protocols whose packets show the ports of the original direction."""
_STATE_WORDS = (
    *((NEW, "new"), (ESTABLISHED, "established"), (RELATED, "related"), (INVALID, "invalid")),
)
_NEIGHBOR_DISCOVERY = frozenset((135, 136))


def connection_bits(connection: CtMeta, bits: int) -> int:
    """What the flow of a tracked packet says of its connection; ``bits`` is the rest of it."""
    if not connection.state:
        return 0
    key = (
        connection.state << Flow.ct_state.shift
        | connection.zone << Flow.ct_zone.shift
        | connection.mark << Flow.ct_mark.shift
        | connection.label << Flow.ct_label.shift
    )
    original = connection.original
    places = _ADDRESSES.get(_DL_TYPE.of(bits))
    if original is None or not original.protocol or places is None:
        return key
    source, target, n_bytes = places
    if len(original.source) != n_bytes:
        return key
    key |= (
        original.protocol << Flow.ct_nw_proto.shift
        | int.from_bytes(original.source, "big") << source.shift
        | int.from_bytes(original.target, "big") << target.shift
    )
    if _shows_ports(bits):
        key |= original.source_port << Flow.ct_tp_src.shift
        key |= original.target_port << Flow.ct_tp_dst.shift
    return key


def _shows_ports(bits: int) -> bool:
    protocol = Flow.nw_proto.of(bits)
    if protocol not in _WITH_PORTS or Flow.nw_frag.of(bits) & FRAG_LATER:
        return False
    is_nd = Flow.tp_src.of(bits) in _NEIGHBOR_DISCOVERY and not Flow.tp_dst.of(bits)
    return not (protocol == ICMPV6 and is_nd)


def connection_of(key: int) -> CtMeta | None:
    """What a flow says of the connection, as the tracker has it; None of an untracked packet."""
    state = Flow.ct_state.of(key)
    if not state:
        return None
    connection = CtMeta()
    connection.state = state
    connection.zone = Flow.ct_zone.of(key)
    connection.mark = Flow.ct_mark.of(key)
    connection.label = Flow.ct_label.of(key)
    protocol = Flow.ct_nw_proto.of(key)
    places = _ADDRESSES.get(_DL_TYPE.of(key))
    if protocol and places is not None:
        source, target, n_bytes = places
        source_part, target_part = Flow.ct_tp_src.of(key), Flow.ct_tp_dst.of(key)
        if protocol == (ICMP if n_bytes == 4 else ICMPV6):
            source_part, target_part = source_part << 8 & 0xFF00, 0
        connection.original_key = KeyParts(
            source.of(key).to_bytes(n_bytes, "big"),
            target.of(key).to_bytes(n_bytes, "big"),
            source_part,
            target_part,
            connection.zone,
            protocol,
        ).pack()
    return connection


def tracker_action(action: Ct) -> CtAction:
    """What to ask of the tracker. A timeout policy that is no number is the default one."""
    return CtAction(
        zone=action.zone,
        commit=action.commit or action.force,
        force=action.force,
        mark=action.mark,
        label=action.label,
        helper=action.helper,
        nat=None if action.nat is None else _nat_range(action.nat),
        timeout_policy=int(action.timeout) if action.timeout.isdecimal() else 0,
    )


def _nat_range(nat: CtNat) -> NatRange:
    kind = None
    if nat.is_source is not None:
        kind = NatKind.SOURCE if nat.is_source else NatKind.DESTINATION
    last_address = nat.address_min if nat.address_max is None else nat.address_max
    return NatRange(kind, nat.address_min, last_address, nat.port_min, nat.port_max or nat.port_min)


def track(
    tracker: ConnTracker, packet: Packet, action: CtAction, key: int, now_ns: int
) -> list[Packet]:
    """Send a packet through the tracker; what comes out goes on, and need not be the packet.

    ``key`` is the flow that brought the packet here.
    """
    l3 = packet.layout.l3
    if packet.connection is None:
        packet.connection = CtMeta()
    before = packet.data
    tracked = CtPacket(
        before,
        len(before) if l3 is None else l3,
        _DL_TYPE.of(key),
        packet.connection,
        packet,
        RECIRC_ID.of(packet.metadata),
        Flow.tp_src.of(key),
        Flow.tp_dst.of(key),
    )
    released = [_released(one) for one in tracker.execute(tracked, action, now_ns)]
    if packet.meta is not None and l3 is not None and packet in released:
        _note(packet.meta, packet, packet.connection, before[l3:])
    return released


def _note(meta: Meta, packet: Packet, connection: CtMeta, before: bytes) -> None:
    """Tell a trace what a packet is to its connection, and what was translated."""
    words = [word for bit, word in _STATE_WORDS if connection.state & bit]
    if connection.original_key is not None:
        reply = "reply of " if connection.state & REPLY else ""
        words.append(reply + connection_text(connection.original_key))
    meta.note(f"ct: {', '.join(words)}")
    l3 = packet.layout.l3
    now = packet.data if l3 is None else packet.data[l3:]
    if now != before:
        meta.note(f"ct: {packet_change_text(before, now, before[0] >> 4)}")


def _released(tracked: CtPacket) -> Packet:
    packet: Packet = tracked.bearer
    packet.data = tracked.data
    packet.connection = tracked.meta
    return packet
