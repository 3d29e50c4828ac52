"""tracepath(8) of iputils: the way to a target, and what the path can take in one piece.

Datagrams of the full length, with DF, go out one by one with growing TTLs; routers that would have
to cut one say how large it may be. A hop gets three tries of a second each.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypedDict

from vnet.base.errors import UsageError
from vnet.base.ids import ip_text
from vnet.base.units import NS_PER_MS, NS_PER_S, NS_PER_US
from vnet.guest.apps.app import App
from vnet.guest.apps.hop_text import hops_left, is_expired
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.errors import SocketError, icmp_failure, icmpv6_failure
from vnet.linux.netns.sockets.udp import Datagram, UdpSocket
from vnet.linux.tcp.outcome import Failure
from vnet.sim.scheduler import Timer
from vnet.wire import ipv4, ipv6, udp

FIRST_PORT = 44_444
DEFAULT_HOPS = 30

_TRIES = 3
_WAIT_NS = NS_PER_S
_REMEMBERED = 64
_HOST_COLUMNS = 52
_MOST_BYTES = {4: 65_535, 16: 128_000}
_HEADER = struct.Struct("<I4xqq")

_NOTES = {
    Failure.NO_HOST: "!H",
    Failure.NO_NETWORK: "!N",
    Failure.PROTOCOL: "!P",
    Failure.DENIED: "!A",
}


class _Sent(NamedTuple):
    hop: int
    sent_ns: int


class Entry(NamedTuple):
    """A line of the report. ``by`` is empty for our own stack; ``hop`` 0 is that of nobody knows
    which probe, ``at`` the one that was being tried. ``took_ns`` None: nobody knows."""

    at: int
    hop: int
    by: bytes
    took_ns: int | None
    words: str


@dataclass
class TracepathResult:
    """What a tracepath saw. ``hops`` and ``back`` are None where the target was not reached."""

    target: bytes
    pmtu_bytes: int
    entries: list[Entry | str] = field(default_factory=list)
    hops: int | None = None
    back: int | None = None
    sent: int = 0

    @property
    def path(self) -> list[str]:
        """Who answered, each once."""
        answered = (ip_text(e.by) for e in self.entries if isinstance(e, Entry) and e.by)
        return list(dict.fromkeys(answered))

    def seen(self) -> dict[str, Any]:
        """Figures by the names of a scenario's ``expect``."""
        return {
            "sent": self.sent,
            "pmtu": self.pmtu_bytes,
            "reached": self.hops is not None,
            "hops": self.hops or 0,
            "back": self.back or 0,
            "path": " ".join(self.path),
        }

    def text(self, name_of: Callable[[bytes], str] | None = None, *, both: bool = False) -> str:
        """As tracepath prints it; without ``name_of``, with its ``-n``; ``both`` is ``-b``."""
        lines = [
            entry if isinstance(entry, str) else _entry_text(entry, name_of, both=both)
            for entry in self.entries
        ]
        resume = f"     Resume: pmtu {self.pmtu_bytes} "
        if self.hops is not None:
            resume += f"hops {self.hops} back {self.back} "
        return "\n".join((*lines, resume))


def _entry_text(entry: Entry, name_of: Callable[[bytes], str] | None, *, both: bool) -> str:
    if not entry.by:
        start = f"{entry.at:2d}?: {'[LOCALHOST]':<32} "
    else:
        start = f"{entry.hop:2d}:  " if entry.hop else f"{entry.at:2d}?: "
        address = ip_text(entry.by)
        host = address if name_of is None else name_of(entry.by)
        if both:
            host += f" ({address if name_of else ''})"
        start += host + " " * max(_HOST_COLUMNS - len(host), 1)
    took = ""
    if entry.took_ns is not None:
        whole_ms, rest_ns = divmod(entry.took_ns, NS_PER_MS)
        took = f"{whole_ms:3d}.{rest_ns // NS_PER_US:03d}ms "
    return f"{start}{took}{entry.words}"


class TracepathOptions(TypedDict, total=False):
    """What a tracepath can be asked for; :class:`Tracepath` has the defaults."""

    max_hops: int
    size_bytes: int | None
    port: int


