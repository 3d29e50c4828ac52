"""A card on a cable with a tree of disciplines, and what arrives at the other end."""

from __future__ import annotations

from vnet.base.chance import Chance
from vnet.base.ids import Mac
from vnet.base.units import NS_PER_S
from vnet.linux.tc.command import Tc
from vnet.linux.tc.qdiscs import TrafficControl
from vnet.netdev.nic import Nic
from vnet.sim.frame import Frame
from vnet.sim.link import Link
from vnet.sim.qdisc.discipline import Discipline
from vnet.sim.qdisc.root import DeviceQueue
from vnet.sim.scheduler import Scheduler

IPV4_HEADER = bytes.fromhex("4500001400000000401100000a0000010a000002")


def frame_of(size_bytes: int = 1_000, *, tos: int = 0, mark: int = 0, protocol: int = 17) -> Frame:
    """An IPv4 frame that is told from others by ``mark``, its identification."""
    header = bytearray(IPV4_HEADER)
    header[1], header[4:6], header[9] = tos, mark.to_bytes(2, "big"), protocol
    data = bytes(6) + b"\2\0\0\0\0\1" + b"\x08\0" + bytes(header)
    return Frame(data.ljust(size_bytes, b"\0"))


def mark_of(data: bytes) -> int:
    return int.from_bytes(data[18:20], "big")


class Shaper:
    """``tc`` on a card; ``arrived`` has when, and which mark, of each frame at the far end."""

    def __init__(self, *commands: str, bandwidth_bps: int | None = None, seed: int = 1) -> None:
        self.scheduler = Scheduler()
        self.arrived: list[tuple[int, int]] = []
        self.received: list[bytes] = []
        link = Link(self.scheduler, ("a", "b"), bandwidth_bps=bandwidth_bps, queue_frames=100_000)
        self.nic = Nic(self.scheduler, "eth0", Mac(b"\2\0\0\0\0\1"), owner="a")
        far = Nic(self.scheduler, "eth0", Mac(b"\2\0\0\0\0\2"), owner="b")
        for nic, end in zip((self.nic, far), link.ends, strict=True):
            nic.plug(end)
            nic.set_admin(True)
        far.rx_handler = self._arrive
        self.control = TrafficControl(Chance(seed), lambda mac: mac == self.nic.mac)
        self._tc = Tc(self.control, {"eth0": self.nic})
        for command in commands:
            self.tc(command)

    def tc(self, command: str) -> str:
        return self._tc.run(command.split())

    def _arrive(self, frame: Frame) -> None:
        self.arrived.append((self.scheduler.now_ns, mark_of(frame.data)))
        self.received.append(frame.data)

    def send(self, *frames: Frame) -> None:
        for frame in frames:
            self.nic.transmit(frame)

    def run(self, seconds: float = 10) -> list[tuple[int, int]]:
        self.scheduler.run(self.scheduler.now_ns + int(seconds * NS_PER_S))
        return self.arrived

    @property
    def marks(self) -> list[int]:
        return [mark for _, mark in self.arrived]

    def qdisc(self, handle: int = 1) -> Discipline:
        found = self.control.find(self.nic, handle << 16)
        assert found is not None
        return found.qdisc

    @property
    def queue(self) -> DeviceQueue:
        queue = self.control.queue_of(self.nic)
        assert queue is not None
        return queue

    @property
    def lost(self) -> dict[str, int]:
        return {reason.word: count for reason, count in self.nic.drops.items()}
