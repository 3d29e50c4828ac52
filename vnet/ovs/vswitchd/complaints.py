"""What a daemon's log says of interfaces, by the modules of Open vSwitch that say it."""

from __future__ import annotations

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.tunnel.ports import TunnelMatch
from vnet.ovs.vlog.vlog import Vlog
from vnet.ovs.vswitchd.config import INTERFACE_TYPES, TUNNEL_TYPES, InterfaceConfig
from vnet.ovs.vswitchd.tunnel_options import Finding, TunnelOptionsError, read_tunnel

_RESERVED_BEGINNINGS = tuple(
    f"{kind}_sys"
    for kind in (
        *("genev", "gre", "vxlan", "lisp", "stt", "erspan", "ip6erspan", "ip6gre", "gtpu"),
        "udp",
    )
)
_RESERVED = ("ovs-system", "ovs-netdev", "ovs-dummy")
"""What datapaths call ports of their own."""


class Complaints:
    """Says what is wrong with interfaces, and raises :class:`OvsTextError` with what their rows
    are to say, where there is an error."""

    def __init__(self, vlog: Vlog) -> None:
        self._bridge = vlog.module("bridge")
        self._netdev = vlog.module("netdev")
        self._vport = vlog.module("netdev_vport")
        self._ofproto = vlog.module("ofproto")
        self._tunnel = vlog.module("tunnel")
        self._limit = self._bridge.limit(1, 5)
        self._bridge_limit = self._bridge.limit(1, 5)
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
        elif interface.type not in INTERFACE_TYPES or interface.type in TUNNEL_TYPES:
            raise self._no_such_type(interface)

    def _check_tunnel(self, interface: InterfaceConfig) -> None:
        try:
            found = read_tunnel(interface.name, interface.type, interface.options).warnings
        except TunnelOptionsError as error:
            self._say(error.found)
            self._not_set(interface)
            raise
        self._say(found)

    def _say(self, found: tuple[Finding, ...]) -> None:
        for finding in found:
            self._vport.warn(finding.sentence)

    def _check_patch(self, interface: InterfaceConfig) -> None:
        try:
            interface.check()
        except OvsTextError as error:
            self._vport.err(str(error))
            self._not_set(interface)
            raise

    def _not_set(self, interface: InterfaceConfig) -> None:
        self._netdev.warn(f"{interface.name}: could not set configuration (Invalid argument)")

    def _no_such_type(self, interface: InterfaceConfig) -> OvsTextError:
        self._netdev.warn(
            f"could not create netdev {interface.name} of unknown type {interface.type}"
        )
        return self.no_device(interface, "Address family not supported by protocol")

    def invalid_bridge(self, name: str) -> None:
        """A bridge that is passed over."""
        self._bridge.warn(f'ignoring bridge with invalid name "{name}"', self._bridge_limit)

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
