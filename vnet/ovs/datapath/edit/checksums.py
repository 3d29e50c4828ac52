"""Checksums that follow what was written (RFC 1624), and where transport protocols keep theirs."""

from __future__ import annotations

ICMP = 1
TCP = 6
UDP = 17
ICMPV6 = 58

TCP_HEADER_BYTES = 20
UDP_HEADER_BYTES = 8

_TCP_CHECKSUM = 16
_UDP_CHECKSUM = 6
_ICMP_CHECKSUM = 2
_ICMPV6_LEAST_BYTES = 4


def change_of(old: int, new: int, n_bits: int) -> int:
    """What writing ``new`` over ``old``, whole 16-bit words, adds to a checksum's complement."""
    return (1 << n_bits) - 1 - old + new


def updated(checksum: int, change: int) -> int:
    """A checksum after changes that sum up to ``change``.

    To the bit what one update after the other, word by word, would leave: 0xFFFF, the other
    zero, only stays where nothing is added to it.
    """
    return (checksum - change) % 0xFFFF if change or checksum != 0xFFFF else 0xFFFF


def put(data: bytes, at: int, new: bytes) -> bytes:
    """``data`` with ``new`` written over what is at ``at``."""
    return data[:at] + new + data[at + len(new) :]


def update_tcp(data: bytes, l4: int, change: int) -> bytes:
    """Let TCP's checksum follow a change."""
    return _update(data, l4 + _TCP_CHECKSUM, change)


def update_icmp(data: bytes, l4: int, change: int) -> bytes:
    """Let the checksum of ICMP or ICMPv6 follow a change."""
    return _update(data, l4 + _ICMP_CHECKSUM, change)


def update_udp(data: bytes, l4: int, change: int) -> bytes:
    """Let UDP's checksum follow a change; 0 says that there is none, and stays (RFC 768)."""
    at = l4 + _UDP_CHECKSUM
    old = data[at] << 8 | data[at + 1]
    return put(data, at, (updated(old, change) or 0xFFFF).to_bytes(2, "big")) if old else data


def _update(data: bytes, at: int, change: int) -> bytes:
    return put(data, at, updated(data[at] << 8 | data[at + 1], change).to_bytes(2, "big"))


def update_ipv4_payload(data: bytes, protocol: int, l4: int, n_bytes: int, change: int) -> bytes:
    """Let the transport's checksum follow a change of IPv4 addresses.

    By the length of the payload alone, even of later fragments: so does Open vSwitch.
    """
    if protocol == TCP and n_bytes >= TCP_HEADER_BYTES:
        return update_tcp(data, l4, change)
    if protocol == UDP and n_bytes >= UDP_HEADER_BYTES:
        return update_udp(data, l4, change)
    return data


def update_ipv6_payload(data: bytes, protocol: int, l4: int, n_bytes: int, change: int) -> bytes:
    """Let the transport's checksum follow a change of IPv6 addresses, ICMPv6's too."""
    if protocol == ICMPV6 and n_bytes >= _ICMPV6_LEAST_BYTES:
        return update_icmp(data, l4, change)
    return update_ipv4_payload(data, protocol, l4, n_bytes, change)
