"""A spanning tree at work on a bridge, whatever protocol it speaks.

BPDUs are taken off frames under translation; what follows from them, and what is due by the
clock, is done in an event of its own. There is one only when a timer of the protocol ends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from vnet.base.ids import MAC_ZERO
from vnet.ovs.dpif.cookies import SlowPath
from vnet.ovs.flow.flow import Flow
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.spanning_tree.log import TreeLog
from vnet.ovs.ofproto.spanning_tree.standing import OUTSIDE_TREE, TreeStanding
from vnet.ovs.ofproto.xlate.ports import is_stp
from vnet.sim.scheduler import Timer
from vnet.wire import bpdu

if TYPE_CHECKING:
    from vnet.ovs.ofproto.ofproto import Ofproto


class Home(Protocol):
    """Whoever puts frames of the switch's own on their way."""

    def send(self, bridge: Ofproto, port: OfPort, frame: bytes) -> None:
        """Send a frame out of a port of a bridge."""

    @property
    def tree_log(self) -> TreeLog:
        """What there is to say of trees goes there."""


class SpanningTree(ABC):
    """What listens for BPDUs on every port of a bridge, those that take no part included: there
    they end.
    """

    slow_path = SlowPath.STP
    protocol = "stp"
    """``stp`` or ``rstp``."""

    def __init__(self, bridge: Ofproto, home: Home) -> None:
        self.bridge = bridge
        self._home = home
        self._timer = Timer(bridge.scheduler, self._work)

    @property
    def now_ns(self) -> int:
        """The bridge's clock."""
        return self.bridge.scheduler.now_ns

    # -- on the road

    def claims(self, flow: Flow, wc: Flow) -> bool:
        """Whether a flow's frames are BPDUs."""
        wc.fill(Flow.dl_dst)
        return is_stp(flow)

    @abstractmethod
    def receive(self, port: OfPort, frame: bytes) -> None:
        """A BPDU came in."""

    # -- ports

    @abstractmethod
    def link_changed(self, port: OfPort) -> None:
        """A port's link may have come up or gone down."""

    @abstractmethod
    def port_removed(self, port: OfPort) -> None:
        """A port has left the bridge."""

    def close(self) -> None:
        """Nobody speaks the protocol here any more; ports are no part of a tree."""
        self._timer.cancel()
        for port in self.bridge.ports.values():
            port.remove_protocol(self)
            self.set_standing(port, OUTSIDE_TREE)

    def watch_ports(self, *, is_first: bool) -> None:
        """Listen on the ports that are there; ``is_first`` is whether the protocol is new here.

        Where it is not, floods do not leave by a new port until it forwards, and never if it
        takes no part: as in Open vSwitch.
        """
        for port in self.bridge.ports.values():
            if self not in port.protocols:
                port.add_protocol(self)
                port.floods &= is_first

    def set_standing(self, port: OfPort, standing: TreeStanding) -> None:
        """What becomes of frames at a port from now on."""
        was = port.tree
        if was == standing:
            return
        if was.learns_in_tree != standing.learns_in_tree:
            self.learning_changed(port)
        if was.forwards_in_tree != standing.forwards_in_tree:
            port.floods = standing.forwards_in_tree
        port.set_tree(standing)
        self.bridge.tree_changed(port)

    @abstractmethod
    def learning_changed(self, port: OfPort) -> None:
        """A port begins to learn stations, or has ceased to."""

    # -- time

    def wake(self) -> None:
        """See to what has happened, later in this same instant."""
        if self._timer.due_ns != self.now_ns:
            self._timer.arm(0)

    def _work(self) -> None:
        self.run()
        due_ns = self.next_due_ns
        if self._timer.due_ns is None and due_ns is not None:
            self._timer.arm(max(0, due_ns - self.now_ns))

    @abstractmethod
    def run(self) -> None:
        """Do what is due, and what follows from that."""

    @property
    @abstractmethod
    def next_due_ns(self) -> int | None:
        """When something is due next; None: nothing is."""

    # -- what follows

    def send(self, port: OfPort, data: bytes) -> None:
        """Send a BPDU, unless the port has no address to send it from."""
        if port.mac != MAC_ZERO:
            self._home.send(self.bridge, port, bpdu.frame(port.mac, data))

    # -- what is said of it

    @abstractmethod
    def topology_changed(self) -> None:
        """Somebody says that the topology has changed (``stp/tcn``, ``rstp/tcn``)."""

    @abstractmethod
    def status(self) -> dict[str, str]:
        """What the database is told of the bridge, by the keys of its Bridge table."""

    @abstractmethod
    def port_status(self, port: OfPort) -> dict[str, str]:
        """What it is told of a port, by the keys of its Port table; nothing where it takes no
        part."""

    @abstractmethod
    def port_statistics(self, port: OfPort) -> dict[str, int]:
        """What has been counted at a port, likewise."""

    @abstractmethod
    def show(self) -> Iterator[str]:
        """The lines of ``stp/show`` or ``rstp/show``."""
