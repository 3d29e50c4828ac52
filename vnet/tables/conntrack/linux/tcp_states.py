"""The states of TCP's connections, and what moves them (nf_conntrack_proto_tcp.c)."""

from __future__ import annotations

from enum import IntEnum

from vnet.wire.tcp import ACK, FIN, RST, SYN, URG


class TcpConnState(IntEnum):
    """States of a connection, by the kernel's numbers and names."""

    NONE = 0
    SYN_SENT = 1
    SYN_RECV = 2
    ESTABLISHED = 3
    FIN_WAIT = 4
    CLOSE_WAIT = 5
    LAST_ACK = 6
    TIME_WAIT = 7
    CLOSE = 8
    SYN_SENT2 = 9


SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE_WAIT = 1, 2, 3, 4, 5
LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2 = 6, 7, 8, 9
CLOSED = frozenset((FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE))
IGNORED, BAD = 10, 11
"""Not states: the packet moves nothing, or cannot be."""

SYN_ONLY, SYN_ACK, WITH_FIN, ACK_ONLY, WITH_RST, WITH_NONE = range(6)
"""What a segment is taken for, by its flags."""

_IG, _IV = IGNORED, BAD
_NEVER = (_IV,) * 10
_CLOSING = (_IV, _IV, 4, 4, 6, 6, 6, 7, 8, _IV)
_RESET = (_IV, 8, 8, 8, 8, 8, 8, 8, 8, 8)
NEXT = (
    (  # from who opened the connection: by kind, then by state
        (1, 1, _IG, _IG, _IG, _IG, _IG, 1, 1, 9),
        (_IV, _IV, 2, _IV, _IV, _IV, _IV, _IV, _IV, 2),
        _CLOSING,
        (3, _IV, 3, 3, 5, 5, 7, 7, 8, _IV),
        _RESET,
        _NEVER,
    ),
    (  # from who answers
        (_IV, 9, _IV, _IV, _IV, _IV, _IV, 1, _IV, 9),
        (_IV, 2, _IG, _IG, _IG, _IG, _IG, _IG, _IG, 2),
        _CLOSING,
        (_IV, _IG, 2, 3, 5, 5, 7, 7, 8, _IG),
        _RESET,
        _NEVER,
    ),
)

SIGNIFICANT = FIN | SYN | RST | ACK | URG
SOUND = frozenset(
    (SYN, SYN | URG, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | URG, ACK, ACK | URG)
)
KIND = tuple(
    WITH_RST
    if flags & RST
    else (SYN_ACK if flags & ACK else SYN_ONLY)
    if flags & SYN
    else WITH_FIN
    if flags & FIN
    else ACK_ONLY
    if flags & ACK
    else WITH_NONE
    for flags in range(256)
)

CHALLENGE_EXPECTED = 0x40
SIMULTANEOUS = 0x80
"""Of ``last_flags``: an ignored SYN may be answered by a challenge (RFC 5961); both ends opened."""
