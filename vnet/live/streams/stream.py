"""An open connection: bytes out, bytes in, and how it ended.

Nothing blocks. What the peer does not take waits here, up to a limit: a peer that asks and never
listens loses its connection, and costs nobody else anything.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable

from vnet.live.clock import WallClock

UNSENT_LIMIT_BYTES = 64 << 20
"""How much may wait for a peer, unless its owner says otherwise."""

END_OF_FILE = -1
"""In place of an error number: the peer closed the connection in good order."""

_READ_BYTES = 64 << 10


def _nobody(_: object) -> None:
    """For those who do not care."""


class Stream:
    """A connection that stands. It reads once ``on_data`` is set, which its owner does at once.

    ``on_closed`` is told why it ended ("End of file", "Connection reset by peer", ...), unless its
    owner ended it. With ``waits_for_peer`` nothing is read while the peer has not taken all that
    was sent.
    """

    def __init__(self, clock: WallClock, sock: socket.socket, peer: str) -> None:
        self.peer = peer
        self.on_data: Callable[[bytes], None] = _nobody
        self.on_closed: Callable[[str], None] = _nobody
        self.on_drained: Callable[[], None] | None = None
        self.unsent_limit_bytes = UNSENT_LIMIT_BYTES
        self.waits_for_peer = False
        self.error = 0
        """Why it ended: an error number, END_OF_FILE, or 0 where its owner closed it."""
        self.is_open = True
        self._clock = clock
        self._socket = sock
        self._unsent = bytearray()
        self._is_ending = False
        self._is_paused = False
        self._is_watched = True
        clock.watch(sock, self.on_ready)

    @property
    def reason(self) -> str:
        """Why it ended, in words; empty where its owner closed it, or it stands."""
        if self.error == END_OF_FILE:
            return "End of file"
        return os.strerror(self.error) if self.error else ""

    # -- what its owner does

    @property
    def unsent_bytes(self) -> int:
        """How much the peer has not taken yet."""
        return len(self._unsent)

    def send(self, data: bytes) -> None:
        """Send bytes, now or as soon as the peer takes them. Harmless once it has ended."""
        if not self.is_open or self._is_ending:
            return
        if not self._unsent:
            data = data[self._try_to_send(data) :]
        if not data or self._is_ending:
            return
        self._unsent += data
        if len(self._unsent) > self.unsent_limit_bytes:
            self._end_soon(errno.ENOBUFS)
            return
        self._watch()

    def pause(self) -> None:
        """Read no more until :meth:`resume`: what comes waits in the system, and then at the peer.
        That the peer has gone is not noticed meanwhile."""
        if not self._is_paused and self.is_open:
            self._is_paused = True
            self._watch()

    def resume(self) -> None:
        """Read on. Harmless where it was not paused."""
        if self._is_paused and self.is_open:
            self._is_paused = False
            self._watch()

    def close(self) -> None:
        """End it; what is unsent is lost. Harmless where it has ended."""
        if self.is_open:
            self.is_open = False
            self._clock.forget(self._socket)
            self._unsent.clear()
            self._socket.close()

    def shut_down_sending(self) -> None:
        """Send what waits as far as it goes without waiting, and close."""
        if self._unsent and self.is_open:
            self._try_to_send(bytes(self._unsent))
        self.close()

    # -- what the clock tells

    def on_ready(self) -> None:
        """There may be something to read, or room to write."""
        if self._unsent:
            self._send_unsent()
        if self.is_open and self._may_read:
            self._read()

    @property
    def _may_read(self) -> bool:
        return not self._is_paused and not (self.waits_for_peer and self._unsent)

    def _read(self) -> None:
        try:
            data = self._receive()
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error.errno or errno.EIO)
            return
        if data:
            self.on_data(data)
        else:
            self._end(END_OF_FILE)

    def _send_unsent(self) -> None:
        n_sent = self._try_to_send(self._unsent)
        if n_sent:
            del self._unsent[:n_sent]
        if not self._unsent and self.is_open:
            self._watch()
            if self.on_drained is not None:
                self.on_drained()

    def _try_to_send(self, data: bytes | bytearray) -> int:
        try:
            return self._transmit(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._end_soon(error.errno or errno.EIO)
            return 0

    # -- what differs between kinds of stream

    def _receive(self) -> bytes:
        """Bytes, none at the end. Raises BlockingIOError where there are none yet, or OSError."""
        return self._socket.recv(_READ_BYTES)

    def _transmit(self, data: bytes | bytearray) -> int:
        """Hand bytes to the system; returns how many it took. Raises as :meth:`_receive`."""
        return self._socket.send(data)

    def _watch(self) -> None:
        """Ask the clock for what is waited for."""
        self._watch_for(reading=self._may_read, writing=bool(self._unsent))

    def _watch_for(self, *, reading: bool, writing: bool) -> None:
        if not reading and not writing:
            self._clock.forget(self._socket)
            self._is_watched = False
            return
        if not self._is_watched:
            self._clock.watch(self._socket, self.on_ready)
            self._is_watched = True
        self._clock.watch_writable(self._socket, writing, readable=reading)

    # -- the end

    def _end(self, error: int) -> None:
        if self.is_open:
            self.error = error
            self.close()
            self.on_closed(self.reason)

    def _end_soon(self, error: int) -> None:
        """End it in an event of its own: whoever sends does not expect to be told meanwhile."""
        if not self._is_ending:
            self._is_ending = True
            self._clock.at(self._clock.now_ns, self._end, error)
