"""A bridge of Open vSwitch in a lab, as the lab sees any switch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from vnet.base.ids import mac_text
from vnet.hypervisor.openvswitch import OpenVSwitch
from vnet.lab.ovs_commands import BridgeCommands
from vnet.lab.switches import Switch
from vnet.netdev.device import NetDevice
from vnet.ovs.flow.ports import OFPP_LOCAL
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.ofproto.switching.mac_learning import MacLearning
from vnet.tables.storm import StormWatch


class OvsSwitch(Switch):
    """One bridge. ``own_devices`` are those of it that are in no namespace."""

    def __init__(
        self, label: str, machine: OpenVSwitch, name: str, own_devices: Iterable[NetDevice]
    ) -> None:
        super().__init__(label)
        self.commands: BridgeCommands = BridgeCommands(machine, name)
        self._own_devices = tuple(own_devices)
        self._last_bridge = machine.bridge(name)
        self._storms: StormWatch[CableWatch] = StormWatch()

    @property
    def name(self) -> str:
        return self.commands.name

    @property
    def storms(self) -> StormWatch[Any]:
        return self._storms

    def own_devices(self) -> Iterator[NetDevice]:
        yield from self._own_devices

    def ports(self) -> dict[str, int]:
        return {port.name: port.number for port in self._bridge.ports.values()}

    def has_port(self, device: NetDevice) -> bool:
        port = self._bridge.port_by_name(device.name)
        return port is not None and port.device is device and port.number != OFPP_LOCAL

    def find(self, mac: bytes) -> str | None:
        number, now_ns = int.from_bytes(mac, "big"), self._bridge.scheduler.now_ns
        table = self._table
        found = (e for e in table if e.mac == number and table.lookup(number, e.vlan, now_ns))
        return next((entry.port.name for entry in found), None)

    def learned(self) -> int:
        table, now_ns = self._table, self._bridge.scheduler.now_ns
        return sum(table.lookup(entry.mac, entry.vlan, now_ns) is not None for entry in table)

    @property
    def moves(self) -> int:
        return self._table.total_moved

    def fdb(self) -> list[dict[str, Any]]:
        now_ns = self._bridge.scheduler.now_ns
        return [
            {
                "mac": mac_text(entry.mac.to_bytes(6, "big")),
                "port": entry.port.name,
                "vlan": entry.vlan,
                "local": False,
                "age_s": (now_ns - entry.updated_ns) / 1e9,
            }
            for entry in self._table
        ]

    @property
    def _bridge(self) -> Ofproto:
        """As it runs; where it was deleted, what is left of it: no port, no station."""
        bridges = self.commands.machine.vswitchd.bridges
        self._last_bridge = bridges.get(self.name, self._last_bridge)
        return self._last_bridge

    @property
    def _table(self) -> MacLearning[Bundle]:
        """The stations, as young as what the datapath has seen of them makes them."""
        self._bridge.before_reading_stats()
        return self._bridge.switching.mac_table

    # -- storms

    def watch_for_storms(self, cables: Iterable[NetDevice]) -> None:
        """Have an eye on the group frames that come in by ``cables``.

        What a datapath floods it cannot tell from what it forwards to several ports. But in a
        storm group frames come back, and they do so by cable.
        """
        for device in cables:
            device.add_sniffer(CableWatch(device, self._storms, self._bridge))


class CableWatch:
    """A sniffer that shows group frames to a :class:`StormWatch`, with itself as their port."""

    def __init__(self, device: NetDevice, storms: StormWatch[CableWatch], bridge: Ofproto) -> None:
        self.device = device
        self._storms = storms
        self._bridge = bridge
        self._port: OfPort | None = None

    def capture(self, time_ns: int, data: bytes, outbound: bool) -> None:
        """A frame passed."""
        if not outbound and data[:1] and data[0] & 1 and self._forwards():
            self._storms.flooded(data, self, time_ns)

    def _forwards(self) -> bool:
        """By a cable that a spanning tree blocks, all that was flooded comes back, and ends."""
        port = self._port
        if port is None or self._bridge.ports.get(port.number) is not port:
            port = self._port = self._bridge.port_by_name(self.device.name)
        return port is not None and port.tree.forwards

    def note_drop(self, *_what: object) -> None:
        """It has been seen."""
