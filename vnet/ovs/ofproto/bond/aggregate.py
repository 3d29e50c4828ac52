"""A port of the learning switch that is a bond, an end of LACP, or both, and its running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from vnet.l2.lacp.aggregation import Aggregation, Negotiation
from vnet.ovs.ofproto.bond.announcing import announcements, should_announce
from vnet.ovs.ofproto.bond.bond import Bond
from vnet.ovs.ofproto.bond.lacp_listener import LacpListener, lacp_frame
from vnet.ovs.ofproto.bond.log import BondLog
from vnet.ovs.ofproto.bond.rebalance import rebalance
from vnet.ovs.ofproto.bond.recirculation import LinkRules, frozen_at_bond
from vnet.ovs.ofproto.bond.settings import AggregateSettings, BondMode, BondSettings
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.ofproto.xlate.recirc import RecircTable
from vnet.ovs.openflow.messages import PortState
from vnet.sim.scheduler import Scheduler


class Home(Protocol):
    """What an aggregate needs of the place where it runs."""

    @property
    def scheduler(self) -> Scheduler:
        """The clock."""

    @property
    def recirc(self) -> RecircTable:
        """The numbers for frames that are looked up again."""

    @property
    def aggregations(self) -> list[Aggregation[OfPort]]:
        """All ends of LACP, in the order of their coming."""

    @property
    def bond_log(self) -> BondLog:
        """What there is to say of bonds goes there."""

    def send(self, bridge: Ofproto, port: OfPort, frame: bytes) -> None:
        """Send a frame of the switch's own."""


