"""A port of a bridge, as OpenFlow sees it: number, configuration, state, counters."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.base.ids import MAC_ZERO, Mac
from vnet.netdev.device import NetDevice
from vnet.ovs.dpif.actions import DropCause
from vnet.ovs.flow.ports import OdpPort, OfpPort
from vnet.ovs.ofproto.ports.port_protocol import PortProtocol
from vnet.ovs.ofproto.ports.port_queues import PortQueues
from vnet.ovs.ofproto.spanning_tree.standing import OUTSIDE_TREE, TreeStanding
from vnet.ovs.ofproto.tunnel.config import PacketTypes, TunnelConfig
from vnet.ovs.openflow.messages import PortConfig, PortState


@dataclass(slots=True)
class PortStats:
    """What passed through a port, seen from the switch: ``rx`` came in by it."""

    rx_packets: int = 0
    rx_bytes: int = 0
    tx_packets: int = 0
    tx_bytes: int = 0


class OfPort:
    """A port. Compared by identity.

    ``device`` None means a patch port or a tunnel's: ``peer`` names the port at the other end of
    the patch, ``tunnel`` is how the tunnel is set up. Their ``stats`` are counted by translation,
    since no device sees the packets. ``may_enable`` is whether
    whatever watches the link beyond its carrier (bonding, fault detection) thinks it usable.
    """

    __slots__ = (
        "_mac",
        "config",
        "created_ns",
        "device",
        "floods",
        "lost",
        "may_enable",
        "name",
        "number",
        "odp_port",
        "peer",
        "protocols",
        "queue_dscp",
        "queues",
        "state",
        "stats",
        "tree",
        "tunnel",
    )

    def __init__(
        self,
        number: OfpPort,
        name: str,
        device: NetDevice | None = None,
        *,
        odp_port: OdpPort | None = None,
        peer: str | None = None,
        tunnel: TunnelConfig | None = None,
        mac: Mac = MAC_ZERO,
        created_ns: int = 0,
    ) -> None:
        self.number = number
        self.name = name
        self.device = device
        self.odp_port = odp_port
        self.peer = peer
        self.tunnel = tunnel
        self._mac = mac
        self.created_ns = created_ns
        self.config = PortConfig.NONE
        self.state = PortState.NONE
        self.may_enable = True
        self.queue_dscp: dict[int, int] = {}
        """What DSCP (6 bits) packets of a queue get on their way out, by the queue's number."""
        self.protocols: tuple[PortProtocol, ...] = ()
        """What the switch itself speaks on the port, in the order in which frames are offered."""
        self.queues: PortQueues | None = None
        """What packets wait in on their way out, where quality of service is set up."""
        self.tree = OUTSIDE_TREE
        """What its place in a spanning tree says about frames."""
        self.floods = True
        """Whether floods leave by it, as far as spanning trees have a say in that."""
        self.stats = PortStats()
        self.lost: dict[DropCause, int] = {}
        """Copies that were to leave by the port and led nowhere, while others of them did."""
        self.update_link()

    @property
    def mac(self) -> Mac:
        """Its device's address."""
        return self._mac if self.device is None else self.device.mac

    @property
    def packet_types(self) -> PacketTypes:
        """What packets it takes. A patch port takes any: the port behind it decides."""
        if self.tunnel is not None:
            return self.tunnel.packet_types
        return PacketTypes.LEGACY_L2 if self.peer is None else PacketTypes.AWARE

    @property
    def is_live(self) -> bool:
        """Whether a fast-failover group or a bundle action may use it (OFPPS_LIVE)."""
        return PortState.LIVE in self.state

    def add_protocol(self, protocol: PortProtocol) -> None:
        """Let a protocol have its frames from now on; harmless where it has them already."""
        others = (other for other in self.protocols if other is not protocol)
        self.protocols = tuple(sorted((*others, protocol), key=lambda one: one.slow_path))

    def remove_protocol(self, protocol: PortProtocol) -> None:
        """The protocol listens here no more."""
        self.protocols = tuple(other for other in self.protocols if other is not protocol)

    def counters(self) -> PortStats:
        """What has passed, as its device counts it, or where there is none as translations do."""
        device = self.device
        if device is None:
            return self.stats
        return PortStats(device.rx_packets, device.rx_bytes, device.tx_packets, device.tx_bytes)

    def update_link(self) -> bool:
        """Take over the device's link; returns whether the state has changed.

        A patch port's link is up. A device that is administratively down has no carrier either.
        """
        device = self.device
        if device is not None:
            off = not device.admin_up
            self.config = self.config & ~PortConfig.PORT_DOWN | PortConfig.PORT_DOWN * off
        link_down = device is not None and not device.running
        return self._set_state(self.state & ~PortState.LINK_DOWN | PortState.LINK_DOWN * link_down)

    def configure(self, config: PortConfig, mask: PortConfig) -> bool:
        """Set the bits of ``mask`` to those of ``config``; returns whether any has changed.

        A port without a device has no PORT_DOWN; on others :meth:`set_device` follows it.
        """
        toggled = (config ^ self.config) & mask
        if self.device is None:
            toggled &= ~PortConfig.PORT_DOWN
        self.config = self.config & ~toggled | config & toggled
        self._set_state(self.state)
        return bool(toggled)

    def set_device(self) -> None:
        """Set the device itself up or down, as the port is configured."""
        if self.device is not None:
            self.device.set_admin(PortConfig.PORT_DOWN not in self.config)

    def set_tree(self, standing: TreeStanding) -> None:
        """Take a place in a spanning tree, which the port's state shows."""
        self.tree = standing
        self._set_state(self.state & ~PortState.STP_MASK | standing.state)

    def set_may_enable(self, may_enable: bool) -> bool:
        """Bonding or fault detection changed its mind; returns whether the state has changed."""
        self.may_enable = may_enable
        return self._set_state(self.state)

    def _set_state(self, state: PortState) -> bool:
        usable = (
            self.may_enable and PortState.LINK_DOWN not in state
        ) and PortConfig.PORT_DOWN not in self.config
        state = state | PortState.LIVE if usable else state & ~PortState.LIVE
        was, self.state = self.state, state
        return was != state

    def __repr__(self) -> str:
        return f"OfPort({self.number}({self.name}))"
