"""Linux bridges joined by cables, one namespace each, for tests of STP and of multicast."""

from __future__ import annotations

from vnet.base.chance import Chance
from vnet.base.ids import Mac
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.port import BridgePort
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.pair import PairDevice, pair_up
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler

S = 1_000_000_000


class Wire:
    """Everything that a device sent, or that came in, with its time."""

    def __init__(self, scheduler: Scheduler, device: PairDevice, *, outbound: bool) -> None:
        self.frames: list[tuple[int, bytes]] = []
        self._scheduler = scheduler
        self._outbound = outbound
        device.add_sniffer(self)

    def capture(self, time_ns: int, data: bytes, outbound: bool) -> None:
        if outbound == self._outbound:
            self.frames.append((time_ns, data))

    def note_drop(self, *_what: object) -> None:
        """Drops are counted at the device."""

    def take(self) -> list[bytes]:
        """What came since the last time."""
        frames, self.frames = [data for _, data in self.frames], []
        return frames


class Site:
    """Namespaces by name, each with a bridge ``br0`` that is down at first."""

    def __init__(self, *names: str) -> None:
        self.scheduler = Scheduler()
        chance = Chance(1)
        self.nodes = {name: Namespace(self.scheduler, name, chance) for name in names}
        self.bridges: dict[str, Bridge] = {
            name: node.add_bridge("br0") for name, node in self.nodes.items()
        }
        self._next_mac = 1

    def mac(self) -> Mac:
        number, self._next_mac = self._next_mac, self._next_mac + 1
        return Mac(bytes((6, 0, 0, 0, 0, number)))

    def port(self, node: str, name: str) -> tuple[BridgePort, PairDevice]:
        """A port of a bridge, and the device at the other end of its cable, which is up."""
        device, far = (
            PairDevice(self.scheduler, name, self.mac()),
            PairDevice(self.scheduler, "far", self.mac(), owner=name),
        )
        pair_up(device, far)
        far.set_admin(True)
        return self._join(node, device), far

    def cable(self, one: str, other: str) -> tuple[BridgePort, BridgePort]:
        """Join two bridges; the ports are called after the other end's node."""
        devices = [PairDevice(self.scheduler, name, self.mac()) for name in (other, one)]
        pair_up(*devices)
        return self._join(one, devices[0]), self._join(other, devices[1])

    def _join(self, node: str, device: PairDevice) -> BridgePort:
        netns = self.nodes[node]
        netns.add_device(device)
        netns.enslave(device.name, "br0")
        netns.set_up(device.name)
        port = self.bridges[node].port_of(device)
        assert port is not None
        return port

    def up(self, *, stp: bool) -> None:
        """Set all bridges up."""
        for name, bridge in self.bridges.items():
            if stp:
                bridge.tree.start()
            self.nodes[name].set_up("br0")

    def run(self, seconds: float) -> None:
        self.scheduler.run(self.scheduler.now_ns + int(seconds * S))

    def states(self) -> dict[str, str]:
        """What each port does: ``b1:b2``, the port of b1 towards b2."""
        return {
            f"{name}:{port.device.name}": port.state.name.lower()
            for name, bridge in self.bridges.items()
            for port in bridge.ports
        }


def said(bridge: Bridge) -> list[str]:
    """The kernel's words about a bridge."""
    return [text for _, text in bridge.log]


def send(far: PairDevice, data: bytes) -> None:
    """The station at the far end of a port's cable sends a frame."""
    far.transmit(Frame(data))
