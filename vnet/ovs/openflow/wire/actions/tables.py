"""Actions that look into flow tables, and those that OpenFlow 1.1 made instructions of."""

from __future__ import annotations

import struct

from vnet.ovs.flow.ports import OFPP_IN_PORT, OfpPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    TABLE_ALL,
    Conjunction,
    GotoTable,
    Meter,
    Resubmit,
    WriteMetadata,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.form import (
    OF13,
    OF15,
    Family,
    Form,
    must_be_zero,
    nicira,
    number_form,
    standard,
)
from vnet.ovs.openflow.wire.actions.reading import Reading

# -- resubmit

_RESUBMIT_BODY = struct.Struct("!HB3s")


def _resubmit(in_port: int) -> Resubmit:
    return Resubmit(OfpPort(in_port), form=1)


def _decode_resubmit(body: bytes, _reading: Reading) -> Resubmit:
    return _to_table(body, with_ct_orig=False)


def _decode_resubmit_ct(body: bytes, _reading: Reading) -> Resubmit:
    return _to_table(body, with_ct_orig=True)


def _to_table(body: bytes, *, with_ct_orig: bool) -> Resubmit:
    in_port, table_id, zeros = _RESUBMIT_BODY.unpack_from(body)
    must_be_zero(zeros, "OFPBAC_BAD_ARGUMENT")
    return Resubmit(in_port, table_id, with_ct_orig)


_RESUBMIT = number_form("NXAST_RESUBMIT", nicira(1), 2, _resubmit)
_RESUBMIT_TABLE = Form("NXAST_RESUBMIT_TABLE", nicira(14), _decode_resubmit, _RESUBMIT_BODY.size)
_RESUBMIT_TABLE_CT = Form(
    "NXAST_RESUBMIT_TABLE_CT", nicira(44), _decode_resubmit_ct, _RESUBMIT_BODY.size
)


def _encode_resubmit(action: Resubmit, version: OpenFlowVersion) -> bytes:
    if action.form == 1 and action.table_id == TABLE_ALL:
        return _RESUBMIT.encode(version, action.in_port.to_bytes(2, "big"))
    form = _RESUBMIT_TABLE_CT if action.with_ct_orig else _RESUBMIT_TABLE
    return form.encode(version, _RESUBMIT_BODY.pack(action.in_port, action.table_id, b""))


def resubmit_for_goto(action: GotoTable, version: OpenFlowVersion) -> bytes:
    """What OpenFlow 1.0 says in place of ``goto_table``."""
    return _encode_resubmit(Resubmit(OFPP_IN_PORT, action.table_id), version)


# -- conjunction

_CONJUNCTION_BODY = struct.Struct("!BBI")
_LEAST_CLAUSES, _MAX_CLAUSES = 2, 64


def _decode_conjunction(body: bytes, _reading: Reading) -> Conjunction:
    clause, n_clauses, conj_id = _CONJUNCTION_BODY.unpack_from(body)
    if not _LEAST_CLAUSES <= n_clauses <= _MAX_CLAUSES or clause >= n_clauses:
        raise OpenFlowError("NXBAC_BAD_CONJUNCTION")
    return Conjunction(conj_id, clause, n_clauses)


_CONJUNCTION = Form("NXAST_CONJUNCTION", nicira(34), _decode_conjunction, _CONJUNCTION_BODY.size)


def _encode_conjunction(action: Conjunction, version: OpenFlowVersion) -> bytes:
    body = _CONJUNCTION_BODY.pack(action.clause, action.n_clauses, action.conj_id)
    return _CONJUNCTION.encode(version, body)


# -- what may be an instruction

_METADATA_BODY = struct.Struct("!6sQQ")


def _decode_metadata(body: bytes, _reading: Reading) -> WriteMetadata:
    zeros, metadata, mask = _METADATA_BODY.unpack_from(body)
    must_be_zero(zeros)
    return WriteMetadata(metadata, mask)


_METADATA = Form("NXAST_WRITE_METADATA", nicira(22), _decode_metadata, _METADATA_BODY.size)
_METER = number_form("OFPAT_METER", standard(29, OF15), 4, Meter)
METER_INSTRUCTION = struct.Struct("!HHI")
OFPIT_METER = 6


def metadata_action(action: WriteMetadata, version: OpenFlowVersion) -> bytes:
    """``write_metadata`` where there are no instructions."""
    body = _METADATA_BODY.pack(b"", action.metadata, action.mask)
    return _METADATA.encode(version, body)


def encode_meter(action: Meter, version: OpenFlowVersion) -> bytes:
    """``meter``: an action of OpenFlow 1.5, an instruction of 1.3 and 1.4, and nothing before.

    Open vSwitch writes the instruction into a group's buckets, too, where only actions may stand.
    Who reads that takes its type for ``mod_nw_dst``'s.
    """
    if version >= OF15:
        return _METER.encode(version, action.meter_id.to_bytes(4, "big"))
    if version < OF13:
        return b""
    return METER_INSTRUCTION.pack(OFPIT_METER, METER_INSTRUCTION.size, action.meter_id)


FAMILY = Family(
    (_RESUBMIT, _RESUBMIT_TABLE, _RESUBMIT_TABLE_CT, _CONJUNCTION, _METADATA, _METER),
    {Resubmit: _encode_resubmit, Conjunction: _encode_conjunction},
)
