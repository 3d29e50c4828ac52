"""Fragments on their way through the tracker (lib/ipf.c of Open vSwitch).

The tracker judges whole packets. So fragments wait until theirs is whole; that one is tracked,
and then the fragments themselves go on, with what was found out. Fragments that overlap, or
that are small and not the last, are invalid; those whose packet is not whole in time go on,
invalid, when the next packet comes by.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from vnet.tables.conntrack.counters import FragmentCounters
from vnet.tables.conntrack.headers import Headers
from vnet.tables.conntrack.mangle import mend_checksum
from vnet.tables.conntrack.packet import INVALID, IPV4, IPV6, CtMeta, CtPacket
from vnet.tables.conntrack.pieces import FragmentKey, Piece, Place, header_holds, join, place_of

LIFETIME_MS = 15_000
PURGE_AFTER_MS = 10_000
"""How long after their time fragments wait for a packet that takes them along."""
CLEAN_INTERVAL_MS = 60_000
BATCH_PACKETS = 32
"""How many packets go on together (NETDEV_MAX_BURST); the rest wait for the next that come by."""

DEFAULT_MIN_BYTES = {IPV4: 1200, IPV6: 1280}
DEFAULT_MAX_HELD = 1000
_LEAST_MIN_BYTES = 400
_MOST_MAX_HELD = 5000

_MOST_BYTES = 0xFFFF
_IPV4_MOST_HEADER_BYTES = 60


class FragmentList:
    """Pieces of one packet, of which ``n_sent`` have gone on.

    ``is_complete``: the packet was put together. ``has_failed``: it would be too large.
    """

    __slots__ = (
        "expires_ms",
        "has_failed",
        "has_first",
        "has_last",
        "is_complete",
        "key",
        "n_sent",
        "pieces",
    )

    def __init__(self, key: FragmentKey, expires_ms: int) -> None:
        self.key = key
        self.expires_ms = expires_ms
        self.pieces: list[Piece] = []
        self.has_first = False
        self.has_last = False
        self.has_failed = False
        self.is_complete = False
        self.n_sent = 0

    @property
    def state_name(self) -> str:
        """As ``dpctl/ipf-get-status`` calls it."""
        if self.is_complete:
            return "complete"
        if self.has_failed:
            return "reassemble fail"
        if self.has_first:
            return "first/last frag" if self.has_last else "first frag"
        return "last frag" if self.has_last else "other frag"

    def overlaps(self, place: Place) -> bool:
        """Whether either end of a piece lies in one that is here."""
        return any(
            piece.start <= place.start <= piece.end or piece.start <= place.end <= piece.end
            for piece in self.pieces
        )

    def is_whole(self) -> bool:
        """Whether nothing is missing; sorts the pieces."""
        if not (self.has_first and self.has_last):
            return False
        self.pieces.sort(key=lambda piece: piece.start)
        return all(before.end + 1 == after.start for before, after in pairwise(self.pieces))


class Whole:
    """A packet that was put together: track it, then let the fragments know."""

    __slots__ = ("_pieces", "headers", "packet")

    def __init__(self, pieces: list[Piece], packet: CtPacket, headers: Headers) -> None:
        self._pieces = pieces
        self.packet = packet
        self.headers = headers

    def share(self) -> None:
        """Give the fragments the packet's connection, addresses and transport header."""
        first = self._pieces[0]
        l4, end = first.headers.l4, first.headers.end
        at = self.headers.l4
        data = first.packet.data
        transport = self.packet.data[at : at + end - l4]
        first.packet.data = data[:l4] + transport + data[l4 + len(transport) :]
        for piece in self._pieces:
            _share_meta(piece.packet.meta, self.packet.meta)
            _share_addresses(piece, self.packet.data, self.packet.l3)


def _share_meta(meta: CtMeta, whole: CtMeta) -> None:
    meta.state = whole.state
    meta.zone = whole.zone
    meta.mark = whole.mark
    meta.label = whole.label
    meta.original_key = whole.original_key


def _share_addresses(piece: Piece, whole: bytes, whole_l3: int) -> None:
    l3 = piece.headers.l3
    frame = bytearray(piece.packet.data)
    if piece.headers.is_v6:
        frame[l3 + 8 : l3 + 40] = whole[whole_l3 + 8 : whole_l3 + 40]
    else:
        for at in (12, 16):
            old = bytes(frame[l3 + at : l3 + at + 4])
            new = whole[whole_l3 + at : whole_l3 + at + 4]
            mend_checksum(frame, l3 + 10, old, new)
            frame[l3 + at : l3 + at + 4] = new
    piece.packet.data = bytes(frame)


