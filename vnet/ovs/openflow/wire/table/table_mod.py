"""How tables are set up: requests, descriptions, and events of those that fill up."""

from __future__ import annotations

import struct

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    EvictionFlags,
    TableDesc,
    TableMod,
    TableReason,
    TableStatus,
    TableVacancy,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.parts.properties import Property, properties, put, put_u32
from vnet.ovs.openflow.wire.table.config_bits import (
    EVICTION,
    VACANCY_EVENTS,
    encode_table_config,
    table_miss_of,
)

_MOD = struct.Struct("!B3xI")
_DESC = struct.Struct("!HBxI")
_STATUS = struct.Struct("!B7x")
_VACANCY = struct.Struct("!BBBx")

_EVICTION_TYPE, _VACANCY_TYPE = 2, 3
_EVICTION_OF_PROPERTY = {1: True, 2: False}
_ALL_FLAGS = 0xFFFFFFFF


def encode_table_mod(mod: TableMod, version: OpenFlowVersion) -> bytes:
    """The body of an OFPT_TABLE_MOD."""
    config = encode_table_config(
        version, mod.miss, eviction=mod.eviction, vacancy_events=mod.vacancy_events
    )
    body = _MOD.pack(mod.table_id, config)
    if version < OpenFlowVersion.OF14:
        return body
    if mod.eviction_flags is not None:
        body += put_u32(_EVICTION_TYPE, mod.eviction_flags)
    if mod.vacancy_events and mod.vacancy is not None:
        body += put(_VACANCY_TYPE, _VACANCY.pack(mod.vacancy.down, mod.vacancy.up, 0))
    return body


def decode_table_mod(body: bytes, version: OpenFlowVersion) -> TableMod:
    """The other way round. Raises :class:`OpenFlowError`.

    Open vSwitch takes the flags of eviction for whether there is any, in the numbers that it has
    for that itself: 1 is on, 2 is off, others change nothing.
    """
    table_id, config = _MOD.unpack_from(body)
    miss = table_miss_of(config, version)
    if version < OpenFlowVersion.OF14:
        return TableMod(table_id, miss)
    eviction: bool | None = bool(config & EVICTION)
    vacancy = None
    for one in properties(body[_MOD.size :]):
        if one.type == _EVICTION_TYPE:
            eviction = _EVICTION_OF_PROPERTY.get(one.u32())
        elif one.type == _VACANCY_TYPE:
            vacancy = _wanted_vacancy(one)
        else:
            raise OpenFlowError("OFPBRC_BAD_TYPE")
    vacancy_events = bool(config & VACANCY_EVENTS)
    return TableMod(
        table_id,
        miss,
        eviction,
        vacancy_events=vacancy_events,
        vacancy=vacancy or TableVacancy(0, 0),
    )


def _wanted_vacancy(one: Property) -> TableVacancy:
    vacancy = _vacancy(one)
    if vacancy.down > vacancy.up:
        raise _bad_vacancy("Value of vacancy_down is greater than vacancy_up")
    if vacancy.up > 100:
        raise _bad_vacancy("Vacancy threshold percentage should not be greater than 100")
    if vacancy.now:
        raise _bad_vacancy("Vacancy value should be zero for table-mod messages")
    return vacancy


def _vacancy(one: Property) -> TableVacancy:
    if len(one.value) != _VACANCY.size:
        raise OpenFlowError("OFPBPC_BAD_LEN")
    return TableVacancy(*_VACANCY.unpack(one.value))


def _bad_vacancy(text: str) -> OpenFlowError:
    return OpenFlowError("OFPBPC_BAD_VALUE", warning=("ofp_table", text))


def encode_table_desc(desc: TableDesc, version: OpenFlowVersion, *, whole: bool = False) -> bytes:
    """An entry of an OFPST_TABLE_DESC reply, or the ``whole`` of it, as it stands in events."""
    props = b""
    if desc.eviction_flags is not None or whole:
        flags = _ALL_FLAGS if desc.eviction_flags is None else desc.eviction_flags
        props += put_u32(_EVICTION_TYPE, flags)
    if desc.vacancy_events or whole:
        vacancy = desc.vacancy
        props += put(_VACANCY_TYPE, _VACANCY.pack(vacancy.down, vacancy.up, vacancy.now))
    config = encode_table_config(
        version, eviction=desc.eviction, vacancy_events=desc.vacancy_events
    )
    return _DESC.pack(_DESC.size + len(props), desc.table_id, config) + props


def decode_table_descs(body: bytes, _version: OpenFlowVersion) -> tuple[TableDesc, ...]:
    """All entries of a reply. Raises :class:`OpenFlowError`."""
    descs, offset = [], 0
    while offset < len(body):
        desc, offset = _decode_table_desc(body, offset)
        descs.append(desc)
    return tuple(descs)


def _decode_table_desc(body: bytes, offset: int) -> tuple[TableDesc, int]:
    room_bytes = len(body) - offset
    if room_bytes < _DESC.size:
        text = f"OFP14_TABLE_DESC reply has {room_bytes} leftover bytes at end"
        raise OpenFlowError("OFPBRC_BAD_LEN", warning=("ofp_table", text))
    n_bytes, table_id, config = _DESC.unpack_from(body, offset)
    if not _DESC.size <= n_bytes <= room_bytes:
        text = f"OFP14_TABLE_DESC reply claims invalid length {n_bytes}"
        raise OpenFlowError("OFPBRC_BAD_LEN", warning=("ofp_table", text))
    flags = None
    vacancy = TableVacancy(0, 0)
    for one in properties(body[offset + _DESC.size : offset + n_bytes]):
        if one.type == _EVICTION_TYPE:
            number = one.u32()
            flags = None if number == _ALL_FLAGS else EvictionFlags(number)
        elif one.type == _VACANCY_TYPE:
            vacancy = _vacancy(one)
    eviction, vacancy_events = bool(config & EVICTION), bool(config & VACANCY_EVENTS)
    return TableDesc(table_id, eviction, flags, vacancy_events, vacancy), offset + n_bytes


def encode_table_status(status: TableStatus, version: OpenFlowVersion) -> bytes:
    """The body of an OFPT_TABLE_STATUS (1.4+)."""
    return _STATUS.pack(status.reason) + encode_table_desc(status.desc, version, whole=True)


def decode_table_status(body: bytes, _version: OpenFlowVersion) -> TableStatus:
    """The other way round. Raises :class:`OpenFlowError`."""
    (reason,) = _STATUS.unpack_from(body)
    if reason not in tuple(TableReason):
        raise OpenFlowError("OFPBPC_BAD_VALUE")
    return TableStatus(TableReason(reason), _decode_table_desc(body, _STATUS.size)[0])
