"""A connection that carries the data of a test, and how much of it in each interval."""

from __future__ import annotations

from typing import NamedTuple

from vnet.base.units import NS_PER_S
from vnet.linux.netns.sockets.tcp import TcpSocket
from vnet.sim.scheduler import Scheduler

FIRST_ID = 5
"""Streams are called by file descriptors, of which the first few are taken."""

_READ_BYTES = 131_072
_COPY_BPS = 10_000_000_000
"""How fast a program writes: links without bandwidth or latency would take all at once."""


class Interval(NamedTuple):
    """What one stream did between two moments, counted from the start of the test."""

    start_ns: int
    end_ns: int
    moved_bytes: int
    retransmits: int
    window_bytes: int


class Stream:
    """``number`` counts from 0; ``sending`` says which way the data goes, seen from here."""

    def __init__(
        self,
        scheduler: Scheduler,
        socket: TcpSocket,
        number: int,
        block_bytes: int,
        *,
        sending: bool,
    ) -> None:
        self._scheduler = scheduler
        self.socket = socket
        self.number = number
        self.sending = sending
        self.moved_bytes = 0
        self.intervals: list[Interval] = []
        self._block = bytes(block_bytes)
        self._limit_bytes: int | None = None
        self._running = False
        self._copying = False
        self._marked = (0, 0, 0)

    @property
    def ident(self) -> int:
        """How the table calls it."""
        return FIRST_ID + 2 * self.number

    @property
    def retransmits(self) -> int:
        """Segments that were sent again."""
        return self.socket.connection.sender.resent_total

    @property
    def window_bytes(self) -> int:
        """The congestion window."""
        sender = self.socket.connection.sender
        return sender.reno.window * sender.mss

    @property
    def left_bytes(self) -> int | None:
        """What is still to be written; None for no end."""
        return None if self._limit_bytes is None else self._limit_bytes - self.moved_bytes

    @property
    def is_done(self) -> bool:
        """Whether all that was to be written is, and has arrived."""
        return self.left_bytes == 0 and self.socket.unsent_bytes == 0

    def start(self, limit_bytes: int | None) -> None:
        """Begin to send, ``limit_bytes`` or until stopped; who receives only counts from now."""
        self._running = True
        self._limit_bytes = limit_bytes
        if self.sending:
            self.socket.on_writable = self._write
            self._write(self.socket)

    def stop(self) -> None:
        """Write no more. What is on its way still arrives, but is not counted."""
        self._running = False

    def mark(self, now_ns: int) -> None:
        """An interval ends; ``now_ns`` counts from the start of the test."""
        since_ns, moved, resent = self._marked
        self._marked = (now_ns, self.moved_bytes, self.retransmits)
        self.intervals.append(
            Interval(
                since_ns,
                now_ns,
                self.moved_bytes - moved,
                self.retransmits - resent,
                self.window_bytes,
            )
        )

    def _write(self, socket: TcpSocket) -> None:
        if self._copying or not self._running or self.left_bytes == 0:
            return
        block = self._block[: self.left_bytes]
        accepted = socket.send(block)
        self.moved_bytes += accepted
        if accepted == len(block):
            self._copying = True
            self._scheduler.after(accepted * 8 * NS_PER_S // _COPY_BPS, self._copied)

    def _copied(self) -> None:
        self._copying = False
        self._write(self.socket)

    def read(self, socket: TcpSocket) -> None:
        """Count what has come; set it as the socket's ``on_readable``."""
        while data := socket.receive(_READ_BYTES):
            if self._running:
                self.moved_bytes += len(data)
        if socket.at_end:
            socket.close()

    def result(self, end_ns: int) -> dict[str, int | float]:
        """What the other end is told of it."""
        return {
            "id": self.number + 1,
            "bytes": self.moved_bytes,
            "retransmits": self.retransmits if self.sending else -1,
            "jitter": 0,
            "errors": 0,
            "packets": 0,
            "start_time": 0,
            "end_time": end_ns / 1e9,
        }
