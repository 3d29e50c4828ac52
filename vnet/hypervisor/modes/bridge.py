"""Bridge mode, in both its styles: guests are neighbours of whoever is behind the host's card.

The steps and their order are those of Xen's network-bridge and vif-bridge scripts, and of
today's distributions, which put the card itself into the bridge. Each step goes through the
namespace and its bridges, as the scripts go through ip(8), brctl(8) and ovs-vsctl(8), and is
written down for ``-v``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vnet.base.ids import Mac, ip_text, is_link_local_ip6, mac_text
from vnet.hypervisor.backend import BACKEND_MAC, BackEnd
from vnet.hypervisor.bridging import Bridging, LinuxBridging
from vnet.hypervisor.modes.step_log import StepLog
from vnet.linux.bridge.config import PLAIN_BRIDGE, LinuxBridgeConfig
from vnet.linux.netns.address import InterfaceAddress
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.pair import PairDevice, pair_up

if TYPE_CHECKING:
    from vnet.ovs.vswitchd.config import BridgePortConfig


class BridgeMode:
    """Runs the scripts of one host in bridge mode on its namespace (Dom0, the host OS)."""

    def __init__(self, namespace: Namespace, log: StepLog | None = None) -> None:
        self._namespace = namespace
        self.log = log or StepLog(namespace.name)
        self._script = ""
        self.linux = LinuxBridging(namespace)
        self._bridging: dict[str, Bridging] = {}
        """By bridge."""

    def create_bridge(
        self,
        name: str,
        script: str,
        *,
        ageing_ns: int,
        ipv6: bool = False,
        silent: bool = False,
        config: LinuxBridgeConfig = PLAIN_BRIDGE,
    ) -> None:
        """A bridge with STP off and no forward delay, so that guests talk at once.

        Xen's script makes it ``silent``, without ARP and multicast: the host speaks by its
        own eth0, and an xenbr0 that answered ARP for the same addresses would compete.
        """
        self._script = script
        self._bridging[name] = self.linux
        bridge = self._namespace.add_bridge(name, ipv6=ipv6, ageing_ns=ageing_ns)
        self.did(f"brctl addbr {name}")
        self.did(f"brctl stp {name} off")
        bridge.tree.set_forward_delay(0)
        self.did(f"brctl setfd {name} 0")
        self.did(*self.linux.set_up(name, config))
        if silent:
            self._silence(name)

    def take_up(
        self, bridge: str, bridging: Bridging, commands: Iterable[str], script: str
    ) -> None:
        """A bridge, of any kind, which ``commands`` have just made."""
        self._script = script
        self._bridging[bridge] = bridging
        self.did(*commands)

    def network_bridge(self, bridge: str, nic: str, new: str, vif: str, physical: str) -> None:
        """Xen's network-bridge start: the card goes behind the bridge under another name.

        ``nic`` (eth0) becomes ``physical`` (peth0); the host's own traffic leaves by a new
        eth0, which was ``new`` (veth0), one end of a pair whose other end, ``vif`` (vif0.0),
        is a bridge port like any guest's.
        """
        netns = self._namespace
        self._script = "network-bridge"
        self._make_loopback_pair(nic, new, vif)
        mac = netns.interface(nic).device.mac

        self._copy_addresses(nic, new)
        self._take_down(nic)
        self._rename(nic, physical)
        self._rename(new, nic)
        for name in (physical, vif):
            self._set_mac(name)
            self._silence(name)
        netns.set_mac(nic, mac)
        netns.set_flags(nic, arp=True)
        self.did(f"ip link set {nic} address {mac_text(mac)} arp on")
        self._set_up(bridge, True)
        for name in (vif, physical):
            self._join(bridge, name)
            self._set_up(name, True)
        self._set_up(nic, True)

    def enslave(self, bridge: str, nic: str) -> None:
        """Today's way: the card is a bridge port and the bridge has the host's addresses."""
        netns = self._namespace
        self._script = "ifup"
        given = self._addresses_given_to(nic)
        for address in tuple(netns.interface(nic).addresses):
            netns.delete_address(nic, address.ip)
        for address in given:
            netns.add_address(bridge, address.ip, address.prefix_length)
            self.did(f"ip addr add {ip_text(address.ip)}/{address.prefix_length} dev {bridge}")
        self._join(bridge, nic)
        self._set_up(nic, True)
        self._set_up(bridge, True)

    def join(self, bridge: str, nic: str) -> None:
        """A card without addresses, which is up, becomes a port besides the uplink."""
        self._script = "ifup"
        self._join(bridge, nic)

    def join_by_veth(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        """A veth pair between two bridges, of any kinds: ``(device, bridge)`` of each end."""
        netns, self._script = self._namespace, "ifup"
        macs = netns.chance.stream(f"{netns.name} {one[0]} veth macs")
        ends = []
        for name, _bridge in (one, other):
            mac = Mac(b"\x02" + macs.randbytes(5))
            ends.append(PairDevice(netns.scheduler, name, mac))
        pair_up(*ends)
        for end in ends:
            netns.add_device(end)
        self.did(f"ip link add {one[0]} type veth peer name {other[0]}")
        for name, bridge in (one, other):
            self._set_up(name, True)
            self._join(bridge, name)

    def standalone(self, bridge: str) -> None:
        """A bridge without a card: guests of this host among themselves."""
        self._script = "ifup"
        self._set_up(bridge, True)

    def attach(
        self,
        bridge: str,
        back_end: BackEnd,
        script: str,
        settings: BridgePortConfig | None = None,
    ) -> None:
        """vif-bridge online: a guest's back end joins the bridge, then comes up.

        ``settings`` are those of the port that the guest comes from, if it had any.
        """
        self._script = script
        name = back_end.name
        self._namespace.add_device(back_end)
        self._join(bridge, name, settings)
        self._set_up(name, True)

    def detach(self, back_end: BackEnd, script: str) -> BridgePortConfig | None:
        """vif-bridge offline: a guest's back end leaves its bridge and is no more.

        Returns what its port was set to, for the bridge that the guest comes to.
        """
        self._script = script
        name, settings = back_end.name, None
        for bridging in self._kinds():
            bridge = bridging.bridge_of(name)
            if bridge is not None:
                settings = bridging.settings_of(name)
                self.did(bridging.remove_port(bridge, name))
        self._set_up(name, False)
        self._namespace.remove_device(name)
        return settings

    def bridge_of(self, device: str) -> str | None:
        """The bridge, of whatever kind, that a device is a port of."""
        found = (bridging.bridge_of(device) for bridging in self._kinds())
        return next((bridge for bridge in found if bridge is not None), None)

    def _kinds(self) -> Iterable[Bridging]:
        return dict.fromkeys((self.linux, *self._bridging.values()))

    def has_device(self, name: str) -> bool:
        """Whether the host has a device ``name``."""
        return name in self._namespace.interfaces

    # -- single steps

    def _make_loopback_pair(self, nic: str, new: str, vif: str) -> None:
        """The pair that Xen's netloop module has ready when the script runs."""
        scheduler = self._namespace.scheduler
        interface = self._namespace.interface(nic)
        mtu_bytes = interface.device.mtu_bytes
        one = PairDevice(scheduler, new, BACKEND_MAC, mtu_bytes)
        other = PairDevice(scheduler, vif, BACKEND_MAC, mtu_bytes)
        pair_up(one, other)
        self._namespace.add_device(one, ipv6=interface.addrconf is not None)
        self._namespace.add_device(other)

    def _copy_addresses(self, source: str, target: str) -> None:
        for address in self._addresses_given_to(source):
            self._namespace.add_address(target, address.ip, address.prefix_length)
            self.did(f"ip addr add {ip_text(address.ip)}/{address.prefix_length} dev {target}")

    def _addresses_given_to(self, name: str) -> list[InterfaceAddress]:
        """Those of its configuration: each device makes its link-local one from its own MAC."""
        addresses = self._namespace.interface(name).addresses
        return [address for address in addresses if not is_link_local_ip6(address.ip)]

    def _take_down(self, nic: str) -> None:
        """ifdown: the link goes down, and its addresses go."""
        self._set_up(nic, False)
        for address in tuple(self._namespace.interface(nic).addresses):
            self._namespace.delete_address(nic, address.ip)
        self.did(f"ip addr flush dev {nic}")

    def _rename(self, name: str, new: str) -> None:
        self._namespace.rename(name, new)
        self.did(f"ip link set {name} name {new}")

    def _set_mac(self, name: str) -> None:
        self._namespace.set_mac(name, BACKEND_MAC)
        self.did(f"ip link set {name} address {mac_text(BACKEND_MAC)}")

    def _silence(self, name: str) -> None:
        self._namespace.set_flags(name, arp=False, multicast=False)
        self.did(f"ip link set {name} arp off multicast off")

    def _join(self, bridge: str, name: str, settings: BridgePortConfig | None = None) -> None:
        self.did(self._bridging[bridge].add_port(bridge, name, settings))

    def _set_up(self, name: str, up: bool) -> None:
        (self._namespace.set_up if up else self._namespace.set_down)(name)
        self.did(f"ip link set {name} {'up' if up else 'down'}")

    def did(self, *commands: str) -> None:
        """Write down what the script that runs has done."""
        self.log.did(self._script, *commands)
