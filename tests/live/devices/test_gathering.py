"""Frames that leave while others come in are sent in one piece."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.live.devices.test_dummy_plugs import FRAME, Bench
from vnet.live.clock import WallClock
from vnet.live.devices.gathering import Gathering, Peer
from vnet.live.streams.stream import Stream
from vnet.ovs.netdev.framing import FrameReader, framed

RunUntil = Callable[[Callable[[], object]], None]


class CountingStream(Stream):
    """Keeps what it was given to send, piece by piece."""

    def __init__(self, clock: WallClock, sock: socket.socket) -> None:
        super().__init__(clock, sock, "peer")
        self.pieces: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.pieces.append(data)
        super().send(data)


class Ends:
    """A peer and what it gets."""

    def __init__(self, clock: WallClock) -> None:
        ours, self.theirs = socket.socketpair()
        ours.setblocking(False)
        self.stream = CountingStream(clock, ours)
        self.gathering = Gathering()
        self.peer = Peer(self.stream, self.gathering)

    def close(self) -> None:
        self.stream.close()
        self.theirs.close()


def test_what_leaves_while_frames_come_in_goes_out_at_once(clock: WallClock) -> None:
    ends = Ends(clock)
    came = [FRAME, FRAME + b"x", FRAME]
    ends.gathering.receive(came, ends.peer.send)
    assert ends.stream.pieces == [b"".join(map(framed, came))]
    ends.peer.send(FRAME)
    assert ends.stream.pieces[1:] == [framed(FRAME)], "nothing comes in: it does not wait"
    ends.close()


def test_what_has_left_goes_out_even_if_a_later_frame_breaks_something(clock: WallClock) -> None:
    ends = Ends(clock)

    def receive(frame: bytes) -> None:
        if frame != FRAME:
            raise ArithmeticError
        ends.peer.send(frame)

    with pytest.raises(ArithmeticError):
        ends.gathering.receive([FRAME, b"bad"], receive)
    assert ends.stream.pieces == [framed(FRAME)]
    ends.peer.send(FRAME)
    assert len(ends.stream.pieces) == 2
    ends.close()


def test_a_flood_goes_out_in_pieces_and_a_peer_that_does_not_read_loses_the_rest(
    clock: WallClock,
) -> None:
    ends = Ends(clock)
    frame = bytes(1514)
    ends.gathering.receive([frame] * 2000, ends.peer.send)
    n_bytes = sum(map(len, ends.stream.pieces))
    assert max(map(len, ends.stream.pieces)) < (64 << 10) + 1516
    assert 1000 * 1514 <= n_bytes < 1000 * 1514 + (300 << 10), "what the system took, besides"
    assert 1000 * 1514 - 1516 < ends.stream.unsent_bytes < 1000 * 1514 + (64 << 10)
    ends.close()


def test_frames_that_come_in_by_one_stream_leave_by_others_in_order(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    bench = Bench(clock)
    one, two = (bench.plug(name, pstream=f"punix:{tmp_path}/{name}") for name in ("p1", "p2"))
    one.device.rx_handler = two.device.transmit
    frames = [FRAME + bytes((number,)) for number in range(200)]
    got: list[bytes] = []
    reader = FrameReader()
    with socket.socket(socket.AF_UNIX) as sender, socket.socket(socket.AF_UNIX) as receiver:
        for peer, name in ((sender, "p1"), (receiver, "p2")):
            peer.connect(f"{tmp_path}/{name}")
            peer.setblocking(False)
        stream = b"".join(map(framed, frames))
        sender.sendall(stream[:1001])

        def has_come(n_frames: int) -> bool:
            with suppress(BlockingIOError):
                got.extend(reader.take(receiver.recv(1 << 16)))
            return len(got) >= n_frames

        run_until(lambda: has_come(47))
        sender.sendall(stream[1001:])
        run_until(lambda: has_come(200))
    assert got == frames
    one.close()
    two.close()
