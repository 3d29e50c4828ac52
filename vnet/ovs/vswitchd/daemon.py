"""ovs-vswitchd: the switches of one host become what their database says, and it hears of them.

:class:`Daemon` follows a :class:`~vnet.ovs.ovsdb.view.DatabaseView` and nothing else: what it is
told it reads from rows, and what it has to say it writes into rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vnet.base.units import NS_PER_MS
from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.ovsdb.commit import Commit
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.view import DatabaseView
from vnet.ovs.vlog.vlog import SILENT, Vlog
from vnet.ovs.vswitchd.devices import Devices
from vnet.ovs.vswitchd.from_rows import ROOT, ConfigReader
from vnet.ovs.vswitchd.reconcile import Vswitchd
from vnet.ovs.vswitchd.status.columns import is_told
from vnet.ovs.vswitchd.status.report import Reporter
from vnet.ovs.vswitchd.status.writer import NOTHING, Status, StatusWriter, one
from vnet.sim.scheduler import Scheduler

_TRY_AGAIN_NS = 100 * NS_PER_MS


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a daemon says that it can do (``datapath_types``, ``iface_types``)."""

    datapath_types: tuple[str, ...] = ("netdev", "system")
    iface_types: tuple[str, ...] = (
        *("geneve", "gre", "internal", "ip6gre", "patch", "system", "tap", "vxlan"),
    )


class Daemon:
    """Follows ``view`` from the first commit on that it has seen.

    With ``in_order``, ports get their numbers as if they had come one by one, in the order in
    which their rows have come. ``configured`` is called after each configuration, once what there
    is to say of it has been handed to the view.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        dpif: Dpif,
        devices: Devices,
        view: DatabaseView,
        *,
        abilities: Abilities | None = None,
        vlog: Vlog = SILENT,
        in_order: bool = False,
    ) -> None:
        self.vswitchd = Vswitchd(scheduler, dpif, devices, vlog)
        self.vswitchd.status_changed = self._status_changed
        self.view = view
        self.configured: Callable[[], None] = _nothing
        self._scheduler = scheduler
        self._abilities = abilities or Abilities()
        self._in_order = in_order
        self._reader = ConfigReader(view, in_order=in_order)
        self._reporter = Reporter(self.vswitchd)
        self._is_configuring = False
        self._is_report_due = False
        view.on_commit(self._committed)
        if view.is_ready:
            self.configure()

    def configure(self) -> None:
        """Make what runs match the database; needed where devices have come or gone."""
        self._is_configuring = True
        try:
            self.vswitchd.reconcile(self._reader.config(), in_order=self._in_order)
        finally:
            self._is_configuring = False
        writer = StatusWriter(self.view)
        self._reporter.configured(writer)
        root = self._reader.root
        if root is not None:
            writer.set(ROOT, root.uuid, self._own_status(root))
        self._write(writer)
        self.configured()

    def refresh(self) -> None:
        """Write statistics, and whatever else has changed by itself."""
        writer = StatusWriter(self.view)
        self._reporter.changed(writer)
        self._reporter.statistics(writer)
        self._write(writer)

    # -- the database

    def _committed(self, commit: Commit) -> None:
        self._reader.note(commit)
        if any(is_told(table, changes) for table, changes in commit.changes.items()):
            self.configure()

    def _own_status(self, root: Row) -> Status:
        return {
            "cur_cfg": root.columns["next_cfg"],
            "datapath_types": self._abilities.datapath_types,
            "iface_types": self._abilities.iface_types,
            "dpdk_initialized": one(False),
            "dpdk_version": one("none"),
            "statistics": NOTHING,
        }

    def _write(self, writer: StatusWriter) -> None:
        operations = writer.operations()
        if operations:
            self.view.transact(operations, self._written)

    def _written(self, results: list[Json]) -> None:
        """Rows may have gone meanwhile, or the connection to them: then all is looked at anew."""
        if any(isinstance(result, dict) and "error" in result for result in results):
            self._scheduler.after(_TRY_AGAIN_NS, self.configure)

    # -- what changes by itself

    def _status_changed(self) -> None:
        if not self._is_configuring and not self._is_report_due:
            self._is_report_due = True
            self._scheduler.after(0, self._report)

    def _report(self) -> None:
        self._is_report_due = False
        writer = StatusWriter(self.view)
        self._reporter.changed(writer)
        self._write(writer)


def _nothing() -> None:
    return None
