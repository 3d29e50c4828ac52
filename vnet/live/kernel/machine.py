"""A machine of the lab that is a namespace of this kernel."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vnet.base.errors import VnetError
from vnet.base.ids import (
    IpAddress,
    Mac,
    ip_from_text,
    ip_text,
    is_link_local_ip6,
    mac_from_text,
)
from vnet.guest.services import TcpServices
from vnet.live.clock import WallClock
from vnet.live.kernel import namespaces
from vnet.live.kernel.netlink import Netlink
from vnet.topology.scenario.group_steps import MembershipStep

_LOOPBACK_INDEX = 1
_TCP_LISTEN = "0A"


class LiveMachine:
    """The namespace of a node. Sockets that it opens are of that namespace, and do not block."""

    def __init__(self, node: str, clock: WallClock, netlink: Netlink) -> None:
        self.node = node
        self.clock = clock
        self._netlink = netlink
        self.services = TcpServices(node)
        self.groups: dict[bytes, socket.socket] = {}
        """The multicast groups that were joined here, each with the socket that is in it."""

    @property
    def namespace(self) -> str:
        """The name of the namespace."""
        return self._netlink.namespace(self.node)

    @property
    def mark(self) -> dict[str, str]:
        """What programs carry in their environment that are started for the lab."""
        return {namespaces.MARK: self._netlink.lab}

    @property
    def netlink(self) -> Any:
        """rtnetlink of the namespace (pyroute2's ``IPRoute``)."""
        return self._netlink.socket(self.node)

    def open_socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """A socket in the namespace. Raises ``OSError``."""
        with namespaces.inside(self.namespace):
            made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    def listens(self, port: int) -> bool:
        """Whether anybody waits for TCP connections on a port (proc_net_tcp)."""
        with namespaces.inside(self.namespace):
            tables = [Path("/proc/thread-self/net", name) for name in ("tcp", "tcp6")]
            lines = [row for t in tables if t.exists() for row in t.read_text().splitlines()[1:]]
        fields = (line.split() for line in lines)
        return any(f[1].endswith(f":{port:04X}") and f[3] == _TCP_LISTEN for f in fields)

    def addresses(self) -> list[IpAddress]:
        """Its addresses now, in order of devices, link-local and loopback ones aside."""
        told = self.netlink.get_addr()
        by_device = sorted(told, key=lambda each: int(each["index"]))
        ips = (_ip_of(each) for each in by_device if each["index"] != _LOOPBACK_INDEX)
        return [ip for ip in ips if not is_link_local_ip6(ip)]

    def addresses_of(self, device: str) -> list[IpAddress]:
        """Those of one device, link-local ones last."""
        ips = [_ip_of(each) for each in self.netlink.get_addr(index=self.device_index(device))]
        return sorted(ips, key=is_link_local_ip6)

    def forget_addresses(self, device: str) -> None:
        """``ip -4 addr flush``."""
        self.netlink.flush_addr(index=self.device_index(device), family=socket.AF_INET)

    def change_membership(self, step: MembershipStep) -> dict[str, Any]:
        """Join a multicast group, or leave it (ip(7), IP_ADD_MEMBERSHIP)."""
        if step.joins == (step.group in self.groups):
            raise VnetError(f"{self.node} is {'in' if step.joins else 'not in'} the group already")
        if step.joins:
            self.groups[step.group] = self._joined(step)
        else:
            self.groups.pop(step.group).close()
        return {"groups": " ".join(sorted(map(ip_text, self.groups)))}

    def _joined(self, step: MembershipStep) -> socket.socket:
        index = 0 if step.device is None else self.device_index(step.device)
        number = index.to_bytes(4, "little")
        if len(step.group) == 16:
            made = self.open_socket(socket.AF_INET6, socket.SOCK_DGRAM)
            wanted = step.group + number
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, wanted)
        else:
            made = self.open_socket(socket.AF_INET, socket.SOCK_DGRAM)
            wanted = step.group + bytes(4) + number
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, wanted)
        return made

    def device_index(self, device: str) -> int:
        """The number of a device. Raises :class:`VnetError` where it is not there."""
        found: Sequence[int] = self.netlink.link_lookup(ifname=device)
        if not found:
            raise VnetError(f"{self.node}:{device} is there no more")
        return found[0]

    def mac_of(self, device: str) -> Mac:
        """The MAC of a device."""
        link = self.netlink.get_links(self.device_index(device))[0]
        return mac_from_text(link.get_attr("IFLA_ADDRESS"))

    def way_to(self, target: bytes) -> tuple[str, bytes]:
        """The device and the source of a packet to ``target``, as ``ip route get`` says.

        Raises :class:`VnetError` in the words of ping(8) where there is no way.
        """
        from pyroute2.netlink.exceptions import NetlinkError

        family = socket.AF_INET6 if len(target) == 16 else socket.AF_INET
        try:
            route = self.netlink.route("get", dst=ip_text(target), family=family)[0]
        except NetlinkError:
            raise VnetError(f"{self.node}: connect: Network is unreachable") from None
        link = self.netlink.get_links(route.get_attr("RTA_OIF"))[0]
        source = route.get_attr("RTA_PREFSRC")
        return link.get_attr("IFLA_IFNAME"), ip_from_text(source) if source else b""


def _ip_of(address: Any) -> IpAddress:
    return ip_from_text(address.get_attr("IFA_LOCAL") or address.get_attr("IFA_ADDRESS"))


def reachable_address(machine: LiveMachine, source: LiveMachine) -> IpAddress:
    """The address of ``machine`` that ``source`` would use: of a family both have."""
    families = {len(ip) for ip in source.addresses()}
    addresses = machine.addresses()
    addresses.sort(key=lambda ip: (len(ip) not in families, len(ip)))
    if not addresses:
        raise VnetError(f"{machine.node} has no address to send to")
    return addresses[0]
