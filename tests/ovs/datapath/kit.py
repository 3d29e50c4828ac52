"""A datapath on a table: dummy ports, and a test in the place of the switch daemon."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.dummy_device import RememberingDevice
from vnet.base.chance import Chance
from vnet.base.drops import DropReason
from vnet.base.ids import Mac
from vnet.ovs.datapath.datapath import Datapath
from vnet.ovs.dpif.actions import OdpActions, Output
from vnet.ovs.dpif.dpif import Dpif, Upcall
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import ALL_ONES, Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler

IN_PORT = Flow.in_port.mask
SAME_TYPE = IN_PORT | Flow.recirc_id.mask | Flow.packet_type.mask | Flow.dl_type.mask
EXACT = ALL_ONES


def output(*numbers: int) -> OdpActions:
    """Send out of ports."""
    return tuple(Output(OdpPort(number)) for number in numbers)


class Table:
    """Ports ``p1`` and so on, with the numbers 1 and so on; ``upcalls`` are what came up."""

    def __init__(
        self,
        n_ports: int = 4,
        *,
        decide: Callable[[Upcall], None] | None = None,
        has_daemon: bool = True,
        **options: int,
    ) -> None:
        self.scheduler = Scheduler()
        self.datapath = Datapath(self.scheduler, "dp", Chance(1), **options)  # type: ignore[arg-type]
        self.dpif: Dpif = self.datapath
        self.ports: dict[int, RememberingDevice] = {}
        self.upcalls: list[Upcall] = []
        self._decide = decide
        for number in range(1, n_ports + 1):
            self.add_port(number)
        if has_daemon:
            self.dpif.set_upcall_handler(self._handle)

    def _handle(self, upcall: Upcall) -> None:
        self.upcalls.append(upcall)
        if self._decide is not None:
            self._decide(upcall)

    def add_port(self, number: int) -> RememberingDevice:
        """Another port."""
        device = RememberingDevice(
            self.scheduler, f"p{number}", Mac(bytes(5) + bytes((number & 0xFF,)))
        )
        assert self.dpif.port_add(device, "dummy", OdpPort(number)) == number
        self.ports[number] = device
        return device

    def put(
        self, frame: bytes, actions: OdpActions, mask: int = EXACT, in_port: int = 1
    ) -> tuple[int, int]:
        """Install a flow that ``frame`` matches; its key and mask."""
        key = extract(frame, in_port)
        self.dpif.flow_put(key, mask, actions)
        return key, mask

    def send(self, *frames: bytes, in_port: int = 1) -> None:
        """Have frames come in, and whatever they cause happen."""
        for frame in frames:
            self.ports[in_port].deliver(frame)
        self.scheduler.run(self.scheduler.now_ns)

    def execute(self, frame: bytes, actions: OdpActions, in_port: int = 1) -> None:
        """Carry actions out, as the switch daemon has them carried out."""
        self.dpif.execute(Frame(frame), extract(frame, in_port), actions)
        self.scheduler.run(self.scheduler.now_ns)

    def sent(self) -> dict[int, list[bytes]]:
        """What has left since the last time, by port; ports that sent nothing are left out."""
        taken = {number: device.take_sent() for number, device in self.ports.items()}
        return {number: frames for number, frames in taken.items() if frames}

    def result(self, frame: bytes, *actions: OdpActions) -> bytes:
        """What a frame is after some actions, as port 2 sends it."""
        self.execute(frame, (*(one for some in actions for one in some), *output(2)))
        (sent,) = self.sent()[2]
        return sent

    def drops(self) -> dict[str, int]:
        """How many frames died of what, at the ports and in the datapath."""
        found: dict[str, int] = {}
        counters: list[dict[DropReason, int]] = [port.drops for port in self.ports.values()]
        for counter in (*counters, self.datapath.drops):
            for reason, count in counter.items():
                found[reason.word] = found.get(reason.word, 0) + count
        return found
