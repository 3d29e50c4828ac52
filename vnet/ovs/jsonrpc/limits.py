"""How much one message may be, and how that is found out before it is taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vnet.ovs.jsonrpc.brackets import depths
from vnet.ovs.jsonrpc.errors import JsonRpcError

_MIB = 1 << 20
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits for one peer's messages. Open vSwitch has only the one on depth (its is 1000)."""

    message_bytes: int = 64 * _MIB
    depth: int = 500
    parts: int = 4_000_000
    """Values in one message: tiny ones take far more memory than their text."""

    def is_surely_within(self, data: bytes) -> bool:
        """Whether nothing in ``data`` can be too much, by a count that includes strings."""
        opening = data.count(b"[") + data.count(b"{")
        return (
            opening <= self.depth
            and opening + data.count(b",") <= self.parts
            and len(data) <= self.message_bytes
        )

    def check(self, message: bytes) -> None:
        """Raise :class:`JsonRpcError` if a whole message is too much."""
        if self.is_surely_within(message):
            return
        if len(message) > self.message_bytes:
            raise self.too_long()
        bare = _STRING.sub(b"0", message)
        if max(depths(bare, 0), default=0) > self.depth:
            raise self.too_deep()
        if bare.count(b"[") + bare.count(b"{") + bare.count(b",") > self.parts:
            raise JsonRpcError(f"input has more than {self.parts} values")

    def too_long(self) -> JsonRpcError:
        """What is said of a message of too many bytes."""
        return JsonRpcError(f"input exceeds maximum size of {self.message_bytes} bytes")

    def too_deep(self) -> JsonRpcError:
        """What is said of too many brackets in each other."""
        return JsonRpcError(f"input exceeds maximum nesting depth {self.depth}")


DEFAULT_LIMITS = Limits()
