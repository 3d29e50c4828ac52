"""Translation of addresses at the hooks (net/netfilter/nf_nat_core.c, nf_nat_masquerade.c).

For a connection's first packet the chains of the nat table are asked, and their targets call
:meth:`Nat.set_up` and its kin. Where none does, the connection is bound to what it has, so that
nobody else is translated to the same. That packet, and all that follow it either way, are changed
as the connection says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from vnet.base.drops import DropReason
from vnet.base.ids import is_link_local_ip6, network_of
from vnet.linux.netfilter import drops
from vnet.linux.netfilter.following import note_binding, note_translation
from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.verdict import ACCEPT, Verdict, drop
from vnet.linux.netns.changes import AddressChange, Change, LinkChange
from vnet.tables.conntrack.action import NatKind
from vnet.tables.conntrack.key import parts_of, reverse
from vnet.tables.conntrack.linux import rewrite, status
from vnet.tables.conntrack.linux.entry import Entry
from vnet.tables.conntrack.linux.nat_choice import NatChooser, answer_to
from vnet.tables.conntrack.linux.nat_range import NatRange
from vnet.tables.conntrack.linux.tracker import Tracker
from vnet.tables.conntrack.linux.tracking import PacketState, Tracking

if TYPE_CHECKING:
    from vnet.linux.netns.address import InterfaceAddress
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

Judge = Callable[[NfPacket], Verdict]

KIND = {
    Hook.PREROUTING: NatKind.DESTINATION,
    Hook.INPUT: NatKind.SOURCE,
    Hook.OUTPUT: NatKind.DESTINATION,
    Hook.POSTROUTING: NatKind.SOURCE,
}
"""Which end is translated where."""

_STATUS = {NatKind.SOURCE: status.SRC_NAT, NatKind.DESTINATION: status.DST_NAT}
_DONE = {NatKind.SOURCE: status.SRC_NAT_DONE, NatKind.DESTINATION: status.DST_NAT_DONE}
_LOOPBACK_NET = 127
_LOOPBACK_ADDRESS = {4: b"\x7f\0\0\1", 6: bytes(15) + b"\1"}


class Nat:
    """What a namespace translates. ``chains`` are who is asked about first packets, by family and
    hook. What targets call returns what the target shall say."""

    __slots__ = ("_chooser", "_listens", "_namespace", "_tracker", "chains")

    def __init__(self, namespace: Namespace, tracker: Tracker) -> None:
        self._namespace = namespace
        self._tracker = tracker
        stream = namespace.chance.stream(f"{namespace.name} nat ports")
        self._chooser = NatChooser(tracker.table, stream)
        self._listens = False
        self.chains: dict[tuple[int, Hook], tuple[Judge, ...]] = {}

    # -- at the hooks

    def translate(self, packet: NfPacket) -> Verdict:
        """Decide for a first packet, and change any."""
        track = packet.track
        if track is None or track.conn is None:
            return ACCEPT
        kind = KIND[packet.hook]
        conn, state, is_reply = track.conn, track.state, track.is_reply
        if state is PacketState.RELATED and rewrite.is_error(packet.data, packet.family):
            data = rewrite.translate_error(packet.data, packet.family, conn, kind, is_reply)
            is_settled = True
        else:
            is_settled = bool(conn.status & _DONE[kind])
            verdict = self._settle(packet, track, conn, kind)
            if verdict is not ACCEPT:
                return verdict
            data = rewrite.translate(packet.data, packet.family, conn, kind, is_reply)
        if data is None:
            return drop(drops.NAT_IMPOSSIBLE)
        if data is not packet.data:
            if packet.meta is not None and is_settled:
                note_translation(packet, data)
            target, packet.data = packet.target, data
            if packet.hook is Hook.OUTPUT and packet.target != target:
                return self._routed_again(packet)
        return ACCEPT

    def _routed_again(self, packet: NfPacket) -> Verdict:
        """Whether a packet of our own can go where it is to go now: else it goes no further."""
        namespace = self._namespace
        stack = namespace.ipv4 if packet.family == 4 else namespace.ipv6
        way = stack.way_of(packet.data, packet.mark)
        return drop(way) if isinstance(way, DropReason) else ACCEPT

    def _settle(self, packet: NfPacket, track: Tracking, conn: Entry, kind: NatKind) -> Verdict:
        is_first = track.state in (PacketState.NEW, PacketState.RELATED)
        if is_first and not conn.status & _DONE[kind]:
            for judge in self.chains.get((packet.family, packet.hook), ()):
                verdict = judge(packet)
                if verdict is not ACCEPT:
                    return verdict
                if conn.status & _DONE[kind]:
                    return ACCEPT
            return self._bind(packet, conn, kind)
        if self._has_moved(packet, track, conn):
            # It would go on from another address, which its other end does not know.
            self._tracker.delete(conn)
            return drop(drops.MASQUERADE_MOVED)
        return ACCEPT

    def _bind(self, packet: NfPacket, conn: Entry, kind: NatKind) -> Verdict:
        """No rule translates it: it keeps its address, and its port if that is free."""
        parts = parts_of(reverse(conn.reply_key))
        address = parts.source if kind is NatKind.SOURCE else parts.target
        before = conn.reply_key
        verdict = self.set_up(packet, kind, NatRange(address))
        if packet.meta is not None:
            note_binding(packet, before)
        return verdict

    @staticmethod
    def _has_moved(packet: NfPacket, track: Tracking, conn: Entry) -> bool:
        """Whether what was masqueraded leaves by another device than it did."""
        if not conn.masquerade_ifindex or packet.hook is not Hook.POSTROUTING or track.is_reply:
            return False
        return packet.leaves is not None and packet.leaves.ifindex != conn.masquerade_ifindex

    # -- for targets

    def set_up(self, packet: NfPacket, kind: NatKind, choice: NatRange) -> Verdict:
        """SNAT, DNAT and NETMAP: translate the connection's source or destination."""
        track = packet.track
        if track is None or track.conn is None or track.conn.status & status.CONFIRMED:
            return ACCEPT
        conn, now_ns = track.conn, self._namespace.scheduler.now_ns
        if choice.netmap is not None:
            choice = _mapped(conn, kind, choice)
        before = reverse(conn.reply_key)
        after = self._chooser.choose(conn, kind, choice, now_ns)
        if after[:-5] != before[:-5] or after[-3:] != before[-3:]:
            conn.reply_key = answer_to(conn, after)
            conn.status |= _STATUS[kind]
        if kind is NatKind.SOURCE:
            self._tracker.table.bind(conn)
        conn.status |= _DONE[kind]
        return ACCEPT

    def masquerade(self, packet: NfPacket, choice: NatRange) -> Verdict:
        """MASQUERADE: the source becomes an address of the device that the packet leaves by.

        ``choice`` has ports at the most.
        """
        track = packet.track
        assert packet.leaves is not None
        if track is None or track.conn is None:
            return ACCEPT
        if not any(parts_of(track.conn.key).source):
            # It asks for an address, and has none yet.
            return ACCEPT
        address = self._address_on(packet)
        if address is None:
            self._namespace.log.write(f"MASQUERADE: {packet.leaves.name} ate my IP address")
            return drop(drops.NO_MASQUERADE_ADDRESS)
        if not self._listens:
            self._listens = True
            self._namespace.listeners.append(self._told)
        track.conn.masquerade_ifindex = packet.leaves.ifindex
        return self.set_up(packet, NatKind.SOURCE, _at(choice, address))

    def redirect(self, packet: NfPacket, choice: NatRange) -> Verdict:
        """REDIRECT: the destination becomes this machine; ``choice`` has ports at the most."""
        address: bytes | None = _LOOPBACK_ADDRESS[packet.family]
        if packet.hook is not Hook.OUTPUT:
            address = self._first_address(packet)
        if address is None:
            return drop(drops.NO_MASQUERADE_ADDRESS)
        return self.set_up(packet, NatKind.DESTINATION, _at(choice, address))

    def _address_on(self, packet: NfPacket) -> bytes | None:
        """The address that stands for the source of a packet where it leaves."""
        assert packet.leaves is not None
        interface = self._namespace.interfaces[packet.leaves.name]
        if packet.family == 6:
            return interface.source_for(packet.target)
        return _select4(self._namespace, interface, packet.next_hop or packet.target)

    def _first_address(self, packet: NfPacket) -> bytes | None:
        """The address of the device that a packet came by: of IPv6 the youngest that reaches as
        far as the packet's destination."""
        assert packet.entered is not None
        interface = self._namespace.interfaces[packet.entered.name]
        if packet.family == 4:
            return next((a.ip for a in interface.addresses if len(a.ip) == 4), None)
        found = [a.ip for a in reversed(interface.addresses) if len(a.ip) == 16 and a.usable]
        if is_link_local_ip6(packet.target):
            found = [ip for ip in found if is_link_local_ip6(ip)]
        return min(found, key=is_link_local_ip6, default=None)

    # -- when addresses go

    def _told(self, change: Change) -> None:
        """A device that is set down, or loses an address, loses what it stood for."""
        ifindex = change.device.ifindex if isinstance(change, (LinkChange, AddressChange)) else 0
        if isinstance(change, LinkChange) and (change.deleted or not change.device.admin_up):
            self._forget(lambda entry: entry.masquerade_ifindex == ifindex)
        elif isinstance(change, AddressChange) and change.deleted:
            address = change.address.ip
            self._forget(
                lambda entry: (
                    entry.masquerade_ifindex == ifindex
                    and parts_of(entry.reply_key).target == address
                )
            )

    def _forget(self, is_over: Callable[[Entry], bool]) -> None:
        for entry in [entry for entry in self._tracker.table if is_over(entry)]:
            self._tracker.delete(entry)


