"""What the options of dummy devices have them write to and speak with."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from vnet.live.clock import WallClock
from vnet.live.devices.dummy_plug import DummyPlug
from vnet.live.devices.gathering import Gathering
from vnet.ovs.netdev.dummies import DummyDevices
from vnet.ovs.vlog.level import Destination
from vnet.ovs.vlog.vlog import Vlog
from vnet.sim.frame import Frame
from vnet.wire.pcap import read_pcap

RunUntil = Callable[[Callable[[], object]], None]
Later = Callable[[float], None]
FRAME = bytes.fromhex("ffffffffffff020000000001123446464646")


class Around:
    program, pid, host = "test", 1, "here"

    def wall_ms(self) -> int:
        return 0

    def monotonic_ms(self) -> int:
        return 0


class Lines(list[str]):
    def write(self, line: str) -> None:
        self.append(line.split("|", 2)[2].rstrip("\n"))


class Bench:
    """Dummy devices that somebody listens to."""

    def __init__(self, clock: WallClock) -> None:
        self.clock = clock
        self.vlog = Vlog(Around())
        self.lines = Lines()
        self.vlog.set_sink(Destination.FILE, self.lines)
        self.devices = DummyDevices(clock)
        self.gathering = Gathering()
        self.got: dict[str, list[bytes]] = {}

    def plug(self, name: str, netdev_type: str = "dummy", **options: str) -> DummyPlug:
        device = self.devices.make(name, netdev_type)
        got = self.got[name] = []
        device.rx_handler = lambda frame: got.append(frame.data)
        plug = DummyPlug(self.clock, device, self.vlog, self.gathering)
        plug.configure(options)
        return plug


def test_two_devices_find_each_other_and_again_after_a_break(
    clock: WallClock, run_until: RunUntil, later: Later, tmp_path: Path
) -> None:
    bench = Bench(clock)
    active = bench.plug("p2", stream=f"unix:{tmp_path}/p1.sock")
    assert active.device.connection_state == "disconnected", "nobody is there yet"
    passive = bench.plug("p1", pstream=f"punix:{tmp_path}/p1.sock")
    run_until(lambda: active.device.connection_state == "connected")
    assert passive.device.connection_state is None
    active.device.transmit(Frame(FRAME))
    run_until(lambda: bench.got["p1"])
    passive.device.transmit(Frame(FRAME[::-1]))
    run_until(lambda: bench.got["p2"])
    assert (bench.got["p1"], bench.got["p2"]) == ([FRAME], [FRAME[::-1]])
    passive.configure({})
    run_until(lambda: active.device.connection_state == "disconnected")
    passive.configure({"pstream": f"punix:{tmp_path}/p1.sock"})
    later(1)
    run_until(lambda: active.device.connection_state == "connected")
    for plug in (active, passive):
        plug.close()
    assert not (tmp_path / "p1.sock").exists()


def test_who_sends_something_else_than_frames_costs_only_its_own_connection(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    bench = Bench(clock)
    plug = bench.plug("p1", pstream=f"punix:{tmp_path}/p1.sock")
    with socket.socket(socket.AF_UNIX) as good, socket.socket(socket.AF_UNIX) as bad:
        for peer in (good, bad):
            peer.connect(f"{tmp_path}/p1.sock")
            peer.setblocking(False)
        bad.sendall(b"\x00\x05hello")
        good.sendall(len(FRAME).to_bytes(2, "big") + FRAME)
        run_until(lambda: bench.got["p1"])
        run_until(lambda: _has_ended(bad))
        plug.device.transmit(Frame(FRAME))
        assert good.recv(100) == len(FRAME).to_bytes(2, "big") + FRAME
    plug.close()


def _has_ended(peer: socket.socket) -> bool:
    try:
        return peer.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_a_peer_that_does_not_read_loses_frames_and_not_its_connection(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    bench = Bench(clock)
    plug = bench.plug("p1", pstream=f"punix:{tmp_path}/p1.sock")
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(f"{tmp_path}/p1.sock")
        hello = len(FRAME).to_bytes(2, "big") + FRAME
        peer.sendall(hello)
        run_until(lambda: bench.got["p1"])
        for _ in range(5000):
            plug.device.transmit(Frame(bytes(1514)))
        peer.sendall(hello)
        run_until(lambda: len(bench.got["p1"]) == 2)
    plug.close()


def test_captures_are_written_as_frames_pass_and_gone_on_with(
    clock: WallClock, tmp_path: Path
) -> None:
    bench = Bench(clock)
    both, received, sent = (str(tmp_path / name) for name in ("both", "received", "sent"))
    plug = bench.plug("p1", pcap=both)
    plug.device.deliver(FRAME)
    plug.device.transmit(Frame(FRAME[::-1]))
    assert _frames(both) == [FRAME, FRAME[::-1]]
    plug.configure({"rxq_pcap": received, "tx_pcap": sent})
    plug.device.deliver(FRAME)
    plug.device.transmit(Frame(FRAME[::-1]))
    assert (_frames(received), _frames(sent)) == ([FRAME], [FRAME[::-1]])
    plug.configure({"pcap": both, "tx_pcap": sent})
    plug.device.deliver(FRAME)
    assert len(_frames(both)) == 3, "what is there is gone on with"
    assert len(_frames(sent)) == 1, "pcap goes before"
    Path(both).unlink()
    plug.configure({"pcap": both, "tx_pcap": sent})
    assert _frames(both) == [], "a file that was removed is made anew"
    plug.close()


def _frames(path: str) -> list[bytes]:
    return [packet.data for packet in read_pcap(Path(path).read_bytes(), strict=True)]


def test_what_cannot_be_opened_is_told_and_the_device_works_without(
    clock: WallClock, tmp_path: Path
) -> None:
    bench = Bench(clock)
    bench.plug("p1", pstream="punix:a", stream="unix:b")
    bench.plug("p2", pcap=str(tmp_path / "no" / "such.pcap"))
    bench.plug("p3", pstream="nowhere:at:all")
    bench.plug("p4", "dummy-pmd", n_rxq="2000", n_txq="0").device.deliver(FRAME)
    assert bench.lines == [
        "netdev_dummy|WARN|Open failed: both punix:a and unix:b are configured",
        f"pcap|WARN|{tmp_path}/no/such.pcap: failed to open pcap file for appending "
        "(No such file or directory)",
        "netdev_dummy|WARN|nowhere:at:all: open failed (Address family not supported by protocol)",
        "netdev_dummy|WARN|The one or both of interface p4 queues(rxq: 2000, txq: 1) exceed "
        "1024. Sets it 1024.",
    ]
    assert bench.got["p4"] == [FRAME]
