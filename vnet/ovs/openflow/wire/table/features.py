"""What tables can do (OFPMP_TABLE_FEATURES): a message is a list of tables, each with a property
for whatever may differ from table to table."""

from __future__ import annotations

import struct
from functools import lru_cache

from vnet.ovs.flow.fields import FIELDS, FULL_FIELDS
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    ActionFeatures,
    ActionKind,
    FieldNames,
    InstructionFeatures,
    InstructionKind,
    TableFeatures,
    TableFeaturesCommand,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.oxm import field_at, header_of
from vnet.ovs.openflow.wire.parts import feature_bits as bits
from vnet.ovs.openflow.wire.parts.properties import Property, properties, put, refuse_unknown
from vnet.ovs.openflow.wire.parts.strings import fixed_text, text_of
from vnet.ovs.openflow.wire.table.config_bits import EVICTION, VACANCY_EVENTS

_OF14, _OF15 = OpenFlowVersion.OF14, OpenFlowVersion.OF15

_FEATURES = struct.Struct("!HBB4x32sQQII")
_HEADER = struct.Struct("!HH")
_NAME_BYTES = 32

_INSTRUCTIONS, _NEXT_TABLES, _WRITE_ACTIONS, _APPLY_ACTIONS, _MATCH = 0, 2, 4, 6, 8
_WILDCARDS, _WRITE_SET_FIELD, _APPLY_SET_FIELD = 10, 12, 14
_MISS = 1
"""A property's type, and this added is the same for the flow of packets that match no other."""
_REQUIRED = (
    *(_INSTRUCTIONS, _NEXT_TABLES, _WRITE_ACTIONS, _APPLY_ACTIONS),
    *(_MATCH, _WILDCARDS, _WRITE_SET_FIELD, _APPLY_SET_FIELD),
)
_ALL_TABLES = 255
_LEAST_EXPERIMENTER = 0x10000
"""In lists of numbers nothing is an experimenter's."""

_NO_FIELDS: FieldNames = frozenset()


def encode_table_features(features: TableFeatures, version: OpenFlowVersion) -> bytes:
    """A table's entry."""
    capabilities = 0
    if version >= _OF14:
        capabilities = EVICTION * bool(features.supports_eviction) | VACANCY_EVENTS * bool(
            features.supports_vacancy_events
        )
    props = b""
    if features.nonmiss is not None:
        miss = features.nonmiss if features.miss is None else features.miss
        props = (
            _encode_instructions(features.nonmiss, 0, version)
            + _encode_instructions(miss, _MISS, version)
            + _encode_fields(_MATCH, features.match, features.mask, version)
            + _encode_fields(_WILDCARDS, features.wildcard, _NO_FIELDS, version)
        )
    return (
        _FEATURES.pack(
            *(_FEATURES.size + len(props), features.table_id),
            features.command if version >= _OF15 else 0,
            fixed_text(features.name, _NAME_BYTES),
            *(features.metadata_match, features.metadata_write),
            *(capabilities, features.max_entries),
        )
        + props
    )


@lru_cache(maxsize=1024)
def _encode_instructions(
    features: InstructionFeatures, miss: int, version: OpenFlowVersion
) -> bytes:
    """Tables keep what they can do, and whoever asks by names asks before each command."""
    instructions = bits.instruction_bits(features.instructions, version)
    return (
        _encode_numbers(_INSTRUCTIONS + miss, instructions)
        + put(_NEXT_TABLES + miss, bytes(sorted(features.next_tables)))
        + _encode_actions(features.write, _WRITE_ACTIONS, _WRITE_SET_FIELD, miss, version)
        + _encode_actions(features.apply, _APPLY_ACTIONS, _APPLY_SET_FIELD, miss, version)
    )


def _encode_actions(
    features: ActionFeatures, actions: int, set_fields: int, miss: int, version: OpenFlowVersion
) -> bytes:
    return _encode_numbers(
        actions + miss, bits.action_bits(features.actions, version)
    ) + _encode_fields(set_fields + miss, features.set_fields, _NO_FIELDS, version)


@lru_cache(maxsize=64)
def _encode_numbers(kind: int, numbers: int) -> bytes:
    return put(
        kind, b"".join(_HEADER.pack(bit, _HEADER.size) for bit in range(32) if numbers >> bit & 1)
    )


@lru_cache(maxsize=64)
def _encode_fields(
    kind: int, fields: FieldNames, masks: FieldNames, version: OpenFlowVersion
) -> bytes:
    headers = (
        header_of(field, version, is_masked=field.name in masks)
        for field in (*FIELDS.values(), *FULL_FIELDS.values())
        if field.name in fields
    )
    return put(kind, b"".join(headers))


def decode_table_features(body: bytes, version: OpenFlowVersion) -> tuple[TableFeatures, ...]:
    """All tables of a request or reply. Raises :class:`OpenFlowError`."""
    tables, offset = [], 0
    while offset < len(body):
        table, offset = _decode_table(body, offset, version)
        tables.append(table)
    return tuple(tables)


