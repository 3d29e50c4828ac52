"""``ssl:`` and ``pssl:``: whom one talks to is checked on both sides."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from vnet.live.clock import WallClock
from vnet.live.daemon.log import Process
from vnet.live.streams.listener import Listener, listen
from vnet.live.streams.reconnecting import Reconnecting
from vnet.live.streams.stream import Stream
from vnet.live.streams.tls_files import TlsFiles
from vnet.live.streams.tls_stream import TlsStream
from vnet.ovs.vlog.level import Destination
from vnet.ovs.vlog.vlog import SILENT, Vlog

RunUntil = Callable[[Callable[[], object]], None]
Later = Callable[[float], None]
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
"""What takes no while to be drawn."""


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_authority(folder: Path, name: str) -> None:
    """A CA, and a certificate of it for one that is called ``name``."""
    openssl(
        folder,
        *("req", "-x509", *NEW_KEY, "-days", "2", "-subj", f"/CN={name}-ca"),
        *("-keyout", f"{name}-ca.key", "-out", f"{name}-ca.pem"),
    )
    openssl(
        folder,
        *("req", *NEW_KEY, "-subj", f"/CN={name}"),
        *("-keyout", f"{name}.key", "-out", f"{name}.csr"),
    )
    openssl(
        folder,
        *("x509", "-req", "-days", "2", "-in", f"{name}.csr", "-CAcreateserial"),
        *("-CA", f"{name}-ca.pem", "-CAkey", f"{name}-ca.key", "-out", f"{name}.pem"),
    )


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    for name in ("good", "foreign"):
        make_authority(folder, name)
    return folder


def files(folder: Path, *, shows: str = "good", trusts: str = "good") -> TlsFiles:
    return TlsFiles(
        str(folder / f"{shows}.key"),
        str(folder / f"{shows}.pem"),
        "none" if trusts == "none" else str(folder / f"{trusts}-ca.pem"),
    )


class Talk:
    """One that listens, one that comes, and what they hear."""

    def __init__(
        self, clock: WallClock, server: TlsFiles, client: TlsFiles, vlog: Vlog = SILENT
    ) -> None:
        self.accepted: list[Stream] = []
        self.asked = b""
        self.answered = b""
        self.connected: list[Stream] = []
        self.refused: list[str] = []
        self.listener: Listener = listen(
            clock, "pssl:0:127.0.0.1", self._accept, tls=server, vlog=vlog
        )
        self.caller = Reconnecting(
            clock,
            f"ssl:127.0.0.1:{self.listener.port}",
            self._connect,
            lambda _reason: None,
            tls=client,
        )

    def _accept(self, stream: Stream) -> None:
        self.accepted.append(stream)
        stream.on_closed = self.refused.append
        stream.on_data = lambda data: self._ask(stream, data)

    def _ask(self, stream: Stream, data: bytes) -> None:
        self.asked += data
        if self.asked.endswith(b"."):
            stream.send(self.asked)

    def _connect(self, stream: Stream) -> None:
        self.connected.append(stream)
        stream.on_data = self._hear

    def _hear(self, data: bytes) -> None:
        self.answered += data


@pytest.mark.slow
def test_megabytes_go_both_ways(clock: WallClock, run_until: RunUntil, authorities: Path) -> None:
    talk = Talk(clock, files(authorities), files(authorities))
    run_until(lambda: talk.connected)
    text = bytes(range(97, 123)) * 100_000 + b"."
    talk.caller.send(text)
    run_until(lambda: talk.answered == text)


def test_either_side_knows_the_others_name(
    clock: WallClock, run_until: RunUntil, authorities: Path
) -> None:
    talk = Talk(clock, files(authorities), files(authorities))
    run_until(lambda: talk.connected)
    talk.caller.send(b"x.")
    run_until(lambda: talk.answered)
    stream = talk.accepted[0]
    assert isinstance(stream, TlsStream)
    assert stream.peer_name == "good"


@pytest.mark.parametrize(
    ("server", "client"),
    [
        ({}, {"shows": "foreign"}),
        ({"shows": "foreign"}, {}),
        ({"trusts": "foreign"}, {}),
    ],
)
def test_who_shows_a_certificate_of_another_authority_is_turned_away(
    clock: WallClock,
    run_until: RunUntil,
    authorities: Path,
    server: dict[str, str],
    client: dict[str, str],
) -> None:
    talk = Talk(clock, files(authorities, **server), files(authorities, **client))
    run_until(lambda: talk.refused)
    assert talk.asked == b""


class Lines(list[str]):
    """A log."""

    def write(self, line: str) -> None:
        self.append(line)


def test_why_somebody_was_turned_away_is_said_as_openssl_says_it(
    clock: WallClock, run_until: RunUntil, authorities: Path
) -> None:
    lines = Lines()
    vlog = Vlog(Process("ovsdb-server"))
    vlog.set_pattern(Destination.CONSOLE, "%c|%p|%m")
    vlog.set_sink(Destination.CONSOLE, lines)
    talk = Talk(clock, files(authorities), files(authorities, shows="foreign"), vlog)
    run_until(lambda: talk.refused)
    reason = "error:0A000086:SSL routines::certificate verify failed"
    assert f"stream_ssl|WARN|SSL_accept: {reason}\n" in lines


def test_with_none_for_a_ca_whoever_comes_is_let_in(
    clock: WallClock, run_until: RunUntil, authorities: Path
) -> None:
    talk = Talk(clock, files(authorities, trusts="none"), files(authorities, shows="foreign"))
    run_until(lambda: talk.connected)
    talk.caller.send(b"x.")
    run_until(lambda: talk.answered == b"x.")


def test_without_files_nobody_is_let_in_and_nobody_harmed(
    clock: WallClock, run_until: RunUntil, authorities: Path
) -> None:
    talk = Talk(clock, TlsFiles(), files(authorities))
    other = Talk(clock, files(authorities), files(authorities))
    run_until(lambda: other.connected)
    assert talk.accepted == []


def test_one_who_does_not_speak_tls_costs_its_own_connection_alone(
    clock: WallClock, run_until: RunUntil, authorities: Path
) -> None:
    talk = Talk(clock, files(authorities), files(authorities))
    plain = Reconnecting(
        clock,
        f"tcp:127.0.0.1:{talk.listener.port}",
        lambda stream: stream.send(b"GET / HTTP/1.0\r\n\r\n"),
        lambda _reason: None,
    )
    run_until(lambda: talk.refused)
    plain.close()
    run_until(lambda: talk.connected)
    talk.caller.send(b"x.")
    run_until(lambda: talk.answered == b"x.")


def test_the_ca_of_a_first_peer_is_written_down_and_trusted_from_then_on(
    clock: WallClock, run_until: RunUntil, later: Later, authorities: Path, tmp_path: Path
) -> None:
    server = files(authorities)
    server.peer_ca_certs = str(authorities / "good-ca.pem")
    client = files(authorities)
    client.ca_cert, client.bootstraps = str(tmp_path / "learnt.pem"), True
    talk = Talk(clock, server, client)
    run_until(lambda: talk.caller.state.backoff_ms)
    later(1)
    run_until(lambda: talk.connected)
    learnt = (tmp_path / "learnt.pem").read_text()
    assert learnt.split() == (authorities / "good-ca.pem").read_text().split()


def test_old_protocols_are_refused_where_only_new_ones_are_wanted(
    clock: WallClock, run_until: RunUntil, authorities: Path
) -> None:
    server, client = files(authorities), files(authorities)
    server.protocols, client.protocols = "TLSv1.2", "TLSv1.1"
    talk = Talk(clock, server, client)
    run_until(lambda: talk.refused)
    assert talk.connected == []