class Tracepath(App):
    """Follows the path to ``target`` (packed)."""

    def __init__(
        self,
        namespace: Namespace,
        target: bytes,
        *,
        max_hops: int = DEFAULT_HOPS,
        size_bytes: int | None = None,
        port: int = FIRST_PORT,
    ) -> None:
        super().__init__(namespace.scheduler)
        is_ipv6 = len(target) == 16
        self._is_ipv6 = is_ipv6
        self._overhead = (ipv6.HEADER_BYTES if is_ipv6 else ipv4.HEADER_BYTES) + udp.HEADER_BYTES
        size = _MOST_BYTES[len(target)] if size_bytes is None else size_bytes
        if size <= self._overhead:
            raise UsageError(
                f"tracepath: pktlen must be within: {self._overhead} < value <= {2**31 - 1}"
            )
        self.result = TracepathResult(target, size)
        self._namespace = namespace
        self._target = target
        self._max_hops = max_hops
        self._first_port = port
        self._hop = 1
        self._tries = 0
        self._has_ended = self._is_awaited = False
        self._number = 0
        self._mtu_before = size
        self._remembered: dict[int, _Sent] = {}
        self._socket: UdpSocket | None = None
        self._source = b""
        self._timer = Timer(self.scheduler, self._no_answer)

    def start(self) -> None:
        sockets = self._namespace.sockets
        try:
            self._source = sockets.source_for(self._target)
        except UsageError:
            self.result.entries.append("tracepath: send failed: Network is unreachable")
            self.scheduler.after(0, self.finish)
            return
        self._socket = sockets.open_udp(self._data, on_error=self._error)
        self.scheduler.after(0, self._probe)

    def seen(self) -> dict[str, Any]:
        return self.result.seen()

    def close(self) -> None:
        self._timer.cancel()
        if self._socket is not None:
            self._socket.close()

    # -- sending

    def _probe(self) -> None:
        """Send the next datagram, or hear from our own stack that it is too large."""
        if self._has_ended:
            return
        if self._tries == 0:
            self._mtu_before = self.result.pmtu_bytes
        stack = self._namespace.ipv6 if self._is_ipv6 else self._namespace.ipv4
        most_bytes = stack.mtu_to(self._target)
        if self.result.pmtu_bytes > most_bytes:
            # Only IPv6's error queue tells the port, and so when it was.
            took_ns = 0 if self._is_ipv6 else None
            words = f"pmtu {most_bytes}"
            self.result.entries.append(Entry(self._hop, 0, b"", took_ns, words))
            self.result.pmtu_bytes = most_bytes
        self._send()
        self._is_awaited = True
        self._timer.arm(_WAIT_NS)

    def _send(self) -> None:
        assert self._socket is not None
        now_ns = self.scheduler.now_ns
        self._remembered[self._number] = _Sent(self._hop, now_ns)
        port = self._first_port + self._number & 0xFFFF
        self._number = (self._number + 1) % _REMEMBERED
        seconds, rest_ns = divmod(now_ns, NS_PER_S)
        header = _HEADER.pack(self._hop, seconds, rest_ns)
        n_bytes = self.result.pmtu_bytes - self._overhead
        data = header[:n_bytes].ljust(n_bytes, b"\0")
        segment = udp.emit(self._source, self._target, self._socket.port, port, data)
        self.result.sent += 1
        if self._is_ipv6:
            packet = ipv6.emit(
                self._source, self._target, udp.PROTOCOL, segment, hop_limit=self._hop
            )
            self._namespace.ipv6.send(packet)
        else:
            packet = ipv4.emit(
                self._source,
                self._target,
                udp.PROTOCOL,
                segment,
                ttl=self._hop,
                flags_offset=ipv4.DONT_FRAGMENT,
            )
            self._namespace.ipv4.send(packet)

    # -- receiving

    def _data(self, _socket: UdpSocket, _datagram: Datagram) -> None:
        self.result.entries.append(f"{self._hop:2d}?: reply received 8)")
        self._end()

    def _error(self, error: SocketError) -> None:
        if self._has_ended or error.kind is None:
            return
        sent = self._remembered.pop((error.port - self._first_port) & 0xFFFF, None)
        back = hops_left(error.ttl)
        took_ns = None if sent is None else self.scheduler.now_ns - sent.sent_ns
        hop = 0 if sent is None else sent.hop
        words, is_final = self._judge(error, hop, back)
        self.result.entries.append(Entry(self._hop, hop, error.reporter, took_ns, words))
        if is_final:
            self._end()
        else:
            self._timer.cancel()
            if not self._is_awaited:
                return
            self._is_awaited = False
            self.scheduler.after(0, self._answered)

    def _judge(self, error: SocketError, hop: int, back: int) -> tuple[str, bool]:
        """What is said of an error, and whether it is the last."""
        assert error.kind is not None
        if is_expired(error, is_ipv6=self._is_ipv6):
            return ("" if back == (hop or self._hop) else f"asymm {back:2d} "), False
        convert = icmpv6_failure if self._is_ipv6 else icmp_failure
        failure = convert(error.kind, error.code)
        if failure is None:
            # Whoever says more than was sent, or nothing that could be sent, changes nothing.
            most, least = self.result.pmtu_bytes, self._overhead + 1
            self.result.pmtu_bytes = min(most, max(error.mtu_bytes, least))
            return f"pmtu {error.mtu_bytes}", False
        if failure is Failure.REFUSED:
            self.result.hops, self.result.back = hop or self._hop, back
            return "reached", True
        note = _NOTES.get(failure)
        return (note if note else f"\ntracepath: NET ERROR: {failure.value}"), True

    def _answered(self) -> None:
        """A router answered: on to the next hop, or once more where the size is another."""
        if self._has_ended:
            return
        if self.result.pmtu_bytes != self._mtu_before:
            self._tries = 0
            self._probe()
        else:
            self._next_hop()

    def _no_answer(self) -> None:
        if self.result.pmtu_bytes != self._mtu_before:
            self._answered()
            return
        self._tries += 1
        if self._tries < _TRIES:
            self._probe()
            return
        self.result.entries.append(f"{self._hop:2d}:  no reply")
        self._next_hop()

    def _next_hop(self) -> None:
        self._hop += 1
        self._tries = 0
        if self._hop > self._max_hops:
            self.result.entries.append(f"     Too many hops: pmtu {self.result.pmtu_bytes}")
            self._end()
        else:
            self._probe()

    def _end(self) -> None:
        self._has_ended = True
        self._timer.cancel()
        self.scheduler.after(0, self.finish)
