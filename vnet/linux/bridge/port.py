"""A bridge port: the settings of ``bridge link``, and the fast road of a forwarded frame.

The road of a frame from a known station to a known station is all in
:meth:`BridgePort.handle`: two dictionary probes, a port comparison, a time stamp. Everything
else (reserved addresses, groups, strangers, moves) leaves it for the bridge's slower rooms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.drops import drop_reason
from vnet.base.errors import UsageError
from vnet.linux.bridge.state import PortState as PortState
from vnet.linux.bridge.vlan import VlanGroup
from vnet.netdev.device import NetDevice
from vnet.sim.frame import Frame
from vnet.wire.ether import HEADER_BYTES, is_forwardable
from vnet.wire.vlan import LEAST_TAGGED_BYTES, is_whole

if TYPE_CHECKING:
    from vnet.linux.bridge.bridge import Bridge
    from vnet.linux.bridge.tree_port import TreePort

PORT_NOT_FORWARDING = drop_reason(
    "bridge-port-not-forwarding",
    cause="the bridge port is disabled, blocking, listening or learning",
    cure="wait for the port to reach forwarding, or look at why it does not",
)
BAD_SOURCE_MAC = drop_reason(
    "bad-source-mac",
    cause="the source MAC is a group address or all zeros",
    cure="mend the sender: no station has such an address",
)
SAME_PORT = drop_reason(
    "bridge-same-port",
    cause="the destination was last seen on the port that the frame came from",
    cure="nothing, if the stations share that wire; else turn hairpin on for the port",
)
PORT_MTU = drop_reason(
    "bridge-port-mtu",
    cause="the frame is larger than the mtu of the bridge port it should leave by",
    cure="give all ports of a bridge one mtu; a bridge cannot fragment and answers nothing",
)
ISOLATED = drop_reason(
    "bridge-isolated",
    cause="both ports are isolated, and isolated ports may not talk to each other",
    cure="take one of the two ports out of isolation",
)
NO_PORT = drop_reason(
    "bridge-nowhere-to-go",
    cause="no other port of the bridge is forwarding, or none floods such frames",
    cure="see that the ports are up, forwarding, and allowed to flood",
)

_PAUSE_IN_MASK = 0x0002


class BridgePort:
    """One port. ``number`` counts from 1 in the order of joining, as Linux numbers ports.

    The flags default as in the kernel: learning and all floods on, the others off. ``tree`` is
    what the spanning tree knows of the port.
    """

    tree: TreePort

    __slots__ = (
        "bpdu_guard",
        "bridge",
        "broadcast_flood",
        "device",
        "fast_leave",
        "group_fwd_mask",
        "hairpin",
        "isolated",
        "learning",
        "locked",
        "multicast_flood",
        "multicast_router",
        "multicast_to_unicast",
        "neigh_suppress",
        "number",
        "operational",
        "root_block",
        "state",
        "tree",
        "unicast_flood",
        "vlans",
    )

    def __init__(self, bridge: Bridge, device: NetDevice, number: int) -> None:
        self.bridge = bridge
        self.device = device
        self.number = number
        self.operational = False
        self.state = PortState.DISABLED
        self.root_block = False
        self.bpdu_guard = False
        self.fast_leave = False
        """Who leaves a group is its last member here, nobody else need be asked (RFC 4541)."""
        self.multicast_to_unicast = False
        self.multicast_router = 1
        """Whether a multicast router is behind the port: never (0), if it is heard (1), always
        (2), or for a time (3)."""
        self.learning = True
        self.unicast_flood = True
        self.multicast_flood = True
        self.broadcast_flood = True
        self.hairpin = False
        self.isolated = False
        self.neigh_suppress = False
        self.locked = False
        self.group_fwd_mask = 0
        """Reserved addresses that the port lets in, besides those of the whole bridge."""
        self.vlans = VlanGroup()

    @property
    def priority(self) -> int:
        """Its priority in the spanning tree, 0 to 63."""
        return self.tree.priority

    @property
    def path_cost(self) -> int:
        """What the way by it costs."""
        return self.tree.path_cost

    def handle(self, frame: Frame) -> None:
        """The port's rx handler: br_handle_frame() and what follows it in Linux."""
        data = frame.data
        bridge = self.bridge
        if self.state is not PortState.FORWARDING or (
            len(data) < LEAST_TAGGED_BYTES and not is_whole(data)
        ):
            return bridge.handle_not_forwarding(self, frame)
        if data[0] & 1:
            return bridge.handle_group(self, frame)
        now_ns = bridge.scheduler.now_ns
        entries = bridge.fdb.entries
        entry = entries.get(data[6:12])
        if entry is not None and entry.port is self and entry.is_dynamic and self.learning:
            entry.updated_ns = now_ns
        elif not bridge.accept_source(self, frame):
            return None
        entry = entries.get(data[0:6])
        if entry is None:
            return bridge.flood(self, frame, self.UNKNOWN_UNICAST)
        entry.used_ns = now_ns
        if entry.is_local:
            return bridge.deliver_up(frame, port=self)
        out = entry.port
        if out is self and not self.hairpin:
            return self.device.drop(frame, SAME_PORT)
        return out.send(frame, self)

    UNKNOWN_UNICAST = "unicast_flood"
    MULTICAST = "multicast_flood"
    BROADCAST = "broadcast_flood"

    def send(self, frame: Frame, came_by: BridgePort | None) -> None:
        """Forward a frame out of this port. ``came_by`` None means the bridge sends it."""
        device = self.device
        if self.state is not PortState.FORWARDING:
            return device.drop(frame, PORT_NOT_FORWARDING)
        if self.isolated and came_by is not None and came_by.isolated:
            return device.drop(frame, ISOLATED)
        netfilter = self.bridge.netfilter
        if netfilter is not None:
            return netfilter.send(self, frame, came_by)
        data, mtu_bytes = frame.data, device.mtu_bytes
        if len(data) - HEADER_BYTES > mtu_bytes and not is_forwardable(data, mtu_bytes):
            return device.drop(frame, PORT_MTU)
        return device.transmit(frame)

    def takes(self, frame: Frame) -> bool:
        """Whether a frame is small enough for the port's device."""
        return is_forwardable(frame.data, self.device.mtu_bytes)

    def set_state(self, state: PortState) -> None:
        """Move to another state; leaving for DISABLED forgets what was learned here."""
        was, self.state = self.state, state
        if state is PortState.DISABLED:
            self.bridge.fdb.flush_port(self)
            self.bridge.storms.forget()
            self.bridge.multicast.disable_port(self)
        self.bridge.port_state_changed(was, state)

    def set_group_fwd_mask(self, mask: int) -> None:
        """A port's ``group_fwd_mask``: bit N lets 01:80:C2:00:00:0N in by this port."""
        if not 0 <= mask <= 0xFFFF or mask & _PAUSE_IN_MASK:
            raise UsageError(
                "RTNETLINK answers: Invalid argument",
                "a port's group_fwd_mask takes 16 bits, but for that of pause frames",
            )
        self.group_fwd_mask = mask

    def __repr__(self) -> str:
        return f"BridgePort({self.device.label} on {self.bridge.device.name})"
