"""The real Open vSwitch as a player: private daemons with a dummy datapath and a stopped clock.

Learnt by looking: ``netdev-dummy/receive`` only queues a frame. The daemon polls its ports before
it answers OpenFlow in each turn of its loop, so a barrier's reply says that the frame is through.
Its other threads look at datapath flows when they like, so those are purged before anything else
happens, which also hands in their statistics. Whole seconds decide about ages, so a case begins
on one.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.ovs.private_ovs import PrivateOvs
from tests.ovs.recorded.refusals import refusal_of

MS_PER_S = 1_000
_PCAP_HEADER_BYTES = 24
_PCAP_RECORD_BYTES = 16
_NO_DEVICE = frozenset(f"type={kind}" for kind in ("patch", "vxlan", "gre", "geneve"))
_QUIET_TURNS = 6
"""After how many turns of the daemon's loop without a frame no frame is on a wire any more."""
_SPEAKING = frozenset(("add-bond", "lacp", "stp_enable", "rstp_enable"))
"""Words after which ports say something by themselves."""


class _Barriers:
    """An OpenFlow 1.3 connection to a bridge that only asks whether it is done. One of 1.0 would
    have what no flow matches sent to it.
    """

    _VERSION = 4
    _HELLO, _ECHO_REQUEST, _ECHO_REPLY, _REQUEST, _REPLY = 0, 2, 3, 20, 21
    _HEADER = struct.Struct("!BBHI")

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rb")
        self._send(self._HELLO, 0)

    def wait(self) -> None:
        """Until all that came before has been carried out."""
        self._send(self._REQUEST, 1)
        while True:
            _, kind, length, xid = self._HEADER.unpack(self._file.read(self._HEADER.size))
            self._file.read(length - self._HEADER.size)
            if kind == self._ECHO_REQUEST:
                self._send(self._ECHO_REPLY, xid)
            if kind == self._REPLY:
                return

    def _send(self, kind: int, xid: int) -> None:
        self._socket.sendall(self._HEADER.pack(self._VERSION, kind, self._HEADER.size, xid))

    def close(self) -> None:
        self._file.close()
        self._socket.close()


