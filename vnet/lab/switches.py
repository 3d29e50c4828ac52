"""A switch that runs, whichever kind it is: what the rest of the lab asks of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from vnet.base.ids import mac_text
from vnet.linux.bridge.bridge import Bridge
from vnet.netdev.device import NetDevice
from vnet.tables.storm import StormWatch

if TYPE_CHECKING:
    from vnet.lab.ovs_commands import BridgeCommands


class StormPort(Protocol):
    """Where a frame came back, as storms know it."""

    @property
    def device(self) -> NetDevice:
        """The device it came back by."""


class Switch(ABC):
    """A bridge in a host, or a switch on the wire.

    ``label`` is what the graph of the lab calls it: ``sw1``, ``h1:br0``. ``bridge`` is there
    where it is a Linux bridge, ``commands`` where it is one of Open vSwitch.
    """

    def __init__(self, label: str) -> None:
        self.label = label
        self.bridge: Bridge | None = None
        self.commands: BridgeCommands | None = None

    @property
    @abstractmethod
    def name(self) -> str:
        """What its node calls it."""

    @property
    @abstractmethod
    def storms(self) -> StormWatch[Any]:
        """Who watches for frames that circle; the ports are :class:`StormPort`."""

    @abstractmethod
    def watch_for_storms(self, cables: Iterable[NetDevice]) -> None:
        """Watch for frames that come back by ``cables``, some of which lead to other switches."""

    @abstractmethod
    def own_devices(self) -> Iterator[NetDevice]:
        """Its devices that are in no namespace and are not ports that cables end at."""

    @abstractmethod
    def ports(self) -> dict[str, int]:
        """Its ports by name, and what it numbers them."""

    @abstractmethod
    def has_port(self, device: NetDevice) -> bool:
        """Whether ``device`` is a port."""

    @abstractmethod
    def find(self, mac: bytes) -> str | None:
        """The port that a station was last heard at, or None."""

    @abstractmethod
    def learned(self) -> int:
        """How many stations have been learned and not yet forgotten."""

    @property
    @abstractmethod
    def moves(self) -> int:
        """How often a station was heard at another port than before."""

    @abstractmethod
    def fdb(self) -> list[dict[str, Any]]:
        """What it knows of stations, as :meth:`SwitchHandle.fdb` shows it."""


class LinuxSwitch(Switch):
    """A Linux bridge. With ``is_node`` it is a node by itself, and no host is behind it."""

    def __init__(self, label: str, bridge: Bridge, *, is_node: bool = False) -> None:
        super().__init__(label)
        self.bridge: Bridge = bridge
        self._is_node = is_node

    @property
    def name(self) -> str:
        return self.bridge.device.name

    @property
    def storms(self) -> StormWatch[Any]:
        return self.bridge.storms

    def watch_for_storms(self, cables: Iterable[NetDevice]) -> None:
        """Nothing to do: the bridge shows every frame that it floods."""

    def own_devices(self) -> Iterator[NetDevice]:
        if self._is_node:
            yield self.bridge.device

    def ports(self) -> dict[str, int]:
        return {port.device.name: port.number for port in self.bridge.ports}

    def has_port(self, device: NetDevice) -> bool:
        return self.bridge.port_of(device) is not None

    def find(self, mac: bytes) -> str | None:
        fdb = self.bridge.fdb
        vids = (0, *sorted({entry.vid for entry in fdb} - {0}))
        found = (fdb.get(mac, vid) for vid in vids)
        return next((entry.port.device.name for entry in found if entry is not None), None)

    def learned(self) -> int:
        return self.bridge.fdb.learned

    @property
    def moves(self) -> int:
        return self.bridge.fdb.moves

    def fdb(self) -> list[dict[str, Any]]:
        now_ns = self.bridge.scheduler.now_ns
        return [
            {
                "mac": mac_text(entry.mac),
                "port": entry.port.device.name,
                "vlan": entry.vid,
                "local": entry.is_local,
                "age_s": (now_ns - entry.updated_ns) / 1e9,
            }
            for entry in self.bridge.entries()
        ]
