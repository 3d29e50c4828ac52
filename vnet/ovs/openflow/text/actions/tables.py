"""Actions and instructions that steer through flow tables, and lists within lists
(ovs-actions(7), "Flow Table Actions", "Instructions").
"""

from __future__ import annotations

import re

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.names import parse_port, parse_table, port_text, table_text
from vnet.ovs.flow.ports import OFPP_IN_PORT
from vnet.ovs.flow.prerequisites import ct_match_is_valid
from vnet.ovs.flow.protocols import P_ANY, P_NXM_OF11_UP, P_OF13_UP
from vnet.ovs.flow.tokens import parse_u32, parse_u64
from vnet.ovs.flow.value_text import hex_text
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    TABLE_ALL,
    ClearActions,
    Clone,
    Conjunction,
    GotoTable,
    Meter,
    Resubmit,
    WriteActions,
    WriteMetadata,
)
from vnet.ovs.openflow.text.actions.kind import (
    ActionKind,
    AnyKind,
    Checker,
    Instruction,
    Printer,
    Reader,
)
from vnet.ovs.openflow.version import OpenFlowVersion

_OF10 = OpenFlowVersion.OF10
_ALL_64_BITS = (1 << 64) - 1
_GREATEST_METER_ID = 0xFFFF0000


# -- resubmit, goto_table


def _parse_resubmit(value: str, reader: Reader) -> Resubmit:
    port_word, table_word, ct_word, *_ = [*value.split(","), "", ""]
    in_port, table_id = OFPP_IN_PORT, TABLE_ALL
    if port_word:
        port = parse_port(port_word, reader.names)
        if port is None:
            raise OvsTextError(f"{port_word}: resubmit to unknown port")
        in_port = port
    if table_word:
        table = parse_table(table_word, reader.names)
        if table is None:
            raise OvsTextError(f"{table_word}: resubmit to unknown table")
        table_id = table
    if ct_word not in ("", "ct"):
        raise OvsTextError(f"{ct_word}: unknown parameter")
    if in_port == OFPP_IN_PORT and table_id == TABLE_ALL:
        raise OvsTextError('at least one "in_port" or "table" must be specified on resubmit')
    return Resubmit(in_port, table_id, with_ct_orig=bool(ct_word))


def _resubmit_text(action: Resubmit, printer: Printer) -> str:
    port = "" if action.in_port == OFPP_IN_PORT else port_text(action.in_port, printer.names)
    if port and action.table_id == TABLE_ALL:
        return f"resubmit:{port}"
    table = "" if action.table_id == TABLE_ALL else table_text(action.table_id, printer.names)
    return f"resubmit({port},{table}{',ct' if action.with_ct_orig else ''})"


def _check_resubmit(action: Resubmit, checker: Checker) -> Resubmit:
    if action.with_ct_orig and not ct_match_is_valid(checker.flow, checker.mask):
        raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")
    return action


def _parse_goto_table(value: str, reader: Reader) -> GotoTable:
    table_id = parse_table(value, reader.names)
    if table_id is None:
        raise OvsTextError(f'unknown table "{value}"')
    return GotoTable(table_id)


def _check_goto_table(action: GotoTable, checker: Checker) -> GotoTable:
    goes_back = checker.table_id != TABLE_ALL and action.table_id <= checker.table_id
    if goes_back or (checker.n_tables != TABLE_ALL and action.table_id >= checker.n_tables):
        raise OpenFlowError("OFPBIC_BAD_TABLE_ID")
    return action


# -- conjunction

_CONJUNCTION = re.compile(
    r"\s*([+-]?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*))"
    r"\s*,\s*([+-]?[0-9]+)\s*/\s*([+-]?[0-9]+)\s*",
    re.ASCII,
)
_MAX_CLAUSES = 64


