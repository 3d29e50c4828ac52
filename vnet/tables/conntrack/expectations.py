"""Connections that another one has announced, as an FTP control connection does its transfers."""

from __future__ import annotations

from vnet.base.record import record
from vnet.tables.conntrack.action import NatKind
from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.key import NO_PORT, KeyParts, parts_of, without_source_port


@record(frozen=True, slots=True)
class Expectation:
    """The first packet of ``key``, from any port, starts a connection of ``parent_key``'s.

    It inherits mark and label. Where it is translated, ``replacement`` takes the place of its
    reply's target (``replaces_target``) or else of its reply's source.
    """

    key: bytes
    parent_key: bytes
    mark: int
    label: int
    replacement: bytes
    replaces_target: bool


class Expectations:
    """What is announced, by key. At most ``limit`` are kept; later ones are ignored."""

    __slots__ = ("_by_key", "_by_parent", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._by_key: dict[bytes, Expectation] = {}
        self._by_parent: dict[bytes, list[Expectation]] = {}

    def find(self, key: bytes) -> Expectation | None:
        """What announced a connection that starts with a packet of ``key``."""
        return self._by_key.get(without_source_port(key)) if self._by_key else None

    def announce(self, parent: Conn, target_port: int, is_reply: bool) -> None:
        """A connection to ``target_port`` will come.

        ``is_reply`` says which end announced it: the one that answered. The other will open it.
        """
        key, reply = parts_of(parent.key), parts_of(parent.reply_key)
        is_target_translated = parent.nat is NatKind.DESTINATION
        if is_reply:
            source, target = key.source, key.target
            replacement = reply.source if is_target_translated else reply.target
        else:
            source, target = reply.source, reply.target
            replacement = key.target if is_target_translated else key.source
        expected = KeyParts(source, target, NO_PORT, target_port, key.zone, key.protocol).pack()
        if expected in self._by_key or len(self._by_key) >= self.limit:
            return
        expectation = Expectation(
            expected,
            parent.key,
            parent.mark,
            parent.label,
            replacement,
            is_reply != is_target_translated,
        )
        self._by_key[expected] = expectation
        self._by_parent.setdefault(parent.key, []).append(expectation)

    def forget(self, parent_key: bytes) -> None:
        """The connection that announced is gone, and so is what it announced."""
        for expectation in self._by_parent.pop(parent_key, ()):
            del self._by_key[expectation.key]

    def __len__(self) -> int:
        return len(self._by_key)
