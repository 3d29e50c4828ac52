"""traceroute(8) as Debian has it (Butskoy's): probes with growing TTLs, and who answered them.

Up to sixteen probes are under way at once, three to a hop. Every UDP probe has a socket and a
target port of its own, counted from 33434; with ICMP one socket numbers its echo requests. Nobody
is waited for longer than five seconds, nor more than three times as long as an answer from the
same hop took, or ten times one from a hop behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypedDict

from vnet.base.errors import UsageError
from vnet.base.ids import ip_text
from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.guest.apps.app import App
from vnet.guest.apps.hop_text import annotation, hops_left, is_expired
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.echo import EchoReply, EchoSocket
from vnet.linux.netns.sockets.errors import SocketError
from vnet.linux.netns.sockets.udp import UdpSocket
from vnet.sim.scheduler import Timer
from vnet.wire import icmp, icmpv6, ipv4, ipv6, udp

FIRST_PORT = 33_434
DEFAULT_HOPS = 30
MOST_HOPS = 255
DEFAULT_QUERIES = 3
MOST_QUERIES = 10
DEFAULT_AT_ONCE = 16
DEFAULT_WAIT_NS = 5 * NS_PER_S
DEFAULT_HERE_FACTOR, DEFAULT_NEAR_FACTOR = 3, 10
MOST_BYTES = 65_000
MOST_PROBES = MOST_HOPS * MOST_QUERIES

_DATA_BYTES = 40
"""What a probe has behind its IP header if nothing else is asked for."""
_HEADER_BYTES = 8
_PRECISION_NS = NS_PER_MS


@dataclass
class Probe:
    """One packet, and what came of it. ``note`` is ``!H`` and its like; a ``final`` one tells
    that nothing lies behind its hop."""

    sent_ns: int | None = None
    answered_ns: int | None = None
    by: bytes = b""
    note: str = ""
    ttl: int = 0
    done: bool = False
    final: bool = False

    @property
    def took_ns(self) -> int:
        """How long the answer took; 0 where there is none."""
        if self.sent_ns is None or self.answered_ns is None:
            return 0
        return self.answered_ns - self.sent_ns


Namer = Callable[[bytes], str]
"""The name of an address."""


@dataclass
class TracerouteResult:
    """What a traceroute saw. ``hops`` has the probes of each hop that is told, from ``first_hop``
    on; ``refusal`` is why there was nothing to see."""

    name: str
    target: bytes
    max_hops: int
    size_bytes: int
    first_hop: int = 1
    hops: list[list[Probe]] = field(default_factory=list)
    sent: int = 0
    refusal: str = ""

    @property
    def path(self) -> list[str]:
        """Who answered at each hop, the first of them; ``*`` where nobody did."""
        answered = (next((p.by for p in probes if p.by), b"") for probes in self.hops)
        return [ip_text(by) if by else "*" for by in answered]

    @property
    def reached(self) -> bool:
        """Whether the target itself answered."""
        last = self.hops[-1] if self.hops else []
        return any(probe.by == self.target for probe in last)

    def seen(self) -> dict[str, Any]:
        """Figures by the names of a scenario's ``expect``."""
        notes = [probe.note for probes in self.hops for probe in probes if probe.note]
        return {
            "sent": self.sent,
            "received": sum(bool(p.by) for probes in self.hops for p in probes),
            "hops": len(self.hops) + self.first_hop - 1 if self.hops else 0,
            "reached": self.reached,
            "path": " ".join(self.path),
            "note": notes[0] if notes else "",
        }

    def text(self, name_of: Namer | None = None) -> str:
        """As traceroute prints it; without ``name_of``, with its ``-n``."""
        lines = [
            f"traceroute to {self.name} ({ip_text(self.target)}), {self.max_hops} hops max, "
            f"{self.size_bytes} byte packets"
        ]
        if self.refusal:
            return f"{lines[0]}\nconnect: {self.refusal}"
        for hop, probes in enumerate(self.hops, self.first_hop):
            lines.append(f"{hop:2d} " + "".join(_probes_text(probes, name_of)))
        return "\n".join(lines)


