"""What netfilter notes in the trace of a packet that is followed: whose it is, which rule spoke,
and what was changed.

    conntrack: new, udp 192.168.122.91:500 -> 198.51.100.80:9
    nat POSTROUTING, LIBVIRT_PRT rule 4 MASQUERADE: source 192.168.122.91:500 -> 203.0.113.1:58381

Nothing here is called for a packet without a trace.
"""

from __future__ import annotations

from typing import NamedTuple

from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.matches.tcp_options import mss_of
from vnet.linux.netfilter.packet import TCP, NfPacket
from vnet.linux.netfilter.rule import Rule
from vnet.linux.netfilter.tables import Chain, Table
from vnet.tables.conntrack.key import reverse
from vnet.tables.conntrack.linux.tracking import UNTRACKED, PacketState, Tracking
from vnet.tables.conntrack.words import change_text, connection_text, packet_change_text


class Place(NamedTuple):
    """Where a rule stands: in which chain, and as the how manieth."""

    chain: str
    number: int


def place_of(table: Table, rule: Rule) -> Place | None:
    """Where a rule stands; None once it stands nowhere any more."""
    for chain in table.chains.values():
        for number, other in enumerate(chain.rules, 1):
            if other is rule:
                return Place(chain.name, number)
    return None


class Seen(NamedTuple):
    """What rules may change, as it was before."""

    data: bytes
    mark: int
    connection_mark: int
    reply_key: bytes
    track: Tracking | None

    @classmethod
    def of(cls, packet: NfPacket) -> Seen:
        conn = packet.track.conn if packet.track else None
        mark, reply_key = (0, b"") if conn is None else (conn.mark, conn.reply_key)
        return cls(packet.data, packet.mark, mark, reply_key, packet.track)


def note_rule(packet: NfPacket, table: Table, rule: Rule, before: Seen | None = None) -> None:
    """A rule took the packet on, or did something to it that was ``before``."""
    place = place_of(table, rule)
    if packet.meta is None or place is None:
        return
    target = rule.description.target
    where = _where(packet, table)
    if place.chain != packet.hook.name:
        where += f", {place.chain}"
    name = rule.description.jump if target is None else target.saved_name
    done = [] if before is None else _changes(packet, before)
    if target is not None:
        done += filter(None, (target.noted(packet),))
    said = f": {', '.join(done)}" if done else ""
    packet.meta.note(f"{where} rule {place.number} {name}{said}")


def note_policy(packet: NfPacket, table: Table, chain: Chain) -> None:
    """No rule of the filter spoke, so that the chain's policy did."""
    if packet.meta is not None and table.name == "filter" and chain.rules:
        packet.meta.note(f"{_where(packet, table)} policy {chain.policy}")


def note_connection(packet: NfPacket) -> None:
    """Connection tracking has looked."""
    track = packet.track
    if packet.meta is None or track is None or track is UNTRACKED:
        return
    said = track.state.name.lower()
    if track.conn is not None:
        reply = "reply of " if track.is_reply and track.state is PacketState.ESTABLISHED else ""
        said += f", {reply}{connection_text(track.conn.key)}"
    packet.meta.note(f"conntrack: {said}")


def note_binding(packet: NfPacket, reply_key: bytes) -> None:
    """No rule spoke for a connection, and what it had, ``reply_key`` being for its answers, was
    in use."""
    track = packet.track
    if packet.meta is None or track is None or track.conn is None:
        return
    change = change_text(reverse(reply_key), reverse(track.conn.reply_key))
    if change:
        packet.meta.note(f"nat {_hook(packet)}, no rule, but that is in use: {change}")


def note_translation(packet: NfPacket, data: bytes) -> None:
    """What is known of the packet's connection makes it ``data``."""
    if packet.meta is not None:
        change = packet_change_text(packet.data, data, packet.family)
        packet.meta.note(f"nat {_hook(packet)}, by its connection: {change}")


def _where(packet: NfPacket, table: Table) -> str:
    return f"{table.name} {_hook(packet)}"


def _hook(packet: NfPacket) -> str:
    """The hook, and of a bridged packet which ports it is between."""
    hook, came_by, leaves = packet.hook, packet.bridge_entered, packet.bridge_leaves
    if leaves is None:
        return hook.name
    if hook is Hook.FORWARD and came_by is not None:
        return f"{hook.name} ({came_by.name} -> {leaves.name})"
    return f"{hook.name} (-> {leaves.name})"


def _changes(packet: NfPacket, before: Seen) -> list[str]:
    """What is not as it was, each in a few words."""
    now = Seen.of(packet)
    done = []
    if now.reply_key != before.reply_key and before.reply_key:
        done.append(change_text(reverse(before.reply_key), reverse(now.reply_key)))
    if now.data != before.data:
        done += _header_changes(packet.family, before.data, packet)
    if now.mark != before.mark:
        done.append(f"mark {before.mark:#x} -> {now.mark:#x}")
    if now.connection_mark != before.connection_mark:
        done.append(f"connection's mark {before.connection_mark:#x} -> {now.connection_mark:#x}")
    if now.track is not before.track and now.track is UNTRACKED:
        done.append("not tracked")
    return done


def _header_changes(family: int, before: bytes, packet: NfPacket) -> list[str]:
    data, done = packet.data, []
    at, name = (8, "TTL") if family == 4 else (7, "hop limit")
    if before[at] != data[at]:
        done.append(f"{name} {before[at]} -> {data[at]}")
    old, new = _traffic_class(family, before), _traffic_class(family, data)
    if old != new:
        done.append(f"{'TOS' if family == 4 else 'traffic class'} {old:#04x} -> {new:#04x}")
    if packet.protocol == TCP:
        was, mss = mss_of(before[packet.layout.at :]), mss_of(packet.transport)
        if was != mss:
            done.append(f"MSS {'none' if was is None else was} -> {mss}")
    return done


def _traffic_class(family: int, data: bytes) -> int:
    return data[1] if family == 4 else (data[0] << 4 | data[1] >> 4) & 0xFF
