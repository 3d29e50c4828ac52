"""What a daemon's log says of interfaces, by the modules of Open vSwitch that say it."""

from __future__ import annotations

from collections.abc import Container

from vnet.base.ids import MAC_ZERO, Mac
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.tunnel.ports import TunnelMatch
from vnet.ovs.vlog.vlog import Vlog
from vnet.ovs.vswitchd.bonds import mac_at_start
from vnet.ovs.vswitchd.config import (
    INTERFACE_TYPES,
    TUNNEL_TYPES,
    BridgeConfig,
    BridgePortConfig,
    InterfaceConfig,
)
from vnet.ovs.vswitchd.identity import is_group, read_mac
from vnet.ovs.vswitchd.tunnel_options import Finding, TunnelOptionsError, read_tunnel
from vnet.ovs.vswitchd.vxlan_ports import VxlanPorts

_LEAST_BOND = 2
_RESERVED_BEGINNINGS = tuple(
    f"{kind}_sys"
    for kind in (
        *("genev", "gre", "vxlan", "lisp", "stt", "erspan", "ip6erspan", "ip6gre", "gtpu"),
        "udp",
    )
)
_RESERVED = ("ovs-system", "ovs-netdev", "ovs-dummy")
"""What datapaths call ports of their own."""
_MIXED = "VXLAN-GBP, and non-VXLAN-GBP tunnels can't be configured on the same dst_port"


