"""Instructions of OpenFlow 1.1 and later, to bytes and back.

Each begins with its type and its length in bytes, a multiple of eight, and stands once at most.
What is said by an action in OpenFlow 1.0 is an instruction here, and ``meter`` is one only before
1.5 (OpenFlow 1.5.1, section 7.2.4)::

    0      2        4         8
    | type | length | padding | actions ...
    | type | length | argument ...
"""

from __future__ import annotations

import struct

from vnet.ovs.openflow.action_set import ALLOWED
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    ClearActions,
    GotoTable,
    Meter,
    Ofpact,
    Ofpacts,
    WriteActions,
    WriteMetadata,
)
from vnet.ovs.openflow.text.actions.kind import Instruction
from vnet.ovs.openflow.text.actions.nesting import instruction_of
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.codec import decode_list, encode_list
from vnet.ovs.openflow.wire.actions.form import OF15
from vnet.ovs.openflow.wire.actions.reading import Reading
from vnet.ovs.openflow.wire.actions.refusals import refusal
from vnet.ovs.openflow.wire.actions.tables import METER_INSTRUCTION, OFPIT_METER, encode_meter

_HEADER = struct.Struct("!HH")
_ACTIONS = struct.Struct("!HH4x")
_MOST_BYTES = 0xFFFF
_GOTO_TABLE = struct.Struct("!HHB3x")
_WRITE_METADATA = struct.Struct("!HH4xQQ")
_ALIGNMENT_BYTES = 8

_TYPES = {
    Instruction.GOTO_TABLE: 1,
    Instruction.WRITE_METADATA: 2,
    Instruction.WRITE_ACTIONS: 3,
    Instruction.APPLY_ACTIONS: 4,
    Instruction.CLEAR_ACTIONS: 5,
    Instruction.METER: OFPIT_METER,
}
_OF_TYPE = {number: instruction for instruction, number in _TYPES.items()}
_EXPERIMENTER = 0xFFFF

_LAYOUTS = {
    Instruction.GOTO_TABLE: _GOTO_TABLE,
    Instruction.WRITE_METADATA: _WRITE_METADATA,
    Instruction.WRITE_ACTIONS: _ACTIONS,
    Instruction.APPLY_ACTIONS: _ACTIONS,
    Instruction.CLEAR_ACTIONS: _ACTIONS,
    Instruction.METER: METER_INSTRUCTION,
}
_INSTRUCTIONS = frozenset((Meter, ClearActions, WriteActions, WriteMetadata, GotoTable))
_WITH_ACTIONS = (Instruction.WRITE_ACTIONS, Instruction.APPLY_ACTIONS)


# -- reading


def decode_instruction_list(data: bytes, reading: Reading) -> Ofpacts:
    """The instructions of ``data``, in the order in which they are carried out.

    Raises :class:`OpenFlowError`.
    """
    if len(data) % _ALIGNMENT_BYTES:
        text = f"OpenFlow message instructions length {len(data)} is not a multiple of 8"
        raise refusal("OFPBIC_BAD_LEN", text)
    if _applies_all(data):
        return decode_list(data[_ACTIONS.size :], reading)
    actions: list[Ofpact] = []
    for instruction, inst in sorted(_split(data, reading.version).items()):
        match instruction:
            case Instruction.METER:
                actions.append(Meter(METER_INSTRUCTION.unpack(inst)[2]))
            case Instruction.APPLY_ACTIONS:
                actions += decode_list(inst[_ACTIONS.size :], reading)
            case Instruction.CLEAR_ACTIONS:
                actions.append(ClearActions())
            case Instruction.WRITE_ACTIONS:
                actions.append(WriteActions(_action_set(inst[_ACTIONS.size :], reading)))
            case Instruction.WRITE_METADATA:
                actions.append(WriteMetadata(*_WRITE_METADATA.unpack(inst)[2:]))
            case Instruction.GOTO_TABLE:
                actions.append(GotoTable(_GOTO_TABLE.unpack(inst)[2]))
    return tuple(actions)


