"""What tables have seen (OFPST_TABLE). Up to 1.2 it is also said what they can do."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vnet.ovs.openflow.messages import (
    ActionFeatures,
    InstructionFeatures,
    TableFeatures,
    TableMiss,
    TableStats,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.parts import feature_bits as bits
from vnet.ovs.openflow.wire.parts.strings import fixed_text, text_of
from vnet.ovs.openflow.wire.table.config_bits import encode_table_config, table_miss_of

_OF10, _OF11, _OF12, _OF13, _, _ = OpenFlowVersion

_STATS10 = struct.Struct("!B3x32sIIIQQ")
_STATS11 = struct.Struct("!B7x32s8IQQ")
_STATS12 = struct.Struct("!B7x32sQQIIQQQQIIIIQQ")
_STATS13 = struct.Struct("!B3xIQQ")

_NAME_BYTES = 32
_NOTHING = InstructionFeatures()

Entry = tuple[TableStats, TableFeatures]


def encode_table_stats(
    stats: TableStats, features: TableFeatures, version: OpenFlowVersion
) -> bytes:
    """An entry of the reply."""
    table_id = stats.table_id
    seen = (stats.n_active, stats.n_lookups, stats.n_matched)
    if version >= _OF13:
        return _STATS13.pack(table_id, *seen)
    name = fixed_text(features.name, _NAME_BYTES)
    if version is _OF10:
        wildcards = _wild_or_unmatchable10(features)
        return _STATS10.pack(table_id, name, wildcards, features.max_entries, *seen)
    nonmiss = features.nonmiss or _NOTHING
    instructions = bits.instruction_bits(nonmiss.instructions, version)
    actions = (
        bits.action_bits(nonmiss.write.actions, version),
        bits.action_bits(nonmiss.apply.actions, version),
    )
    if version is _OF11:
        match = bits.field_bits11(features.match)
        # Here it is Open vSwitch's own number that goes out.
        config = list(TableMiss).index(features.miss_config)
        return _STATS11.pack(
            *(table_id, name, _wild_or_unmatchable11(features), match, instructions, *actions),
            *(config, features.max_entries, *seen),
        )
    return _STATS12.pack(
        *(table_id, name),
        *(bits.field_bits12(features.match), bits.field_bits12(features.wildcard), *actions),
        bits.field_bits12(nonmiss.write.set_fields),
        bits.field_bits12(nonmiss.apply.set_fields),
        *(features.metadata_match, features.metadata_write, instructions),
        *(encode_table_config(version, features.miss_config), features.max_entries, *seen),
    )


def decode_table_stats(body: bytes, version: OpenFlowVersion) -> tuple[Entry, ...]:
    """All entries of a reply."""
    return tuple(_entries(body, version))


def _entries(body: bytes, version: OpenFlowVersion) -> Iterator[Entry]:
    if version >= _OF13:
        for numbers in _STATS13.iter_unpack(body):
            yield TableStats(*numbers), TableFeatures(numbers[0])
    elif version is _OF10:
        for table_id, name, wildcards, max_entries, *seen in _STATS10.iter_unpack(body):
            fields = bits.fields_of10(wildcards)
            yield (
                TableStats(table_id, *seen),
                TableFeatures(
                    table_id,
                    text_of(name, _NAME_BYTES),
                    max_entries=max_entries,
                    match=fields,
                    wildcard=fields,
                ),
            )
    else:
        decode = _decode11 if version is _OF11 else _decode12
        layout = _STATS11 if version is _OF11 else _STATS12
        for offset in range(0, len(body), layout.size):
            yield decode(body, offset)


def _decode11(body: bytes, offset: int) -> Entry:
    table_id, name, wildcards, match, instructions, write, apply, config, max_entries, *seen = (
        _STATS11.unpack_from(body, offset)
    )
    nonmiss = InstructionFeatures(
        bits.instructions_of(instructions, _OF11),
        write=ActionFeatures(bits.actions_of(write, _OF11)),
        apply=ActionFeatures(bits.actions_of(apply, _OF11)),
    )
    wildcard = bits.fields_of11(wildcards)
    features = TableFeatures(
        table_id,
        text_of(name, _NAME_BYTES),
        miss_config=table_miss_of(config, _OF11),
        max_entries=max_entries,
        nonmiss=nonmiss,
        miss=nonmiss,
        match=bits.fields_of11(match) | wildcard,
        wildcard=wildcard,
    )
    return TableStats(table_id, *seen), features


def _decode12(body: bytes, offset: int) -> Entry:
    table_id, name, match, wildcards, write, apply, *more = _STATS12.unpack_from(body, offset)
    write_fields, apply_fields, metadata_match, metadata_write, instructions, *more = more
    config, max_entries, *seen = more
    nonmiss = InstructionFeatures(
        bits.instructions_of(instructions, _OF12),
        write=ActionFeatures(bits.actions_of(write, _OF12), bits.fields_of12(write_fields)),
        apply=ActionFeatures(bits.actions_of(apply, _OF12), bits.fields_of12(apply_fields)),
    )
    wildcard = bits.fields_of12(wildcards)
    features = TableFeatures(
        table_id,
        text_of(name, _NAME_BYTES),
        metadata_match=metadata_match,
        metadata_write=metadata_write,
        miss_config=table_miss_of(config, _OF12),
        max_entries=max_entries,
        nonmiss=nonmiss,
        miss=nonmiss,
        match=bits.fields_of12(match) | wildcard,
        wildcard=wildcard,
    )
    return TableStats(table_id, *seen), features


def _wild_or_unmatchable10(features: TableFeatures) -> int:
    """Fields that need not be matched, or cannot be."""
    return bits.ALL_FIELDS10 & ~bits.field_bits10(features.match) | bits.field_bits10(
        features.wildcard
    )


def _wild_or_unmatchable11(features: TableFeatures) -> int:
    return bits.ALL_FIELDS11 & ~bits.field_bits11(features.match) | bits.field_bits11(
        features.wildcard
    )
