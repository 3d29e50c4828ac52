"""A machine of the lab that is a namespace of this kernel."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from vnet.base.errors import VnetError
from vnet.base.ids import IpAddress, ip_from_text, ip_text, is_link_local_ip6
from vnet.live.clock import WallClock
from vnet.live.kernel import namespaces
from vnet.live.kernel.netlink import Netlink

_LOOPBACK_INDEX = 1


class LiveMachine:
    """The namespace of a node. Sockets that it opens are of that namespace, and do not block."""

    def __init__(self, node: str, clock: WallClock, netlink: Netlink) -> None:
        self.node = node
        self.clock = clock
        self._netlink = netlink
        self.services: dict[tuple[str, int], object] = {}
        """What listens here, by protocol and port."""

    @property
    def namespace(self) -> str:
        """The name of the namespace."""
        return self._netlink.namespace(self.node)

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """A socket in the namespace. Raises ``OSError``."""
        with namespaces.inside(self.namespace):
            made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    def addresses(self) -> list[IpAddress]:
        """Its addresses now, in order of devices, link-local and loopback ones aside."""
        told = self._netlink.socket(self.node).get_addr()
        by_device = sorted(told, key=lambda each: int(each["index"]))
        texts = (
            each.get_attr("IFA_LOCAL") or each.get_attr("IFA_ADDRESS")
            for each in by_device
            if each["index"] != _LOOPBACK_INDEX
        )
        ips = (ip_from_text(text) for text in texts)
        return [ip for ip in ips if not is_link_local_ip6(ip)]

    def device_index(self, device: str) -> int:
        """The number of a device. Raises :class:`VnetError` where it is not there."""
        found: Sequence[int] = self._netlink.socket(self.node).link_lookup(ifname=device)
        if not found:
            raise VnetError(f"{self.node}:{device} is there no more")
        return found[0]

    def way_to(self, target: bytes) -> tuple[str, bytes]:
        """The device and the source of a packet to ``target``, as ``ip route get`` says.

        Raises :class:`VnetError` in the words of ping(8) where there is no way.
        """
        from pyroute2.netlink.exceptions import NetlinkError

        socket_ = self._netlink.socket(self.node)
        family = socket.AF_INET6 if len(target) == 16 else socket.AF_INET
        try:
            route = socket_.route("get", dst=ip_text(target), family=family)[0]
        except NetlinkError:
            raise VnetError(f"{self.node}: connect: Network is unreachable") from None
        link = socket_.get_links(route.get_attr("RTA_OIF"))[0]
        source = route.get_attr("RTA_PREFSRC")
        return link.get_attr("IFLA_IFNAME"), ip_from_text(source) if source else b""


def reachable_address(machine: LiveMachine, source: LiveMachine) -> IpAddress:
    """The address of ``machine`` that ``source`` would use: of a family both have."""
    families = {len(ip) for ip in source.addresses()}
    addresses = machine.addresses()
    addresses.sort(key=lambda ip: (len(ip) not in families, len(ip)))
    if not addresses:
        raise VnetError(f"{machine.node} has no address to send to")
    return addresses[0]
