"""A packet goes through a zone (the ``ct`` action of Open vSwitch's userspace datapath).

It is looked up by its key. A packet of a known connection moves the connection's state, one of
an unknown connection may begin one. With translation asked for, the packet is changed as its
connection says.
"""

from __future__ import annotations

from vnet.tables.conntrack.action import CtAction
from vnet.tables.conntrack.begin import begin
from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.expectations import Expectation
from vnet.tables.conntrack.extract import extract_key
from vnet.tables.conntrack.ftp import adjust_control, read_control
from vnet.tables.conntrack.headers import Headers
from vnet.tables.conntrack.helpers import Helper, helper_for
from vnet.tables.conntrack.key import PROTOCOL_AT, parts_of, reverse, zone_of
from vnet.tables.conntrack.packet import (
    ESTABLISHED,
    INVALID,
    NATTED,
    NEW,
    RELATED,
    REPLY,
    TRACKED,
    CtMeta,
    CtPacket,
)
from vnet.tables.conntrack.policy import Update
from vnet.tables.conntrack.store import ConnStore
from vnet.tables.conntrack.translation import translate_once


def pass_through(
    store: ConnStore, packet: CtPacket, headers: Headers | None, action: CtAction, now_ms: int
) -> None:
    """Track a packet that is whole; ``headers`` None stands for one that cannot be read."""
    meta = packet.meta
    conn = meta.conn
    if headers is None or meta.state == INVALID:
        meta.state = INVALID
        _describe(meta, action.zone, None, None, None)
    elif (
        conn is not None
        and not action.force
        and zone_of(conn.key) == action.zone
        and helper_for(packet, headers, action.helper) is None
    ):
        _follow(packet, headers, conn, action)
    elif extract_key(headers, action.zone_bytes, store.counters):
        _process(store, packet, headers, action, now_ms)
    else:
        meta.state = INVALID
        _describe(meta, action.zone, None, None, None)


def _follow(packet: CtPacket, headers: Headers, conn: Conn, action: CtAction) -> None:
    """A packet that was looked up before, and not changed since: its state stands."""
    meta = packet.meta
    if action.nat is not None:
        headers.is_related = meta.is_related
        headers.is_reply = meta.is_reply
        translate_once(packet, headers, conn, action.zone)
        meta.conn = None
    meta.zone = action.zone
    meta.mark = conn.mark
    meta.label = conn.label
    _write_marks(meta, conn, action)


def _process(
    store: ConnStore, packet: CtPacket, headers: Headers, action: CtAction, now_ms: int
) -> None:
    meta = packet.meta
    if meta.zone != action.zone:
        meta.state = 0
    conn = _look_up(store, headers, action, meta.state & NATTED != 0, now_ms)
    if conn is not None and conn.expires_ms <= now_ms:
        # Only its translation is left, and who it was for is forgotten.
        meta.state |= INVALID
        _describe(meta, action.zone, None, None, None)
        return
    helper = helper_for(packet, headers, action.helper)
    is_new = False
    if conn is not None:
        if helper is Helper.FTP:
            is_new = _update_ftp(store, conn, packet, headers, action, now_ms)
        else:
            is_new = _update(store, conn, meta, headers, now_ms)
        if action.nat is not None and not is_new:
            translate_once(packet, headers, conn, action.zone)
    elif (conn := _by_original(store, meta, headers, action, now_ms)) is not None:
        is_new = _update(store, conn, meta, headers, now_ms)
    elif headers.is_related:
        meta.state = INVALID
    else:
        is_new = True
    expected = None
    if is_new:
        expected = store.expectations.find(headers.key)
        if store.table.find(headers.key, now_ms) is None:
            conn = begin(store, packet, headers, action, helper, expected, now_ms)
    _describe(meta, action.zone, conn, headers.key, expected)
    if conn is not None:
        _write_marks(meta, conn, action)
        if helper is not None and conn.helper is not None and conn.helper.name:
            _help(store, helper, packet, headers, conn, action)
    meta.conn = conn if action.nat is None else None
    meta.is_reply = headers.is_reply
    meta.is_related = headers.is_related


def _look_up(
    store: ConnStore, headers: Headers, action: CtAction, is_natted: bool, now_ms: int
) -> Conn | None:
    """Find the packet's connection, and say which way it goes.

    A packet that was translated has the key that its answer would have, swapped.
    """
    probe = reverse(headers.key) if is_natted else headers.key
    conn = store.table.index.get(probe)
    if conn is not None and now_ms >= conn.expires_ms:
        conn = store.table.find(probe, now_ms)
    if conn is None:
        store.counters.natted_miss += is_natted
        return None
    is_forward = (conn.key == probe) is not is_natted
    headers.is_reply = not is_forward
    if is_natted:
        headers.key = conn.key if is_forward else conn.reply_key
    if action.force:
        return _unless_wrong_way(conn, headers, probe, is_natted)
    return conn


