"""Connections on one machine: both ways, to their end, and under strain."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from vnet.live.clock import WallClock
from vnet.live.streams.listener import listen
from vnet.live.streams.reconnecting import Reconnecting
from vnet.live.streams.stream import Stream

RunUntil = Callable[[Callable[[], object]], None]
Later = Callable[[float], None]


class Echo:
    """Sends back what comes, and remembers."""

    def __init__(self) -> None:
        self.streams: list[Stream] = []
        self.ended: list[str] = []

    def __call__(self, stream: Stream) -> None:
        self.streams.append(stream)
        stream.on_data = stream.send
        stream.on_closed = self.ended.append


class Caller:
    """One that goes to a target and remembers."""

    def __init__(self, clock: WallClock, target: str) -> None:
        self.streams: list[Stream] = []
        self.heard = b""
        self.ended: list[str] = []
        self.connection = Reconnecting(clock, target, self._connected, self.ended.append)

    def _connected(self, stream: Stream) -> None:
        self.streams.append(stream)
        stream.on_data = self._hear

    def _hear(self, data: bytes) -> None:
        self.heard += data


def test_bytes_go_both_ways_over_a_unix_socket(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    listen(clock, f"punix:{tmp_path}/socket", Echo())
    caller = Caller(clock, f"unix:{tmp_path}/socket")
    run_until(lambda: caller.streams)
    caller.connection.send(b"hello")
    run_until(lambda: caller.heard == b"hello")


@pytest.mark.parametrize(("at", "to"), [("ptcp:0", "127.0.0.1"), ("ptcp:0:[::1]", "[::1]")])
def test_bytes_go_both_ways_over_tcp(
    clock: WallClock, run_until: RunUntil, at: str, to: str
) -> None:
    listener = listen(clock, at, Echo())
    caller = Caller(clock, f"tcp:{to}:{listener.port}")
    run_until(lambda: caller.streams)
    caller.connection.send(b"hello")
    run_until(lambda: caller.heard == b"hello")


def test_tcp_is_heard_on_this_machine_alone_unless_told_otherwise(clock: WallClock) -> None:
    listener = listen(clock, "ptcp:0", Echo())
    everywhere = listen(clock, "ptcp:0:0.0.0.0", Echo())
    assert listener._socket.getsockname()[0] == "127.0.0.1"
    assert everywhere._socket.getsockname()[0] == "0.0.0.0"


def test_unix_sockets_are_for_their_owner_alone_and_go_with_the_listener(
    clock: WallClock, tmp_path: Path
) -> None:
    path = tmp_path / "socket"
    listener = listen(clock, f"punix:{path}", Echo())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    listener.close()
    assert not path.exists()


def test_a_listener_leaves_a_name_alone_that_another_has_taken_over(
    clock: WallClock, tmp_path: Path
) -> None:
    first = listen(clock, f"punix:{tmp_path}/socket", Echo())
    second = listen(clock, f"punix:{tmp_path}/socket", Echo())
    first.close()
    assert (tmp_path / "socket").exists()
    second.close()


def test_a_file_that_is_no_socket_stays(clock: WallClock, tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("mine")
    with pytest.raises(OSError, match="in use"):
        listen(clock, f"punix:{path}", Echo())
    assert path.read_text() == "mine"


def test_paths_may_be_longer_than_an_address_has_room(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)
    listener = listen(clock, f"punix:{folder}/socket", Echo())
    caller = Caller(clock, f"unix:{folder}/socket")
    run_until(lambda: caller.streams)
    listener.close()
    assert os.listdir(folder) == []


def test_relative_paths_are_below_the_run_directory(
    clock: WallClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVS_RUNDIR", str(tmp_path))
    listen(clock, "punix:db.sock", Echo())
    assert (tmp_path / "db.sock").is_socket()


def test_either_side_hears_how_it_ended(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    echo = Echo()
    listen(clock, f"punix:{tmp_path}/socket", echo)
    caller = Caller(clock, f"unix:{tmp_path}/socket")
    run_until(lambda: echo.streams)
    echo.streams[0].close()
    run_until(lambda: caller.ended)
    assert caller.ended == ["End of file"]
    assert echo.ended == []


def test_who_does_not_listen_loses_the_connection_and_nobody_else_notices(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    echo = Echo()
    listen(clock, f"punix:{tmp_path}/socket", echo)
    deaf = socket.socket(socket.AF_UNIX)
    deaf.connect(f"{tmp_path}/socket")
    other = Caller(clock, f"unix:{tmp_path}/socket")
    run_until(lambda: len(echo.streams) == 2)
    echo.streams[0].unsent_limit_bytes = 1 << 20
    echo.streams[0].send(bytes(3 << 20))
    run_until(lambda: echo.ended)
    assert echo.ended == ["No buffer space available"]
    other.connection.send(b"still there?")
    run_until(lambda: other.heard == b"still there?")
    deaf.close()


def test_nothing_is_read_from_a_peer_that_has_not_taken_its_answers(
    clock: WallClock, run_until: RunUntil, later: Later, tmp_path: Path
) -> None:
    echo = Echo()
    listen(clock, f"punix:{tmp_path}/socket", echo)
    asker = socket.socket(socket.AF_UNIX)
    asker.connect(f"{tmp_path}/socket")
    run_until(lambda: echo.streams)
    stream = echo.streams[0]
    stream.waits_for_peer = True
    questions: list[bytes] = []
    stream.on_data = questions.append
    stream.send(bytes(3 << 20))
    asker.send(b"another question")
    for _ in range(10):
        later(1)
    assert questions == []
    asker.setblocking(False)
    n_taken = 0

    def has_taken_all() -> bool:
        nonlocal n_taken
        with contextlib.suppress(BlockingIOError):
            n_taken += len(asker.recv(1 << 20))
        return n_taken == 3 << 20

    run_until(has_taken_all)
    run_until(lambda: questions == [b"another question"])
    asker.close()


def test_two_hundred_callers_at_once_are_all_served(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    listen(clock, f"punix:{tmp_path}/socket", Echo())
    callers = [Caller(clock, f"unix:{tmp_path}/socket") for _ in range(200)]
    run_until(lambda: all(caller.streams for caller in callers))
    for caller in callers:
        caller.connection.send(b"x")
    run_until(lambda: all(caller.heard == b"x" for caller in callers))


def test_a_caller_comes_back_when_the_listener_does(
    clock: WallClock, run_until: RunUntil, later: Later, tmp_path: Path
) -> None:
    echo = Echo()
    first = listen(clock, f"punix:{tmp_path}/socket", echo)
    caller = Caller(clock, f"unix:{tmp_path}/socket")
    run_until(lambda: echo.streams)
    first.close()
    echo.streams[0].close()
    run_until(lambda: caller.ended)
    listen(clock, f"punix:{tmp_path}/socket", echo)
    later(1)
    run_until(lambda: len(caller.streams) == 2)


@pytest.mark.parametrize(
    "target",
    [
        *("", "tcp", "udp:1.2.3.4:5", "unix", "ptcp:1", "tcp:", "tcp:x:y"),
        *("tcp:[fe80::1%²]:1", "tcp:[fe80::1%99999999999]:1", "tcp:[fe80::1%nosuch]:1"),
        *("tcp:1.2.3.4:²", f"tcp:1.2.3.4:{'9' * 5000}", "tcp:\udcff:1"),
    ],
)
def test_targets_that_are_none_are_refused(clock: WallClock, target: str) -> None:
    with pytest.raises(OSError, match="not supported"):
        Caller(clock, target)


def test_who_has_no_files_left_tries_again_later(
    clock: WallClock,
    run_until: RunUntil,
    later: Later,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listen(clock, f"punix:{tmp_path}/socket", Echo())
    caller = Caller(clock, f"unix:{tmp_path}/socket")
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", _no_more_files)
        run_until(lambda: caller.connection.state.backoff_ms)
    later(1)
    run_until(lambda: caller.streams)


def _no_more_files(*_: object) -> socket.socket:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_the_name_of_a_caller_s_socket_is_made_fit_to_be_logged(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    echo = Echo()
    listen(clock, f"punix:{tmp_path}/socket", echo)
    with socket.socket(socket.AF_UNIX) as client:
        client.bind(f"{tmp_path}/a\nb")
        client.connect(f"{tmp_path}/socket")
        run_until(lambda: echo.streams)
    assert echo.streams[0].peer == f"unix:{tmp_path}/a\\nb"
