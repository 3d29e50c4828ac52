"""Controllers' roles. Nicira's number them from EQUAL on, and know no generations."""

from __future__ import annotations

import struct

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import ControllerRole, RoleReason, RoleRequest, RoleStatus
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.kinds import NXT_ROLE_REPLY, NXT_ROLE_REQUEST, OFPT_ROLE_REQUEST

_REQUEST = struct.Struct("!I4xQ")
_NX_REQUEST = struct.Struct("!I")
_STATUS = struct.Struct("!IB3xQ")

_NO_GENERATION = 0xFFFFFFFFFFFFFFFF


def encode_role(request: RoleRequest, kind: Kind) -> bytes:
    """The body of a request or its reply."""
    if kind in (NXT_ROLE_REQUEST, NXT_ROLE_REPLY):
        return _NX_REQUEST.pack(request.role - ControllerRole.EQUAL)
    missing = 0 if kind is OFPT_ROLE_REQUEST else _NO_GENERATION
    return _REQUEST.pack(request.role, _generation(request.generation_id, missing))


def decode_role(body: bytes, kind: Kind) -> RoleRequest:
    """What a request or its reply says. Raises :class:`OpenFlowError`.

    Who asks for no change asks with no generation; in replies a number stands for none.
    """
    if kind in (NXT_ROLE_REQUEST, NXT_ROLE_REPLY):
        role = _role(_NX_REQUEST.unpack(body)[0] + ControllerRole.EQUAL)
        return RoleRequest(role)
    number, generation_id = _REQUEST.unpack(body)
    role = _role(number)
    if kind is OFPT_ROLE_REQUEST:
        has_generation = role is not ControllerRole.NOCHANGE
    else:
        has_generation = generation_id != _NO_GENERATION
    return RoleRequest(role, generation_id if has_generation else None)


def encode_role_status(status: RoleStatus) -> bytes:
    """The body of an OFPT_ROLE_STATUS, or ONF's for 1.3."""
    generation_id = _generation(status.generation_id, _NO_GENERATION)
    return _STATUS.pack(status.role, status.reason, generation_id)


def decode_role_status(body: bytes) -> RoleStatus:
    """The other way round. Raises :class:`OpenFlowError`."""
    role, reason, generation_id = _STATUS.unpack_from(body)
    if reason not in tuple(RoleReason):
        raise OpenFlowError("NXBRC_BAD_REASON")
    has_generation = generation_id != _NO_GENERATION
    return RoleStatus(_role(role), RoleReason(reason), generation_id if has_generation else None)


def _role(number: int) -> ControllerRole:
    if number not in tuple(ControllerRole):
        raise OpenFlowError("OFPRRFC_BAD_ROLE")
    return ControllerRole(number)


def _generation(generation_id: int | None, missing: int) -> int:
    return missing if generation_id is None else generation_id