def _unless_wrong_way(conn: Conn, headers: Headers, probe: bytes, is_natted: bool) -> Conn | None:
    """End a connection that the packet answers, so that the packet begins one of its own.

    Open vSwitch looks at the direction before it has followed a translated key back. Hence
    what answers a translated connection does not end it, while a packet of it that was
    translated already is taken for an answer.
    """
    if conn.is_found_by_translation(probe):
        if not is_natted:
            return conn
        headers.is_reply = True
        return None
    if not headers.is_reply:
        return conn
    conn.expires_ms = 0
    return None


def _by_original(
    store: ConnStore, meta: CtMeta, headers: Headers, action: CtAction, now_ms: int
) -> Conn | None:
    """The connection of a translated packet whose own key does not lead to it."""
    original = meta.original_key
    if not meta.state & NATTED or original is None or action.nat is not None:
        return None
    own, parts = parts_of(headers.key), parts_of(original)
    if len(own.source) != len(parts.source) or parts.protocol == 0:
        return None
    key = parts._replace(ident=own.ident, zone=meta.zone).pack()
    conn = store.table.find(key, now_ms)
    return None if conn is None or now_ms >= conn.expires_ms else conn


def _update(store: ConnStore, conn: Conn, meta: CtMeta, headers: Headers, now_ms: int) -> bool:
    """The connection sees a packet. True if another connection begins with it."""
    if headers.is_related:
        meta.state |= RELATED | REPLY if headers.is_reply else RELATED
        return False
    if conn.helper is not None and conn.helper.parent_key is not None:
        meta.state |= RELATED
    durations = store.timeouts.durations(conn.timeout_policy)
    protocol = store.protocols[conn.key[PROTOCOL_AT]]
    update = protocol.update(conn, headers, headers.is_reply, now_ms, durations)
    if update is Update.VALID:
        state = (meta.state | ESTABLISHED) & ~NEW
        meta.state = state | REPLY if headers.is_reply else state
    elif update is Update.VALID_NEW:
        meta.state |= NEW
    elif update is Update.INVALID:
        meta.state = INVALID
    else:
        conn.expires_ms = 0
        return True
    return False


def _update_ftp(
    store: ConnStore,
    conn: Conn,
    packet: CtPacket,
    headers: Headers,
    action: CtAction,
    now_ms: int,
) -> bool:
    """As :func:`_update`, which must see sequence numbers as whoever lengthened them knows them."""
    skewed_way = conn.helper is not None and conn.helper.skew_is_reply
    translates = action.nat is not None
    if headers.is_reply != skewed_way:
        adjust_control(packet, headers, conn, translates)
        return _update(store, conn, packet.meta, headers, now_ms)
    is_new = _update(store, conn, packet.meta, headers, now_ms)
    if not is_new:
        adjust_control(packet, headers, conn, translates)
    return is_new


def _describe(
    meta: CtMeta, zone: int, conn: Conn | None, key: bytes | None, expected: Expectation | None
) -> None:
    """Write what rules can match on: of the connection, else of what announced it."""
    meta.state |= TRACKED
    meta.zone = zone
    if conn is not None:
        meta.mark = conn.mark
        meta.label = conn.label
        meta.original_key = conn.original_key
    elif expected is not None:
        meta.mark = expected.mark
        meta.label = expected.label
        meta.original_key = expected.parent_key
    else:
        meta.mark = meta.label = 0
        meta.original_key = key


def _write_marks(meta: CtMeta, conn: Conn, action: CtAction) -> None:
    """Mark the connection. One that was announced keeps what it inherited."""
    if action.mark is None and action.label is None:
        return
    if conn.is_foreseen:
        meta.mark, meta.label = conn.mark, conn.label
        return
    if action.mark is not None:
        value, mask = action.mark
        conn.mark = meta.mark = value | meta.mark & ~mask
    if action.label is not None:
        value, mask = action.label
        conn.label = meta.label = value | meta.label & ~mask


def _help(
    store: ConnStore,
    helper: Helper,
    packet: CtPacket,
    headers: Headers,
    conn: Conn,
    action: CtAction,
) -> None:
    """Let the helper read a control packet: it may announce a connection."""
    if helper is Helper.FTP:
        read_control(store.expectations, packet, headers, conn, action.nat is not None)
    else:
        is_reply = packet.meta.state & REPLY != 0
        store.expectations.announce(conn, parts_of(conn.key).source_part, is_reply)