def _decode_table(body: bytes, offset: int, version: OpenFlowVersion) -> tuple[TableFeatures, int]:
    room_bytes = len(body) - offset
    if room_bytes < _FEATURES.size:
        raise OpenFlowError("OFPBPC_BAD_LEN")
    n_bytes, table_id, command, name, *numbers = _FEATURES.unpack_from(body, offset)
    metadata_match, metadata_write, capabilities, max_entries = numbers
    if not _FEATURES.size <= n_bytes <= room_bytes or n_bytes % 8:
        raise OpenFlowError("OFPBPC_BAD_LEN")
    if version < _OF15:
        command = TableFeaturesCommand.REPLACE
    elif command not in tuple(TableFeaturesCommand):
        raise OpenFlowError("OFPTFFC_BAD_COMMAND")
    if table_id == _ALL_TABLES:
        raise OpenFlowError("OFPTFFC_BAD_TABLE")
    reader = _Reader(version)
    reader.read(body[offset + _FEATURES.size : offset + n_bytes])
    says_capabilities = version >= _OF14
    has_properties = bool(reader.seen)
    match = reader.fields.get(_MATCH, _NO_FIELDS) | reader.mask
    return TableFeatures(
        *(table_id, text_of(name, _NAME_BYTES), TableFeaturesCommand(command)),
        metadata_match=metadata_match,
        metadata_write=metadata_write,
        supports_eviction=bool(capabilities & EVICTION) if says_capabilities else None,
        supports_vacancy_events=bool(capabilities & VACANCY_EVENTS) if says_capabilities else None,
        max_entries=max_entries,
        nonmiss=reader.instruction_features(0) if has_properties else None,
        miss=reader.instruction_features(_MISS) if has_properties else None,
        match=match,
        mask=reader.mask,
        wildcard=(reader.fields.get(_WILDCARDS, _NO_FIELDS) | reader.mask) & match,
    ), offset + n_bytes


class _Reader:
    """The properties of one table."""

    def __init__(self, version: OpenFlowVersion) -> None:
        self.seen: set[int] = set()
        self.mask: FieldNames = _NO_FIELDS
        self.fields: dict[int, FieldNames] = {}
        self._version = version
        self._instructions: dict[int, frozenset[InstructionKind]] = {}
        self._next_tables: dict[int, frozenset[int]] = {}
        self._actions: dict[int, frozenset[ActionKind]] = {}

    def read(self, data: bytes) -> None:
        """All of them; some may not be missing."""
        for one in properties(data):
            if one.type in self.seen:
                raise OpenFlowError("OFPTFFC_BAD_FEATURES")
            self.seen.add(one.type)
            self._read_one(one)
        missing = [kind for kind in _REQUIRED if kind not in self.seen]
        if missing and (self.seen or self._version < _OF15):
            text = (
                f"table features message missing {len(missing)} required properties, "
                f"including property {missing[0]}"
            )
            raise OpenFlowError("OFPTFFC_BAD_FEATURES", warning=("ofp_table", text))

    def _read_one(self, one: Property) -> None:
        kind, value = one.type, one.value
        base = kind & ~_MISS
        if base == _INSTRUCTIONS:
            self._instructions[kind] = _instructions(value)
        elif base == _NEXT_TABLES:
            if _ALL_TABLES in value:
                raise OpenFlowError("OFPBPC_BAD_VALUE")
            self._next_tables[kind] = frozenset(value)
        elif base in (_WRITE_ACTIONS, _APPLY_ACTIONS):
            numbers = sum({1 << number for number in _numbers(value) if number < 32})
            self._actions[kind] = bits.actions_of(numbers, self._version)
        elif kind == _MATCH:
            self.fields[kind], self.mask = _fields(value)
        elif kind == _WILDCARDS or base in (_WRITE_SET_FIELD, _APPLY_SET_FIELD):
            self.fields[kind], masked = _fields(value)
            if masked:
                raise OpenFlowError("OFPBMC_BAD_MASK")
        else:
            raise refuse_unknown(kind, "ofp_table", "table features")

    def instruction_features(self, miss: int) -> InstructionFeatures:
        """Those of one sort; what is not said of misses is as it is for others."""
        return InstructionFeatures(
            self._instructions.get(_INSTRUCTIONS + miss, self._instructions[_INSTRUCTIONS]),
            self._next_tables.get(_NEXT_TABLES + miss, self._next_tables[_NEXT_TABLES]),
            self._action_features(_WRITE_ACTIONS, _WRITE_SET_FIELD, miss),
            self._action_features(_APPLY_ACTIONS, _APPLY_SET_FIELD, miss),
        )

    def _action_features(self, actions: int, set_fields: int, miss: int) -> ActionFeatures:
        return ActionFeatures(
            self._actions.get(actions + miss, self._actions[actions]),
            self.fields.get(set_fields + miss, self.fields[set_fields]),
        )


# What tables can do is alike in most of them.


@lru_cache(maxsize=64)
def _numbers(value: bytes) -> tuple[int, ...]:
    """A list of types without padding."""
    listed = properties(value, alignment=1, least_experimenter=_LEAST_EXPERIMENTER)
    return tuple(one.type for one in listed)


@lru_cache(maxsize=64)
def _instructions(value: bytes) -> frozenset[InstructionKind]:
    kinds = {number: kind for kind, number in bits.INSTRUCTION_NUMBERS.items()}
    numbers = _numbers(value)
    if not kinds.keys() >= set(numbers):
        raise OpenFlowError("OFPBIC_UNKNOWN_INST")
    return frozenset(kinds[number] for number in numbers)


@lru_cache(maxsize=64)
def _fields(value: bytes) -> tuple[FieldNames, FieldNames]:
    """The fields without a mask and those with one."""
    exact: set[str] = set()
    masked: set[str] = set()
    offset = 0
    while offset < len(value):
        header = field_at(value, offset, len(value))
        assert header.field is not None
        (masked if header.is_masked else exact).add(header.field.name)
        offset += header.header_bytes
    return frozenset(exact), frozenset(masked)
