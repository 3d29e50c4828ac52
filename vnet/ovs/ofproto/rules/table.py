"""One flow table of a bridge."""

from __future__ import annotations

from vnet.base.record import record
from vnet.ovs.flow.fields import Subfield
from vnet.ovs.ofproto.classifier.classifier import DEFAULT_PREFIX_FIELDS, Classifier, PrefixField
from vnet.ovs.ofproto.rules.eviction import Eviction
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.vacancy import Vacancy
from vnet.ovs.openflow.messages import TableMiss

N_TABLES = 255
INTERNAL_TABLE = 254
"""The switch's own: what happens on a miss, and flows for packets that come again."""
_NO_LIMIT = 0xFFFF_FFFF


@record(frozen=True, slots=True)
class TableSettings:
    """What a row of the Flow_Table table of ovs-vswitchd.conf.db(5) says.

    ``max_flows`` None: no limit. With ``evicts`` a full table makes room, fairly among flows that
    differ in ``groups``. ``prefixes`` are the fields whose prefixes are tracked.
    """

    name: str = ""
    max_flows: int | None = None
    evicts: bool = False
    groups: tuple[Subfield, ...] = ()
    prefixes: tuple[PrefixField, ...] = DEFAULT_PREFIX_FIELDS


class Table:
    """A table. Counters are of packets, as OpenFlow has them."""

    __slots__ = (
        "_name",
        "classifier",
        "eviction",
        "evicts_by_request",
        "miss",
        "n_matched",
        "n_missed",
        "settings",
        "table_id",
        "vacancy",
        "vacancy_limits",
    )

    def __init__(self, table_id: int) -> None:
        self.table_id = table_id
        self._name = ""
        self.settings = TableSettings()
        self.classifier = Classifier()
        self.eviction: Eviction | None = None
        """How a full table makes room; None: it takes no more flows."""
        self.evicts_by_request = False
        """Whether a controller has asked for that."""
        self.miss = TableMiss.DEFAULT
        self.vacancy: Vacancy | None = None
        """When controllers are told how much is free; None: never."""
        self.vacancy_limits = (0, 0)
        """What they have set of that, be it in force or not: per cent down and up."""
        self.n_matched = 0
        self.n_missed = 0

    @property
    def name(self) -> str:
        """What ``dump-tables`` calls it; may be empty."""
        return self.settings.name or self._name

    def may_be_called(self, name: str) -> bool:
        """Whether a controller may give it this name: settings come first."""
        return not self.settings.name or self.settings.name.startswith(name)

    def call(self, name: str) -> None:
        """A controller gives it a name, which lasts until settings give it another."""
        if not self.settings.name:
            self._name = name

    @property
    def max_flows(self) -> int | None:
        """The limit, if there is one."""
        return self.settings.max_flows

    @property
    def is_internal(self) -> bool:
        """Whether OpenFlow neither lists nor changes it."""
        return self.table_id == INTERNAL_TABLE

    @property
    def n_lookups(self) -> int:
        """Packets for which the table was looked at."""
        return self.n_matched + self.n_missed

    @property
    def is_full(self) -> bool:
        """Whether one more flow would be too many."""
        return self.max_flows is not None and len(self.classifier) >= self.max_flows

    def configure(self, settings: TableSettings) -> None:
        """Take settings over; flows that are too many now are the caller's to evict."""
        was, self.settings = self.settings, settings
        if settings.name:
            self._name = ""
        if settings.prefixes != was.prefixes:
            self.classifier.set_prefix_fields(settings.prefixes)
        self._update_eviction()

    def set_evicts(self, wanted: bool) -> None:
        """A controller wants a full table to make room, or no longer does."""
        self.evicts_by_request = wanted
        self._update_eviction()

    def _update_eviction(self) -> None:
        settings = self.settings
        if not (settings.evicts or self.evicts_by_request):
            self.eviction = None
        elif self.eviction is None or self.eviction.fields != settings.groups:
            self.eviction = Eviction(settings.groups)
            for rule in self.classifier:
                self.eviction.insert(rule)

    def choose_victim(self) -> Rule | None:
        """The flow to give up for another; None where the table does not evict, or cannot."""
        return None if self.eviction is None else self.eviction.choose()

    @property
    def free_percent(self) -> int:
        """How much of the limit is free, as Open vSwitch reckons: "no limit" is one of 2^32 - 1
        flows, and a table that may hold nothing is free."""
        limit = _NO_LIMIT if self.max_flows is None else self.max_flows
        return max(0, limit - len(self)) * 100 // limit if limit else 100

    @property
    def excess(self) -> int:
        """How many flows there are beyond the limit."""
        return 0 if self.max_flows is None else max(0, len(self) - self.max_flows)

    def __len__(self) -> int:
        return len(self.classifier)
