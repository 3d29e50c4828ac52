"""Answers to segments that belong to no connection (RFC 9293 section 3.10.7.1)."""

from __future__ import annotations

from vnet.wire.tcp import ACK, FIN, RST, SYN, Tcp


def reset_for(segment: Tcp) -> Tcp:
    """The reset that ``segment``, which is none itself, is answered with."""
    if segment.flags & ACK:
        return _reset(segment, segment.acknowledgement, 0, RST)
    length = len(segment.payload) + bool(segment.flags & SYN) + bool(segment.flags & FIN)
    return _reset(segment, 0, segment.sequence + length & 0xFFFFFFFF, RST | ACK)


def _reset(segment: Tcp, sequence: int, acknowledgement: int, flags: int) -> Tcp:
    return Tcp(
        segment.target_port,
        segment.source_port,
        sequence,
        acknowledgement,
        flags,
        0,
        0,
        b"",
        b"",
    )
