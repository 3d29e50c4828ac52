"""How much one message may be, and how that is found out before it is taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

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

    def check_parts(self, message: bytes) -> None:
        """Raise :class:`JsonRpcError` if a whole message has too many values."""
        if _n_parts(message) > self.parts and _n_parts(_STRING.sub(b"0", message)) > self.parts:
            raise JsonRpcError(f"input has more than {self.parts} values")

    def too_long(self) -> JsonRpcError:
        """What is said of a message of too many bytes."""
        return JsonRpcError(f"input exceeds maximum size of {self.message_bytes} bytes")

    def too_deep(self) -> JsonRpcError:
        """What is said of too many brackets in each other."""
        return JsonRpcError(f"input exceeds maximum nesting depth {self.depth}")


def _n_parts(text: bytes) -> int:
    return text.count(b"[") + text.count(b"{") + text.count(b",")


DEFAULT_LIMITS = Limits()
