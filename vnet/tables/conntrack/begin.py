"""The first packet of a connection."""

from __future__ import annotations

from vnet.tables.conntrack.action import CtAction, NatKind, NatRange
from vnet.tables.conntrack.conn import Conn, HelperState
from vnet.tables.conntrack.expectations import Expectation
from vnet.tables.conntrack.headers import Headers
from vnet.tables.conntrack.helpers import Helper, may_watch
from vnet.tables.conntrack.key import PROTOCOL_AT, parts_of, reverse
from vnet.tables.conntrack.packet import INVALID, NEW, RELATED, CtPacket
from vnet.tables.conntrack.store import ConnStore
from vnet.tables.conntrack.translation import translate_packet


def begin(
    store: ConnStore,
    packet: CtPacket,
    headers: Headers,
    action: CtAction,
    helper: Helper | None,
    expected: Expectation | None,
    now_ms: int,
) -> Conn | None:
    """A packet of no connection: judge it, and with ``commit`` make its connection.

    None where none was made: not asked for, not allowed, or nothing left to translate to.
    """
    meta, key = packet.meta, headers.key
    protocol = store.protocols[key[PROTOCOL_AT]]
    if not protocol.may_start(headers):
        meta.state = INVALID
        return None
    meta.state = NEW if expected is None else NEW | RELATED
    if not (action.commit or action.force) or not store.has_room(action.zone):
        return None
    conn = Conn(key, reverse(key), action.timeout_policy)
    protocol.start(conn, headers, now_ms, store.timeouts.durations(action.timeout_policy))
    name = action.helper if may_watch(action.helper, helper) else ""
    if name or expected is not None:
        conn.helper = HelperState(name, None if expected is None else expected.parent_key)
    if expected is not None:
        conn.mark, conn.label = expected.mark, expected.label
    if action.nat is not None:
        if not _choose_translation(store, conn, action.nat, expected, now_ms):
            store.counters.nat_exhausted += 1
            return None
        translate_packet(packet, headers, conn, is_reply=False)
    store.remember(conn, action.zone)
    return conn


def _choose_translation(
    store: ConnStore, conn: Conn, choice: NatRange, expected: Expectation | None, now_ms: int
) -> bool:
    """Settle what the connection is translated to; False if everything is taken.

    One that was announced is translated as the one that announced it, whatever is free.
    """
    conn.is_translated = True
    if expected is not None:
        reply = parts_of(conn.reply_key)
        if expected.replaces_target:
            conn.nat = NatKind.SOURCE
            conn.reply_key = reply._replace(target=expected.replacement).pack()
        else:
            conn.nat = NatKind.DESTINATION
            conn.reply_key = reply._replace(source=expected.replacement).pack()
        return True
    conn.nat = choice.kind
    chosen = store.policy.nat.choose(
        conn.key, conn.reply_key, choice, lambda key: store.table.find(key, now_ms) is not None
    )
    if chosen is None:
        return False
    conn.reply_key = chosen
    return True
