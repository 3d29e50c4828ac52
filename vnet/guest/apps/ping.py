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
from typing import Any, TypedDict

from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.packet import Raw

from vnet.base.errors import UsageError
from vnet.base.ids import ip_text
from vnet.base.units import NS_PER_S
from vnet.guest.apps.app import App, Pacer, milliseconds
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.echo import EchoReply, EchoSocket
from vnet.linux.netns.sockets.errors import SocketError
from vnet.wire import icmp

LINGER_NS = 10 * NS_PER_S


@dataclass
class PingResult:
    """What a ping saw. ``rtts_ns`` is in order of arrival; ``errors`` are ping's own words."""

    target: str
    sent: int = 0
    received: int = 0
    duplicates: int = 0
    rtts_ns: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

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


class PingOptions(TypedDict, total=False):
    """What a ping can be asked for; :class:`Ping` has the defaults."""

    count: int
    interval_ns: int
    size_bytes: int
    ttl: int | None
    dont_fragment: bool | None
    tos: int
    timeout_ns: int


class Ping(App):
    """Pings ``target`` (packed) ``count`` times from a namespace."""

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
        out: Interface | None = None,
    ) -> None:
        super().__init__(namespace.scheduler)
        self.result = PingResult(ip_text(target))
        self._namespace = namespace
        self._target = target
        self._epoch_ns = epoch_ns
        self._size_bytes = size_bytes
        self._ttl = ttl
        self._dont_fragment = dont_fragment
        self._tos = tos
        self._timeout_ns = timeout_ns
        self._interval_ns = interval_ns
        self._out = out
        self._sent_ns: dict[int, int] = {}
        self._answered: set[int] = set()
        self._failed: set[int] = set()
        self._source: bytes = b""
        self._socket: EchoSocket | None = None
        self._all_sent = False
        self._pacer = Pacer(self.scheduler, count, interval_ns, self._request, self._last_sent)

    def start(self) -> None:
        try:
            self._source = self._choose_source()
        except UsageError as refusal:
            self.result.errors.append(refusal.what)
            # Never from inside start: whoever waits must first have begun to.
            self.scheduler.after(0, self.finish)
            return
        chance = self._namespace.chance.stream(
            f"{self._namespace.name} ping {self.result.target} {self.scheduler.now_ns}"
        )
        self._socket = self._namespace.sockets.open_echo(
            chance.randrange(1, 0x10000), self._replied, self._error
        )
        self._pacer.tick()

    def seen(self) -> dict[str, Any]:
        return self.result.seen()

    def remarks(self) -> list[str]:
        # Without the sequence number, so that what is said of each packet is said once.
        said = (re.sub(r"icmp_seq=\d+ ", "", error) for error in self.result.errors)
        return list(dict.fromkeys(said))

    def close(self) -> None:
        self._pacer.stopped = True
        if self._socket is not None:
            self._socket.close()

    # -- sending

    def _choose_source(self) -> bytes:
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
        # After 65536 requests the numbers come round again.
        self._answered.discard(sequence)
        self._failed.discard(sequence)
        self._sent_ns[sequence] = self.scheduler.now_ns
        confirm = self.result.received > 0
        if len(self._target) == 16:
            self._namespace.ipv6.send(bytes(packet), out=self._out, confirm=confirm)
        else:
            self._namespace.ipv4.send(bytes(packet), confirm=confirm)

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
        if self._size_bytes < 16:
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
        if reply.sequence in self._answered:
            self.result.duplicates += 1
            return
        self._answered.add(reply.sequence)
        self.result.received += 1
        self.result.rtts_ns.append(self.scheduler.now_ns - sent_ns)
        self._end_if_complete()

    def _error(self, error: SocketError) -> None:
        if error.sequence is not None and error.sequence not in self._sent_ns:
            return  # It quotes a request that was never sent.
        where = "" if error.sequence is None else f"icmp_seq={error.sequence} "
        self.result.errors.append(f"{ip_text(error.reporter)} {where}{error.text}")
        if error.sequence is not None:
            self._failed.add(error.sequence)
        self._end_if_complete()

    def _end_if_complete(self) -> bool:
        if self._all_sent and len(self._answered | self._failed) >= len(self._sent_ns):
            self.scheduler.after(0, self.finish)
            return True
        return False