class RealSwitch:
    """A player. ``ovs`` runs; nobody else uses it."""

    def __init__(self, ovs: PrivateOvs) -> None:
        self._ovs = ovs
        self._directory = ovs.directory
        self._control = ovs.control_socket()
        self._barriers: dict[str, _Barriers] = {}
        self._sent_bytes: dict[str, int] = {}
        self._n_joined = 0
        self._speaks = False
        self._control.call("time/stop")
        self._phase_ms = self._find_phase()

    def close(self) -> None:
        """Let go of the daemon."""
        self._control.close()
        self._hang_up()

    # -- as a player

    def run(self, words: Sequence[str], lines: Sequence[str]) -> str:
        program, *rest = words
        if program == "ovs-appctl":
            try:
                self._control.call(*rest)
            except RuntimeError as error:
                return refusal_of(str(error))
            self._settle()
            return ""
        # A protocol needs several turns to see a link, choose, and tell.
        self._speaks |= not _SPEAKING.isdisjoint(word.split("=")[0] for word in rest)
        argv = [program, *rest, *self._recording(rest)] if program == "ovs-vsctl" else [*words]
        if "-" in argv and program == "ovs-ofctl":
            path = self._directory / "lines.txt"
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            argv[argv.index("-")] = str(path)
        done = self._ovs.do(*argv)
        self._settle()
        return refusal_of(done.stderr) if done.returncode else ""

    def show(self, words: Sequence[str]) -> list[str]:
        program, *rest = words
        if program == "ovs-appctl":
            return self._control.call(*rest).splitlines()
        if program == "ovs-vsctl":
            # The daemon writes rows when it finds time; this waits for its next writing.
            self._n_joined += 1
            turn = f"external_ids:turn={self._n_joined}"
            self._ovs.vsctl("set", "open_vswitch", ".", turn)
        done = self._ovs.do(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def receive(self, port: str, frames: Sequence[bytes]) -> None:
        for frame in frames:
            self._control.call("netdev-dummy/receive", port, frame.hex())
            self._come_to_rest()
        self._settle()

    def warp(self, total_ms: int, step_ms: int) -> None:
        self._phase_ms = (self._phase_ms + total_ms) % MS_PER_S
        while total_ms > 0:
            self._control.call("time/warp", str(min(step_ms, total_ms)))
            self._settle()
            total_ms -= step_ms

    def join(self, port: str, other: str) -> None:
        path = self._directory / f"{port}.sock"
        self._ovs.vsctl("set", "interface", port, f"options:pstream=punix:{path}")
        self._ovs.vsctl("set", "interface", other, f"options:stream=unix:{path}")
        self._n_joined += 1
        self._settle()
        state = self._control.call("netdev-dummy/conn-state", other)
        assert state.strip() == f"{other}: connected", state

    def take_sent(self) -> dict[str, tuple[bytes, ...]]:
        sent: dict[str, tuple[bytes, ...]] = {}
        for name, taken_bytes in self._sent_bytes.items():
            data = self._pcap(name).read_bytes()[taken_bytes:]
            if frames := tuple(_records(data)):
                sent[name] = frames
            self._sent_bytes[name] += len(data)
        return sent

    def forget(self) -> None:
        """Without bridges, and on a whole second, for the next case."""
        self._hang_up()
        bridges = self._ovs.vsctl("list-br").split()
        # These are held by nobody, and hold their bridges.
        words = ["--", "--all", "destroy", "flow_sample_collector_set"]
        words += (word for bridge in bridges for word in ("--", "del-br", bridge))
        self._ovs.vsctl("--", "clear", "open_vswitch", ".", "other_config", *words)
        for name in self._sent_bytes:
            self._pcap(name).unlink()
        self._sent_bytes.clear()
        self._n_joined = 0
        self._speaks = False
        if self._phase_ms:
            self._control.call("time/warp", str(MS_PER_S - self._phase_ms))
            self._phase_ms = 0

    # -- frames that leave

    def _recording(self, words: Sequence[str]) -> Iterator[str]:
        """Words behind those of ``ovs-vsctl`` that have new ports write down what they send."""
        for name in _new_dummies(words):
            path = self._pcap(name)
            self._sent_bytes[name] = _PCAP_HEADER_BYTES
            path.write_bytes(bytes(_PCAP_HEADER_BYTES))
            yield from ("--", "set", "interface", name, f"options:tx_pcap={path}")

    def _pcap(self, name: str) -> Path:
        return self._directory / f"{name}-tx.pcap"

    # -- one thing after another

    def _settle(self) -> None:
        """Until what has begun has happened, and no datapath flow is left."""
        self._come_to_rest()
        self._control.call("revalidator/purge")

    def _come_to_rest(self) -> None:
        self._turn()
        if self._n_joined or self._speaks:
            quiet, sizes = 0, self._sizes()
            while quiet < _QUIET_TURNS:
                self._turn()
                before, sizes = sizes, self._sizes()
                quiet = quiet + 1 if before == sizes else 0

    def _turn(self) -> None:
        for path in self._directory.glob("*.mgmt"):
            if path.name not in self._barriers:
                self._barriers[path.name] = _Barriers(path)
            self._barriers[path.name].wait()

    def _sizes(self) -> list[int]:
        return [self._pcap(name).stat().st_size for name in self._sent_bytes]

    def _hang_up(self) -> None:
        for barriers in self._barriers.values():
            barriers.close()
        self._barriers.clear()

    def _find_phase(self) -> int:
        """Let time pass until a second begins, which ages of stations tell; 0."""
        self.run(
            ["ovs-vsctl", "add-br", "clock", "--", "set", "bridge", "clock", "datapath_type=dummy"],
            (),
        )
        self.receive("clock", [bytes.fromhex("ffffffffffff0200000000018899") + bytes(46)])
        while self._control.call("fdb/show", "clock").split()[-1] == "0":
            self._control.call("time/warp", "1")
        self._phase_ms = 0
        self.forget()
        return 0


def _records(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at + 8)
        at += _PCAP_RECORD_BYTES
        yield data[at : at + size]
        at += size


def _new_dummies(words: Sequence[str]) -> list[str]:
    """The interfaces that a command line of ``ovs-vsctl`` adds, but for those without devices."""
    commands: list[list[str]] = [[]]
    for word in words:
        if word == "--":
            commands.append([])
        elif not word.startswith("--"):
            commands[-1].append(word)
    names: list[str] = []
    for command in commands:
        match command:
            case ["add-br", name] | ["add-port", _, name, *_]:
                names.append(name)
            case ["add-bond", _, _, *rest]:
                names += (name for name in rest if "=" not in name)
            case ["set", "interface", name, *settings] if not _NO_DEVICE.isdisjoint(settings):
                names.remove(name)
    return names


@contextmanager
def real_switch(ovs: PrivateOvs) -> Iterator[RealSwitch]:
    """A player on ``ovs`` while the block lasts."""
    switch = RealSwitch(ovs)
    try:
        yield switch
    finally:
        switch.close()