def _parse_conjunction(value: str, _reader: Reader) -> Conjunction:
    found = _CONJUNCTION.fullmatch(value)
    if found is None:
        raise OvsTextError('"conjunction" syntax is "conjunction(id,i/n)"')
    clause, n_clauses = int(found[2]) & 0xFF, int(found[3]) & 0xFF
    if n_clauses < 2:
        raise OvsTextError("conjunction must have at least 2 clauses")
    if n_clauses > _MAX_CLAUSES:
        raise OvsTextError("conjunction must have at most 64 clauses")
    if clause < 1:
        raise OvsTextError("clause index must be positive")
    if clause > n_clauses:
        raise OvsTextError("clause index must be less than or equal to number of clauses")
    return Conjunction(_signed_integer(found[1]) & 0xFFFFFFFF, clause - 1, n_clauses)


def _signed_integer(text: str) -> int:
    """A number in hexadecimal, octal (a 0 first) or decimal."""
    digits = text.lstrip("+-")
    if digits[:2].lower() == "0x":
        value = int(digits, 16)
    else:
        value = int(digits, 8 if digits.startswith("0") else 10)
    return -value if text.startswith("-") else value


# -- lists of actions


def _parse_clone(value: str, reader: Reader) -> Clone:
    # As in Open vSwitch, what stood before a clone narrows the protocols no more.
    reader.usable = P_ANY
    return Clone(reader.nested(value, Clone))


def _parse_write_actions(value: str, reader: Reader) -> WriteActions:
    return WriteActions(reader.nested(value, WriteActions))


# -- meter, write_metadata


def _parse_meter(value: str, reader: Reader) -> Meter:
    reader.usable &= P_OF13_UP
    return Meter(parse_u32(value))


def _check_meter(action: Meter, _checker: Checker) -> Meter:
    if not 0 < action.meter_id <= _GREATEST_METER_ID:
        raise OpenFlowError("OFPMMFC_INVALID_METER")
    return action


def _parse_write_metadata(value: str, reader: Reader) -> WriteMetadata:
    reader.usable &= P_NXM_OF11_UP
    metadata, slash, mask_text = value.partition("/")
    mask = parse_u64(mask_text) if slash else _ALL_64_BITS
    return WriteMetadata(parse_u64(metadata), mask)


def _write_metadata_text(action: WriteMetadata, _printer: Printer) -> str:
    mask = "" if action.mask == _ALL_64_BITS else f"/{hex_text(action.mask)}"
    return f"write_metadata:{hex_text(action.metadata)}{mask}"


KINDS: tuple[AnyKind, ...] = (
    ActionKind(
        Resubmit, "resubmit", {"resubmit": _parse_resubmit}, _resubmit_text, _check_resubmit
    ),
    ActionKind(
        Conjunction,
        "conjunction",
        {"conjunction": _parse_conjunction},
        lambda action, _printer: (
            f"conjunction({action.conj_id},{action.clause + 1}/{action.n_clauses})"
        ),
    ),
    ActionKind(
        Clone,
        "clone",
        {"clone": _parse_clone},
        lambda action, printer: f"clone({printer.actions(action.actions)})",
        lambda action, checker: Clone(checker.nested(action.actions)),
    ),
    ActionKind(
        Meter,
        "meter",
        {"meter": _parse_meter},
        lambda action, _printer: f"meter:{action.meter_id}",
        _check_meter,
        instruction=Instruction.METER,
    ),
    ActionKind(
        ClearActions,
        "clear_actions",
        {"clear_actions": lambda _value, _reader: ClearActions()},
        lambda _action, _printer: "clear_actions",
        instruction=Instruction.CLEAR_ACTIONS,
    ),
    ActionKind(
        WriteActions,
        "write_actions",
        {"write_actions": _parse_write_actions},
        lambda action, printer: f"write_actions({printer.actions(action.actions)})",
        lambda action, checker: WriteActions(checker.action_set(action.actions)),
        instruction=Instruction.WRITE_ACTIONS,
    ),
    ActionKind(
        WriteMetadata,
        "write_metadata",
        {"write_metadata": _parse_write_metadata},
        _write_metadata_text,
        instruction=Instruction.WRITE_METADATA,
    ),
    ActionKind(
        GotoTable,
        "goto_table",
        {"goto_table": _parse_goto_table},
        lambda action, printer: f"goto_table:{table_text(action.table_id, printer.names)}",
        _check_goto_table,
        instruction=Instruction.GOTO_TABLE,
    ),
)