class Aggregate:
    """The bond and the LACP of one bundle.

    ``wake`` asks to be run later in the same instant; ``on_traffic`` says that there may be load
    to move some day.
    """

    def __init__(
        self,
        bundle: Bundle,
        bridge: Ofproto,
        home: Home,
        *,
        wake: Callable[[], None],
        on_traffic: Callable[[], None],
    ) -> None:
        self.bundle = bundle
        self._bridge = bridge
        self._home = home
        self._wake = wake
        self._on_traffic = on_traffic
        self._listener = LacpListener(self._heard)
        self._ports: tuple[OfPort, ...] = ()
        self._rules: LinkRules | None = None

    @property
    def bond(self) -> Bond | None:
        return self.bundle.bond

    @property
    def lacp(self) -> Aggregation[OfPort] | None:
        return self.bundle.lacp

    # -- configuration

    def configure(self, settings: AggregateSettings) -> None:
        """Take settings and the bundle's present ports over, and keep what goes on."""
        gone = [port for port in self._ports if port not in self.bundle.ports]
        self._ports = tuple(self.bundle.ports)
        self._configure_lacp(settings, gone)
        if len(self._ports) > 1:
            self._configure_bond(settings.bond)
        else:
            self._end_bond()

    def close(self) -> None:
        """The bundle is no more, or is an ordinary one now."""
        self._end_lacp(self._ports)
        self._end_bond()

    def _configure_lacp(self, settings: AggregateSettings, gone: list[OfPort]) -> None:
        if settings.lacp is None:
            self._end_lacp((*self._ports, *gone))
            return
        if self.bundle.lacp is None:
            self.bundle.lacp = Aggregation(settings.lacp)
            self._home.aggregations.append(self.bundle.lacp)
        lacp, now_ns = self.bundle.lacp, self._home.scheduler.now_ns
        lacp.configure(settings.lacp)
        for port in self._ports:
            lacp.set_port(port, settings.ports[port], now_ns)
            port.add_protocol(self._listener)
        for port in gone:
            lacp.remove_port(port)
            self._let_go(port)

    def _let_go(self, port: OfPort) -> None:
        """A port is no end of LACP any more."""
        port.remove_protocol(self._listener)
        self._bridge.set_may_enable(port, True)

    def _end_lacp(self, ports: tuple[OfPort, ...]) -> None:
        if self.bundle.lacp is not None:
            self._home.aggregations.remove(self.bundle.lacp)
            self.bundle.lacp = None
            for port in ports:
                self._let_go(port)

    def _configure_bond(self, settings: BondSettings) -> None:
        now_ns = self._home.scheduler.now_ns
        if self.bundle.bond is None:
            self.bundle.bond = Bond(settings, now_ns, self._home.bond_log)
            self.bundle.bond.on_traffic = self._on_traffic
            self._rules = LinkRules(self._bridge, self.bundle.bond)
        bond = self.bundle.bond
        bond.configure(settings, now_ns)
        self._hold_recirc_id(bond)
        assert self._rules is not None
        self._rules.update()
        bond.set_members(self._ports, now_ns)

    def _hold_recirc_id(self, bond: Bond) -> None:
        """A bond that may spread frames has a number for those that are looked up again."""
        may_spread = bond.mode is not BondMode.ACTIVE_BACKUP
        if may_spread and not bond.recirc_id:
            bond.recirc_id = self._home.recirc.reserve(frozen_at_bond(self._bridge))
        elif not may_spread:
            self._release_recirc_id(bond)

    def _release_recirc_id(self, bond: Bond) -> None:
        if bond.recirc_id:
            self._home.recirc.unref(bond.recirc_id, self._home.scheduler.now_ns)
            bond.recirc_id = 0

    def _end_bond(self) -> None:
        if self.bundle.bond is not None and self._rules is not None:
            self._rules.remove()
            self._release_recirc_id(self.bundle.bond)
            self.bundle.bond.set_members((), self._home.scheduler.now_ns)
            self.bundle.bond = self._rules = None
            self._bridge.touch()

    # -- running

    def carrier_changed(self, port: OfPort, carrier: bool) -> None:
        """A link went down or came up."""
        if self.lacp is not None:
            self.lacp.carrier_changed(port, carrier, self._home.scheduler.now_ns)

    def run(self) -> bool:
        """Do what is due. True: something has changed that must be looked at from the start."""
        self._follow_ports()
        lacp, now_ns = self.lacp, self._home.scheduler.now_ns
        if lacp is not None:
            for port, pdu in lacp.run(now_ns):
                self._home.send(self._bridge, port, lacp_frame(port, pdu))
        self._run_bond()
        return lacp is not None and lacp.take_changed()

    def begin(self) -> None:
        """Take the links as they are; what there is to say to a partner is not said yet."""
        self._follow_ports()
        self._run_bond()

    def next_due_ns(self) -> int | None:
        """When to run even if nothing happens."""
        times = [part.next_due_ns() for part in (self.lacp, self.bond) if part is not None]
        return min((time for time in times if time is not None), default=None)

    def _follow_ports(self) -> None:
        """Hand on what links and LACP say of each port."""
        lacp, bond = self.lacp, self.bond
        for port in self._ports:
            has_carrier = PortState.LINK_DOWN not in port.state
            if lacp is not None:
                self._bridge.set_may_enable(port, has_carrier and lacp.may_enable(port))
            if bond is not None:
                bond.members[port].may_enable = has_carrier and port.may_enable

    def _run_bond(self) -> None:
        bond, lacp = self.bond, self.lacp
        if bond is None:
            return
        assert self._rules is not None
        negotiation = Negotiation.OFF if lacp is None else lacp.status
        bond.run(negotiation, self._home.scheduler.now_ns)
        if not bond.recirculates:
            self._rules.remove()
        self._rules.refresh()
        if bond.take_changed():
            self._bridge.touch()
        if should_announce(bond):
            stations = self._bridge.switching.mac_table
            for port, frame in list(announcements(bond, self.bundle, stations)):
                self._home.send(self._bridge, port, frame)

    def _heard(self, port: OfPort, payload: bytes) -> None:
        """A frame of LACP came in. The link may be used at once if that makes it usable."""
        lacp = self.lacp
        assert lacp is not None, "nobody listens where there is no LACP"
        is_usable = lacp.receive(port, payload, self._home.scheduler.now_ns)
        if is_usable and self.bond is not None:
            self.bond.members[port].may_enable = True
        self._wake()

    # -- moving load

    def next_rebalance_ns(self) -> int | None:
        """When load is to be moved after this moment; None where never. Times that passed without
        load are over, and what was due at this very moment has been done.
        """
        bond = self.bond
        if bond is None or not bond.is_balanced:
            return None
        late_ns = self._home.scheduler.now_ns - bond.next_rebalance_ns
        interval_ns = bond.settings.rebalance_interval_ns
        n_over = late_ns // interval_ns + 1 if late_ns >= 0 else 0
        return bond.next_rebalance_ns + n_over * interval_ns

    def rebalance(self) -> bool:
        """Move load, if it is time. True: there is load left to look at the next time."""
        bond, now_ns = self.bond, self._home.scheduler.now_ns
        if bond is None or not bond.is_balanced:
            return False
        interval_ns = bond.settings.rebalance_interval_ns
        late_ns = now_ns - bond.next_rebalance_ns
        if late_ns >= 0 and late_ns % interval_ns == 0:
            bond.next_rebalance_ns = now_ns + interval_ns
            assert self._rules is not None
            if bond.recirculates:
                self._rules.account(bond.buckets)
            if rebalance(bond) and bond.recirculates:
                self._rules.update()
        return bond.has_load
