"""Actions that hold others: ``ct`` and ``clone``."""

from __future__ import annotations

import struct

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import Clone, Ct, Nat
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.form import Form, nicira
from vnet.ovs.openflow.wire.actions.reading import Reading
from vnet.ovs.openflow.wire.actions.refusals import refusal
from vnet.ovs.openflow.wire.actions.writing import packed_bits, short_header

_CT_BODY = struct.Struct("!HIHB3xH")
_COMMIT, _FORCE = 1, 2
_NO_TABLE = 0xFF
_ZONE_BITS = 16
_CLONE_PADDING_BYTES = 6


def _decode_ct(body: bytes, reading: Reading) -> Ct:
    flags, zone_field, zone, table_id, alg = _CT_BODY.unpack_from(body)
    commit = bool(flags & _COMMIT)
    if flags & _FORCE and not commit:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    zone_source = None
    if zone_field:
        zone_source = reading.source(reading.packed_part(zone_field, zone))
        zone = 0
        n_bits = zone_source.n_bits
        if n_bits != _ZONE_BITS:
            text = f"zone n_bits {n_bits} not within valid range [16..16]"
            raise refusal("OFPBAC_BAD_SET_LEN", text)
    actions = reading.nested(body[_CT_BODY.size :], Ct)
    if not commit and any(inner != Nat() for inner in actions):
        raise refusal(
            "OFPBAC_BAD_ARGUMENT",
            "CT action requires commit flag if actions other than NAT without arguments are "
            "specified.",
        )
    return Ct(
        commit,
        bool(flags & _FORCE),
        zone,
        zone_source,
        None if table_id == _NO_TABLE else table_id,
        alg,
        actions,
    )


def _decode_clone(body: bytes, reading: Reading) -> Clone:
    return Clone(reading.nested(body[_CLONE_PADDING_BYTES:]))


_CT = Form("NXAST_CT", nicira(35), _decode_ct, _CT_BODY.size, is_extensible=True)
_CLONE = Form("NXAST_CLONE", nicira(42), _decode_clone, _CLONE_PADDING_BYTES, is_extensible=True)

FORMS = (_CT, _CLONE)


def encode_ct(action: Ct, within: bytes, version: OpenFlowVersion) -> bytes:
    """``ct`` with the actions ``within``. Where the zone's field has no header of 32 bits, what
    should be the bits of a field is read as a number.
    """
    zone_field, zone = 0, action.zone
    if action.zone_source is not None:
        zone_field = int.from_bytes(short_header(action.zone_source.field), "big")
        zone = packed_bits(action.zone_source)
    body = _CT_BODY.pack(
        _COMMIT * action.commit | _FORCE * action.force,
        zone_field,
        zone,
        _NO_TABLE if action.table_id is None else action.table_id,
        action.alg,
    )
    return _CT.encode(version, body + within)


def encode_clone(within: bytes, version: OpenFlowVersion) -> bytes:
    """``clone`` of the actions ``within``."""
    return _CLONE.encode(version, bytes(_CLONE_PADDING_BYTES) + within)
