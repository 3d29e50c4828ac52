"""Which options of tunnels the fields ``tun_metadata0`` and so on stand for."""

from __future__ import annotations

import struct

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import TlvMap, TlvTable, TlvTableCommand, TlvTableMod

_MOD = struct.Struct("!H6x")
_TABLE = struct.Struct("!IH10x")
_MAP = struct.Struct("!HBBH2x")

_MOST_OPTION_BYTES = 124
_N_FIELDS = 64


def encode_tlv_table_mod(mod: TlvTableMod) -> bytes:
    """The body of NXT_TLV_TABLE_MOD."""
    return _MOD.pack(mod.command) + _encode_maps(mod.maps)


def decode_tlv_table_mod(body: bytes) -> TlvTableMod:
    """The other way round. Raises :class:`OpenFlowError`."""
    (command,) = _MOD.unpack_from(body)
    if command not in tuple(TlvTableCommand):
        text = f"tlv table mod command ({command}) is out of range"
        raise OpenFlowError("NXTTMFC_BAD_COMMAND", warning=("ofp_match", text))
    return TlvTableMod(TlvTableCommand(command), _decode_maps(body[_MOD.size :], _N_FIELDS))


def encode_tlv_table(table: TlvTable) -> bytes:
    """The body of NXT_TLV_TABLE_REPLY."""
    return _TABLE.pack(table.max_option_bytes, table.max_fields) + _encode_maps(table.maps)


def decode_tlv_table(body: bytes) -> TlvTable:
    """The other way round. Raises :class:`OpenFlowError`."""
    max_option_bytes, max_fields = _TABLE.unpack_from(body)
    maps = _decode_maps(body[_TABLE.size :], max_fields)
    return TlvTable(max_option_bytes, max_fields, maps)


def _encode_maps(maps: tuple[TlvMap, ...]) -> bytes:
    return b"".join(
        _MAP.pack(one.option_class, one.option_type, one.option_bytes, one.index) for one in maps
    )


def _decode_maps(data: bytes, max_fields: int) -> tuple[TlvMap, ...]:
    maps = tuple(TlvMap(*numbers) for numbers in _MAP.iter_unpack(data))
    for one in maps:
        if one.option_bytes % 4 or one.option_bytes > _MOST_OPTION_BYTES:
            text = f"tlv table option length ({one.option_bytes}) is not a valid option size"
            raise OpenFlowError("NXTTMFC_BAD_OPT_LEN", warning=("ofp_match", text))
        if one.index >= max_fields:
            text = f"tlv table field index ({one.index}) is too large (max {max_fields - 1})"
            raise OpenFlowError("NXTTMFC_BAD_FIELD_IDX", warning=("ofp_match", text))
    return maps
