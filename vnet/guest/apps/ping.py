"""ping(8) of iputils: echo requests built with Scapy, one a second, and their replies.

The first sixteen bytes of the payload hold the time of sending, the rest count upwards; DF is
set unless asked otherwise; from the second request on the kernel is told that answers come
in (MSG_CONFIRM), so a long ping does not make ARP probe. After the last request ping waits
for twice the longest round trip, but at least one interval, or ten seconds if nothing ever
came back.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypedDict

from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.packet import Raw

from vnet.base.errors import UsageError
from vnet.base.ids import IPV4_BROADCAST, IpAddress, ip_text
from vnet.base.units import NS_PER_S
from vnet.guest.apps.app import App, Pacer, milliseconds
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.echo import EchoRedirect, EchoReply, EchoSocket
from vnet.linux.netns.sockets.errors import SocketError
from vnet.tables.fib import RouteType
from vnet.wire import icmp

LINGER_NS = 10 * NS_PER_S
TIMED_BYTES = 16
"""From that size on the time of sending fits in."""

_ENDLESS = 1 << 62


class Heard(NamedTuple):
    """A reply, the ``size_bytes`` of its payload, and how long it took."""

    source: bytes
    sequence: int
    size_bytes: int
    ttl: int
    rtt_ns: int
    is_duplicate: bool


@dataclass
class PingResult:
    """What a ping saw. ``rtts_ns`` is in order of arrival; ``errors`` are ping's own words.

    ``heard`` is all that came back, in order. ``address`` is the target, packed, and ``bound``
    the source that was asked for. ``span_ns`` is the time from the first request to the last,
    ``pipe`` the most that were under way at once, and ``refusal`` why none could be sent.
    """

    target: str
    sent: int = 0
    received: int = 0
    duplicates: int = 0
    rtts_ns: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    heard: list[Heard | EchoRedirect | SocketError] = field(default_factory=list, repr=False)
    address: bytes = field(default=b"", repr=False)
    size_bytes: int = field(default=56, repr=False)
    bound: str = field(default="", repr=False)
    is_broadcast: bool = field(default=False, repr=False)
    span_ns: int = field(default=0, repr=False)
    pipe: int = field(default=0, repr=False)
    refusal: str = field(default="", repr=False)

    @property
    def lost(self) -> int:
        return self.sent - self.received

    def seen(self) -> dict[str, Any]:
        """Figures by the names of a scenario's ``expect``."""
        figures: dict[str, Any] = {
            "sent": self.sent,
            "received": self.received,
            "lost": self.lost,
            "errors": len(self.errors),
            "duplicates": self.duplicates,
        }
        if self.rtts_ns:
            figures["rtt_min_ms"] = milliseconds(min(self.rtts_ns))
            figures["rtt_avg_ms"] = milliseconds(sum(self.rtts_ns) / len(self.rtts_ns))
            figures["rtt_max_ms"] = milliseconds(max(self.rtts_ns))
        return figures

    def remarks(self) -> list[str]:
        """The errors without their sequence numbers: what is said of each packet is said once."""
        said = (re.sub(r"icmp_seq=\d+ ", "", error) for error in self.errors)
        return list(dict.fromkeys(said))

    def __str__(self) -> str:
        lost_percent = 100 * self.lost / self.sent if self.sent else 0
        lines = [f"From {error}" for error in self.errors]
        errors = f"+{len(self.errors)} errors, " if self.errors else ""
        lines.append(
            f"{self.sent} packets transmitted, {self.received} received, {errors}"
            f"{lost_percent:g}% packet loss"
        )
        if self.rtts_ns:
            figures = self.seen()
            lines.append(
                f"rtt min/avg/max = {figures['rtt_min_ms']:.3f}/{figures['rtt_avg_ms']:.3f}/"
                f"{figures['rtt_max_ms']:.3f} ms"
            )
        return "\n".join(lines)


def is_broadcast(namespace: Namespace, target: bytes) -> bool:
    """Whether a packet of the machine's own to ``target`` would go to all of a link."""
    if len(target) == 16:
        return False
    found = namespace.routing4.to(target)
    return target == IPV4_BROADCAST or (found is not None and found.type is RouteType.BROADCAST)