def _probes_text(probes: list[Probe], name_of: Namer | None) -> list[str]:
    parts, last = [], b""
    for probe in probes:
        part = ""
        if not probe.by:
            part = " *"
        elif probe.by != last:
            address = ip_text(probe.by)
            part = f" {address}" if name_of is None else f" {name_of(probe.by)} ({address})"
        last = probe.by or last
        if probe.answered_ns is not None:
            part += f"  {probe.took_ns / NS_PER_MS:.3f} ms"
        parts.append(f"{part} {probe.note}" if probe.note else part)
    return parts


class TracerouteOptions(TypedDict, total=False):
    """What a traceroute can be asked for; :class:`Traceroute` has the defaults."""

    icmp: bool
    max_hops: int
    first_hop: int
    queries: int
    at_once: int
    wait_ns: int
    port: int | None
    size_bytes: int | None
    dont_fragment: bool
    here_factor: float
    near_factor: float


class Traceroute(App):
    """Traces the way to ``target`` (packed), which is called ``name``.

    ``port`` is the first target port, or with ``icmp`` the first sequence number; ``size_bytes``
    that of a whole packet.
    """

    def __init__(
        self,
        namespace: Namespace,
        target: bytes,
        name: str,
        *,
        icmp: bool = False,
        max_hops: int = DEFAULT_HOPS,
        first_hop: int = 1,
        queries: int = DEFAULT_QUERIES,
        at_once: int = DEFAULT_AT_ONCE,
        wait_ns: int = DEFAULT_WAIT_NS,
        port: int | None = None,
        size_bytes: int | None = None,
        dont_fragment: bool = False,
        here_factor: float = DEFAULT_HERE_FACTOR,
        near_factor: float = DEFAULT_NEAR_FACTOR,
    ) -> None:
        super().__init__(namespace.scheduler)
        ip_bytes = ipv6.HEADER_BYTES if len(target) == 16 else ipv4.HEADER_BYTES
        size = ip_bytes + _DATA_BYTES if size_bytes is None else size_bytes
        self._data_bytes = max(size - ip_bytes - _HEADER_BYTES, 0)
        size = ip_bytes + _HEADER_BYTES + self._data_bytes
        self.result = TracerouteResult(name, target, max_hops, size, first_hop)
        self._namespace = namespace
        self._target = target
        self._icmp = icmp
        self._queries = queries
        self._at_once = at_once
        self._wait_ns = wait_ns
        self._first_number = port if port is not None else 1 if icmp else FIRST_PORT
        self._dont_fragment = dont_fragment
        self._here_factor, self._near_factor = here_factor, near_factor
        self._probes = [Probe() for _ in range(max_hops * queries)]
        self._start = (first_hop - 1) * queries
        self._end = len(self._probes)
        self._sockets: dict[int, UdpSocket] = {}
        self._echo: EchoSocket | None = None
        self._source = b""
        self._timer = Timer(self.scheduler, self._turn)

    def start(self) -> None:
        try:
            self._source = self._namespace.sockets.source_for(self._target)
        except UsageError:
            self.result.refusal = "Network is unreachable"
            self.scheduler.after(0, self.finish)
            return
        self._chance = self._namespace.chance.stream(
            f"{self._namespace.name} traceroute {self.result.name} {self.scheduler.now_ns}"
        )
        if self._icmp:
            ident = self._chance.randrange(1, 0x10000)
            self._echo = self._namespace.sockets.open_echo(ident, self._replied, self._echo_error)
        self.scheduler.after(0, self._turn)

    def seen(self) -> dict[str, Any]:
        return self.result.seen()

    def remarks(self) -> list[str]:
        return [self.result.refusal] if self.result.refusal else []

    def close(self) -> None:
        self._timer.cancel()
        for socket in self._sockets.values():
            socket.close()
        if self._echo is not None:
            self._echo.close()

    # -- whose turn it is

    def _turn(self) -> None:
        """Tell what is certain by now, send what may be sent, and wait for the rest."""
        while not self.done and self._start < self._end:
            next_ns = self._pass()
            if next_ns is not None:
                self._timer.arm(max(next_ns - self.scheduler.now_ns, 0))
                return
        self.finish()

    def _pass(self) -> int | None:
        """Go through the probes once. When the first of those under way is given up."""
        next_ns, under_way, now_ns = None, 0, self.scheduler.now_ns
        at = self._start
        while at < self._end:
            probe = self._probes[at]
            if at == self._start and not probe.done and probe.sent_ns is not None:
                expires_ns = probe.sent_ns + self._timeout_ns(at)
                if expires_ns > now_ns:
                    next_ns = expires_ns
                else:
                    self._expire(at)
                    probe = self._probes[at]
            if probe.done:
                if at == self._start:
                    self._tell(at)
                if probe.final:
                    self._end = (at // self._queries + 1) * self._queries
                at += 1
                continue
            if probe.sent_ns is None:
                self._send(at)
            assert probe.sent_ns is not None
            if next_ns is None:
                next_ns = probe.sent_ns + self._timeout_ns(at)
            under_way += 1
            if under_way >= self._at_once:
                break
            at += 1
        return next_ns

    def _tell(self, at: int) -> None:
        if at % self._queries == 0:
            self.result.hops.append([])
        self.result.hops[-1].append(self._probes[at])
        self._start += 1

    def _timeout_ns(self, at: int) -> int:
        """How long a probe is waited for, by what others of its hop or behind it took."""
        hop = at - at % self._queries
        here = (p.took_ns for p in self._probes[hop : hop + self._queries] if p.done)
        took_ns = next((took for took in here if took > 0), 0)
        if took_ns and self._here_factor:
            return self._scaled(took_ns, self._here_factor)
        for probe in self._probes[at + 1 :]:
            if probe.sent_ns is None or not self._near_factor:
                break
            if probe.done and probe.took_ns > 0:
                return self._scaled(probe.took_ns, self._near_factor)
        return self._wait_ns

    def _scaled(self, took_ns: int, factor: float) -> int:
        return min(int((took_ns + _PRECISION_NS) * factor), self._wait_ns)

    def _expire(self, at: int) -> None:
        """A probe is given up; but a later one may have got its answer."""
        self._probes[at].done = True
        if at in self._sockets:
            self._sockets.pop(at).close()
        stand_in = self._stand_in(at)
        if stand_in is not None:
            # Its hop answers only some, and the final answer belongs here.
            self._probes[at] = self._probes[stand_in]
            self._probes[stand_in] = Probe(sent_ns=1)

    def _stand_in(self, at: int) -> int | None:
        """A probe behind ``at`` whose final error must be of the same hop, if there is one."""
        hop = at - at % self._queries
        before = self._probes[hop:at]
        if any(not p.done or not p.final for p in before):
            return None
        found = None
        for later in range(at + 1, len(self._probes)):
            probe = self._probes[later]
            if probe.sent_ns is None:
                break
            if probe.done:
                found = later if probe.final and probe.note else None
                break
        if found is None:
            return None
        final = self._probes[found]
        same_hop = bool(before) or found < hop + self._queries
        told_before = any(p.by == final.by for p in self._probes[:at] if p.by)
        return found if same_hop or told_before or self._is_near(at, final) else None

    def _is_near(self, at: int, final: Probe) -> bool:
        """Whether an answer came from no further than this hop, by the hops that it had left."""
        if not final.ttl:
            return False
        back = hops_left(final.ttl)
        for earlier in range(at - 1, -1, -1):
            probe = self._probes[earlier]
            if probe.done and not probe.final and probe.ttl and hops_left(probe.ttl) < back:
                back += earlier // self._queries + 1 - hops_left(probe.ttl)
                break
        return back <= at // self._queries + 1

    # -- sending

    def _send(self, at: int) -> None:
        probe = self._probes[at]
        probe.sent_ns = self.scheduler.now_ns
        self.result.sent += 1
        hop = at // self._queries + 1
        if self._icmp:
            self._send_ip(self._echo_request(at), hop, icmp.PROTOCOL)
            return
        socket = self._namespace.sockets.open_udp(
            lambda _socket, data: self._answered(at, data.source, final=True),
            on_error=lambda error: self._failed(at, error),
        )
        self._sockets[at] = socket
        port = self._first_number + at & 0xFFFF
        data = bytes(0x40 + (n & 0x3F) for n in range(self._data_bytes))
        segment = udp.emit(self._source, self._target, socket.port, port, data)
        self._send_ip(segment, hop, udp.PROTOCOL)

    def _echo_request(self, at: int) -> bytes:
        assert self._echo is not None
        sequence = self._first_number + at & 0xFFFF
        data = bytes(0x40 + (n & 0x3F) for n in range(_HEADER_BYTES, self._data_bytes + 8))
        rest = self._echo.ident.to_bytes(2, "big") + sequence.to_bytes(2, "big")
        if len(self._target) == 16:
            message = icmpv6.Icmpv6(icmpv6.ECHO_REQUEST, 0, rest + data)
            return icmpv6.emit(self._source, self._target, message)
        return icmp.emit(icmp.Icmp(icmp.ECHO_REQUEST, 0, rest, data))

    def _send_ip(self, segment: bytes, ttl: int, protocol: int) -> None:
        source, target = self._source, self._target
        if len(target) == 16:
            number = icmpv6.PROTOCOL if protocol == icmp.PROTOCOL else protocol
            self._namespace.ipv6.send(ipv6.emit(source, target, number, segment, hop_limit=ttl))
            return
        # A connected socket numbers its packets from a random start; DF needs no number.
        ident = 0 if self._dont_fragment else self._chance.randrange(0x10000)
        if protocol == icmp.PROTOCOL and not self._dont_fragment:
            ident = self._namespace.idents.next(source, target, protocol)
        flags = ipv4.DONT_FRAGMENT if self._dont_fragment else 0
        packet = ipv4.emit(
            source, target, protocol, segment, ttl=ttl, ident=ident, flags_offset=flags
        )
        self._namespace.ipv4.send(packet, probe_path=self._dont_fragment)

    # -- receiving

    def _replied(self, reply: EchoReply) -> None:
        at = reply.sequence - self._first_number
        if 0 <= at < len(self._probes) and self._probes[at].sent_ns is not None:
            self._answered(at, reply.source, final=True, ttl=reply.ttl)

    def _echo_error(self, error: SocketError) -> None:
        at = (error.sequence or 0) - self._first_number
        if 0 <= at < len(self._probes) and self._probes[at].sent_ns is not None:
            self._failed(at, error)

    def _failed(self, at: int, error: SocketError) -> None:
        if error.kind is None:
            self._answered(at, b"", final=True, note=f"!F-{error.mtu_bytes}")
            return
        is_ipv6 = len(self._target) == 16
        if is_expired(error, is_ipv6=is_ipv6):
            self._answered(at, error.reporter, final=False, ttl=error.ttl)
        else:
            note = annotation(error, is_ipv6=is_ipv6)
            self._answered(at, error.reporter, final=True, note=note, ttl=error.ttl)

    def _answered(self, at: int, by: bytes, *, final: bool, note: str = "", ttl: int = 0) -> None:
        probe = self._probes[at]
        if probe.done or self.done:
            return
        probe.answered_ns = self.scheduler.now_ns
        probe.by, probe.note, probe.ttl = by, note, ttl
        probe.done, probe.final = True, final
        if at in self._sockets:
            self._sockets.pop(at).close()
        self.scheduler.after(0, self._turn)
