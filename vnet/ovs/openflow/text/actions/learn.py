"""``learn``, the action that adds flows (ovs-actions(7), "learn")."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.field import has_short_header
from vnet.ovs.flow.fields import Subfield
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.names import Names, parse_table, table_text
from vnet.ovs.flow.tokens import key_values
from vnet.ovs.flow.value_text import OutOfRangeError, hex_text, scan_integer
from vnet.ovs.openflow.ofpacts import TABLE_ALL, Learn, LearnSpec, LearnTarget
from vnet.ovs.openflow.text.actions.fields import parse_move
from vnet.ovs.openflow.text.actions.kind import ActionKind, AnyKind, Checker, Printer, Reader
from vnet.ovs.openflow.text.actions.parts import (
    check_source,
    check_writable,
    leading_integer,
)

_DEFAULT_PRIORITY = 32768
_LONGEST_IMMEDIATE_BYTES = 128
_STRTOULL = re.compile(r"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")

# -- what is read

_NUMBERS = {
    "priority": 0xFFFF,
    "idle_timeout": 0xFFFF,
    "hard_timeout": 0xFFFF,
    "fin_idle_timeout": 0xFFFF,
    "fin_hard_timeout": 0xFFFF,
    "limit": 0xFFFFFFFF,
}
"""Arguments that are numbers, and the bits of each that count."""

_FLAGS = ("send_flow_rem", "delete_learned")


def _parse_learn(value: str, reader: Reader) -> Learn:
    numbers = dict.fromkeys(_NUMBERS, 0) | {"priority": _DEFAULT_PRIORITY}
    flags = set()
    table_id, cookie, result = 1, 0, None
    specs: list[LearnSpec] = []
    for name, text in key_values(value):
        if name in _NUMBERS:
            numbers[name] = leading_integer(text) & _NUMBERS[name]
        elif name in _FLAGS:
            flags.add(name)
        elif name == "table":
            table_id = _parse_learn_table(text, value, reader.names)
        elif name == "cookie":
            cookie = _leading_u64(text)
        elif name == "result_dst":
            result = _parse_result(text)
        else:
            specs.append(_parse_spec(value, name, text, reader.names))
    return Learn(
        tuple(specs),
        numbers["idle_timeout"],
        numbers["hard_timeout"],
        numbers["priority"],
        table_id,
        cookie,
        "send_flow_rem" in flags,
        "delete_learned" in flags,
        numbers["fin_idle_timeout"],
        numbers["fin_hard_timeout"],
        numbers["limit"],
        result,
    )


def _parse_learn_table(text: str, whole: str, names: Names) -> int:
    table_id = parse_table(text, names)
    if table_id is None:
        raise OvsTextError(f'unknown table "{text}"')
    if table_id == TABLE_ALL:
        raise OvsTextError(f"{whole}: table id 255 not valid for `learn' action")
    return table_id


def _leading_u64(text: str) -> int:
    """What strtoull(3) makes of ``text`` with base 0: the number it begins with, or 0."""
    found = _STRTOULL.match(text)
    if found is None:
        return 0
    digits = found[2]
    is_octal = digits.startswith("0") and digits[:2].lower() != "0x"
    value = int(digits, 8 if is_octal else 0)
    if value >> 64:
        return (1 << 64) - 1
    return -value % (1 << 64) if found[1] == "-" else value


def _parse_result(text: str) -> Subfield:
    result = Subfield.parse(text)
    if not result.field.writable:
        raise OvsTextError(f"{text} is read-only")
    if result.n_bits != 1:
        raise OvsTextError("result_dst in 'learn' action must be a single bit")
    return result


# -- specifications


def _parse_spec(whole: str, name: str, text: str, names: Names) -> LearnSpec:
    try:
        destination = Subfield.parse(name)
    except OvsTextError:
        destination = None
    if destination is not None:
        _refuse_experimenter(destination, name, whole)
        return _parse_match(whole, name, text, destination, names)
    if name == "load":
        return _parse_load(name, text)
    if name == "output":
        source = Subfield.parse(text)
        return LearnSpec(LearnTarget.OUTPUT, source.n_bits, source, None, None)
    raise OvsTextError(f"{whole}: unknown keyword {name}")


def _refuse_experimenter(destination: Subfield, text: str, whole: str) -> None:
    if not has_short_header(destination.field):
        raise OvsTextError(f"{whole}: experimenter OXM field '{text}' not supported")


def _parse_match(
    whole: str, name: str, text: str, destination: Subfield, names: Names
) -> LearnSpec:
    """``FIELD``, ``FIELD=SOURCE`` or ``FIELD=VALUE``."""
    n_bits = destination.n_bits
    if not text:
        return LearnSpec(LearnTarget.MATCH, n_bits, destination, None, destination)
    try:
        source = Subfield.parse(text)
    except OvsTextError as no_subfield:
        try:
            immediate = _parse_match_value(whole, text, destination, names)
        except OvsTextError as no_value:
            raise OvsTextError(
                f"{whole}: {name} value {text} cannot be parsed as a subfield "
                f"({no_subfield.what}) or an immediate value ({no_value.what})"
            ) from None
        kept = (1 << _byte_bits(n_bits)) - 1
        return LearnSpec(LearnTarget.MATCH, n_bits, None, immediate & kept, destination)
    if source.n_bits != n_bits:
        raise OvsTextError(
            f"{whole}: bit widths of {name} ({source.n_bits}) and {text} ({n_bits}) differ"
        )
    return LearnSpec(LearnTarget.MATCH, n_bits, source, None, destination)


def _byte_bits(n_bits: int) -> int:
    """The bits of as many bytes as hold ``n_bits``."""
    return -(-n_bits // 8) * 8


def _parse_match_value(whole: str, text: str, destination: Subfield, names: Names) -> int:
    field_ = destination.field
    if destination == Subfield.whole(field_):
        return field_.parse_exact(text, names)
    try:
        value, end = scan_integer(text, 0, field_.n_bytes)
    except OutOfRangeError:
        value, end = None, 0
    if value is None or end != len(text):
        raise OvsTextError(f"{whole}: cannot parse integer value")
    if value > destination.ones:
        raise OvsTextError(
            f"{whole}: value {field_.format(value)} does not fit into {destination.n_bits} bits"
        )
    return value


def _parse_load(name: str, text: str) -> LearnSpec:
    """``load:VALUE->FIELD`` or ``load:SOURCE->FIELD``"""
    arrow = text.find("->")
    if arrow == 0:
        raise OvsTextError(f"{name}: missing source before `->' in `{text}'")
    if arrow < 0:
        raise OvsTextError(f"{name}: missing `->' in `{text}'")
    try:
        immediate, end = scan_integer(text, 0, _LONGEST_IMMEDIATE_BYTES)
    except OutOfRangeError:
        immediate, end = None, 0
    if immediate is None:
        move = parse_move(text)
        return LearnSpec(LearnTarget.LOAD, move.source.n_bits, move.source, None, move.destination)
    if end != arrow:
        raise OvsTextError(f"{name}: garbage before `->' in `{text}'")
    destination_text = text[arrow + 2 :]
    destination = Subfield.parse(destination_text)
    _refuse_experimenter(destination, destination_text, text)
    if immediate > destination.ones:
        raise OvsTextError(f"{text}: value does not fit into {destination.n_bits} bits")
    return LearnSpec(LearnTarget.LOAD, destination.n_bits, None, immediate, destination)


# -- what is printed


def _learn_text(action: Learn, printer: Printer) -> str:
    arguments = [f"table={table_text(action.table_id, printer.names)}"]
    for name in ("idle_timeout", "hard_timeout", "fin_idle_timeout", "fin_hard_timeout"):
        if timeout_s := getattr(action, f"{name}_s"):
            arguments.append(f"{name}={timeout_s}")
    if action.priority != _DEFAULT_PRIORITY:
        arguments.append(f"priority={action.priority}")
    arguments += [flag for flag in _FLAGS if getattr(action, flag)]
    if action.cookie:
        arguments.append(f"cookie={action.cookie:#x}")
    if action.limit:
        arguments.append(f"limit={action.limit}")
    if action.result_destination is not None:
        arguments.append(f"result_dst={action.result_destination.format()}")
    arguments += [_spec_text(spec, printer.names) for spec in action.specs]
    return f"learn({','.join(arguments)})"


def _spec_text(spec: LearnSpec, names: Names) -> str:
    source, destination = spec.source, spec.destination
    if destination is None:
        assert source is not None
        return f"output:{source.format()}"
    source_text = hex_text(spec.immediate or 0) if source is None else source.format()
    if spec.target is LearnTarget.LOAD:
        return f"load:{source_text}->{destination.format()}"
    if source is None and destination == Subfield.whole(destination.field):
        value = destination.field.format(spec.immediate or 0, None, names)
        return f"{destination.field.name}={value}"
    if source == destination:
        return destination.format()
    return f"{destination.format()}={source_text}"


# -- what is checked


@dataclass
class _LearnedMatch:
    """The match of the flow to be learned, as far as it is known."""

    flow: Flow = field(default_factory=Flow)
    mask: Flow = field(default_factory=Flow)

    def demand(self, destination: Subfield, value: int) -> None:
        of_field = destination.field
        mask = of_field.get(self.mask) | destination.mask
        kept = of_field.get(self.flow) & ~destination.mask
        wanted = (value & destination.ones) << destination.offset
        of_field.set_match(self.flow, self.mask, kept | wanted, mask)


def _check_learn(action: Learn, checker: Checker) -> Learn:
    learned = _LearnedMatch()
    for spec in action.specs:
        if spec.source is not None:
            check_source(spec.source, checker.flow, checker.mask)
        if spec.destination is None:
            continue
        check_source(spec.destination, learned.flow, learned.mask)
        if spec.target is LearnTarget.LOAD:
            check_writable(spec.destination.field)
        elif spec.immediate is not None:
            learned.demand(spec.destination, spec.immediate)
    return action


KINDS: tuple[AnyKind, ...] = (
    ActionKind(Learn, "learn", {"learn": _parse_learn}, _learn_text, _check_learn),
)
