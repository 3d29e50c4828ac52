"""What ping(8) of iputils prints."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

from vnet.base.ids import is_multicast_ip
from vnet.base.units import NS_PER_MS, NS_PER_US
from vnet.guest.apps.ping import TIMED_BYTES, Heard, PingResult
from vnet.linux.netns.sockets.echo import EchoRedirect
from vnet.linux.netns.sockets.errors import SocketError
from vnet.wire import icmp

_REDIRECTS = {
    0: "Redirect Network",
    1: "Redirect Host",
    2: "Redirect Type of Service and Network",
    3: "Redirect Type of Service and Host",
}


def ping_text(
    result: PingResult, name: str, name_of: Callable[[bytes], str], *, quiet: bool = False
) -> str:
    """All of it. ``name`` is the target as typed, ``name_of`` how an address is shown.

    ``quiet`` (-q) leaves out what came of each packet.
    """
    if result.refusal:
        return f"ping: connect: {result.refusal}"
    lines = [_heading(result, name, name_of)]
    if not quiet:
        lines += [_line(result, event, name_of) for event in result.heard]
    return "\n".join([*lines, "", f"--- {name} ping statistics ---", *_statistics(result), ""])


def _heading(result: PingResult, name: str, name_of: Callable[[bytes], str]) -> str:
    # A zone says which link an address is of, and asks for no source.
    bound = f" from {result.bound}:" if result.bound and "%" not in name else ""
    size = result.size_bytes
    if len(result.address) == 16:
        address = name if name == "::" else name_of(result.address)
        return f"PING {name}({address}){bound} {size} data bytes"
    warning = "WARNING: pinging broadcast address\n" if result.is_broadcast else ""
    return f"{warning}PING {name} ({result.target}){bound} {size}({size + 28}) bytes of data."


def _line(
    result: PingResult, event: Heard | EchoRedirect | SocketError, name_of: Callable[[bytes], str]
) -> str:
    if isinstance(event, Heard):
        time = f" time={_three_digits(event.rtt_ns)} ms" if _timed(result) else ""
        again = event.is_duplicate and not is_multicast_ip(result.address)
        return (
            f"{event.size_bytes + icmp.HEADER_BYTES} bytes from {name_of(event.source)}: "
            f"icmp_seq={event.sequence} ttl={event.ttl}{time}{' (DUP!)' if again else ''}"
        )
    if isinstance(event, EchoRedirect):
        what = _REDIRECTS.get(event.code, f"Redirect, Bad Code: {event.code}")
        return (
            f"From {name_of(event.reporter)}: icmp_seq={event.sequence} "
            f"{what}(New nexthop: {name_of(event.gateway)})"
        )
    if event.kind is not None:
        return f"From {name_of(event.reporter)} icmp_seq={event.sequence} {event.text}"
    if event.mtu_bytes:
        mtu = f"mtu: {event.mtu_bytes}" if len(event.target) == 16 else f"mtu={event.mtu_bytes}"
        return f"ping: local error: message too long, {mtu}"
    return f"ping: sendmsg: {event.text}"


def _statistics(result: PingResult) -> list[str]:
    """How many, how long, and the last line, which may be empty."""
    replies = [event for event in result.heard if isinstance(event, Heard)]
    errors = [event for event in result.heard if isinstance(event, SocketError)]
    # What could not be handed to the kernel at all is a complaint, and not counted.
    told = sum(event.kind is not None or event.mtu_bytes > 0 for event in errors)
    counts = [f"{result.sent} packets transmitted", f"{result.received} received"]
    counts += [f"+{result.duplicates} duplicates"] if result.duplicates else []
    counts += [f"+{told} errors"] if told else []
    lost_percent = 100 * result.lost / result.sent if result.sent else 0
    counts.append(f"{lost_percent:g}% packet loss")
    counts.append(f"time {result.span_ns // NS_PER_MS}ms")
    last = []
    if replies and _timed(result):
        last.append(_round_trips([event.rtt_ns // NS_PER_US for event in replies]))
    if result.pipe > 1:
        last.append(f"pipe {result.pipe}")
    return [", ".join(counts), ", ".join(last)]


def _round_trips(times_us: list[int]) -> str:
    count, total = len(times_us), sum(times_us)
    variance = (sum(time * time for time in times_us) - total * total // count) // count
    figures = (min(times_us), total // count, max(times_us), isqrt(variance))
    shown = "/".join(f"{us // 1000}.{us % 1000:03d}" for us in figures)
    return f"rtt min/avg/max/mdev = {shown} ms"


def _timed(result: PingResult) -> bool:
    """Whether the time of sending is in the packets, and comes back."""
    return result.size_bytes >= TIMED_BYTES


def _three_digits(time_ns: int) -> str:
    """Milliseconds, with three decimals at most and fewer the longer it took."""
    time_us = time_ns // NS_PER_US
    decimals = next(
        (n for n, least_us in enumerate((99_950, 9_995, 1_000)) if time_us >= least_us), 3
    )
    step_us: int = 10 ** (3 - decimals)
    whole, rest = divmod((time_us + step_us // 2) // step_us, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}" if decimals else str(whole)
