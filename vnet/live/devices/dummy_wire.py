"""What a dummy device speaks with: others of its kind, in this process or another.

``options:pstream`` waits for them, ``options:stream`` goes to one and comes back when the
connection breaks. Frames are told apart as :mod:`vnet.ovs.netdev.framing` says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from vnet.live.clock import WallClock
from vnet.live.devices.gathering import Gathering, Peer
from vnet.live.streams.listener import listen
from vnet.live.streams.reconnecting import Reconnecting
from vnet.live.streams.stream import Stream
from vnet.ovs.netdev.framing import FrameReader, FramingError
from vnet.ovs.vlog.vlog import Vlog

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
        self,
        clock: WallClock,
        target: str,
        receive: Receive,
        vlog: Vlog,
        directory: str | None,
        gathering: Gathering,
    ) -> None:
        self.name = target
        self._receive = receive
        self._gathering = gathering
        self._log = vlog.module("netdev_dummy")
        self._peers: list[Peer] = []
        self._listener = listen(clock, target, self._accepted, directory=directory, vlog=vlog)

    def send(self, frame: bytes) -> None:
        """To all who have come."""
        for peer in self._peers:
            peer.send(frame)

    def close(self) -> None:
        """Those who came are cut off."""
        self._listener.close()
        for peer in self._peers:
            peer.stream.close()
        self._peers.clear()

    def _accepted(self, stream: Stream) -> None:
        peer = Peer(stream, self._gathering)
        self._peers.append(peer)
        stream.on_closed = lambda reason: self._ended(peer, reason)
        stream.on_data = _reader(self._receive, self._gathering, lambda: self._break_off(peer))

    def _break_off(self, peer: Peer) -> None:
        peer.stream.close()
        self._ended(peer, "Protocol error")

    def _ended(self, peer: Peer, reason: str) -> None:
        self._log.dbg(f"{peer.stream.peer}: closing connection ({reason})")
        if peer in self._peers:
            self._peers.remove(peer)


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
        gathering: Gathering,
        told: Callable[[bool], None],
    ) -> None:
        self.name = target
        self._receive = receive
        self._gathering = gathering
        self._told = told
        self._peer: Peer | None = None
        self._connection = Reconnecting(
            *(clock, target, self._connected, self._disconnected),
            directory=directory,
            vlog=vlog,
        )
        self._connection.state.set_backoff(0, _LONGEST_BACKOFF_MS)

    def send(self, frame: bytes) -> None:
        """To the other, if it is there."""
        if self._peer is not None:
            self._peer.send(frame)

    def close(self) -> None:
        """Go there no more."""
        self._connection.close()

    def _connected(self, stream: Stream) -> None:
        self._peer = Peer(stream, self._gathering)
        stream.on_data = _reader(self._receive, self._gathering, self._connection.reconnect)
        self._told(True)

    def _disconnected(self, _reason: str) -> None:
        self._peer = None
        self._told(False)


def _reader(receive: Receive, gathering: Gathering, break_off: Callable[[], None]) -> Receive:
    """What takes the bytes of one connection."""
    reader = FrameReader()

    def take(data: bytes) -> None:
        try:
            frames = reader.take(data)
        except FramingError:
            break_off()
            return
        gathering.receive(frames, receive)

    return take