class PingOptions(TypedDict, total=False):
    """What a ping can be asked for; :class:`Ping` has the defaults."""

    count: int
    interval_ns: int
    size_bytes: int
    ttl: int | None
    dont_fragment: bool | None
    tos: int
    timeout_ns: int
    deadline_ns: int | None
    source: IpAddress | None


class Ping(App):
    """Pings ``target`` (packed) ``count`` times from a namespace.

    ``out`` and ``source`` are the interface and the address to send from (-I). With
    ``deadline_ns`` (-w) it goes on until then, or until ``count`` have been answered, or an
    error came back.
    """

    def __init__(
        self,
        namespace: Namespace,
        target: bytes,
        *,
        epoch_ns: int,
        count: int = 4,
        interval_ns: int = NS_PER_S,
        size_bytes: int = 56,
        ttl: int | None = None,
        dont_fragment: bool | None = None,
        tos: int = 0,
        timeout_ns: int = LINGER_NS,
        deadline_ns: int | None = None,
        source: IpAddress | None = None,
        out: Interface | None = None,
    ) -> None:
        super().__init__(namespace.scheduler)
        self.result = PingResult(ip_text(target), address=target, size_bytes=size_bytes)
        self._namespace = namespace
        self._target = target
        self._epoch_ns = epoch_ns
        self._size_bytes = size_bytes
        self._ttl = ttl
        self._dont_fragment = dont_fragment
        self._tos = tos
        self._timeout_ns = timeout_ns
        self._interval_ns = interval_ns
        self._count = count
        self._deadline_ns = deadline_ns
        self._wanted_source = source
        self._out = out
        self._sent_ns: dict[int, int] = {}
        self._answered: set[int] = set()
        self._failed: set[int] = set()
        self._source: bytes = b""
        self._began_ns = 0
        self._socket: EchoSocket | None = None
        self._all_sent = False
        most = count if deadline_ns is None else _ENDLESS
        self._pacer = Pacer(self.scheduler, most, interval_ns, self._request, self._last_sent)

    def start(self) -> None:
        try:
            self._source = self._choose_source()
        except UsageError as refusal:
            self.result.errors.append(refusal.what)
            self.result.refusal = refusal.what.rpartition(": ")[2]
            # Never from inside start: whoever waits must first have begun to.
            self.scheduler.after(0, self.finish)
            return
        self.result.is_broadcast = is_broadcast(self._namespace, self._target)
        if self._out is not None or self._wanted_source is not None:
            device = "" if self._out is None else self._out.device.name
            self.result.bound = f"{ip_text(self._source)} {device}"
        chance = self._namespace.chance.stream(
            f"{self._namespace.name} ping {self.result.target} {self.scheduler.now_ns}"
        )
        self._socket = self._namespace.sockets.open_echo(
            chance.randrange(1, 0x10000), self._replied, self._error
        )
        self._socket.on_redirect = self._redirected
        self._began_ns = self.scheduler.now_ns
        if self._deadline_ns is not None:
            self.scheduler.after(self._deadline_ns, self.finish)
        self._pacer.tick()

    def seen(self) -> dict[str, Any]:
        return self.result.seen()

    def remarks(self) -> list[str]:
        return self.result.remarks()

    def close(self) -> None:
        self._pacer.stopped = True
        if self._socket is not None:
            self._socket.close()

    # -- sending

    def _choose_source(self) -> bytes:
        if self._wanted_source is not None:
            return self._wanted_source
        if self._out is not None:
            source = self._out.source_for(self._target)
            if source is None:
                raise UsageError(f"no address on {self._out.device.name} to send from")
            return source
        return self._namespace.sockets.source_for(self._target)

    def _request(self, sequence: int) -> None:
        sequence &= 0xFFFF
        packet = self._build(sequence)
        self.result.sent += 1
        self.result.span_ns = self.scheduler.now_ns - self._began_ns
        # After 65536 requests the numbers come round again.
        self._answered.discard(sequence)
        self._failed.discard(sequence)
        self._sent_ns[sequence] = self.scheduler.now_ns
        confirm = self.result.received > 0
        ipv6 = self._namespace.ipv6
        if len(self._target) == 4:
            self._namespace.ipv4.send(bytes(packet), out=self._out, confirm=confirm)
        elif self._dont_fragment and len(packet) > ipv6.mtu_to(self._target):
            self._refuse_size(sequence, ipv6.mtu_to(self._target))
        else:
            ipv6.send(bytes(packet), out=self._out, confirm=confirm)

    def _refuse_size(self, sequence: int, mtu_bytes: int) -> None:
        """What the kernel says of a packet that must not be cut (IPV6_PMTUDISC_DO)."""
        text = f"Message too long, mtu={mtu_bytes}"
        self._error(SocketError(self._source, text, sequence, self._target, mtu_bytes=mtu_bytes))

    def _build(self, sequence: int) -> Any:
        assert self._socket is not None
        source, target = ip_text(self._source), ip_text(self._target)
        data = self._payload()
        if len(self._target) == 16:
            hops = self._ttl or self._namespace.ipv6.hop_limit_to(self._target, self._out)
            echo = ICMPv6EchoRequest(id=self._socket.ident, seq=sequence, data=data)
            return IPv6(src=source, dst=target, hlim=hops, tc=self._tos) / echo
        # iputils sets DF by asking for path MTU discovery, and lifts it for what must be
        # fragmented at once; with DF forced the kernel leaves the identification at 0.
        df = self._dont_fragment
        if df is None:
            stack = self._namespace.ipv4
            df = len(data) + 28 <= stack.mtu_to(self._target)
            df = df and not stack.may_be_fragmented(self._target)
        ident = 0
        if self._dont_fragment is not True:
            ident = self._namespace.idents.next(self._source, self._target, icmp.PROTOCOL)
        header = IP(
            src=source,
            dst=target,
            tos=self._tos,
            id=ident,
            flags="DF" if df else 0,
            ttl=self._ttl or self._namespace.sysctls.ipv4.ip_default_ttl,
        )
        return header / ICMP(id=self._socket.ident, seq=sequence) / Raw(data)

    def _payload(self) -> bytes:
        pattern = bytes(at & 0xFF for at in range(self._size_bytes))
        if self._size_bytes < TIMED_BYTES:
            return pattern
        seconds, rest_ns = divmod(self._epoch_ns + self.scheduler.now_ns, NS_PER_S)
        return struct.pack("<QQ", seconds, rest_ns // 1000) + pattern[16:]

    def _last_sent(self) -> None:
        self._all_sent = True
        if not self._end_if_complete():
            wait_ns = self._timeout_ns
            if self.result.rtts_ns:
                wait_ns = max(2 * max(self.result.rtts_ns), self._interval_ns)
            self.scheduler.after(wait_ns, self.finish)

    # -- receiving

    def _replied(self, reply: EchoReply) -> None:
        sent_ns = self._sent_ns.get(reply.sequence)
        if sent_ns is None:
            return
        rtt_ns = self.scheduler.now_ns - sent_ns
        again = reply.sequence in self._answered
        self._acknowledge(reply.sequence)
        self.result.heard.append(
            Heard(reply.source, reply.sequence, len(reply.data), reply.ttl, rtt_ns, again)
        )
        if again:
            self.result.duplicates += 1
            return
        self._answered.add(reply.sequence)
        self.result.received += 1
        self.result.rtts_ns.append(rtt_ns)
        self._end_if_complete()

    def _error(self, error: SocketError) -> None:
        if error.sequence is not None and error.sequence not in self._sent_ns:
            return  # It quotes a request that was never sent.
        where = "" if error.sequence is None else f"icmp_seq={error.sequence} "
        self.result.errors.append(f"{ip_text(error.reporter)} {where}{error.text}")
        self.result.heard.append(error)
        if error.sequence is not None:
            self._failed.add(error.sequence)
            if error.kind is not None:
                self._acknowledge(error.sequence)
        self._end_if_complete()

    def _redirected(self, redirect: EchoRedirect) -> None:
        if redirect.sequence in self._sent_ns:
            self.result.heard.append(redirect)

    def _acknowledge(self, sequence: int) -> None:
        """How many requests were under way when something came back of one."""
        behind = self.result.sent - sequence & 0xFFFF
        if behind < 0x8000:
            self.result.pipe = max(self.result.pipe, behind + 1)

    def _end_if_complete(self) -> bool:
        if self._deadline_ns is not None:
            if self._failed or len(self._answered) >= self._count:
                self.scheduler.after(0, self.finish)
                return True
            return False
        if self._all_sent and len(self._answered | self._failed) >= len(self._sent_ns):
            self.scheduler.after(0, self.finish)
            return True
        return False
