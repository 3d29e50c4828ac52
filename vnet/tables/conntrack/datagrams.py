"""Protocols that have no connections of their own: UDP and all others, and ICMP's questions."""

from __future__ import annotations

from collections.abc import Collection

from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.headers import Headers
from vnet.tables.conntrack.policy import Update
from vnet.tables.conntrack.timeouts import Durations, Timeout


class Datagrams:
    """UDP, SCTP, GRE and the rest: established once both ends have spoken.

    ``Conn.l4`` is the :class:`Timeout` it has.
    """

    __slots__ = ()

    def may_start(self, headers: Headers) -> bool:  # noqa: ARG002
        return True

    def start(self, conn: Conn, headers: Headers, now_ms: int, durations: Durations) -> None:  # noqa: ARG002
        conn.l4 = Timeout.OTHER_FIRST
        conn.expires_ms = now_ms + durations[Timeout.OTHER_FIRST]

    def update(
        self,
        conn: Conn,
        headers: Headers,  # noqa: ARG002
        is_reply: bool,
        now_ms: int,
        durations: Durations,
    ) -> Update:
        if is_reply:
            conn.l4 = Timeout.OTHER_BIDIR
        elif conn.l4 is Timeout.OTHER_FIRST:
            conn.l4 = Timeout.OTHER_MULTIPLE
        conn.expires_ms = now_ms + durations[conn.l4]
        return Update.VALID if conn.l4 is Timeout.OTHER_BIDIR else Update.VALID_NEW


class Questions:
    """ICMP and ICMPv6 messages that ask and are answered; ``types`` are those that ask."""

    __slots__ = ("_types",)

    def __init__(self, types: Collection[int]) -> None:
        self._types = types

    def may_start(self, headers: Headers) -> bool:
        return headers.l4 < len(headers.data) and headers.data[headers.l4] in self._types

    def start(self, conn: Conn, headers: Headers, now_ms: int, durations: Durations) -> None:  # noqa: ARG002
        conn.l4 = Timeout.ICMP_FIRST
        conn.expires_ms = now_ms + durations[Timeout.ICMP_FIRST]

    def update(
        self,
        conn: Conn,
        headers: Headers,  # noqa: ARG002
        is_reply: bool,
        now_ms: int,
        durations: Durations,
    ) -> Update:
        if is_reply:
            conn.l4 = Timeout.ICMP_REPLY
        conn.expires_ms = now_ms + durations[conn.l4]
        return Update.VALID_NEW if conn.l4 is Timeout.ICMP_FIRST else Update.VALID
