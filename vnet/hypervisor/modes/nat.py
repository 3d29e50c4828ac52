"""Xen's NAT mode: guests in 10.0.0.0/8 behind the host's own address, without a bridge.

The steps are those of the scripts network-nat and vif-nat. A guest whose configuration names no
address has that of its domain: 10.<domid / 256>.<domid % 256>.<vif + 1>, and its back end the
same with 127 added to the last octet.
"""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.ids import IpAddress, ip_text
from vnet.hypervisor.backend import BackEnd
from vnet.hypervisor.modes.domain_addresses import address_of_domain, router_address
from vnet.hypervisor.modes.step_log import StepLog, echo
from vnet.hypervisor.modes.xen_vif import HOST_BITS, add_guest_route
from vnet.linux.netns.namespace import Namespace

_VIF_NAT = "vif-nat"


class NatMode:
    """Runs the scripts of one host, whose guests leave by the card ``netdev``."""

    def __init__(self, namespace: Namespace, log: StepLog, netdev: str) -> None:
        self._namespace = namespace
        self._log = log
        self._netdev = netdev

    def start(self) -> None:
        """network-nat start."""
        netns = self._namespace
        self._log.did("network-nat", echo(netns, 1, "net/ipv4/ip_forward"))
        rule = f"-t nat -A POSTROUTING -o {self._netdev} -j MASQUERADE"
        netns.make_netfilter().rules4.command(rule.split())
        self._log.did("network-nat", f"iptables {rule}")

    def online(self, vif: BackEnd, addresses: Sequence[IpAddress]) -> None:
        """vif-nat online: the back end is the router of the one guest behind it."""
        netns, name = self._namespace, vif.name
        guest = addresses[0] if addresses else address_of_domain(*_numbers(name))
        router = router_address(guest)
        netns.add_device(vif)
        netns.set_up(name)
        self._did(f"ip link set dev {name} up arp on")
        netns.add_address(name, router, HOST_BITS)
        self._did(f"ip addr add {ip_text(router)} dev {name}")
        self._did(add_guest_route(netns, guest, name, router))
        self._did(echo(netns, 1, f"net/ipv4/conf/{name}/proxy_arp"))

    def offline(self, vif: BackEnd) -> None:
        """vif-nat offline: address and route go with the device."""
        self._namespace.set_down(vif.name)
        self._did(f"ifconfig {vif.name} down")
        self._namespace.remove_device(vif.name)

    def _did(self, command: str) -> None:
        self._log.did(_VIF_NAT, command)


def _numbers(vif: str) -> tuple[int, int]:
    """The domain and the card of ``vif3.0``."""
    domid, _, card = vif.removeprefix("vif").partition(".")
    return int(domid), int(card)
