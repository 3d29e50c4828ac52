"""The bonds of one bridge: who wakes them, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vnet.ovs.ofproto.bond.aggregate import Aggregate, Home
from vnet.ovs.ofproto.bond.settings import AggregateSettings
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.openflow.messages import PortState
from vnet.sim.scheduler import Timer

_DUMMY = "dummy"


class Bonding:
    """Runs the aggregates of a bridge: after each change, and when something is due. A bridge
    without any costs nothing.
    """

    def __init__(self, bridge: Ofproto, home: Home) -> None:
        self._bridge = bridge
        self._home = home
        self._aggregates: dict[Bundle, Aggregate] = {}
        self._carriers: dict[OfPort, tuple[Aggregate, bool]] = {}
        self._timer = Timer(home.scheduler, self.run)
        self._balancing = Timer(home.scheduler, self._rebalance)
        self._is_running = self._must_run_again = False
        bridge.port_changed.append(self._port_changed)

    def __iter__(self) -> Iterator[Aggregate]:
        return iter(self._aggregates.values())

    def configure(self, wanted: Mapping[Bundle, AggregateSettings]) -> None:
        """These bundles are aggregates from now on, and no others."""
        for bundle in [bundle for bundle in self._aggregates if bundle not in wanted]:
            self._aggregates.pop(bundle).close()
        for bundle, settings in wanted.items():
            aggregate = self._aggregates.get(bundle)
            if aggregate is None:
                aggregate = Aggregate(
                    bundle,
                    self._bridge,
                    self._home,
                    wake=self.wake,
                    on_traffic=self.checkpoint,
                )
                self._aggregates[bundle] = aggregate
            aggregate.configure(settings)
        self._carriers = {
            port: (aggregate, PortState.LINK_DOWN not in port.state)
            for aggregate in self
            for port in aggregate.bundle.ports
        }
        for aggregate in self:
            aggregate.begin()
        if self._aggregates:
            self.wake()
        else:
            self._timer.cancel()

    def close(self) -> None:
        """The bridge goes."""
        self.configure({})

    # -- running

    def wake(self) -> None:
        """Run later in this same instant."""
        self._must_run_again = self._is_running
        if not self._is_running:
            self._timer.arm(0)

    def run(self) -> None:
        """Let all of them do what is due, until nothing changes any more."""
        self._is_running = self._must_run_again = True
        while self._must_run_again:
            self._must_run_again = False
            for aggregate in self:
                if aggregate.run():
                    self._must_run_again = True
        self._is_running = False
        due = [time for aggregate in self if (time := aggregate.next_due_ns()) is not None]
        if due:
            self._timer.arm(max(0, min(due) - self._home.scheduler.now_ns))
        else:
            self._timer.cancel()

    def _port_changed(self, port: OfPort) -> None:
        aggregate, had_carrier = self._carriers.get(port, (None, False))
        has_carrier = PortState.LINK_DOWN not in port.state
        if aggregate is None or has_carrier == had_carrier:
            return
        self._carriers[port] = aggregate, has_carrier
        # Open vSwitch's dummy devices go up and down without anybody's counting it.
        if port.device is not None and port.device.kind != _DUMMY:
            aggregate.carrier_changed(port, has_carrier)
        self.wake()

    # -- moving load

    def checkpoint(self) -> None:
        """There has been traffic, or statistics have been taken: there may be load to move."""
        times = [time for aggregate in self if (time := aggregate.next_rebalance_ns()) is not None]
        if times:
            due_ns = min(times)
            if self._balancing.due_ns is None or due_ns < self._balancing.due_ns:
                self._balancing.arm(due_ns - self._home.scheduler.now_ns)

    def _rebalance(self) -> None:
        self._bridge.before_reading_stats()
        has_load = False
        for aggregate in self:
            has_load |= aggregate.rebalance()
        self.run()
        if has_load:
            self.checkpoint()
