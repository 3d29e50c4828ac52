"""What a virtual network of libvirt's is to be: its bridge, its address and who may go where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from vnet.base.ids import IpAddress, Mac, ip_text, network_of


class Forward(Enum):
    """The ``<forward mode=...>`` of a network; ISOLATED is one without that element."""

    NAT = "nat"
    ROUTE = "route"
    OPEN = "open"
    ISOLATED = "isolated"


@dataclass(frozen=True, slots=True)
class VirtualNetwork:
    """``name`` is what virsh calls it, ``bridge`` the device; ``ip`` is the host's address there.

    ``delay_s`` is what the file says of the forward delay. The kernel takes no less than 2 s while
    the bridge speaks STP.
    """

    name: str
    bridge: str
    mac: Mac
    forward: Forward
    ip: IpAddress
    prefix_length: int
    has_dhcp: bool = True
    stp: bool = True
    delay_s: int = 0

    @property
    def subnet(self) -> str:
        """``192.168.122.0/24``."""
        return f"{ip_text(network_of(self.ip, self.prefix_length))}/{self.prefix_length}"

    @property
    def netmask(self) -> IpAddress:
        """The prefix as an address."""
        host_bits = 32 - self.prefix_length
        return IpAddress(((1 << 32) - (1 << host_bits)).to_bytes(4, "big"))

    @property
    def broadcast(self) -> IpAddress:
        """The last address of the subnet."""
        host_bits = 32 - self.prefix_length
        last = int.from_bytes(self.ip, "big") | ((1 << host_bits) - 1)
        return IpAddress(last.to_bytes(4, "big"))
