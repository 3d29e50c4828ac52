"""Frames that come to a dummy device by a stream and leave another by one, through the datapath.

That is how a test harness outside sends frames through ``vnet ovs``. The frames are as long as
they get, and come as fast as they are taken. What the peer does, who writes and reads much at once,
is part of the price.
"""

from __future__ import annotations

import socket
import weakref
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import Speed, Work
from benchmarks.yardstick import hot_path
from vnet.base.units import NS_PER_MS
from vnet.live.clock import WallClock
from vnet.live.devices.devices import StandaloneDevices
from vnet.live.devices.dummy_level import DummyLevel
from vnet.ovs.datapath.datapath import Datapath
from vnet.ovs.dpif.actions import Meter, OdpActions, Output
from vnet.ovs.dpif.meters import MeterBandConfig, MeterConfig
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.ovs.netdev.framing import framed
from vnet.ovs.vswitchd.config import BridgeConfig, InterfaceConfig
from vnet.wire import ether, ipv4, udp

FRAMES = 20_000
FRAMES_AT_ONCE = 40
PATIENCE_MS = 10_000
UNTIL_TAKEN_IN_MS = 20
PAYLOAD_BYTES = 1472
ONE, TWO = OdpPort(1), OdpPort(2)
METERED: OdpActions = (Meter(0), Output(TWO))
OUTPUT: OdpActions = (Output(TWO),)


def _frame() -> bytes:
    addresses = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
    datagram = udp.emit(*addresses, 1, 2, bytes(PAYLOAD_BYTES))
    packet = ipv4.emit(*addresses, udp.PROTOCOL, datagram)
    one, two = (bytes((2, 0, 0, 0, 0, number)) for number in (1, 2))
    return ether.frame(two, one, ether.TYPE_IPV4, packet)


class _Ends:
    """The peers of both devices."""

    def __init__(self, clock: WallClock, folder: Path) -> None:
        self.clock = clock
        self.sender, self.receiver = (socket.socket(socket.AF_UNIX) for _ in range(2))
        for peer, name in ((self.sender, "p1"), (self.receiver, "p2")):
            peer.connect(str(folder / name))
            peer.setblocking(False)
        self.clock.run_live(clock.real_now_ns + UNTIL_TAKEN_IN_MS * NS_PER_MS)

    def turn(self) -> None:
        """Have done what can be done without waiting."""
        self.clock.next_turn(self.clock.stop)
        self.clock.run_live()

    def pass_on(self, data: bytes) -> None:
        """Send bytes to one, and take as many from the other."""
        n_missing, unsent = len(data), data
        end_ns = self.clock.real_now_ns + PATIENCE_MS * NS_PER_MS
        while n_missing:
            assert self.clock.real_now_ns < end_ns, "frames are missing"
            if unsent:
                unsent = unsent[self.sender.send(unsent) :]
            self.turn()
            with suppress(BlockingIOError):
                n_missing -= len(self.receiver.recv(1 << 18))


def forward(actions: OdpActions) -> Work:
    """Through a flow that does this."""
    clock = WallClock()
    folder = TemporaryDirectory()
    devices = StandaloneDevices(clock, DummyLevel.DUMMY)
    datapath = Datapath(clock, "dp")
    for number, name in ((ONE, "p1"), (TWO, "p2")):
        path = Path(folder.name, name)
        interface = InterfaceConfig(name, type="dummy", options={"pstream": f"punix:{path}"})
        device = devices.open(BridgeConfig("br0", datapath_type="dummy"), interface)
        assert device is not None
        devices.configure(device, interface)
        datapath.port_add(device, "dummy", number)
    datapath.meter_set(0, MeterConfig(False, (MeterBandConfig(10_000_000),)))
    frame = _frame()
    mask = Flow.in_port.mask | Flow.dl_type.mask | Flow.nw_frag.mask
    datapath.flow_put(extract(frame, ONE), mask, actions)
    ends = _Ends(clock, Path(folder.name))
    burst = framed(frame) * FRAMES_AT_ONCE

    def work() -> int:
        for _ in range(FRAMES // FRAMES_AT_ONCE):
            ends.pass_on(burst)
        return FRAMES

    def end() -> None:
        ends.sender.close()
        ends.receiver.close()
        devices.unplug()
        clock.close()
        folder.cleanup()

    weakref.finalize(work, end)
    return work


def _speed(how: str, actions: OdpActions) -> Speed:
    name = f"dummies: stream to stream, {how}"
    return Speed(name, "frames/s", partial(forward, actions), hot_path, "yardstick")


BENCHMARKS = (_speed("output", OUTPUT), _speed("metered", METERED))
