"""ping(8) over a raw socket: the requests of the lab's own ping, sent by the kernel."""

from __future__ import annotations

import errno
import socket
import struct
import time
from itertools import count
from typing import Any

from vnet.base.ids import ip_text
from vnet.base.units import NS_PER_S
from vnet.guest.apps.app import App, Pacer
from vnet.guest.apps.ping import TIMED_BYTES, PingResult
from vnet.live.kernel.apps.error_queue import HeardError, ask_for_errors, errors_of
from vnet.live.kernel.machine import LiveMachine
from vnet.topology.steps import PingStep
from vnet.wire.checksum import checksum

_ICMP, _ICMPV6 = socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6
_MTU_DISCOVER = {4: (socket.IPPROTO_IP, 10), 16: (socket.IPPROTO_IPV6, 23)}
_PMTUDISC_DONT, _PMTUDISC_DO = 0, 2
_TTL = {4: (socket.IPPROTO_IP, 2), 16: (socket.IPPROTO_IPV6, 16)}
_TOS = {4: (socket.IPPROTO_IP, 1), 16: (socket.IPPROTO_IPV6, 67)}
_MSG_CONFIRM = 0x800
_ROOM_BYTES = 1 << 17
_HEADER = struct.Struct("!BBHHH")
_REQUESTS, _REPLIES = {4: 8, 16: 128}, {4: 0, 16: 129}
_IDENTS = count(time.monotonic_ns())
"""No two pings of a lab have the same identifier, nor do those of two runs."""


class LivePing(App):
    """Pings ``target`` (packed) from a machine, as ``step`` says."""

    def __init__(self, machine: LiveMachine, target: bytes, step: PingStep) -> None:
        super().__init__(machine.clock)
        self.result = PingResult(ip_text(target), address=target, size_bytes=step.size_bytes)
        self._clock = machine.clock
        self._machine = machine
        self._target = target
        self._step = step
        self._family = len(target)
        self._ident = 0
        self._socket: socket.socket | None = None
        self._sent_ns: dict[int, int] = {}
        self._answered: set[int] = set()
        self._failed: set[int] = set()
        self._all_sent = False
        self._pacer = Pacer(
            self.scheduler, step.count, step.interval_ns, self._request, self._last_sent
        )

    def start(self) -> None:
        ipv6 = self._family == 16
        family, protocol = (socket.AF_INET6, _ICMPV6) if ipv6 else (socket.AF_INET, _ICMP)
        made = self._socket = self._machine.open_socket(family, socket.SOCK_RAW, protocol)
        self._ident = next(_IDENTS) % 0xFFFF + 1
        step = self._step
        ask_for_errors(made)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if step.dont_fragment is not None:
            how = _PMTUDISC_DO if step.dont_fragment else _PMTUDISC_DONT
            made.setsockopt(*_MTU_DISCOVER[self._family], how)
        if step.ttl is not None:
            made.setsockopt(*_TTL[self._family], step.ttl)
        if step.tos:
            made.setsockopt(*_TOS[self._family], step.tos)
        self._clock.watch(made, self._readable)
        self._pacer.tick()

    def seen(self) -> dict[str, Any]:
        return self.result.seen()

    def remarks(self) -> list[str]:
        return self.result.remarks()

    def close(self) -> None:
        self._pacer.stopped = True
        if self._socket is not None:
            self._clock.forget(self._socket)
            self._socket.close()
            self._socket = None

    # -- sending

    def _request(self, number: int) -> None:
        assert self._socket is not None
        sequence = number & 0xFFFF
        self._answered.discard(sequence)
        self._failed.discard(sequence)
        packet = self._packet(sequence)
        self.result.sent += 1
        self._sent_ns[sequence] = self._clock.real_now_ns
        reason = self._send(packet)
        if reason:
            self._fail(HeardError("", reason, 0, 0, packet))

    def _send(self, packet: bytes) -> str:
        """Why it could not be sent, or nothing."""
        assert self._socket is not None
        flags = _MSG_CONFIRM if self.result.received else 0
        reason = ""
        # An error about an earlier request is told once in place of sending this one.
        for _ in range(2):
            try:
                self._socket.sendto(packet, flags, (ip_text(self._target), 0))
                return ""
            except OSError as error:
                own = [e.text for e in self._take_errors() if not e.reporter]
                reason = own[-1] if own else error.strerror or str(error)
                if error.errno == errno.EMSGSIZE:
                    break
        return reason

    def _packet(self, sequence: int) -> bytes:
        payload = bytes(at & 0xFF for at in range(self._step.size_bytes))
        if len(payload) >= TIMED_BYTES:
            seconds, rest_ns = divmod(time.time_ns(), NS_PER_S)
            payload = struct.pack("<QQ", seconds, rest_ns // 1000) + payload[TIMED_BYTES:]
        kind = _REQUESTS[self._family]
        packet = _HEADER.pack(kind, 0, 0, self._ident, sequence) + payload
        if self._family == 16:
            return packet  # The kernel works it out: it knows the source.
        return packet[:2] + checksum(packet).to_bytes(2, "big") + packet[4:]

    def _last_sent(self) -> None:
        self._all_sent = True
        if not self._end_if_complete():
            wait_ns = self._step.timeout_ns
            if self.result.rtts_ns:
                wait_ns = max(2 * max(self.result.rtts_ns), self._step.interval_ns)
            self.scheduler.after(wait_ns, self.finish)

    # -- receiving

    def _readable(self) -> None:
        now_ns = self._clock.real_now_ns
        self._take_errors()
        while self._socket is not None:
            try:
                data, address = self._socket.recvfrom(_ROOM_BYTES)
            except BlockingIOError:
                return
            except OSError:
                continue  # The error is in the queue, too, and was or will be read from there.
            self._replied(data, address[0], now_ns)

    def _replied(self, data: bytes, _source: str, now_ns: int) -> None:
        if self._family == 4:
            data = data[(data[0] & 0xF) * 4 :]
        if len(data) < _HEADER.size:
            return
        kind, _, _, ident, sequence = _HEADER.unpack_from(data)
        sent_ns = self._sent_ns.get(sequence)
        if kind != _REPLIES[self._family] or ident != self._ident or sent_ns is None:
            return
        if sequence in self._answered:
            self.result.duplicates += 1
            return
        self._answered.add(sequence)
        self.result.received += 1
        self.result.rtts_ns.append(now_ns - sent_ns)
        self._end_if_complete()

    def _take_errors(self) -> list[HeardError]:
        if self._socket is None:
            return []
        heard = list(errors_of(self._socket))
        for error in heard:
            if self._is_ours(error):
                self._fail(error)
        return heard

    def _is_ours(self, error: HeardError) -> bool:
        data = error.data
        return len(data) >= _HEADER.size and _HEADER.unpack_from(data)[3] == self._ident

    def _fail(self, error: HeardError) -> None:
        sequence = _HEADER.unpack_from(error.data)[4]
        reporter = error.reporter or "local error:"
        self.result.errors.append(f"{reporter} icmp_seq={sequence} {error.text}")
        self._failed.add(sequence)
        self._end_if_complete()

    def _end_if_complete(self) -> bool:
        if self._all_sent and len(self._answered | self._failed) >= len(self._sent_ns):
            self.scheduler.after(0, self.finish)
            return True
        return False
