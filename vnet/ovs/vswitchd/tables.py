"""Settings of OpenFlow tables (ovs-vswitchd.conf.db(5), Flow_Table table)."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import FIELDS, Subfield
from vnet.ovs.ofproto.classifier.classifier import DEFAULT_PREFIX_FIELDS, PrefixField, prefix_field
from vnet.ovs.ofproto.rules.table import TableSettings
from vnet.ovs.vswitchd.config import FlowTableConfig

_UNSET = FlowTableConfig()


def table_settings(config: FlowTableConfig | None) -> TableSettings:
    """What a configuration says of a table; None is the defaults."""
    config = config or _UNSET
    return TableSettings(
        config.name or "",
        config.flow_limit,
        config.overflow_policy == "evict",
        tuple(_subfields(config.groups)),
        _prefix_fields(config.prefixes),
    )


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
