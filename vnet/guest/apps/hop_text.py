"""What routers' errors tell a program that traces a path, and how the tools write it."""

from __future__ import annotations

from vnet.linux.netns.sockets.errors import SocketError
from vnet.wire import icmp, icmpv6

_NOTES4 = {
    **dict.fromkeys((0, 6, 8, 11), "!N"),
    **dict.fromkeys((1, 7, 12), "!H"),
    **dict.fromkeys((9, 10, 13), "!X"),
    2: "!P",
    3: "",
    5: "!S",
    14: "!V",
    15: "!C",
}
_NOTES6 = {0: "!N", 1: "!X", 2: "!H", 3: "!H", 4: ""}


def is_expired(error: SocketError, *, is_ipv6: bool) -> bool:
    """Whether a router says that the hops were used up there."""
    expired = icmpv6.TIME_EXCEEDED if is_ipv6 else icmp.TIME_EXCEEDED
    return error.kind == expired and error.code == 0


def annotation(error: SocketError, *, is_ipv6: bool) -> str:
    """What traceroute(8) writes behind the time; nothing where the port was unreachable, for that
    is the target's answer."""
    kind, code = error.kind, error.code
    too_large = (
        kind == icmpv6.PACKET_TOO_BIG
        if is_ipv6
        else (kind, code)
        == (
            icmp.UNREACHABLE,
            icmp.FRAGMENTATION_NEEDED,
        )
    )
    if too_large:
        return f"!F-{error.mtu_bytes}"
    if kind == (icmpv6.UNREACHABLE if is_ipv6 else icmp.UNREACHABLE):
        notes = _NOTES6 if is_ipv6 else _NOTES4
        return notes.get(code, f"!<{code}>")
    return f"!<{kind}-{code}>"


def hops_left(ttl: int) -> int:
    """How many hops an answer has come, if it began with 64, 128 or 255."""
    for start in (64, 128):
        if ttl <= start:
            return start + 1 - ttl
    return 256 - ttl
