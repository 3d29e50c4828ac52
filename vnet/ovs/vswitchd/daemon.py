"""ovs-vswitchd: the switches of one host become what their database says, and it hears of them.

:class:`Daemon` follows a :class:`~vnet.ovs.ovsdb.view.DatabaseView` and nothing else: what it is
told it reads from rows, and what it has to say it writes into rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.base.record import record
from vnet.base.units import NS_PER_MS
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.commit import Commit
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.view import DatabaseView
from vnet.ovs.vlog.vlog import SILENT, Vlog
from vnet.ovs.vswitchd.config import SwitchConfig
from vnet.ovs.vswitchd.from_rows import ROOT, ConfigReader
from vnet.ovs.vswitchd.status.columns import is_told
from vnet.ovs.vswitchd.status.writer import NOTHING, Status, StatusWriter, one
from vnet.sim.scheduler import Scheduler, Timer

if TYPE_CHECKING:
    from vnet.ovs.dpif.dpif import Dpif
    from vnet.ovs.vswitchd.devices import Devices
    from vnet.ovs.vswitchd.reconcile import Vswitchd
    from vnet.ovs.vswitchd.status.report import Reporter

_TRY_AGAIN_NS = 100 * NS_PER_MS


@record(frozen=True, slots=True)
class Abilities:
    """What a daemon says that it can do (``datapath_types``, ``iface_types``)."""

    datapath_types: tuple[str, ...] = ("netdev", "system")
    iface_types: tuple[str, ...] = (
        *("geneve", "gre", "internal", "ip6gre", "patch", "system", "tap", "vxlan"),
    )
    dummy_datapaths: tuple[str, ...] = ("dummy",)
    """The types of datapaths that are dummies."""
    has_stand_ins: bool = False
    """Whether dummies are there instead of what interfaces would be by their types."""


class Daemon:
    """Follows ``view`` as soon as that is ready.

    With ``in_order``, ports get their numbers as if they had come one by one, in the order in
    which their rows have come. ``configured`` is called after each configuration, and ``written``
    once what there was to say of it stands in the database.

    The switch itself is made when the database has its first bridge, or somebody asks for it: to
    import all that it consists of takes longer than a daemon without bridges may take to start.
    For the same reason datapath and devices may be given as functions that make them then.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        dpif: Dpif | Callable[[], Dpif],
        devices: Devices | Callable[[], Devices],
        view: DatabaseView,
        *,
        abilities: Abilities | None = None,
        vlog: Vlog = SILENT,
        in_order: bool = False,
    ) -> None:
        self.view = view
        self.config = SwitchConfig()
        """What is in force."""
        self.made: Callable[[Vswitchd], None] = _nothing_of
        """Called with the switch once it is made."""
        self.configured: Callable[[], None] = _nothing
        self.written: Callable[[], None] = _nothing
        self._scheduler = scheduler
        self._abilities = abilities or Abilities()
        self._has_given_abilities = abilities is not None
        self._in_order = in_order
        self._reader = ConfigReader(
            view, in_order=True, has_stand_ins=self._abilities.has_stand_ins
        )
        self._vlog = vlog
        self._dpif, self._devices = dpif, devices
        self._vswitchd: Vswitchd | None = None
        self._known_reporter: Reporter | None = None
        self._is_following = False
        self._is_configuring = False
        self._is_report_due = False
        self._is_unwritten = False
        self._touched: set[Uuid] = set()
        """The rows of interfaces that somebody wrote to, if only this daemon."""
        self._statistics = Timer(scheduler, self._tell_statistics)
        self._interval_ms: int | None = None
        view.on_commit(self._committed)
        self.follow()

    @property
    def has_switch(self) -> bool:
        """Whether the switch is made."""
        return self._vswitchd is not None

    @property
    def vswitchd(self) -> Vswitchd:
        """The switch."""
        if self._vswitchd is None:
            from vnet.ovs.vswitchd.reconcile import Vswitchd

            dpif = self._dpif() if callable(self._dpif) else self._dpif
            devices = self._devices() if callable(self._devices) else self._devices
            self._vswitchd = Vswitchd(self._scheduler, dpif, devices, self._vlog)
            self._vswitchd.status_changed = self._status_changed
            if self._has_given_abilities:
                self._vswitchd.datapath_types = self._abilities.datapath_types
                self._vswitchd.dummy_datapaths.update(self._abilities.dummy_datapaths)
                has_dummies = "dummy" in self._abilities.datapath_types
                self._vswitchd.backer.allows_debug = has_dummies
            self.made(self._vswitchd)
            if not self._is_configuring:
                self._put_in_force(self.config)
        return self._vswitchd

    @property
    def _reporter(self) -> Reporter | None:
        """What tells of the switch; None where there is none to tell of."""
        if self._known_reporter is None and self._vswitchd is not None:
            from vnet.ovs.vswitchd.status.report import Reporter

            self._known_reporter = Reporter(self._vswitchd)
        return self._known_reporter

    def follow(self) -> None:
        """The view may have become ready: begin, or make up for what could not be written."""
        if self.view.is_ready and (not self._is_following or self._is_unwritten):
            self.configure()

    def stand_by(self) -> None:
        """Let go of everything, until :meth:`follow`."""
        self._is_following = False
        self._put_in_force(SwitchConfig())

    def configure(self) -> None:
        """Make what runs match the database; needed where devices have come or gone."""
        self._is_following = True
        self._put_in_force(self._reader.config())
        self.configured()  # Whoever waits for it to be told finds the bridges' sockets.
        writer = StatusWriter(self.view)
        if self._reporter is not None:
            if self._is_unwritten:
                self._reporter.tell_all()
            self._reporter.doubt(self._touched)
            self._reporter.configured(writer)
        self._touched.clear()
        self._is_unwritten = False
        root = self._reader.root
        if root is not None:
            writer.set(ROOT, root.uuid, self._own_status(root))
            if self._reporter is not None:
                self._reporter.datapaths(root.columns.get("datapaths", NOTHING), writer)
        self._write(writer)
        self._check_interval()

    def _put_in_force(self, config: SwitchConfig) -> None:
        self.config = config
        if self._vswitchd is None and not config.bridges:
            return
        self._is_configuring = True
        try:
            self.vswitchd.reconcile(config, in_order=self._in_order)
        finally:
            self._is_configuring = False

    def tell_statistics_regularly(self) -> None:
        """Write statistics now, and then in the interval that the database says."""
        self._statistics.arm(0)

    def _tell_statistics(self) -> None:
        self._interval_ms = self.config.statistics_interval_ms
        self._statistics.arm(self._interval_ms * NS_PER_MS)
        self.refresh()

    def _check_interval(self) -> None:
        """Another interval begins at once, and not when the old one ends."""
        if self._interval_ms not in (None, self.config.statistics_interval_ms):
            self._statistics.arm(0)

    def refresh(self) -> None:
        """Write statistics, and whatever else has changed by itself."""
        if not self._is_following or self._reporter is None:
            return
        writer = StatusWriter(self.view)
        self._reporter.changed(writer)
        self._reporter.statistics(writer)
        self._write(writer)

    # -- the database

    def _committed(self, commit: Commit) -> None:
        self._reader.note(commit)
        self._touched.update(commit.changes.get("Interface", ()))
        if self.view.is_ready and (
            not self._is_following
            or any(is_told(table, changes) for table, changes in commit.changes.items())
        ):
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
        else:
            self.written()

    def _written(self, results: list[Json]) -> None:
        """Rows may have gone meanwhile, or the connection to them: then all is looked at anew."""
        errors = [one for one in results if isinstance(one, dict) and "error" in one]
        if not errors:
            self.written()
        elif not self._is_unwritten:
            self._is_unwritten = True
            self._scheduler.after(_TRY_AGAIN_NS, self.follow)

    # -- what changes by itself

    def _status_changed(self) -> None:
        if not self._is_configuring and not self._is_report_due:
            self._is_report_due = True
            self._scheduler.after(0, self._report)

    def _report(self) -> None:
        self._is_report_due = False
        if not self._is_following or self._reporter is None:
            return
        writer = StatusWriter(self.view)
        self._reporter.changed(writer)
        self._write(writer)


def _nothing() -> None:
    return None


def _nothing_of(_vswitchd: Vswitchd) -> None:
    return None
