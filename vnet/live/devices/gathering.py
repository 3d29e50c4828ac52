"""Frames that leave while others come in, gathered: a peer gets them in one piece.

What has been read at once is received frame by frame, and most of what follows from a frame leaves
meanwhile. A call of the system for each would take longer than all that a switch does with a frame
that it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vnet.live.streams.stream import Stream
from vnet.ovs.netdev.framing import LENGTH_BYTES, framed, length_of

_MOST_UNSENT_BYTES = 1000 * 1514
"""A peer that does not read loses frames, as on a wire."""

_MOST_GATHERED_BYTES = 64 << 10


class Gathering:
    """What the peers of one switch have in common: whether frames are just coming in."""

    def __init__(self) -> None:
        self.is_on = False
        self.peers: list[Peer] = []

    def receive(self, frames: Iterable[bytes], receive: Callable[[bytes], None]) -> None:
        """Have a device ``receive`` frames. What leaves meanwhile is sent when they are done."""
        self.is_on = True
        try:
            for frame in frames:
                receive(frame)
        finally:
            self.is_on = False
            peers, self.peers = self.peers, []
            for peer in peers:
                peer.send_gathered()


class Peer:
    """Who is at the other end of a ``stream``."""

    __slots__ = ("_gathered", "_gathering", "_n_gathered_bytes", "stream")

    def __init__(self, stream: Stream, gathering: Gathering) -> None:
        self.stream = stream
        self._gathering = gathering
        self._gathered: list[bytes] = []
        self._n_gathered_bytes = 0

    def send(self, frame: bytes) -> None:
        """Let it have a frame, if it reads."""
        n_waiting_bytes = self._n_gathered_bytes
        if self.stream.unsent_bytes + n_waiting_bytes >= _MOST_UNSENT_BYTES:
            return
        if not self._gathering.is_on:
            self.stream.send(framed(frame))
            return
        if not self._gathered:
            self._gathering.peers.append(self)
        self._gathered += (length_of(frame), frame)
        self._n_gathered_bytes = n_waiting_bytes = n_waiting_bytes + LENGTH_BYTES + len(frame)
        if n_waiting_bytes >= _MOST_GATHERED_BYTES:
            self.send_gathered()

    def send_gathered(self) -> None:
        """Send what has been gathered. Harmless where nothing has."""
        if self._gathered:
            data = b"".join(self._gathered)
            self._gathered.clear()
            self._n_gathered_bytes = 0
            self.stream.send(data)
