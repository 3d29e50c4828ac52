"""ICMPv6 (RFC 4443): the envelope of errors, echo, neighbour discovery and MLD.

 0      1      2          4
| type | code | checksum | body ...
"""

from __future__ import annotations

from typing import NamedTuple

from vnet.wire.checksum import checksum, pseudo_header_sum, transport_checksum

PROTOCOL = 58

UNREACHABLE = 1
PACKET_TOO_BIG = 2
TIME_EXCEEDED = 3
PARAMETER_PROBLEM = 4
ECHO_REQUEST = 128
ECHO_REPLY = 129
MLD_QUERY = 130
MLD_REPORT = 131
MLD_DONE = 132
ROUTER_SOLICITATION = 133
ROUTER_ADVERTISEMENT = 134
NEIGHBOR_SOLICITATION = 135
NEIGHBOR_ADVERTISEMENT = 136
REDIRECT = 137
MLDV2_REPORT = 143

NO_ROUTE = 0
PROHIBITED = 1
BEYOND_SCOPE = 2
ADDRESS_UNREACHABLE = 3
PORT_UNREACHABLE = 4

HOP_LIMIT_EXCEEDED = 0
REASSEMBLY_TIMEOUT = 1

ERRONEOUS_FIELD = 0
UNKNOWN_NEXT_HEADER = 1
UNKNOWN_OPTION = 2
INCOMPLETE_HEADERS = 3


class Icmpv6(NamedTuple):
    """``body`` is all that follows the checksum."""

    type: int
    code: int
    body: bytes

    @property
    def is_error(self) -> bool:
        return self.type < 128


def parse(source: bytes, target: bytes, message: bytes) -> Icmpv6 | None:
    """A message with a correct checksum, or None."""
    if len(message) < 8:
        return None
    if checksum(message, pseudo_header_sum(source, target, PROTOCOL, len(message))) != 0:
        return None
    return Icmpv6(message[0], message[1], message[4:])


def emit(source: bytes, target: bytes, message: Icmpv6) -> bytes:
    """The bytes of ``message`` between two addresses, with its checksum."""
    data = bytes((message.type, message.code, 0, 0)) + message.body
    check = transport_checksum(source, target, PROTOCOL, data)
    return data[:2] + check.to_bytes(2, "big") + data[4:]
