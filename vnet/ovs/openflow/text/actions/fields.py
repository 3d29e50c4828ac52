"""Actions that name a field: ``set_field``, ``load``, ``move``, ``push``, ``pop`` and such
(ovs-actions(7), "Field Modification Actions").
"""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import Subfield, field_by_name, parse_field_name
from vnet.ovs.flow.flow import CFI
from vnet.ovs.flow.tokens import parse_u16
from vnet.ovs.flow.value_text import OutOfRangeError, hex_text, scan_integer
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    CheckPktLarger,
    DeleteField,
    RegMove,
    SetField,
    StackPop,
    StackPush,
)
from vnet.ovs.openflow.text.actions.kind import ActionKind, AnyKind, Checker, Printer, Reader
from vnet.ovs.openflow.text.actions.parts import (
    check_destination,
    check_source,
    split_arrow,
)

_GREATEST_LOAD_BITS = 64


# -- set_field and load


def _parse_set_field(value: str, reader: Reader) -> SetField:
    text, name = split_arrow(value)
    field = field_by_name(name, reader.names.openflow_full)
    if field is None:
        raise OvsTextError(f"{name} is not a valid OXM field name")
    if not field.may_be_set(reader.names.openflow_full):
        raise OvsTextError(f"{name} is read-only")
    number, mask = field.parse_value(text, reader.names)
    if not field.is_value_valid(number):
        raise OvsTextError(f"{text} is not a valid value for field {name}")
    reader.usable &= field.usable_exact
    return SetField(field, number, mask)


def _parse_load(value: str, _reader: Reader) -> SetField:
    text, name = split_arrow(value)
    destination = Subfield.parse(name)
    try:
        number, _ = scan_integer(text, 0, destination.field.n_bytes)
    except OutOfRangeError:
        number = None
    if number is None:
        raise OvsTextError(f"{value}: cannot parse integer value")
    if number > destination.ones:
        shown = destination.field.format(number)
        raise OvsTextError(f"{value}: value {shown} does not fit into {destination.n_bits} bits")
    return SetField(destination.field, number << destination.offset, destination.mask, is_load=True)


def load_parts(action: SetField) -> Iterator[tuple[Subfield, int]]:
    """The runs of bits that ``action`` writes, from the lowest on, with the value of each; a
    ``load`` writes no more than 64 bits.
    """
    offset, mask = 0, action.mask & (1 << action.field.n_bits) - 1
    while mask:
        zeros = (mask & -mask).bit_length() - 1
        offset, mask = offset + zeros, mask >> zeros
        ones = (~mask & mask + 1).bit_length() - 1
        part = Subfield(action.field, offset, min(ones, _GREATEST_LOAD_BITS))
        yield part, action.value >> offset & part.ones
        offset, mask = offset + part.n_bits, mask >> part.n_bits


def _set_field_text(action: SetField, printer: Printer) -> str:
    field = action.field
    if not action.is_load:
        return f"set_field:{field.format(action.value, action.mask, printer.names)}->{field.name}"
    return ",".join(
        f"load:{hex_text(value)}->{part.format()}" for part, value in load_parts(action)
    )


def _check_set_field(action: SetField, checker: Checker) -> SetField:
    flow = checker.flow
    has_vlan = bool(flow.vlan_tci & CFI)
    name = action.field.name
    if not action.field.are_prereqs_ok(flow) or (name == "vlan_vid" and not has_vlan):
        raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")
    if name == "vlan_tci":
        flow.vlan_tci = action.value
    if action.flow_has_vlan is has_vlan:
        return action
    return SetField(action.field, action.value, action.mask, action.is_load, has_vlan, action.form)


# -- move, push, pop


def parse_move(text: str) -> RegMove:
    """``SOURCE->DESTINATION``, of one width."""
    source, rest = Subfield.parse_prefix(text)
    if not rest.startswith("->"):
        raise OvsTextError(f"{text}: missing `->' following source")
    destination = Subfield.parse(rest.removeprefix("->"))
    if source.n_bits != destination.n_bits:
        raise OvsTextError(
            f"{text}: source field is {source.n_bits} bits wide but destination is "
            f"{destination.n_bits} bits wide"
        )
    return RegMove(source, destination)


def _check_move(action: RegMove, checker: Checker) -> RegMove:
    check_source(action.source, checker.flow, checker.mask)
    check_destination(action.destination, checker)
    return action


def _parse_stacked(text: str) -> Subfield:
    subfield, rest = Subfield.parse_prefix(text)
    if rest:
        raise OvsTextError(f"{rest}: trailing garbage following push or pop")
    return subfield


def _check_push(action: StackPush, checker: Checker) -> StackPush:
    check_source(action.source, checker.flow, checker.mask)
    return action


def _check_pop(action: StackPop, checker: Checker) -> StackPop:
    check_destination(action.destination, checker)
    return action


# -- delete_field, check_pkt_larger


def _check_delete(action: DeleteField, _checker: Checker) -> DeleteField:
    if not action.field.is_tun_metadata:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return action


def _parse_check_pkt_larger(value: str, _reader: Reader) -> CheckPktLarger:
    text, name = split_arrow(value)
    destination = Subfield.parse(name)
    if destination.n_bits != 1:
        raise OvsTextError("Only 1-bit destination field is allowed")
    return CheckPktLarger(parse_u16(text.removesuffix(")"), "(null)"), destination)


KINDS: tuple[AnyKind, ...] = (
    ActionKind(
        SetField,
        "set_field",
        {"set_field": _parse_set_field, "load": _parse_load},
        _set_field_text,
        _check_set_field,
    ),
    ActionKind(
        RegMove,
        "move",
        {"move": lambda value, _reader: parse_move(value)},
        lambda action, _printer: f"move:{action.source.format()}->{action.destination.format()}",
        _check_move,
    ),
    ActionKind(
        StackPush,
        "push",
        {"push": lambda value, _reader: StackPush(_parse_stacked(value))},
        lambda action, _printer: f"push:{action.source.format()}",
        _check_push,
    ),
    ActionKind(
        StackPop,
        "pop",
        {"pop": lambda value, _reader: StackPop(_parse_stacked(value))},
        lambda action, _printer: f"pop:{action.destination.format()}",
        _check_pop,
    ),
    ActionKind(
        DeleteField,
        "delete_field",
        {"delete_field": lambda value, _reader: DeleteField(parse_field_name(value))},
        lambda action, _printer: f"delete_field:{action.field.name}",
        _check_delete,
    ),
    ActionKind(
        CheckPktLarger,
        "check_pkt_larger",
        {"check_pkt_larger": _parse_check_pkt_larger},
        lambda action, _printer: (
            f"check_pkt_larger({action.packet_bytes})->{action.destination.format()}"
        ),
    ),
)
