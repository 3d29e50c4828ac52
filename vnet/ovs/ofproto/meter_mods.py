"""Carrying out requests that add, change and delete meters (ovs-ofctl(8), "Meter commands")."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vnet.ovs.flow.hash_order import HashOrder
from vnet.ovs.flow.hashing import hash_int
from vnet.ovs.ofproto.meter import (
    MeterEntry,
    MeterPool,
    check_bands,
    check_meter_mod,
    meters_to_delete,
    with_bursts,
)
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import MeterMod, MeterModCommand
from vnet.sim.scheduler import Scheduler


class MeterMods:
    """Carries out meter modifications. ``remove_rules`` takes the flows of a meter that goes."""

    def __init__(
        self,
        scheduler: Scheduler,
        meters: dict[int, MeterEntry],
        order: HashOrder[int],
        pool: MeterPool,
        remove_rules: Callable[[Iterable[Rule]], None],
    ) -> None:
        self._scheduler = scheduler
        self._meters = meters
        self._order = order
        self._pool = pool
        self._remove_rules = remove_rules

    def apply(self, mod: MeterMod, *, openflow_full: bool) -> None:
        """Carry one out. Raises :class:`OpenFlowError`, and nothing has changed then."""
        check_meter_mod(mod)
        entry = self._meters.get(mod.meter_id)
        measured = with_bursts(mod, openflow_full)
        # Open vSwitch forgets that no burst size was given.
        kept = mod if openflow_full else measured
        if mod.command is MeterModCommand.DELETE:
            for doomed in meters_to_delete(self._meters, mod.meter_id):
                self._delete(doomed)
        elif mod.command is MeterModCommand.ADD:
            if entry is not None:
                raise OpenFlowError("OFPMMFC_METER_EXISTS")
            check_bands(mod, openflow_full)
            number = self._pool.add(measured)
            self._meters[mod.meter_id] = MeterEntry(kept, number, self._scheduler.now_ns)
            self._order.add(mod.meter_id, hash_int(mod.meter_id, 0))
        else:
            if entry is None:
                raise OpenFlowError("OFPMMFC_UNKNOWN_METER")
            check_bands(mod, openflow_full)
            self._pool.modify(entry.datapath_id, measured)
            entry.configure(kept)

    def _delete(self, entry: MeterEntry) -> None:
        self._remove_rules(list(entry.rules))
        del self._meters[entry.meter_id]
        self._order.remove(entry.meter_id, hash_int(entry.meter_id, 0))
        self._pool.remove(entry.datapath_id)
