"""The Linux bridge (net/bridge).

A bridge is its ports, its forwarding database and a device of its own, through which the
host takes part. It learns from what it receives, forwards to the port it learned, floods
what it does not know, and keeps its hands off the reserved group addresses.

Facts that are easy to get wrong, all as the kernel does them: a frame for ANY port's MAC is
the bridge's own; a frame from one of the bridge's own MACs is flooded but not learned; an
address of the reserved block is learned from yet not forwarded, but for the pause frame's,
which is not even learned; a frame over the port's MTU dies without a word.
"""

from __future__ import annotations

from itertools import count

from vnet.base.errors import UsageError
from vnet.base.ids import MAC_BROADCAST, MAC_ZERO, Mac
from vnet.linux.bridge.addresses import BridgeAddresses
from vnet.linux.bridge.ageing import Ageing
from vnet.linux.bridge.bpdus import BRIDGE_GROUP, receive_bpdu
from vnet.linux.bridge.device import BridgeDevice
from vnet.linux.bridge.forwarding import Forwarding
from vnet.linux.bridge.locked import LockedIngress
from vnet.linux.bridge.multicast.snooping import MulticastSnooping
from vnet.linux.bridge.neigh_suppress import HostNeighbors, NeighborSuppression
from vnet.linux.bridge.netfilter import BridgeNetfilter, Calls
from vnet.linux.bridge.port import (
    BAD_SOURCE_MAC,
    PORT_NOT_FORWARDING,
    BridgePort,
)
from vnet.linux.bridge.reserved import handle_reserved
from vnet.linux.bridge.spanning_tree import SpanningTree
from vnet.linux.bridge.state import PortState
from vnet.linux.bridge.tree_port import path_cost
from vnet.linux.bridge.vlan_filter import VlanFilter
from vnet.linux.kernel_log import KernelLog
from vnet.netdev.device import TOO_SHORT, TRUNCATED_TAG, NetDevice, RxHandler
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.tables.fdb import Fdb, FdbEntry
from vnet.tables.storm import StormWatch
from vnet.wire.ether import HEADER_BYTES, RESERVED_PREFIX
from vnet.wire.vlan import is_whole

_REFUSED_IN_MASK = 0x0007
"""Bits 0 to 2 of group_fwd_mask, which the kernel refuses to set (BR_GROUPFWD_RESTRICTED)."""


