"""A connection."""

from __future__ import annotations


class Conn:
    """One connection and its state."""

    __slots__ = ("expires_ms", "key", "label", "mark", "reply_key")
