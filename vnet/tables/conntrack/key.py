"""The key of a connection: both ends, zone and protocol, as bytes that serve as dictionary keys.

| source | target | source's part | target's part | zone (2) | protocol (1) | id (2) |

Addresses take 4 or 16 bytes, and so tell the families apart. An end's part (2 bytes) is its
port. For echo and the like it is the type that a message from that end has, in the upper byte,
and ``id`` is the message's identifier; both are 0 otherwise.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

_V4 = Struct("!4s4sHHHBH")
_V6 = Struct("!16s16sHHHBH")
_V4_BYTES = _V4.size

_ZONE = Struct("!H")
_ZONE_AT = -5
PROTOCOL_AT = -3
"""Where in a key the protocol stands, from the end."""

NO_ID = b"\0\0"
NO_PORT = 0


class KeyParts(NamedTuple):
    """A key taken apart."""

    source: bytes
    target: bytes
    source_part: int
    target_part: int
    zone: int
    protocol: int
    ident: int = 0

    def pack(self) -> bytes:
        """The key."""
        layout = _V4 if len(self.source) == 4 else _V6
        return layout.pack(*self)


def parts_of(key: bytes) -> KeyParts:
    """Take a key apart."""
    layout = _V4 if len(key) == _V4_BYTES else _V6
    return KeyParts._make(layout.unpack(key))


def reverse(key: bytes) -> bytes:
    """The key with its ends swapped."""
    if len(key) == _V4_BYTES:
        return key[4:8] + key[:4] + key[10:12] + key[8:10] + key[12:]
    return key[16:32] + key[:16] + key[34:36] + key[32:34] + key[36:]


def without_source_port(key: bytes) -> bytes:
    """The key of a connection from any port."""
    at = 8 if len(key) == _V4_BYTES else 32
    return key[:at] + b"\0\0" + key[at + 2 :]


def zone_of(key: bytes) -> int:
    """The zone alone."""
    zone: int = _ZONE.unpack_from(key, len(key) + _ZONE_AT)[0]
    return zone