class Complaints:
    """Says what is wrong with interfaces, and raises :class:`OvsTextError` with what their rows
    are to say, where there is an error."""

    def __init__(self, vlog: Vlog, vxlan_ports: VxlanPorts) -> None:
        self._vxlan_ports = vxlan_ports
        self._bridge = vlog.module("bridge")
        self._netdev = vlog.module("netdev")
        self._vport = vlog.module("netdev_vport")
        self._ofproto = vlog.module("ofproto")
        self._tunnel = vlog.module("tunnel")
        self._sockets = vlog.module("socket_util")
        self._limits = {family: self._sockets.limit(1, 5) for family in ("IP", "IPv6")}
        self._limit = self._bridge.limit(1, 5)
        self._bridge_limit = self._bridge.limit(1, 5)
        self._bond_limit = self._bridge.limit(1, 1)
        self._port_limit = self._ofproto.limit(1, 5)

    def check(self, interface: InterfaceConfig) -> None:
        """Look at what an interface is set up with."""
        if interface.name.startswith(_RESERVED_BEGINNINGS) or interface.name in _RESERVED:
            self._bridge.warn(f"could not create interface {interface.name}, name is reserved")
            raise OvsTextError("")
        if interface.is_tunnel:
            self._check_tunnel(interface)
        elif interface.is_patch:
            self._check_patch(interface)
        elif interface.type not in INTERFACE_TYPES or (
            interface.type in TUNNEL_TYPES and not interface.has_stand_in
        ):
            raise self._no_such_type(interface)

    def _check_tunnel(self, interface: InterfaceConfig) -> None:
        name = interface.name
        try:
            tunnel = read_tunnel(name, interface.type, interface.options)
        except TunnelOptionsError as error:
            self._say(error.found)
            self._not_set(interface)
            raise
        if not self._vxlan_ports.take(name, tunnel.config):
            mixed = TunnelOptionsError((*tunnel.warnings, Finding("exts", f"{name}: {_MIXED}")))
            self._say(mixed.found)
            self._not_set(interface, "File exists")
            raise mixed
        self._say(tunnel.warnings)

    def _say(self, found: tuple[Finding, ...]) -> None:
        for text in (finding.no_address for finding in found if finding.no_address):
            family = "IPv6" if ":" in text else "IP"
            self._sockets.err(f'"{text}" is not a valid {family} address', self._limits[family])
        if found:
            self._vport.warn("\n".join(finding.sentence for finding in found))

    def _check_patch(self, interface: InterfaceConfig) -> None:
        try:
            interface.check()
        except OvsTextError as error:
            self._vport.err(str(error))
            self._not_set(interface)
            raise

    def _not_set(self, interface: InterfaceConfig, why: str = "Invalid argument") -> None:
        self._netdev.warn(f"{interface.name}: could not set configuration ({why})")

    def _no_such_type(self, interface: InterfaceConfig) -> OvsTextError:
        self._netdev.warn(
            f"could not create netdev {interface.name} of unknown type {interface.type}"
        )
        return self.no_device(interface, "Address family not supported by protocol")

    def invalid_bridge(self, name: str) -> None:
        """A bridge that is passed over."""
        self._bridge.warn(f'ignoring bridge with invalid name "{name}"', self._bridge_limit)

    def no_datapath(self, name: str, kind: str) -> None:
        """A bridge that cannot be, for there are no datapaths of its type."""
        self._ofproto.warn(f"could not create datapath {name} of unknown type {kind}")
        self._bridge.err(
            f"failed to create bridge {name}: Address family not supported by protocol"
        )

    def port(self, bridge: BridgeConfig, port: BridgePortConfig, n_members: int) -> None:
        """Say what is not used of a port's settings."""
        name, other, warn = port.name, port.other_config, self._bridge.warn
        if port.vlan_mode is None and port.tag is not None and (port.trunks or port.cvlans):
            warn(f"port {name}: ignoring trunks in favor of implicit vlan")
        if port.lacp in ("active", "passive") and "lacp-system-id" in other:
            self._check_lacp_system(name, other["lacp-system-id"])
        if n_members < _LEAST_BOND:
            return
        if port.bond_mode is None:
            warn(
                f"port {name}: Using the default bond_mode active-backup. Note that in previous "
                "versions, the default bond_mode was balance-slb",
                self._bond_limit,
            )
        elif port.bond_mode == "balance-slb" and bridge.flood_vlans:
            warn(
                f"port {name}: SLB bonds are incompatible with flood_vlans, please use another "
                "bond type or disable flood_vlans"
            )
        detects = other.get("bond-detect-mode", "carrier")
        if detects not in ("carrier", "miimon"):
            warn(f"port {name}: unsupported bond-detect-mode {detects}, defaulting to carrier")

    def _check_lacp_system(self, name: str, text: str) -> None:
        mac = mac_at_start(text)
        if mac is None:
            self._bridge.warn(f"port {name}: LACP system ID ({text}) must be an Ethernet address.")
        elif mac == MAC_ZERO:
            self._bridge.warn(f"port {name}: Invalid zero LACP system ID.")

    def mirrors(self, bridge: BridgeConfig, bundles: Container[str]) -> None:
        """Say which mirrors there are not."""
        for mirror in bridge.mirrors:
            label = f"bridge {bridge.name}: mirror {mirror.name}"
            if mirror.output_port is not None and mirror.output_port not in bundles:
                self._bridge.err(f"{label} outputs to port not on bridge")
            elif mirror.output_port is not None and mirror.output_vlan is not None:
                self._bridge.err(
                    f"{label} specifies both output port and output vlan; ignoring output vlan"
                )
            elif mirror.output_port is None and mirror.output_vlan is None:
                self._bridge.err(f"{label} does not specify output; ignoring")

    def wanted_mac(self, interface: InterfaceConfig, *, is_local: bool) -> Mac | None:
        """The address that an internal interface is to have, if it is one that it may."""
        mac = read_mac(interface.mac or "")
        if mac is None:
            return None
        label = f"interface {interface.name}"
        if is_local:
            self._bridge.err(
                f"{label}: ignoring mac in Interface record (use Bridge record to set local "
                "port's mac)"
            )
        elif is_group(mac):
            self._bridge.err(f"{label}: cannot set MAC to multicast address")
        elif mac == MAC_ZERO:
            self._bridge.err(f"{label}: cannot set MAC to all zero address")
        else:
            return mac
        return None

    def no_device(self, interface: InterfaceConfig, why: str) -> OvsTextError:
        """The error to raise where there is no device."""
        sentence = f"could not open network device {interface.name} ({why})"
        self._bridge.warn(sentence)
        return OvsTextError(sentence)

    def rival(self, bridge: str, port: OfPort, rival: OfPort) -> OvsTextError:
        """The error to raise where another tunnel has the settings of this one."""
        assert port.tunnel is not None
        assert port.odp_port is not None
        match = TunnelMatch.of(port.tunnel, port.odp_port).text()
        name = port.name
        self._tunnel.warn(
            f"{name}: attempting to add tunnel port with same config as "
            f"port '{rival.name}' ({match})"
        )
        why = "File exists"
        self._ofproto.warn(f"{bridge}: could not add port {name} ({why})", self._port_limit)
        sentence = f"could not add network device {name} to ofproto ({why})"
        self._bridge.warn(sentence, self._limit)
        return OvsTextError(sentence)
