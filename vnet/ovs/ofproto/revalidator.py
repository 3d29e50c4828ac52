"""Keeping datapath flows true: each is translated again when something has changed.

A datapath flow is what a translation said at one moment. The revalidator remembers for each what
it came from. Twice a second while there are flows it fetches their statistics, hands them on to
rules, ports and stations, and removes flows that were idle for ten seconds. After a change it
translates the flows again: those that come out the same stay, those with other actions are
changed in place, and those that would have to look at more of a frame are removed, for the next
frame to bring back.

The times and limits are those of Open vSwitch (ovs-vswitchd.conf.db(5): max-idle,
max-revalidator, flow-limit).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from vnet.base.deep_calls import deep_calls
from vnet.base.units import NS_PER_MS
from vnet.ovs.dpif.actions import OdpActions
from vnet.ovs.dpif.dpif import DatapathFlow, DatapathFullError, FlowStats
from vnet.ovs.flow.flow import Flow
from vnet.ovs.ofproto.xlate.cache import Station, XlateCache
from vnet.ovs.ofproto.xlate.context import XlateIn
from vnet.ovs.ofproto.xlate.translate import translate
from vnet.sim.scheduler import Timer

if TYPE_CHECKING:
    from vnet.ovs.ofproto.backer import Backer

CROWDED_IDLE_NS = 100 * NS_PER_MS
"""How long a flow may be idle while there are more flows than the limit."""

MIN_REVALIDATOR_NS = 5 * NS_PER_MS
"""Rounds come no closer than this: a flood of new stations costs one round and not thousands."""

_SOON_NS = 100 * NS_PER_MS
_MANY = 300
"""So many translations are worth it where changes follow each other soon, one barrier each."""

FIRST_FLOW_LIMIT = 10_000
FLOW_LIMIT_STEP = 1_000
LEAST_FLOW_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class RevalidatorLimits:
    """``other_config`` of the Open_vSwitch table: flow-limit, max-idle, max-revalidator."""

    flow_limit: int = 200_000
    max_idle_ns: int = 10_000 * NS_PER_MS
    max_revalidator_ns: int = 500 * NS_PER_MS


FlowName = tuple[int, int]
"""What identifies a datapath flow: its key under its mask, and the mask."""


class FlowDump(NamedTuple):
    """The flows that a round has found. ``names_only``: it asked for their names and counts."""

    time_ns: int
    flows: Sequence[DatapathFlow]
    names_only: bool


STALE = -1
"""The generation of a flow that must be translated again whatever generation it is now."""


class Ukey:
    """What is known of a datapath flow: where it came from, and what has been counted of it.

    ``key`` is the whole flow of the frame that made it, as the datapath had it.
    """

    __slots__ = (
        "actions",
        "cache",
        "created_ns",
        "generation",
        "key",
        "mask",
        "pushed_bytes",
        "pushed_packets",
        "recirc_ids",
    )

    def __init__(
        self,
        key: int,
        mask: int,
        actions: OdpActions,
        now_ns: int,
        recirc_ids: Iterable[int] = (),
        cache: XlateCache | None = None,
    ) -> None:
        self.key = key
        self.mask = mask
        self.actions = actions
        self.recirc_ids = list(recirc_ids)
        self.cache = cache or XlateCache()
        self.created_ns = now_ns
        self.generation = 0
        self.pushed_packets = 0
        self.pushed_bytes = 0

    @property
    def name(self) -> FlowName:
        """What identifies the flow in the datapath."""
        return self.key & self.mask, self.mask


@dataclass(slots=True)
class FlowCounts:
    """How many flows rounds have found: at most, and about how many of late."""

    most: int = 0
    average: int = 0

    def add(self, n_flows: int) -> None:
        """A round has found so many."""
        self.most = max(self.most, n_flows)
        self.average = (self.average + n_flows) // 2


class Revalidator:
    """Looks after the flows of one datapath."""

    def __init__(self, backer: Backer) -> None:
        self._backer = backer
        self._ukeys: dict[FlowName, Ukey] = {}
        self._timer = Timer(backer.scheduler, self._round)
        self._generation = 0
        self._is_dirty = False
        self._by_station: dict[Station, dict[FlowName, Ukey]] = {}
        self._changed_stations: dict[Station, None] = {}
        self.limits = RevalidatorLimits()
        self._last_round_ns = self._last_full_round_ns = -self.limits.max_revalidator_ns
        self.flow_limit = FIRST_FLOW_LIMIT
        """How many flows are welcome; grows while rounds are quick, which here they always are."""
        self.counts = FlowCounts()
        self.on_dump: Callable[[FlowDump], None] | None = None
        self._is_paused = False
        self._has_others = False
        self._asked_ns = self._n_asked_for = 0

    def __len__(self) -> int:
        return len(self._ukeys)

    def install(self, ukey: Ukey) -> bool:
        """Put a flow into the datapath; False where there is no room for it."""
        if len(self._ukeys) >= self.flow_limit:
            return False
        if ukey.name in self._ukeys:
            # Two frames of a kind came up together, and the first has seen to both.
            return False
        try:
            self._backer.dpif.flow_put(ukey.key, ukey.mask, ukey.actions)
        except DatapathFullError:
            return False
        ukey.generation = self._generation
        self._ukeys[ukey.name] = ukey
        self._index(ukey)
        self._arm()
        return True

    def touch(self) -> None:
        """Something has changed that translations depend on."""
        if not self._is_dirty:
            self._is_dirty = True
            self._arm()

    def touch_station(self, station: Station) -> None:
        """A station has been learned, has moved or is gone: only who asked for it may differ."""
        if station in self._by_station:
            self._changed_stations[station] = None
            self._arm()

    def settle(self) -> None:
        """Have every change in force before the next frame, unless all rounds are put off."""
        if (self._is_dirty or self._changed_stations) and not self._is_paused:
            self._round()

    def settle_often(self) -> None:
        """As :meth:`settle`, for whoever may ask for it again and again: soon flows are forgotten
        rather than translated each time, and frames ask for them again."""
        now_ns = self._backer.scheduler.now_ns
        if now_ns - self._asked_ns > _SOON_NS:
            self._n_asked_for = 0
        self._asked_ns = now_ns
        if self._is_dirty:
            self._n_asked_for += len(self._ukeys)
            if self._n_asked_for > _MANY and not self._is_paused:
                self.purge()
        self.settle()

    def look_now(self) -> None:
        """Look at every flow, as ``ovs-appctl revalidator/wait`` waits for."""
        if not self._is_paused:
            self._last_full_round_ns = self._backer.scheduler.now_ns - self._interval_ns
            self._round()

    def pause(self) -> None:
        """Leave flows as they are until :meth:`resume`."""
        self._is_paused = True
        self._timer.cancel()

    def resume(self) -> None:
        """Look after flows again."""
        self._is_paused = False
        self.look_now()

    def push_stats(self) -> None:
        """Hand on what the datapath has counted, so that whoever reads statistics finds all."""
        for flow in self._backer.dpif.flows():
            ukey = self._ukeys.get((flow.key & flow.mask, flow.mask))
            if ukey is not None:
                self._push(ukey, flow.stats)

    def purge(self) -> None:
        """Remove every flow, as ``ovs-appctl revalidator/purge`` does."""
        for ukey in list(self._ukeys.values()):
            self._delete(ukey)

    def expect_others(self) -> None:
        """Somebody else has installed flows: the next round looks at them, too. Where none is due,
        because there were no flows, it is as far away as it can be in Open vSwitch."""
        if self._timer.due_ns is None:
            self._last_full_round_ns = self._backer.scheduler.now_ns
        self._has_others = True
        self._arm()

    def forget_missing(self) -> None:
        """Somebody else has removed flows from the datapath: frames of theirs ask again."""
        there = {(flow.key & flow.mask, flow.mask) for flow in self._backer.dpif.flows()}
        for name in [name for name in self._ukeys if name not in there]:
            ukey = self._ukeys.pop(name)
            self._unindex(ukey)
            self._release(ukey)

    # -- rounds

    def _arm(self) -> None:
        now_ns = self._backer.scheduler.now_ns
        if self._is_paused:
            return
        if self._is_dirty or self._changed_stations:
            due_ns = max(now_ns, self._last_round_ns + MIN_REVALIDATOR_NS)
        elif self._ukeys or self._has_others:
            due_ns = max(now_ns, self._last_full_round_ns + self._interval_ns)
        else:
            return
        if self._timer.due_ns is None or due_ns < self._timer.due_ns:
            self._timer.arm(due_ns - now_ns)

    @property
    def _interval_ns(self) -> int:
        return min(self.limits.max_revalidator_ns, self.limits.max_idle_ns)

    def _round(self) -> None:
        with deep_calls():
            self._look_at_flows()

    def _look_at_flows(self) -> None:
        now_ns = self._backer.scheduler.now_ns
        self._timer.cancel()
        self._last_round_ns = now_ns
        stations, self._changed_stations = self._changed_stations, {}
        if self._is_dirty or now_ns - self._last_full_round_ns >= self._interval_ns:
            for station in stations:
                for ukey in self._by_station.get(station, {}).values():
                    ukey.generation = STALE
            self._full_round(now_ns)
        else:
            self._round_of(stations)
        self._arm()

    def _round_of(self, stations: Iterable[Station]) -> None:
        """Translate again only what asked for these stations."""
        asked = {
            name: ukey
            for station in stations
            for name, ukey in self._by_station.get(station, {}).items()
        }
        for ukey in asked.values():
            stats = self._backer.dpif.flow_get(ukey.key, ukey.mask).stats
            if not self._revalidate(ukey, stats):
                self._delete(ukey)

    def _full_round(self, now_ns: int) -> None:
        self._last_full_round_ns = now_ns
        if self._is_dirty:
            self._is_dirty = False
            self._generation += 1
        self._backer.recirc.sweep(now_ns)
        self._has_others = False
        flows = list(self._backer.dpif.flows())
        if self.on_dump is not None:
            self.on_dump(FlowDump(now_ns, flows, self._backer.uses_ufids))
        if len(flows) > 2 * self.flow_limit:
            self.purge()
        else:
            is_crowded = len(flows) > self.flow_limit
            oldest_ns = now_ns - (CROWDED_IDLE_NS if is_crowded else self.limits.max_idle_ns)
            for flow in flows:
                self._judge(flow, oldest_ns)
            if flows:
                self._backer.checkpoint()
        self.counts.add(len(flows))
        if self.flow_limit < len(flows) * 1000:
            self.flow_limit += FLOW_LIMIT_STEP
        self.flow_limit = min(max(self.flow_limit, LEAST_FLOW_LIMIT), self.limits.flow_limit)

    def _judge(self, flow: DatapathFlow, oldest_ns: int) -> None:
        ukey = self._ukeys.get((flow.key & flow.mask, flow.mask)) or self._adopt(flow)
        used_ns = ukey.created_ns if flow.stats.used_ns is None else flow.stats.used_ns
        if used_ns < oldest_ns:
            self._delete(ukey)
        elif ukey.generation == self._generation or self._revalidate(ukey, flow.stats):
            self._push(ukey, flow.stats)
        else:
            self._delete(ukey)

    def _adopt(self, flow: DatapathFlow) -> Ukey:
        """Look after a flow that somebody else has installed: it stays if it is right."""
        ukey = Ukey(flow.key, flow.mask, flow.actions, self._backer.scheduler.now_ns)
        ukey.generation = STALE
        self._ukeys[ukey.name] = ukey
        return ukey

    def _revalidate(self, ukey: Ukey, stats: FlowStats) -> bool:
        """Translate again. False: the flow must go."""
        backer = self._backer
        ingress = backer.ingress(ukey.key)
        if ingress is None:
            return False
        flow = Flow(ukey.key)
        flow.in_port = ingress[1]
        cache = XlateCache()
        out = translate(XlateIn(ingress[0], backer, flow, tcp_flags=stats.tcp_flags, cache=cache))
        mask = out.datapath_mask
        if out.avoid_caching or mask & ~ukey.mask:
            out.release(backer.recirc, backer.scheduler.now_ns)
            return False
        # Once more for what came before the change, by the old translation's account.
        self._push(ukey, stats)
        if out.installed_actions != ukey.actions:
            ukey.actions = out.installed_actions
            backer.dpif.flow_put(ukey.key, ukey.mask, ukey.actions)
        self._release(ukey)
        self._unindex(ukey)
        ukey.recirc_ids = out.recirc_ids
        ukey.cache = cache
        ukey.generation = self._generation
        self._index(ukey)
        return True

    def _index(self, ukey: Ukey) -> None:
        for station in ukey.cache.stations:
            self._by_station.setdefault(station, {})[ukey.name] = ukey

    def _unindex(self, ukey: Ukey) -> None:
        for station in ukey.cache.stations:
            asking = self._by_station[station]
            del asking[ukey.name]
            if not asking:
                del self._by_station[station]

    def _delete(self, ukey: Ukey) -> None:
        del self._ukeys[ukey.name]
        self._unindex(ukey)
        self._push(ukey, self._backer.dpif.flow_del(ukey.key, ukey.mask))
        self._release(ukey)

    def _push(self, ukey: Ukey, stats: FlowStats) -> None:
        delta = FlowStats(
            stats.n_packets - ukey.pushed_packets,
            stats.n_bytes - ukey.pushed_bytes,
            stats.used_ns,
            stats.tcp_flags,
        )
        ukey.pushed_packets, ukey.pushed_bytes = stats.n_packets, stats.n_bytes
        ukey.cache.push(delta)

    def _release(self, ukey: Ukey) -> None:
        for recirc_id in ukey.recirc_ids:
            self._backer.recirc.unref(recirc_id, self._backer.scheduler.now_ns)
        ukey.recirc_ids = []
