"""ICMP (RFC 792).

 0      1      2          4                8
| type | code | checksum | rest of header | data ...
"""

from __future__ import annotations

from typing import NamedTuple

from vnet.wire.checksum import checksum

PROTOCOL = 1
HEADER_BYTES = 8

ECHO_REPLY = 0
UNREACHABLE = 3
REDIRECT = 5
ECHO_REQUEST = 8
TIME_EXCEEDED = 11
PARAMETER_PROBLEM = 12
TIMESTAMP_REQUEST = 13
TIMESTAMP_REPLY = 14

NET_UNREACHABLE = 0
HOST_UNREACHABLE = 1
PROTOCOL_UNREACHABLE = 2
PORT_UNREACHABLE = 3
FRAGMENTATION_NEEDED = 4
COMMUNICATION_PROHIBITED = 13

REDIRECT_HOST = 1

TTL_EXCEEDED = 0
REASSEMBLY_TIMEOUT = 1

ERRORS = frozenset((UNREACHABLE, 4, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM))
"""Types that report on another packet; 4 is the retired source quench."""


class Icmp(NamedTuple):
    """``rest`` is the four bytes after the checksum: id and sequence, or unused and MTU."""

    type: int
    code: int
    rest: bytes
    payload: bytes

    @property
    def ident(self) -> int:
        return self.rest[0] << 8 | self.rest[1]

    @property
    def sequence(self) -> int:
        return self.rest[2] << 8 | self.rest[3]


def parse(message: bytes) -> Icmp | None:
    """A message with a correct checksum, or None."""
    if len(message) < HEADER_BYTES or checksum(message) != 0:
        return None
    return Icmp(message[0], message[1], message[4:8], message[8:])


def emit(message: Icmp) -> bytes:
    """The bytes of ``message``, with its checksum."""
    data = bytes((message.type, message.code, 0, 0)) + message.rest + message.payload
    return data[:2] + checksum(data).to_bytes(2, "big") + data[4:]