def _at(choice: NatRange, address: bytes) -> NatRange:
    return replace(choice, first_address=address, last_address=address)


def _mapped(conn: Entry, kind: NatKind, choice: NatRange) -> NatRange:
    """NETMAP: the network of the range, with the rest of the address as it was."""
    parts = parts_of(reverse(conn.reply_key))
    old = parts.source if kind is NatKind.SOURCE else parts.target
    assert choice.first_address is not None
    assert choice.netmap is not None
    address = bytes(
        new & mask | kept & ~mask & 0xFF
        for new, mask, kept in zip(choice.first_address, choice.netmap, old, strict=True)
    )
    return replace(choice, first_address=address, last_address=address, netmap=None)


def _select4(namespace: Namespace, interface: Interface, towards: bytes) -> bytes | None:
    """The address to masquerade as (inet_select_addr()): of the next hop's network if there is one
    on the device, else the device's first, else the first of any device."""
    candidates = _primary4(interface)
    for address in candidates:
        if network_of(towards, address.prefix_length) == address.network:
            return address.ip
    if candidates:
        return candidates[0].ip
    for other in namespace.interfaces.values():
        for address in _primary4(other):
            return address.ip
    return None


def _primary4(interface: Interface) -> list[InterfaceAddress]:
    return [
        address
        for address in interface.addresses
        if len(address.ip) == 4 and not address.is_secondary and address.ip[0] != _LOOPBACK_NET
    ]
