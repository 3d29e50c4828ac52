"""Settings of OpenFlow tables (ovs-vswitchd.conf.db(5), Flow_Table table)."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import FIELDS, Subfield
from vnet.ovs.ofproto.classifier import DEFAULT_PREFIX_FIELDS, PrefixField, prefix_field
from vnet.ovs.ofproto.eviction import Eviction
from vnet.ovs.ofproto.table import Table
from vnet.ovs.vswitchd.config import FlowTableConfig

_UNSET = FlowTableConfig()


def configure_table(table: Table, config: FlowTableConfig | None) -> None:
    """Make a table what its configuration says; None puts the defaults back."""
    config = config or _UNSET
    table.name = config.name or ""
    table.max_flows = config.flow_limit
    table.classifier.set_prefix_fields(_prefix_fields(config.prefixes))
    if config.overflow_policy != "evict":
        table.eviction = None
        return
    fields = tuple(_subfields(config.groups))
    if table.eviction is None or table.eviction.fields != fields:
        table.eviction = Eviction(fields)
        for rule in table.classifier:
            table.eviction.insert(rule)


def _subfields(texts: Iterable[str]) -> Iterable[Subfield]:
    """Those that can be read; others are passed over, as Open vSwitch does with a warning."""
    for text in texts:
        try:
            yield Subfield.parse(text)
        except OvsTextError:
            continue


def _prefix_fields(names: tuple[str, ...]) -> tuple[PrefixField, ...]:
    known = [FIELDS[name] for name in names if name in FIELDS]
    usable = tuple(prefix_field(field) for field in known if field.tracks_prefixes)
    return usable if usable or "none" in names else DEFAULT_PREFIX_FIELDS
