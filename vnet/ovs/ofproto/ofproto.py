"""A bridge as OpenFlow sees it: tables, groups, meters, ports, and the requests that change them.

What a packet meets on its way is found by translation (``xlate``), which looks up here; nothing
here forwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from hashlib import sha256

from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.hash_order import HashOrder
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.ofproto.groups.group import GroupEntry
from vnet.ovs.ofproto.groups.group_mods import GroupMods
from vnet.ovs.ofproto.listeners import Listeners
from vnet.ovs.ofproto.meter import MeterEntry, MeterPool
from vnet.ovs.ofproto.meter_mods import MeterMods
from vnet.ovs.ofproto.packet_in_sink import PacketInSink, nobody_listens
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.ports.port_mods import PortMods
from vnet.ovs.ofproto.requests import PreparedPacket, PreparePacketOut, Request, nobody_sends
from vnet.ovs.ofproto.rules.expiry import Expiry
from vnet.ovs.ofproto.rules.flow_mods import FlowMods, is_unchanged
from vnet.ovs.ofproto.rules.internal_rules import InternalRules
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.rule_store import RuleStore
from vnet.ovs.ofproto.rules.selection import COOKIE_EXACT, Selection
from vnet.ovs.ofproto.rules.table import Table, TableSettings
from vnet.ovs.ofproto.rules.table_mods import TableMods
from vnet.ovs.ofproto.rules.transaction import Transaction
from vnet.ovs.ofproto.sampling import Sampling
from vnet.ovs.ofproto.spanning_tree.tree import SpanningTree
from vnet.ovs.ofproto.switching.switching import Switching
from vnet.ovs.ofproto.tunnel.options import check_options, with_options_placed
from vnet.ovs.ofproto.tunnel.tlv_table import TlvMappings
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    FlowFlags,
    FlowMod,
    FragmentHandling,
    GroupMod,
    GroupModCommand,
    MeterMod,
    PacketOut,
    PortMod,
    RemovedReason,
    TableMod,
)
from vnet.ovs.openflow.ofpacts import Ofpacts
from vnet.ovs.vlog.vlog import SILENT, Vlog
from vnet.sim.scheduler import Scheduler


def _nothing() -> None:
    return None


class Ofproto(Listeners):
    """One bridge.

    ``version`` rises with every change that a translation may depend on; ``on_change`` is called
    then. ``before_reading_stats`` is called before counters decide or are shown, so that whoever
    has some not handed in yet can do so.
    """

    def __init__(
        self, name: str, scheduler: Scheduler, pool: MeterPool | None = None, vlog: Vlog = SILENT
    ) -> None:
        super().__init__()
        self.name = name
        self.scheduler = scheduler
        self.version = 0
        self.uuid = _uuid_of(name, scheduler.now_ns)
        """Tells it from others that there were, by its name, before it (16 bytes)."""
        self.datapath_id = 0
        """What OpenFlow knows the bridge by, 64 bits."""
        self.description = self.serial_number = "None"
        """What it says of itself besides."""
        self.datapath_type = "system"
        """Patch ports lead to bridges of the same type only."""
        self.groups: dict[int, GroupEntry] = {}
        self.meters: dict[int, MeterEntry] = {}
        self.meter_order: HashOrder[int] = HashOrder()
        self.ports: dict[OfpPort, OfPort] = {}
        self._by_name: dict[str, OfPort] = {}
        self.switching = Switching()
        self.spanning_tree: SpanningTree | None = None
        self.own_frames = FlowStats()
        """What the bridge has sent by itself."""
        self.sampling = Sampling()
        self.tlv_mappings = TlvMappings()
        self.openflow_full = False
        """Whether it takes what OpenFlow has and Open vSwitch lacks."""
        self.fragment_handling = FragmentHandling.NORMAL
        self.wants_packet_in_on_miss = False
        """Whether a controller of OpenFlow 1.2 or older hears of packets without a flow."""
        self.has_in_band = False
        """Whether controllers or managers are reached through it, by its own host."""
        self.on_change: Callable[[], None] = _nothing
        self.before_reading_stats: Callable[[], None] = _nothing
        self.packet_in_sink: PacketInSink = nobody_listens
        self.prepare_packet_out: PreparePacketOut = nobody_sends
        self.meter_pool = pool or MeterPool()
        expiry = Expiry(scheduler, self._expire, lambda: self.before_reading_stats())
        self._store = RuleStore(self.groups, self.meters, expiry)
        self._flow_mods = FlowMods(scheduler, self._store, self.groups, self.meters)
        self._group_mods = GroupMods(scheduler, self._store, self.groups, vlog)
        remove = partial(self._remove, reason=RemovedReason.METER_DELETE)
        meters = (self.meters, self.meter_order, self.meter_pool)
        self._meter_mods = MeterMods(scheduler, *meters, remove)
        self.table_mods = TableMods(self._store.tables, self._remove)
        self._port_mods = PortMods(
            self.ports, self.switching, lambda: self.spanning_tree is not None, self._port_changed
        )
        self.internal = InternalRules(self.flow_mod, self.find)

    @property
    def tables(self) -> list[Table]:
        """All 255, by number."""
        return self._store.tables

    # -- looking up and counting

    def lookup(self, table_id: int, flow: Flow, wc: Flow | None) -> Rule | None:
        """The rule that a flow matches in a table; ``wc`` gets the bits that it took.

        Counts nothing: see :meth:`credit_table`.
        """
        return self._store.tables[table_id].classifier.lookup(flow, wc)

    def find(self, table_id: int, match: Match, priority: int) -> Rule | None:
        """The rule with exactly this match and priority."""
        return self._store.tables[table_id].classifier.find(match, priority)

    def credit(self, rule: Rule, stats: FlowStats) -> None:
        """Packets matched a rule. Harmless for one that has left its table."""
        if not rule.removed:
            rule.n_packets += stats.n_packets
            rule.n_bytes += stats.n_bytes
            if stats.used_ns is not None and stats.used_ns > rule.used_ns:
                rule.used_ns = stats.used_ns

    def credit_table(self, table_id: int, matched: bool, n_packets: int = 1) -> None:
        """Packets were looked up in a table, with or without success."""
        table = self._store.tables[table_id]
        if matched:
            table.n_matched += n_packets
        else:
            table.n_missed += n_packets

    # -- requests

    def flow_mod(self, mod: FlowMod) -> None:
        """Add, change or delete flows. Raises :class:`OpenFlowError` and changes nothing then."""
        self.bundle((mod,))

    def group_mod(self, mod: GroupMod) -> None:
        """Add, change or delete groups. Raises :class:`OpenFlowError`, as above."""
        self.bundle((mod,))

    def packet_out(self, packet_out: PacketOut) -> None:
        """Send a packet of a controller's. Raises :class:`OpenFlowError`."""
        self.bundle((packet_out,))

    def check_flow_mod(self, mod: FlowMod) -> None:
        """Raise :class:`OpenFlowError` for what may not be asked, whatever flows there are."""
        check_options(mod, self.tlv_mappings.lengths)
        self._flow_mods.check(mod)

    def bundle(
        self, mods: Iterable[Request], *, is_atomic: bool = False, is_asked: bool = True
    ) -> None:
        """Carry out several requests in their order, or none of them. Packets leave once all else
        stands, by what the flows were when it was their turn. Ports are not changed at one moment
        with flows, so that is refused where it has to be (``is_atomic``). What packets teach is
        not ``is_asked`` by anybody.

        Raises the :class:`OpenFlowError` of the first that is refused, with its ``position``.
        """
        mods = [with_options_placed(mod, self.tlv_mappings) for mod in mods]
        if any(map(self._needs_statistics, mods)):
            self.before_reading_stats()
        transaction = Transaction(is_followed=bool(self.flows_changed))
        packets: list[PreparedPacket] = []
        position = 0
        try:
            for position, mod in enumerate(mods):
                transaction.position = position if is_asked else None
                if isinstance(mod, FlowMod):
                    self._flow_mods.apply(mod, transaction)
                elif isinstance(mod, GroupMod):
                    done = self._group_mods.apply(mod, transaction)
                    transaction.then += [partial(tell, done, position) for tell in self.mod_done]
                elif isinstance(mod, PortMod):
                    if is_atomic:
                        raise OpenFlowError("OFPBFC_MSG_FAILED")
                    self._port_mods.check(mod)
                    transaction.then.append(partial(self._port_mods.apply, mod))
                else:
                    self.check_actions(mod.actions)
                    learn = partial(self._learn_within, transaction)
                    packets.append(self.prepare_packet_out(mod, learn))
        except OpenFlowError as error:
            transaction.roll_back()
            for packet in packets:
                packet.give_up()
            error.position = position
            raise
        self._commit(transaction)
        for packet in packets:
            packet.send()

    def _needs_statistics(self, mod: Request) -> bool:
        """Whether what was seen until now, but not handed in yet, must count before ``mod``."""
        if isinstance(mod, FlowMod):
            return self._flow_mods.needs_statistics(mod)
        is_deletion = isinstance(mod, GroupMod) and mod.command is GroupModCommand.DELETE
        return is_deletion and self._store.n_reporting > 0

    def _learn_within(self, transaction: Transaction, mod: FlowMod) -> None:
        """Make a flow that a packet teaches, unless it is there. Raises :class:`OpenFlowError`."""
        rule = self.find(mod.table_id, mod.match, mod.priority)
        if rule is None or not is_unchanged(rule, mod):
            asked_for, transaction.position = transaction.position, None
            self._flow_mods.apply(mod, transaction)
            transaction.position = asked_for

    def check_actions(self, actions: Ofpacts) -> None:
        """Raise :class:`OpenFlowError` if they refer to a group or meter that is not there."""
        self._flow_mods.check_actions(actions)

    def learn(self, mod: FlowMod, limit: int = 0) -> bool:
        """Add the flow that a ``learn`` action makes, or let its age start anew.

        ``mod`` is a strict modification. False if the table already has ``limit`` (not 0) flows
        with its cookie.
        """
        rule = self.find(mod.table_id, mod.match, mod.priority)
        if rule is not None and is_unchanged(rule, mod):
            rule.modified_ns = self.scheduler.now_ns
            return True
        if not self.may_learn(mod, limit):
            return False
        self.bundle((mod,), is_asked=False)
        return True

    def may_learn(self, mod: FlowMod, limit: int, n_more: int = 0) -> bool:
        """Whether :meth:`learn` would have room for a flow, and for ``n_more`` before it."""
        rule = self.find(mod.table_id, mod.match, mod.priority)
        if not limit or (rule is not None and is_unchanged(rule, mod)):
            return True
        return self._store.count(mod.table_id, mod.new_cookie or 0) + n_more < limit

    def reduce_timeouts(self, rule: Rule, idle_timeout_s: int, hard_timeout_s: int) -> None:
        """Lower a flow's timeouts to these, where it has none or longer ones (``fin_timeout``)."""
        if (idle_timeout_s or hard_timeout_s) and not rule.removed:
            self._store.reduce_timeouts(rule, idle_timeout_s, hard_timeout_s)

    def flows(self, selection: Selection | None = None) -> Iterator[Rule]:
        """The flows of all tables, or those selected, in the order of ``dump-flows``."""
        self.before_reading_stats()
        yield from self._store.select(selection or Selection())

    def meter_mod(self, mod: MeterMod) -> None:
        """Add, change or delete meters. Raises :class:`OpenFlowError`."""
        self._meter_mods.apply(mod, openflow_full=self.openflow_full)
        self._changed()
        for listener in self.mod_done:
            listener(mod, 0)

    def datapath_meter(self, meter_id: int) -> int | None:
        """What a meter is called in the datapath."""
        meter = self.meters.get(meter_id)
        return None if meter is None else meter.datapath_id

    def configure_table(self, table_id: int, settings: TableSettings) -> None:
        """Set a table up; one with more flows than it may have evicts what it can."""
        if self.table_mods.configure(table_id, settings):
            self._changed()

    def table_mod(self, mod: TableMod) -> None:
        """Set tables up as a controller asks. Raises :class:`OpenFlowError`."""
        self.table_mods.apply(mod)
        self._changed()

    # -- ports

    def add_port(self, port: OfPort) -> None:
        """A port joins the bridge, in place of whatever had its number."""
        self.ports[port.number] = self._by_name[port.name] = port
        self._port_changed(port)

    def remove_port(self, number: OfpPort) -> OfPort:
        """A port leaves the bridge. Raises ``KeyError``."""
        port = self.ports.pop(number)
        del self._by_name[port.name]
        if self.spanning_tree is not None:
            self.spanning_tree.port_removed(port)
        self._port_changed(port)
        return port

    def port_by_name(self, name: str) -> OfPort | None:
        """The port of that name."""
        return self._by_name.get(name)

    def port_mod(self, mod: PortMod) -> None:
        """Change what an administrator sets on a port. Raises :class:`OpenFlowError`."""
        self._port_mods.apply(mod)

    def link_changed(self, number: OfpPort) -> None:
        """The link of a port's device came up or went down."""
        port = self.ports[number]
        if port.update_link():
            self._link_or_health_changed(port)

    def set_may_enable(self, port: OfPort, may_enable: bool) -> None:
        """Bonding or fault detection thinks a port usable, or no longer."""
        if port.set_may_enable(may_enable) and self.ports.get(port.number) is port:
            self._link_or_health_changed(port)

    def _link_or_health_changed(self, port: OfPort) -> None:
        if self.spanning_tree is not None:
            self.spanning_tree.link_changed(port)
        self._port_changed(port)

    def tree_changed(self, port: OfPort) -> None:
        """A port has another place in the spanning tree."""
        self._port_changed(port)

    def _port_changed(self, port: OfPort) -> None:
        self._changed()
        for listener in self.port_changed:
            listener(port)

    # -- consequences

    def touch(self) -> None:
        """Something has changed outside the tables that translations depend on."""
        self._changed()

    def _commit(self, transaction: Transaction) -> None:
        """Tell of what was done, and do what follows from it."""
        if not transaction.is_empty:
            self._changed()
        for do in transaction.then:
            do()
        for status in self.table_mods.news():
            for tell in self.table_status:
                tell(status)
        if transaction.changes:
            for listen in self.flows_changed:
                listen(transaction.changes)
        for rule, reason in transaction.removed:
            if FlowFlags.SEND_FLOW_REM in rule.flags and not rule.is_hidden:
                for listener in self.flow_removed:
                    listener(rule, reason)
        for table_id, cookie in transaction.dead_cookies:
            learned = Selection(table_id, cookie=cookie, cookie_mask=COOKIE_EXACT)
            self._remove(self._store.select(learned), RemovedReason.DELETE)

    def _remove(self, rules: Iterable[Rule], reason: RemovedReason) -> None:
        transaction = Transaction(is_followed=bool(self.flows_changed))
        for rule in rules:
            self._store.remove(rule, reason, transaction)
        self._commit(transaction)

    def _expire(self, rule: Rule, reason: RemovedReason) -> None:
        self._remove((rule,), reason)

    def _changed(self) -> None:
        self.version += 1
        self.on_change()


def _uuid_of(name: str, now_ns: int) -> bytes:
    return sha256(f"{name} {now_ns}".encode()).digest()[:16]
