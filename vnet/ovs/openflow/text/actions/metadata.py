"""Actions on what rides with a packet, and on nothing at all (ovs-actions(7), "Metadata
Actions", "Other Actions").
"""

from __future__ import annotations

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.names import parse_port, port_text, table_text
from vnet.ovs.flow.ports import OFPP_NONE
from vnet.ovs.flow.protocol_numbers import IPPROTO_TCP
from vnet.ovs.flow.tokens import key_values, parse_u16, parse_u32, parse_u64
from vnet.ovs.flow.value_text import hex_text
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    CtClear,
    DebugRecirc,
    DebugSlow,
    Exit,
    FinTimeout,
    Note,
    Ofpact,
    PopQueue,
    Sample,
    SampleDirection,
    SetQueue,
    SetTunnel,
    UnrollXlate,
)
from vnet.ovs.openflow.text.actions.kind import ActionKind, AnyKind, Checker, Printer, Reader
from vnet.ovs.openflow.text.actions.parts import dotted_hex, hex_bytes

_GREATEST_SHORT_TUN_ID = 0xFFFFFFFF


def _tunnel_text(action: SetTunnel, _printer: Printer) -> str:
    is_long = action.is_64_bits or action.tun_id > _GREATEST_SHORT_TUN_ID
    return f"set_tunnel{'64' if is_long else ''}:{hex_text(action.tun_id)}"


def _parse_fin_timeout(value: str, _reader: Reader) -> FinTimeout:
    idle_s = hard_s = 0
    for key, text in key_values(value):
        if key == "idle_timeout":
            idle_s = parse_u16(text, key)
        elif key == "hard_timeout":
            hard_s = parse_u16(text, key)
        else:
            raise OvsTextError(f"invalid key '{key}' in 'fin_timeout' argument")
    return FinTimeout(idle_s, hard_s)


def _fin_timeout_text(action: FinTimeout, _printer: Printer) -> str:
    timeouts = []
    if action.fin_idle_timeout_s:
        timeouts.append(f"idle_timeout={action.fin_idle_timeout_s}")
    if action.fin_hard_timeout_s:
        timeouts.append(f"hard_timeout={action.fin_hard_timeout_s}")
    return f"fin_timeout({','.join(timeouts)})"


def _check_fin_timeout(action: FinTimeout, checker: Checker) -> FinTimeout:
    if checker.flow.nw_proto != IPPROTO_TCP:
        checker.inconsistent()
    return action


def _parse_note(value: str, _reader: Reader) -> Note:
    data, rest = hex_bytes(value)
    if rest:
        raise OvsTextError("bad hex digit in `note' argument")
    return Note(data)


def _parse_sample(value: str, reader: Reader) -> Sample:
    probability = 0
    numbers = {"collector_set_id": 0, "obs_domain_id": 0, "obs_point_id": 0}
    port, direction = OFPP_NONE, SampleDirection.DEFAULT
    for key, text in key_values(value):
        if key == "probability":
            probability = parse_u16(text, key)
            if not probability:
                raise OvsTextError(f'invalid probability value "{text}"')
        elif key in numbers:
            numbers[key] = parse_u32(text)
        elif key == "sampling_port":
            named = parse_port(text, reader.names)
            if named is None:
                raise OvsTextError(f"{text}: unknown port")
            port = named
        elif key in ("ingress", "egress"):
            direction = SampleDirection(key)
        else:
            raise OvsTextError(f'invalid key "{key}" in "sample" argument')
    if not probability:
        raise OvsTextError('non-zero "probability" must be specified on sample')
    return Sample(
        probability,
        numbers["collector_set_id"],
        numbers["obs_domain_id"],
        numbers["obs_point_id"],
        port,
        direction,
    )


def _sample_text(action: Sample, printer: Printer) -> str:
    arguments = [
        f"probability={action.probability}",
        f"collector_set_id={action.collector_set_id}",
        f"obs_domain_id={action.obs_domain_id}",
        f"obs_point_id={action.obs_point_id}",
    ]
    if action.sampling_port != OFPP_NONE:
        arguments.append(f"sampling_port={port_text(action.sampling_port, printer.names)}")
    if action.direction is not SampleDirection.DEFAULT:
        arguments.append(action.direction.value)
    return f"sample({','.join(arguments)})"


def _refuse_unroll(_value: str, _reader: Reader) -> Ofpact:
    raise OvsTextError("UNROLL is an internal action that shouldn't be used via OpenFlow")


def _unroll_text(action: UnrollXlate, printer: Printer) -> str:
    table = table_text(action.rule_table_id, printer.names)
    return f"unroll_xlate(table={table}, cookie={action.rule_cookie})"


def _check_unroll(_action: UnrollXlate, _checker: Checker) -> UnrollXlate:
    raise OpenFlowError("OFPBAC_BAD_TYPE")


def _plain(action: Ofpact, word: str) -> AnyKind:
    """A kind without arguments, of which ``action`` is the only one."""
    return ActionKind(
        type(action), word, {word: lambda _value, _reader: action}, lambda _action, _printer: word
    )


KINDS: tuple[AnyKind, ...] = (
    ActionKind(
        SetTunnel,
        "set_tunnel",
        {
            "set_tunnel": lambda value, _reader: SetTunnel(parse_u64(value)),
            "set_tunnel64": lambda value, _reader: SetTunnel(parse_u64(value), is_64_bits=True),
        },
        _tunnel_text,
    ),
    ActionKind(
        SetQueue,
        "set_queue",
        {"set_queue": lambda value, _reader: SetQueue(parse_u32(value))},
        lambda action, _printer: f"set_queue:{action.queue_id}",
    ),
    _plain(PopQueue(), "pop_queue"),
    ActionKind(
        FinTimeout,
        "fin_timeout",
        {"fin_timeout": _parse_fin_timeout},
        _fin_timeout_text,
        _check_fin_timeout,
    ),
    ActionKind(
        Note,
        "note",
        {"note": _parse_note},
        lambda action, _printer: f"note:{dotted_hex(action.data)}",
    ),
    ActionKind(Sample, "sample", {"sample": _parse_sample}, _sample_text),
    ActionKind(
        UnrollXlate, "unroll_xlate", {"unroll_xlate": _refuse_unroll}, _unroll_text, _check_unroll
    ),
    _plain(CtClear(), "ct_clear"),
    _plain(Exit(), "exit"),
    _plain(DebugRecirc(), "debug_recirc"),
    _plain(DebugSlow(), "debug_slow"),
)
