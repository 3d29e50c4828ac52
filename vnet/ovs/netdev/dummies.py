"""All dummy devices of one switch daemon, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vnet.base.ids import Mac
from vnet.netdev.route_source import HostAddress, NoRoutes
from vnet.ovs.netdev.dummy import DummyDevice
from vnet.sim.scheduler import Scheduler

_FIRST_ADDRESS = 0xAA55_AA55_0000


class DummyDevices(NoRoutes):
    """Makes them, and answers for their addresses where tunnels ask the host for its own.

    Addresses are counted up from aa:55:aa:55:00:00, ``n_before`` of which others have.
    """

    def __init__(self, scheduler: Scheduler, n_before: int = 0) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._n_made = n_before
        self._devices: dict[str, DummyDevice] = {}

    def __iter__(self) -> Iterator[DummyDevice]:
        """In the order in which they were made."""
        return iter(tuple(self._devices.values()))

    def get(self, name: str) -> DummyDevice | None:
        """A device by its name, if it is one of these."""
        return self._devices.get(name)

    def make(self, name: str, netdev_type: str = "dummy") -> DummyDevice:
        """A new device of one of the dummy types."""
        device = DummyDevice(self._scheduler, name, self.new_mac(), netdev_type=netdev_type)
        self.add(device)
        return device

    def new_mac(self) -> Mac:
        """The address of the next one."""
        number, self._n_made = self._n_made, self._n_made + 1
        return Mac((_FIRST_ADDRESS + number).to_bytes(6, "big"))

    def add(self, device: DummyDevice) -> None:
        """Take up a device that was made elsewhere."""
        self._devices[device.name] = device

    def remove(self, device: DummyDevice) -> None:
        """The device is needed no more."""
        assert self._devices.pop(device.name) is device
        if device.addresses:
            self.changed()

    def set_address(self, device: DummyDevice, address: HostAddress) -> None:
        """Give one of them an address (``netdev-dummy/ip4addr``, ``ip6addr``)."""
        device.set_address(address)
        self.changed()

    def addresses(self, device: str) -> Sequence[HostAddress]:
        """Those of a device."""
        found = self._devices.get(device)
        return () if found is None else found.addresses
