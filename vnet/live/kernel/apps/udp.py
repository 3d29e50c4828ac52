"""Numbered datagrams to an echo server, both over the kernel's sockets."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from vnet.base.errors import VnetError
from vnet.base.ids import ip_text
from vnet.guest.apps.numbered import NUMBER_BYTES, NumberedStream
from vnet.live.kernel.apps.error_queue import ask_for_errors, errors_of
from vnet.live.kernel.machine import LiveMachine
from vnet.topology.steps import UdpStep

_IP_PKTINFO = 8
_ROOM_BYTES = 1 << 17
_PKTINFO = struct.Struct("=I4s4s")

Heard = Callable[[bytes, tuple[str, int]], object]


class LiveUdpServer:
    """Listens on a port of a machine for good, and echoes if it is told to.

    Two sockets, one for each family. An answer comes from the address that was asked.
    """

    def __init__(self, machine: LiveMachine, port: int) -> None:
        self.echo = True
        self.listeners: list[Heard] = []
        self._machine = machine
        families = [socket.AF_INET, *([socket.AF_INET6] if socket.has_ipv6 else [])]
        self._sockets = [self._open(family, port) for family in families]

    def _open(self, family: int, port: int) -> socket.socket:
        made = self._machine.open_socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            made.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        try:
            made.bind(("", port))
        except OSError as error:
            made.close()
            raise VnetError(f"{self._machine.node}: port {port}: {error.strerror}") from None
        self._machine.clock.watch(made, lambda: self._readable(made))
        return made

    def _readable(self, made: socket.socket) -> None:
        while True:
            try:
                data, extra, _, source = made.recvmsg(_ROOM_BYTES, 256)
            except BlockingIOError:
                return
            except OSError:
                continue  # What an earlier answer came to is nobody's concern.
            for listener in tuple(self.listeners):
                listener(data, (source[0].partition("%")[0], source[1]))
            if self.echo and source[1] != made.getsockname()[1]:
                with suppress(OSError):
                    made.sendmsg([data], _asked_address(extra), 0, source)


def _asked_address(extra: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """What makes an answer come from the address that was asked (IP_PKTINFO, ip(7))."""
    for level, kind, content in extra:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            _, own, _asked = _PKTINFO.unpack(content)
            return [(level, kind, _PKTINFO.pack(0, own, bytes(4)))]
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO) and content[0] != 0xFF:
            return [(level, kind, content)]
    return []


class LiveUdpStream(NumberedStream):
    """Sends the datagrams of ``step`` to ``target``, and counts what ``servers`` got, or sent
    back."""

    def __init__(
        self, machine: LiveMachine, target: bytes, step: UdpStep, servers: list[LiveUdpServer]
    ) -> None:
        patience_ns = step.timeout_ns if step.echo or servers else 0
        super().__init__(machine.clock, step.count, step.interval_ns, patience_ns)
        self._machine = machine
        self._target = target
        self._step = step
        self._servers = [] if step.echo else servers
        self._socket: socket.socket | None = None
        self._own_port = 0

    def start(self) -> None:
        family = socket.AF_INET6 if len(self._target) == 16 else socket.AF_INET
        made = self._socket = self._machine.open_socket(family, socket.SOCK_DGRAM)
        ask_for_errors(made)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try:
            made.bind(("", 0))
            self._own_port = made.getsockname()[1]
        except OSError as error:
            self.errors.append(str(error.strerror))
        self._machine.clock.watch(made, self._readable)
        for server in self._servers:
            server.listeners.append(self._got_there)
        self._pacer.tick()

    def close(self) -> None:
        super().close()
        if self._socket is not None:
            self._machine.clock.forget(self._socket)
            self._socket.close()
            self._socket = None
        for server in self._servers:
            if self._got_there in server.listeners:
                server.listeners.remove(self._got_there)

    def _send(self, number: int) -> None:
        assert self._socket is not None
        data = number.to_bytes(NUMBER_BYTES, "big").ljust(self._step.size_bytes, b"\0")
        self.sent += 1
        # An error about an earlier datagram is told once in place of sending this one.
        for _ in range(2):
            try:
                self._socket.sendto(data, (ip_text(self._target), self._step.port))
                return
            except OSError as error:
                # What an ICMP error never says is of this one: a rule of the machine's own.
                if not self._take_errors() or error.errno == errno.EPERM:
                    self.errors.append(error.strerror or str(error))
                    return

    def _take_errors(self) -> bool:
        heard = [] if self._socket is None else list(errors_of(self._socket))
        self.errors += [f"{error.reporter} {error.text}".strip() for error in heard]
        return bool(heard)

    def _readable(self) -> None:
        self._take_errors()
        while self._socket is not None:
            try:
                data = self._socket.recv(_ROOM_BYTES)
            except BlockingIOError:
                return
            except OSError:
                continue
            if self._step.echo:
                self._count(data)

    def _got_there(self, data: bytes, source: tuple[str, int]) -> None:
        # By its port: on the way its address may have been translated.
        if source[1] == self._own_port:
            self._count(data)
