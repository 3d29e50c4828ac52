"""A connection, as the table holds it."""

from __future__ import annotations

from typing import Any

from vnet.tables.conntrack.action import NatKind
from vnet.tables.conntrack.key import reverse
from vnet.tables.conntrack.limits import ZoneLimit


class HelperState:
    """What connections have that a helper watches or has foreseen; most have none.

    ``name`` is the helper's. ``parent_key`` is set where another connection announced this
    one. ``skew`` is by how many bytes a helper has lengthened what went in the direction
    ``skew_is_reply``.
    """

    __slots__ = ("name", "parent_key", "skew", "skew_is_reply")

    def __init__(self, name: str, parent_key: bytes | None) -> None:
        self.name = name
        self.parent_key = parent_key
        self.skew = 0
        self.skew_is_reply = False


class Conn:
    """A connection: packets of ``key`` one way, packets of ``reply_key`` the other.

    Without translation ``reply_key`` is ``key`` with its ends swapped. ``nat`` says what is
    translated; ``is_translated`` is also set where a rule asked for translation and named no
    end. ``l4`` is the protocol's own state. ``limit`` is the zone limit it counts against.
    """

    __slots__ = (
        "expires_ms",
        "helper",
        "is_translated",
        "key",
        "l4",
        "label",
        "limit",
        "mark",
        "nat",
        "reply_key",
        "timeout_policy",
    )

    def __init__(self, key: bytes, reply_key: bytes, timeout_policy: int) -> None:
        self.key = key
        self.reply_key = reply_key
        self.timeout_policy = timeout_policy
        self.expires_ms = 0
        self.mark = 0
        self.label = 0
        self.nat: NatKind | None = None
        self.is_translated = False
        self.l4: Any = None
        self.limit: ZoneLimit | None = None
        self.helper: HelperState | None = None

    @property
    def is_foreseen(self) -> bool:
        """Whether a helper announced it (``+rel``)."""
        return self.helper is not None and self.helper.parent_key is not None

    @property
    def original_key(self) -> bytes:
        """The key that packets of this connection are known by in other rules."""
        helper = self.helper
        return self.key if helper is None or helper.parent_key is None else helper.parent_key

    def is_found_by_translation(self, key: bytes) -> bool:
        """Whether ``key``, which is of this connection, is so only since it is translated."""
        return self.is_translated and self.key != key and self.reply_key != reverse(self.key)

    def timeout_s(self, now_ms: int) -> int:
        """Whole seconds until it expires."""
        return max(self.expires_ms - now_ms, 0) // 1000