def _applies_all(data: bytes) -> bool:
    """Whether there is one instruction, the most common one."""
    if len(data) < _HEADER.size:
        return False
    kind, length = _HEADER.unpack_from(data)
    return bool(kind == _TYPES[Instruction.APPLY_ACTIONS] and length == len(data))


def _split(data: bytes, version: OpenFlowVersion) -> dict[Instruction, bytes]:
    """The bytes of each instruction."""
    found: dict[Instruction, bytes] = {}
    offset = 0
    while offset < len(data):
        kind, length = _HEADER.unpack_from(data, offset)
        end = offset + length
        if length % _ALIGNMENT_BYTES or not length or end > len(data):
            raise refusal("OFPBIC_BAD_LEN", f"bad instruction format at offset {offset}")
        instruction = _instruction(kind, length)
        if instruction is Instruction.METER and version >= OF15:
            raise OpenFlowError("OFPBIC_UNKNOWN_INST")
        if instruction in found:
            raise OpenFlowError("OFPBIC_DUP_INST")
        found[instruction] = data[offset:end]
        offset = end
    return found


def _instruction(kind: int, length: int) -> Instruction:
    if kind == _EXPERIMENTER:
        raise OpenFlowError("OFPBIC_BAD_EXPERIMENTER")
    instruction = _OF_TYPE.get(kind)
    if instruction is None:
        raise OpenFlowError("OFPBIC_UNKNOWN_INST")
    least = _LAYOUTS[instruction].size
    if length < least or (length > least and instruction not in _WITH_ACTIONS):
        raise OpenFlowError("OFPBIC_BAD_LEN")
    return instruction


def _action_set(data: bytes, reading: Reading) -> Ofpacts:
    actions = decode_list(data, reading)
    if any(type(action) not in ALLOWED for action in actions):
        raise refusal("OFPBAC_BAD_TYPE", "disallowed action in action set")
    return actions


# -- writing


def encode_instruction_list(actions: Ofpacts, version: OpenFlowVersion) -> bytes:
    """Actions of a flow as instructions. Those without actions are left out."""
    if _INSTRUCTIONS.isdisjoint(map(type, actions)):
        return _encode_actions(Instruction.APPLY_ACTIONS, actions, version)
    said = []
    applied: list[Ofpact] = []
    for action in actions:
        if instruction_of(action, version) is Instruction.APPLY_ACTIONS:
            applied.append(action)
            continue
        if applied:
            said.append(_encode_actions(Instruction.APPLY_ACTIONS, tuple(applied), version))
            applied = []
        said.append(_encode_instruction(action, version))
    if applied:
        said.append(_encode_actions(Instruction.APPLY_ACTIONS, tuple(applied), version))
    return b"".join(said)


def _encode_instruction(action: Ofpact, version: OpenFlowVersion) -> bytes:
    match action:
        case Meter():
            return encode_meter(action, version)
        case ClearActions():
            return _encode(Instruction.CLEAR_ACTIONS)
        case WriteActions(written):
            return _encode_actions(Instruction.WRITE_ACTIONS, written, version)
        case WriteMetadata(metadata, mask):
            return _encode(Instruction.WRITE_METADATA, metadata, mask)
        case GotoTable(table_id):
            return _encode(Instruction.GOTO_TABLE, table_id)
        case _:
            raise AssertionError(f"{action} is no instruction")


def _encode(instruction: Instruction, *arguments: int) -> bytes:
    layout = _LAYOUTS[instruction]
    return layout.pack(_TYPES[instruction], layout.size, *arguments)


def _encode_actions(instruction: Instruction, actions: Ofpacts, version: OpenFlowVersion) -> bytes:
    body = encode_list(actions, version)
    if not body:
        return b""
    n_bytes = _ACTIONS.size + len(body)
    if n_bytes > _MOST_BYTES:
        raise OpenFlowError("OFPBAC_BAD_LEN")
    return _ACTIONS.pack(_TYPES[instruction], n_bytes) + body