class Bridge:
    """Ports, forwarding database, and the rules between them.

    ``ageing_ns`` is when a silent station is forgotten (300 s by default). ``has_host`` says that
    there is an IP stack behind the bridge's own device, to get a copy of what goes to all.
    ``own_port`` is the bridge itself among its ports, number 0: its VLANs, and the port of the
    addresses that are nobody else's.
    """

    __slots__ = (
        "_forwarding",
        "_port_of",
        "addresses",
        "ageing",
        "deliver_up",
        "device",
        "fdb",
        "flood",
        "flood_multicast",
        "flood_to",
        "group_fwd_mask",
        "has_host",
        "log",
        "multicast",
        "neighbors",
        "netfilter",
        "nf_calls",
        "own_port",
        "ports",
        "relay_group",
        "scheduler",
        "send_own",
        "storms",
        "suppression",
        "tree",
        "vlan_filter",
    )

    def __init__(
        self,
        scheduler: Scheduler,
        name: str,
        *,
        owner: str = "",
        mac: Mac | None = None,
        ageing_ns: int = 300_000_000_000,
        has_host: bool = True,
        log: KernelLog | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.device = BridgeDevice(self, name, mac or MAC_ZERO, owner)
        self.device.carrier = False
        self.log = KernelLog(scheduler) if log is None else log
        self.fdb: Fdb[BridgePort] = Fdb(ageing_ns)
        self.storms: StormWatch[BridgePort] = StormWatch()
        self.ports: list[BridgePort] = []
        self.own_port = BridgePort(self, self.device, 0)
        self.vlan_filter = VlanFilter(self)
        self.neighbors: HostNeighbors | None = None
        self.suppression: NeighborSuppression | None = None
        """While a port has neigh_suppress."""
        self.netfilter: BridgeNetfilter | None = None
        """While the machine has br_netfilter."""
        self.nf_calls = Calls(ipv4=False, ipv6=False, arp=False)
        """What it is shown of this bridge besides what the machine says (``nf_call_...``)."""
        forwarding = Forwarding(self)
        self.flood, self.flood_to = forwarding.flood, forwarding.flood_to
        self.flood_multicast, self.relay_group = forwarding.flood_multicast, forwarding.relay_group
        self.deliver_up, self.send_own = forwarding.deliver_up, forwarding.send_own
        self._port_of: dict[NetDevice, BridgePort] = {}
        self._forwarding = 0
        self.group_fwd_mask = 0
        self.has_host = has_host
        self.addresses = BridgeAddresses(self, by_user=mac is not None)
        self.ageing = Ageing(scheduler, self.fdb)
        self.multicast = MulticastSnooping(self)
        self.tree = SpanningTree(self)
        if mac is not None:
            self.tree.set_address(mac)
        self.addresses.own(self.device.mac, self.own_port)

    # -- membership

    def add_port(self, device: NetDevice) -> BridgePort:
        """Make ``device`` a port: its frames now come here and not to its own IP stack."""
        port = BridgePort(self, device, self._free_number())
        port.tree = self.tree.join(port, path_cost(device))
        self.ports.append(port)
        self._port_of[device] = port
        device.rx_handler = self.ingress(port)
        self.addresses.own(device.mac, port)
        self.vlan_filter.port_joined(port)
        self.tree.announce(port.tree)
        self.addresses.take_after(port)
        if device.running:
            self.enable_port(port)
        return port

    def remove_port(self, device: NetDevice) -> None:
        """Release a port. The caller gives the device its rx handler back."""
        port = self.port_of(device)
        assert port is not None, f"{device.label} is not a port of {self.device.name}"
        self.ports.remove(port)
        del self._port_of[device]
        self.tree.disable(port.tree)
        self.tree.leave(port.tree)
        self.multicast.forget_port(port)
        for vid in self.addresses.places(port):
            self.addresses.disown(device.mac, port, vid)
        self.fdb.flush_port(port, local=True)
        self.addresses.follow_ports()

    def _free_number(self) -> int:
        """The lowest number that no port has."""
        # The newest port mostly has the highest, and then no other need be asked.
        if not self.ports or self.ports[-1].number == len(self.ports):
            return len(self.ports) + 1
        taken = {port.number for port in self.ports}
        return next(number for number in count(1) if number not in taken)

    def say(self, text: str) -> None:
        """Write to the kernel's log, as the bridge that speaks."""
        self.log.write(f"{self.device.name}: {text}")

    def port_of(self, device: NetDevice) -> BridgePort | None:
        """The port that ``device`` is, or None."""
        return self._port_of.get(device)

    def enable_port(self, port: BridgePort) -> None:
        """The port has a carrier. Without STP it forwards at once, whatever the delay."""
        port.operational = True
        self._settle(port)

    def disable_port(self, port: BridgePort) -> None:
        """The port lost its carrier or was set down: it forgets its stations."""
        port.operational = False
        self._settle(port)

    def admin_changed(self) -> None:
        """The bridge was set up or down; while it is down nothing crosses it."""
        is_up = self.device.admin_up
        if is_up:
            self.ageing.opened()
            self.tree.open()
            self.multicast.open()
        for port in reversed(self.ports):
            self._settle(port)
        if not is_up:
            self.tree.close()
            self.ageing.closed()
            self.multicast.close()

    def _settle(self, port: BridgePort) -> None:
        wanted = port.operational and self.device.admin_up
        if port.operational and not port.tree.has_own_cost:
            port.tree.path_cost = path_cost(port.device)
        if wanted != (port.state is not PortState.DISABLED):
            if wanted:
                self.tree.enable(port.tree)
            else:
                self.tree.disable(port.tree)

    def port_state_changed(self, was: PortState, now: PortState) -> None:
        """A port went from one state to another."""
        self._forwarding += (now is PortState.FORWARDING) - (was is PortState.FORWARDING)
        self.device.set_carrier(self._forwarding > 0)

    # -- frames from ports

    def handle_not_forwarding(self, port: BridgePort, frame: Frame) -> None:
        """A frame on a port that is not forwarding; a LEARNING port learns from it."""
        if not is_whole(frame.data):
            is_short = len(frame.data) < HEADER_BYTES
            return port.device.drop(frame, TOO_SHORT if is_short else TRUNCATED_TAG)
        if port.state is PortState.LEARNING and not self.accept_source(port, frame):
            return None
        if self.tree.is_on and frame.data[0:6] == BRIDGE_GROUP:
            return receive_bpdu(self.tree, port, frame)
        return port.device.drop(frame, PORT_NOT_FORWARDING)

    def accept_source(self, port: BridgePort, frame: Frame, vid: int | None = None) -> bool:
        """Learn from a frame, unless the fast road has; False drops it.

        ``vid`` is the VLAN that it was let into; None where nobody has looked yet.
        """
        source = frame.data[6:12]
        if source[0] & 1 or source == MAC_ZERO:
            port.device.drop(frame, BAD_SOURCE_MAC)
            return False
        if vid is None:
            vid = self.vid_of(port, frame)
        if port.learning and vid is not None and frame.data[0:6] != RESERVED_PREFIX + b"\x01":
            entry = self.fdb.learn(source, port, self.scheduler.now_ns, vid)
            if entry.is_local:
                self._warn_of_own_address(port, entry)
            self.arm_ageing()
        return True

    def handle_group(self, port: BridgePort, frame: Frame) -> None:
        """A frame to a broadcast, multicast or reserved destination; learn from it, too."""
        if not self.accept_source(port, frame):
            return None
        target = frame.data[0:6]
        if target[0:5] == RESERVED_PREFIX and target[5] < 0x10:
            return handle_reserved(self, port, frame, target[5])
        if target == MAC_BROADCAST:
            return self.flood(port, frame, BridgePort.BROADCAST, up=True)
        return self.relay_group(port, frame, None)

    def _warn_of_own_address(self, port: BridgePort, entry: FdbEntry[BridgePort]) -> None:
        where = f"(addr:{entry.mac.hex(':')}, vlan:{entry.vid})"
        name = port.device.name
        self.log.write_limited(
            f"{self.device.name}: received packet on {name} "
            f"with own address as source address {where}"
        )

    def arm_ageing(self) -> None:
        """An entry that ages was added; see that it is swept when its time comes."""
        self.ageing.learned()

    # -- settings

    def ingress(self, port: BridgePort) -> RxHandler:
        """What gets the frames of a port's device, as bridge and port are set up."""
        handler = self.vlan_filter.ingress(port) if self.vlan_filter.is_on else port.handle
        if port.locked:
            handler = LockedIngress(port, handler).handle
        return handler if self.netfilter is None else self.netfilter.ingress(port, handler)

    def set_netfilter(self, netfilter: BridgeNetfilter | None) -> None:
        """Show bridged packets to the hooks of IP, or no more."""
        self.netfilter = netfilter
        for port in self.ports:
            port.device.rx_handler = self.ingress(port)

    def vid_of(self, port: BridgePort, frame: Frame) -> int | None:
        """The VLAN that a frame belongs to which comes in by ``port``, or None if it may not;
        0 without filtering."""
        return self.vlan_filter.learnable_vid(port, frame) if self.vlan_filter.is_on else 0

    def port_flags_changed(self, port: BridgePort) -> None:
        """Some flags of a port were set."""
        port.device.rx_handler = self.ingress(port)
        suppresses = self.neighbors is not None and any(p.neigh_suppress for p in self.ports)
        if not suppresses:
            self.suppression = None
        elif self.suppression is None and self.neighbors is not None:
            self.suppression = NeighborSuppression(self, self.neighbors)

    def set_group_fwd_mask(self, mask: int) -> None:
        """``group_fwd_mask``: bit N lets 01:80:C2:00:00:0N cross the bridge."""
        if not 0 <= mask <= 0xFFFF or mask & _REFUSED_IN_MASK:
            raise UsageError(
                "RTNETLINK answers: Invalid argument",
                "group_fwd_mask takes 16 bits, and not the lowest three: STP, pause, LACP",
            )
        self.group_fwd_mask = mask

    # -- ageing

    def set_ageing(self, ageing_ns: int) -> None:
        """Change the ageing time and sweep at once (``ageing_time`` of ip-link(8))."""
        self.ageing.set(ageing_ns, self.tree)

    def entries(self) -> list[FdbEntry[BridgePort]]:
        """The database as ``bridge fdb show`` lists it: by port, then by MAC."""
        return sorted(self.fdb, key=lambda entry: (entry.port.number, entry.mac))
