"""libvirt's virtual networks: a bridge without a card, with an address, rules and dnsmasq.

The steps and their order are those of libvirtd 9.0 starting a network. It speaks netlink where
the steps say ip(8); the rest is word for word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from vnet.base.ids import ip_text, mac_text
from vnet.base.units import NS_PER_S
from vnet.hypervisor.modes.bridge import BridgeMode
from vnet.hypervisor.modes.dnsmasq_conf import FOLDER, conf_lines, host_lines
from vnet.hypervisor.modes.libvirt_rules import private_chains, rules_of
from vnet.hypervisor.modes.step_log import echo
from vnet.hypervisor.modes.virtual_network import Forward, VirtualNetwork
from vnet.linux.bridge.config import LinuxBridgeConfig
from vnet.linux.bridge.tree_settings import set_forward_delay
from vnet.linux.netns.namespace import Namespace
from vnet.linux.services.dhcp_server.settings import DhcpServing

_CENTISECONDS = 100
_LEASES_HELPER = "/usr/lib/libvirt/libvirt_leaseshelper"
_SCRIPT = "libvirtd"
"""Who does the steps."""


@dataclass(slots=True)
class StartedNetwork:
    """A network that libvirtd knows, with what its DHCP server was told."""

    wanted: VirtualNetwork
    uuid: str
    dhcp: DhcpServing | None


class LibvirtNetworks:
    """The networks of one host. Guests are plugged into their bridges as ``mode`` does it."""

    def __init__(self, namespace: Namespace, mode: BridgeMode) -> None:
        self._namespace = namespace
        self._mode = mode
        self._has_chains = False
        self.started: dict[str, StartedNetwork] = {}
        """By name."""

    def start(
        self,
        network: VirtualNetwork,
        config: LinuxBridgeConfig,
        ageing_ns: int,
        dhcp: DhcpServing | None,
    ) -> None:
        """``virsh net-start``. ``config`` has what is besides to be set of the bridge."""
        self._make_bridge(network, config, ageing_ns)
        if network.forward is not Forward.OPEN:
            self._add_rules(network)
        self._bring_up(network)
        self._tell_dnsmasq(network, dhcp)
        self.started[network.name] = StartedNetwork(network, self._uuid(network), dhcp)

    def _make_bridge(
        self, network: VirtualNetwork, config: LinuxBridgeConfig, ageing_ns: int
    ) -> None:
        netns, name = self._namespace, network.bridge
        bridge = netns.add_bridge(name, mac=network.mac, ageing_ns=ageing_ns)
        self._did(f"ip link add {name} address {mac_text(network.mac)} type bridge")
        of_bridge = f"/sys/class/net/{name}/bridge"
        set_forward_delay(bridge, network.delay_s * NS_PER_S)
        self._did(f"echo {network.delay_s * _CENTISECONDS} >{of_bridge}/forward_delay")
        if network.stp:
            # The kernel lengthens the delay to the least that the protocol allows.
            bridge.tree.start()
        self._did(f"echo {int(network.stp)} >{of_bridge}/stp_state")
        tree = replace(config.tree, stp=False, forward_delay_ns=None)
        commands = self._mode.linux.set_up(name, replace(config, tree=tree))
        self._mode.take_up(name, self._mode.linux, commands, _SCRIPT)
        for value, setting in ((1, "disable_ipv6"), (0, "accept_ra"), (0, "autoconf")):
            self._did(echo(netns, value, f"net/ipv6/conf/{name}/{setting}"))

    def _add_rules(self, network: VirtualNetwork) -> None:
        netfilter = self._namespace.make_netfilter()
        if not self._has_chains:
            self._has_chains = True
            for program, rules in (("iptables", netfilter.rules4), ("ip6tables", netfilter.rules6)):
                for command in private_chains():
                    rules.command(command.split())
                    self._did(f"{program} -w {command}")
        for command in rules_of(network):
            netfilter.rules4.command(command.split())
            self._did(f"iptables -w {command}")

    def _bring_up(self, network: VirtualNetwork) -> None:
        netns, name = self._namespace, network.bridge
        netns.add_address(name, network.ip, network.prefix_length)
        address = f"{ip_text(network.ip)}/{network.prefix_length}"
        self._did(f"ip addr add {address} broadcast {ip_text(network.broadcast)} dev {name}")
        netns.set_up(name)
        self._did(f"ip link set {name} up")
        if network.forward is not Forward.ISOLATED:
            self._did(echo(netns, 1, "net/ipv4/ip_forward"))

    def _tell_dnsmasq(self, network: VirtualNetwork, dhcp: DhcpServing | None) -> None:
        """dnsmasq is started even where it leases nothing, for it answers DNS besides."""
        conf = f"{FOLDER}/{network.name}.conf"
        for line in conf_lines(network, dhcp):
            self._did(f"echo {line} >>{conf}")
        for line in host_lines(dhcp):
            self._did(f"echo {line} >>{FOLDER}/{network.name}.hostsfile")
        self._did(f"dnsmasq --conf-file={conf} --leasefile-ro --dhcp-script={_LEASES_HELPER}")

    def _uuid(self, network: VirtualNetwork) -> str:
        """A random one (RFC 4122 section 4.4), grown from the seed."""
        stream = self._namespace.chance.stream(f"{self._namespace.name} {network.name} uuid")
        return str(UUID(bytes=stream.randbytes(16), version=4))

    def _did(self, command: str) -> None:
        self._mode.log.did(_SCRIPT, command)
