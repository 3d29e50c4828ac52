"""What a dummy device speaks with: others of its kind, in this process or another.

``options:pstream`` waits for them, ``options:stream`` goes to one and comes back when the
connection breaks. Frames are told apart as :mod:`vnet.ovs.netdev.framing` says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from vnet.live.clock import WallClock
from vnet.live.streams.listener import listen
from vnet.live.streams.reconnecting import Reconnecting
from vnet.live.streams.stream import Stream
from vnet.ovs.netdev.framing import FrameReader, FramingError, framed
from vnet.ovs.vlog.vlog import Vlog

_MOST_UNSENT_BYTES = 1000 * 1514
"""A peer that does not read loses frames, as on a wire."""

_LONGEST_BACKOFF_MS = (1 << 31) - 1

Receive = Callable[[bytes], None]


class Wire(Protocol):
    """One of the two below; ``name`` is its target."""

    name: str

    def send(self, frame: bytes) -> None:
        """Let all who are there have a frame."""

    def close(self) -> None:
        """Speak with nobody any more."""


class PassiveWire:
    """Waits for others. Raises ``OSError`` where it cannot."""

    def __init__(
        self, clock: WallClock, target: str, receive: Receive, vlog: Vlog, directory: str | None
    ) -> None:
        self.name = target
        self._receive = receive
        self._log = vlog.module("netdev_dummy")
        self._streams: list[Stream] = []
        self._listener = listen(clock, target, self._accepted, directory=directory, vlog=vlog)

    def send(self, frame: bytes) -> None:
        """To all who have come."""
        for stream in tuple(self._streams):
            _send(stream, frame)

    def close(self) -> None:
        """Those who came are cut off."""
        self._listener.close()
        for stream in self._streams:
            stream.close()
        self._streams.clear()

    def _accepted(self, stream: Stream) -> None:
        self._streams.append(stream)
        stream.on_closed = lambda reason: self._ended(stream, reason)
        stream.on_data = _reader(self._receive, lambda: self._break_off(stream))

    def _break_off(self, stream: Stream) -> None:
        stream.close()
        self._ended(stream, "Protocol error")

    def _ended(self, stream: Stream, reason: str) -> None:
        self._log.dbg(f"{stream.peer}: closing connection ({reason})")
        if stream in self._streams:
            self._streams.remove(stream)


class ActiveWire:
    """Goes to another; ``told`` is called when it is there, and when it is not any more. Raises
    ``OSError`` for a target that is none."""

    def __init__(
        self,
        clock: WallClock,
        target: str,
        receive: Receive,
        vlog: Vlog,
        directory: str | None,
        told: Callable[[bool], None],
    ) -> None:
        self.name = target
        self._receive = receive
        self._told = told
        self._connection = Reconnecting(
            *(clock, target, self._connected, lambda _reason: told(False)),
            directory=directory,
            vlog=vlog,
        )
        self._connection.state.set_backoff(0, _LONGEST_BACKOFF_MS)

    def send(self, frame: bytes) -> None:
        """To the other, if it is there."""
        if self._connection.stream is not None:
            _send(self._connection.stream, frame)

    def close(self) -> None:
        """Go there no more."""
        self._connection.close()

    def _connected(self, stream: Stream) -> None:
        stream.on_data = _reader(self._receive, self._connection.reconnect)
        self._told(True)


def _send(stream: Stream, frame: bytes) -> None:
    if stream.unsent_bytes < _MOST_UNSENT_BYTES:
        stream.send(framed(frame))


def _reader(receive: Receive, break_off: Callable[[], None]) -> Receive:
    """What takes the bytes of one connection."""
    reader = FrameReader()

    def take(data: bytes) -> None:
        try:
            frames = reader.take(data)
        except FramingError:
            break_off()
            return
        for frame in frames:
            receive(frame)

    return take
