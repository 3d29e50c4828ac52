"""Xen's route mode: the host forwards, answers ARP for its guests, and has a route to each.

The steps are those of the scripts network-route and vif-route. Guests have addresses of the host's
own network or of others; both sides find each other by proxy ARP.
"""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.ids import IpAddress, ip_text
from vnet.hypervisor.backend import BackEnd
from vnet.hypervisor.modes.step_log import StepLog, dom0_ip, echo
from vnet.hypervisor.modes.xen_vif import HOST_BITS, add_guest_route
from vnet.linux.netns.namespace import Namespace

_VIF_ROUTE = "vif-route"


class RouteMode:
    """Runs the scripts of one host, whose guests are reached by the card ``netdev``."""

    def __init__(self, namespace: Namespace, log: StepLog, netdev: str) -> None:
        self._namespace = namespace
        self._log = log
        self._netdev = netdev

    def start(self) -> None:
        """network-route start."""
        self._log.did(
            "network-route",
            echo(self._namespace, 1, "net/ipv4/ip_forward"),
            echo(self._namespace, 1, f"net/ipv4/conf/{self._netdev}/proxy_arp"),
        )

    def online(self, vif: BackEnd, addresses: Sequence[IpAddress]) -> None:
        """vif-route online: the back end gets the host's address, and guests a route each."""
        netns, name = self._namespace, vif.name
        main_ip = dom0_ip(netns, self._netdev)
        netns.add_device(vif)
        netns.add_address(name, main_ip, HOST_BITS)
        netns.set_up(name)
        self._did(f"ifconfig {name} {ip_text(main_ip)} netmask 255.255.255.255 up")
        self._did(echo(netns, 1, f"net/ipv4/conf/{name}/proxy_arp"))
        for guest in addresses:
            self._did(add_guest_route(netns, guest, name, main_ip))

    def offline(self, vif: BackEnd) -> None:
        """vif-route offline: the routes go with the device that they lead over."""
        self._namespace.set_down(vif.name)
        self._did(f"ifdown {vif.name}")
        self._namespace.remove_device(vif.name)

    def _did(self, command: str) -> None:
        self._log.did(_VIF_ROUTE, command)
