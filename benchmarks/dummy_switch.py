"""A switch with dummy devices behind its interfaces, for benchmarks and tests."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.dummy_device import RememberingDevice
from vnet.base.chance import Chance
from vnet.netdev.device import NetDevice
from vnet.ovs.datapath.datapath import Datapath
from vnet.ovs.netdev.dummies import DummyDevices
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.messages import PacketIn
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.shipped import open_vswitch_schema
from vnet.ovs.ovsdb.view import LocalView
from vnet.ovs.vsctl.run import run_vsctl
from vnet.ovs.vswitchd.config import BridgeConfig, InterfaceConfig
from vnet.ovs.vswitchd.daemon import Daemon
from vnet.sim.scheduler import Scheduler

BRIDGE = "br0"


def bridge_words(n_ports: int, options: Sequence[str] = ()) -> list[str]:
    """What makes ``ovs-vsctl`` add ``br0``, whose port 1 is ``p1``, and so on. ``options`` are
    columns of the bridge.
    """
    words = ["add-br", BRIDGE, "--", "set", "bridge", BRIDGE, "datapath_type=dummy"]
    words += ["fail-mode=secure", *options]
    for number in range(1, n_ports + 1):
        name = f"p{number}"
        words += ["--", "add-port", BRIDGE, name, "--", "set", "interface", name]
        words += ["type=dummy", f"ofport_request={number}"]
    return words


class DummySwitch:
    """vswitchd on a datapath of its own. What goes to controllers is in ``packet_ins``."""

    def __init__(self, chance: Chance | None = None) -> None:
        self.scheduler = Scheduler()
        self.datapath = Datapath(self.scheduler, "ovs-dummy", chance)
        self.dummies = DummyDevices(self.scheduler)
        self.devices: dict[str, RememberingDevice] = {}
        self.packet_ins: list[PacketIn] = []
        drawn = (chance or Chance(0)).stream("database")
        self.view = LocalView(
            Database(open_vswitch_schema(), new_uuid=lambda: Uuid.from_bytes(drawn.randbytes(16)))
        )
        self.daemon = Daemon(self.scheduler, self.datapath, self, self.view)
        self.vswitchd = self.daemon.vswitchd
        self.vswitchd.backer.packet_in_sink = lambda _bridge, message: self.packet_ins.append(
            message
        )

    # -- where its devices come from

    def open(self, bridge: BridgeConfig, interface: InterfaceConfig) -> NetDevice:
        """A device for an interface."""
        is_local = interface.name == bridge.name
        own = self.dummies.new_mac()
        mac = (bridge.hwaddr if is_local else None) or own
        device = RememberingDevice(self.scheduler, interface.name, mac)
        self.dummies.add(device)
        self.devices[interface.name] = device
        return device

    def close(self, device: NetDevice, interface: InterfaceConfig) -> None:
        """The device is needed no more."""
        ours = self.devices.pop(interface.name)
        assert ours is device
        self.dummies.remove(ours)

    def configure(self, device: NetDevice, interface: InterfaceConfig) -> None:
        """There is nothing to set on them."""

    # -- control

    def vsctl(self, *words: str) -> str:
        """What a command line of ``ovs-vsctl`` prints, without the program."""
        return run_vsctl(self.view, words).output

    def add_bridge(self, n_ports: int, options: Sequence[str] = ()) -> None:
        """Add the bridge of :func:`bridge_words`, without flows."""
        self.vsctl(*bridge_words(n_ports, options))

    def bridge(self, name: str = BRIDGE) -> Ofproto:
        """An OpenFlow switch by name."""
        return self.vswitchd.bridges[name]

    def settle(self) -> None:
        """Let everything happen that is due now."""
        self.scheduler.run(self.scheduler.now_ns)

    # -- frames

    def inject(self, port_name: str, frame: bytes) -> None:
        """Have a port receive a frame, and what follows from it happen."""
        self.devices[port_name].deliver(frame)
        self.settle()

    def take_sent(self) -> list[tuple[str, bytes]]:
        """What left since the last time somebody asked, by port."""
        return [
            (name, frame) for name, device in self.devices.items() for frame in device.take_sent()
        ]
