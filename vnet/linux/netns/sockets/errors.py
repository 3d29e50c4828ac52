"""What a socket is told of a packet that did not get through, in ping(8)'s words."""

from __future__ import annotations

from typing import NamedTuple

from vnet.base.drops import DropReason
from vnet.linux.netfilter.drops import FORBIDDING
from vnet.linux.netns import drops
from vnet.linux.tcp.outcome import Failure
from vnet.wire import icmp, icmpv6


class SocketError(NamedTuple):
    """An ICMP error, or a refusal by our own stack, about a packet that a socket sent.

    ``reporter`` is who says so; ``text`` is ping(8)'s phrase; ``sequence`` is set for echo
    requests; ``target`` is where the packet was meant to go, and ``port`` to which port. Of an
    ICMP message, ``kind`` and ``code`` are its numbers, ``mtu_bytes`` is what it says would have
    fitted, and ``ttl`` with how many hops left it came; our own stack has no ``kind``.
    """

    reporter: bytes
    text: str
    sequence: int | None
    target: bytes
    port: int = 0
    kind: int | None = None
    code: int = 0
    mtu_bytes: int = 0
    ttl: int = 0


def icmp_phrase(kind: int, code: int, rest: bytes) -> str:
    """What ping(8) of iputils prints for an ICMP error."""
    if kind == icmp.UNREACHABLE and code == icmp.FRAGMENTATION_NEEDED:
        return f"Frag needed and DF set (mtu = {rest[2] << 8 | rest[3]})"
    return {
        (icmp.UNREACHABLE, 0): "Destination Net Unreachable",
        (icmp.UNREACHABLE, 1): "Destination Host Unreachable",
        (icmp.UNREACHABLE, 2): "Destination Protocol Unreachable",
        (icmp.UNREACHABLE, 3): "Destination Port Unreachable",
        (icmp.UNREACHABLE, 13): "Packet filtered",
        (icmp.TIME_EXCEEDED, 0): "Time to live exceeded",
        (icmp.TIME_EXCEEDED, 1): "Frag reassembly time exceeded",
    }.get((kind, code), f"ICMP type {kind} code {code}")


def icmpv6_phrase(kind: int, code: int, rest: bytes) -> str:
    """What ping(8) of iputils prints for an ICMPv6 error."""
    if kind == icmpv6.PACKET_TOO_BIG:
        return f"Packet too big: mtu={int.from_bytes(rest, 'big')}"
    return {
        (icmpv6.UNREACHABLE, 0): "Destination unreachable: No route",
        (icmpv6.UNREACHABLE, 1): "Destination unreachable: Administratively prohibited",
        (icmpv6.UNREACHABLE, 2): "Destination unreachable: Beyond scope of source address",
        (icmpv6.UNREACHABLE, 3): "Destination unreachable: Address unreachable",
        (icmpv6.UNREACHABLE, 4): "Destination unreachable: Port unreachable",
        (icmpv6.TIME_EXCEEDED, 0): "Time exceeded: Hop limit",
        (icmpv6.TIME_EXCEEDED, 1): "Time exceeded: Defragmentation failure",
    }.get((kind, code), f"ICMPv6 type {kind} code {code}")


def icmp_failure(kind: int, code: int) -> Failure | None:
    """What an ICMP error means to a connection; None for "too large"."""
    if (kind, code) == (icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED):
        return None
    if kind == icmp.UNREACHABLE:
        return {
            icmp.NET_UNREACHABLE: Failure.NO_NETWORK,
            icmp.PROTOCOL_UNREACHABLE: Failure.NO_PROTOCOL,
            icmp.PORT_UNREACHABLE: Failure.REFUSED,
        }.get(code, Failure.NO_HOST)
    return Failure.PROTOCOL if kind == icmp.PARAMETER_PROBLEM else Failure.NO_HOST


def icmpv6_failure(kind: int, code: int) -> Failure | None:
    """The same for ICMPv6."""
    if kind == icmpv6.PACKET_TOO_BIG:
        return None
    if kind == icmpv6.UNREACHABLE:
        return {
            icmpv6.NO_ROUTE: Failure.NO_NETWORK,
            icmpv6.PORT_UNREACHABLE: Failure.REFUSED,
            icmpv6.PROHIBITED: Failure.DENIED,
        }.get(code, Failure.NO_HOST)
    return Failure.PROTOCOL if kind == icmpv6.PARAMETER_PROBLEM else Failure.NO_HOST


def local_phrase(reason: DropReason, mtu: int | None) -> str:
    if reason is drops.FRAGMENTATION_NEEDED:
        return f"Message too long, mtu={mtu}"
    if reason in FORBIDDING:
        return "Operation not permitted"
    return _REFUSED.get(reason, reason.cause)


_REFUSED = {
    drops.NO_ROUTE: "Network is unreachable",
    drops.ROUTE_UNREACHABLE: "No route to host",
    drops.ROUTE_PROHIBITED: "Permission denied",
    drops.ROUTE_BLACKHOLE: "Invalid argument",
    drops.LOOPBACK_SOURCE: "Invalid argument",
}
"""What connect(2) and sendto(2) say of a destination that no packet goes to."""