class Fragments:
    """Fragments that wait. ``held`` counts them; at most ``max_held`` do.

    By EtherType: ``min_bytes`` that a fragment must have unless it is the last, and
    ``is_enabled``.
    """

    __slots__ = (
        "_complete",
        "_lists",
        "_next_clean_ms",
        "_on_lost",
        "_wholes",
        "counters",
        "held",
        "is_enabled",
        "max_held",
        "min_bytes",
    )

    def __init__(self, now_ms: int, on_lost: Callable[[CtPacket], None] | None) -> None:
        self._lists: dict[FragmentKey, FragmentList] = {}
        self._complete: list[FragmentList] = []
        self._wholes: list[Whole] = []
        self._on_lost = on_lost
        self._next_clean_ms = now_ms + CLEAN_INTERVAL_MS
        self.held = 0
        self.max_held = DEFAULT_MAX_HELD
        self.min_bytes = dict(DEFAULT_MIN_BYTES)
        self.is_enabled = {IPV4: True, IPV6: True}
        self.counters = {IPV4: FragmentCounters(), IPV6: FragmentCounters()}

    def set_min_bytes(self, ethertype: int, n_bytes: int) -> None:
        """``dpctl/ipf-set-min-frag``. Raises ``ValueError`` below 400."""
        if n_bytes < _LEAST_MIN_BYTES:
            raise ValueError(f"fragments of less than {_LEAST_MIN_BYTES} bytes are never taken")
        self.min_bytes[ethertype] = n_bytes

    def set_max_held(self, n_fragments: int) -> None:
        """``dpctl/ipf-set-max-nfrags``. Raises ``ValueError`` above 5000."""
        if n_fragments > _MOST_MAX_HELD:
            raise ValueError(f"no more than {_MOST_MAX_HELD} fragments may wait")
        self.max_held = n_fragments

    def hold(self, packet: CtPacket, headers: Headers, zone: int, now_ms: int) -> bool:
        """Keep a fragment. False where it is to be tracked as it is, which finds it invalid."""
        self.clean(now_ms)
        if not headers.is_fragment or not any(self.is_enabled.values()):
            return False
        place = place_of(packet, headers, zone)
        if place is None:
            return False
        key = place.key
        counters = self.counters[key.ethertype]
        if not header_holds(headers) or self._is_too_small(headers, place):
            packet.meta.state = INVALID
            return False
        if not self.is_enabled[key.ethertype] or self.held >= self.max_held:
            return False
        pieces = self._lists.get(key)
        if pieces is None:
            pieces = self._lists[key] = FragmentList(key, now_ms + LIFETIME_MS)
        elif (
            pieces.has_failed
            or pieces.is_complete
            or len(pieces.pieces) >= self._most_pieces(key.ethertype)
        ):
            return False
        if pieces.overlaps(place):
            counters.overlapped += 1
            packet.meta.state = INVALID
            return False
        pieces.pieces.append(Piece(packet, headers, place.start, place.end))
        self.held += 1
        counters.accepted += 1
        pieces.has_first |= place.is_first
        pieces.has_last |= place.is_last
        if pieces.is_whole():
            self._put_together(pieces)
        return True

    def take_wholes(self) -> list[Whole]:
        """The packets that have become whole."""
        wholes, self._wholes = self._wholes, []
        return wholes

    def take_complete(self, room: int, now_ms: int) -> list[CtPacket]:
        """At most ``room`` fragments of packets that were put together."""
        onward: list[CtPacket] = []
        while self._complete and len(onward) < room:
            pieces = self._complete[0]
            taken = self._take(pieces, room - len(onward), now_ms)
            self.counters[pieces.key.ethertype].completed += len(taken)
            onward += taken
        return onward

    def take_expired(self, room: int, now_ms: int) -> list[CtPacket]:
        """At most ``room`` fragments of one packet whose time is up; they are invalid."""
        waiting = (pieces for pieces in self._lists.values() if not pieces.is_complete)
        pieces = next(waiting, None)
        if pieces is None or now_ms <= pieces.expires_ms or not room:
            return []
        expired = self._take(pieces, room, now_ms)
        self.counters[pieces.key.ethertype].expired += len(expired)
        for packet in expired:
            packet.meta.state = INVALID
        return expired

    def _take(self, pieces: FragmentList, room: int, now_ms: int) -> list[CtPacket]:
        """Fragments that go on now; too late, they are given up."""
        if now_ms >= pieces.expires_ms + PURGE_AFTER_MS:
            self._purge(pieces)
            return []
        taken = [piece.packet for piece in pieces.pieces[pieces.n_sent : pieces.n_sent + room]]
        pieces.n_sent += len(taken)
        self.held -= len(taken)
        if pieces.n_sent == len(pieces.pieces):
            self._remove(pieces)
        return taken

    def clean(self, now_ms: int) -> None:
        """Give up, as of when it was last due, what no packet came by to take along."""
        if now_ms < self._next_clean_ms:
            return
        due_ms = now_ms - (now_ms - self._next_clean_ms) % CLEAN_INTERVAL_MS
        for pieces in list(self._lists.values()):
            if due_ms >= pieces.expires_ms + PURGE_AFTER_MS:
                self._purge(pieces)
        self._next_clean_ms = due_ms + CLEAN_INTERVAL_MS

    def give_up(self) -> None:
        """Give up all that waits."""
        for pieces in self.lists():
            self._purge(pieces)

    def lists(self) -> list[FragmentList]:
        """What waits, the oldest first."""
        return list(self._lists.values())

    def _is_too_small(self, headers: Headers, place: Place) -> bool:
        ethertype = place.key.ethertype
        if place.is_last or headers.end - headers.l3 >= self.min_bytes[ethertype]:
            return False
        self.counters[ethertype].too_small += 1
        return True

    def _most_pieces(self, ethertype: int) -> int:
        if ethertype == IPV6:
            return _MOST_BYTES
        room = _MOST_BYTES - _IPV4_MOST_HEADER_BYTES
        return -(-room // (self.min_bytes[IPV4] - _IPV4_MOST_HEADER_BYTES))

    def _put_together(self, pieces: FragmentList) -> None:
        joined = join(pieces.pieces)
        if joined is None:
            pieces.has_failed = True
            return
        self._wholes.append(Whole(pieces.pieces, *joined))
        pieces.is_complete = True
        self._complete.append(pieces)

    def _remove(self, pieces: FragmentList) -> None:
        del self._lists[pieces.key]
        if pieces.is_complete:
            self._complete.remove(pieces)

    def _purge(self, pieces: FragmentList) -> None:
        self._remove(pieces)
        lost = pieces.pieces[pieces.n_sent :]
        self.held -= len(lost)
        self.counters[pieces.key.ethertype].purged += len(lost)
        if self._on_lost is not None:
            for piece in lost:
                self._on_lost(piece.packet)
