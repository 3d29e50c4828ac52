"""Actions that send packets out: ``output``, ``controller``, ``enqueue``, ``group``
(ovs-actions(7), "Output Actions").
"""

from __future__ import annotations

from typing import TypeVar

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import Subfield
from vnet.ovs.flow.names import parse_port, port_text
from vnet.ovs.flow.ports import (
    OFPP_CONTROLLER,
    OFPP_IN_PORT,
    OFPP_LOCAL,
    OFPP_MAX,
    OFPP_NONE,
    OfpPort,
)
from vnet.ovs.flow.tokens import key_values, parse_u16, parse_u32
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    Controller,
    Enqueue,
    Group,
    Ofpact,
    Output,
    OutputReg,
    OutputTrunc,
    PacketInReason,
)
from vnet.ovs.openflow.text.actions.kind import ActionKind, AnyKind, Checker, Printer, Reader
from vnet.ovs.openflow.text.actions.parts import (
    check_source,
    dotted_hex,
    hex_bytes,
)

_OutputT = TypeVar("_OutputT", Output, OutputTrunc)

_WHOLE_PACKET = 0xFFFF
_ETHERNET_HEADER_BYTES = 14


def check_output_port(port: int, max_ports: int) -> None:
    """Raise OFPBAC_BAD_OUT_PORT unless a packet can be sent to ``port``."""
    if not (port < max_ports or OFPP_IN_PORT <= port < OFPP_NONE):
        raise OpenFlowError("OFPBAC_BAD_OUT_PORT")


# -- output


def _whole_packet_to(port: OfpPort) -> Output:
    return Output(port, _WHOLE_PACKET if port == OFPP_CONTROLLER else 0)


def _parse_output(value: str, reader: Reader) -> Ofpact:
    if "port" in value and "max_len" in value:
        return _parse_truncated(value, reader)
    port = parse_port(value, reader.names)
    if port is not None:
        return _whole_packet_to(port)
    try:
        return OutputReg(Subfield.parse(value))
    except OvsTextError:
        raise OvsTextError(f"{value}: output to unknown port") from None


def _output_text(action: Output, printer: Printer) -> str:
    port = port_text(action.port, printer.names)
    if action.port == OFPP_CONTROLLER:
        return f"{port}:{action.max_len_bytes}"
    return f"output:{port}" if action.port < OFPP_MAX else port


def _check_port(action: _OutputT, checker: Checker) -> _OutputT:
    check_output_port(action.port, checker.max_ports)
    return action


def _parse_truncated(value: str, reader: Reader) -> OutputTrunc:
    port, max_len_bytes = OfpPort(0), 0
    for key, text in key_values(value):
        if key == "port":
            port = _parse_port_of_truncated(text, reader)
        elif key == "max_len":
            max_len_bytes = parse_u32(text)
            if max_len_bytes < _ETHERNET_HEADER_BYTES:
                raise OvsTextError(
                    f"max_len {max_len_bytes} is less than the minimum value "
                    f"{_ETHERNET_HEADER_BYTES}"
                )
        else:
            raise OvsTextError(f"invalid key '{key}' in output_trunc argument")
    return OutputTrunc(port, max_len_bytes)


def _parse_port_of_truncated(text: str, reader: Reader) -> OfpPort:
    port = parse_port(text, reader.names)
    if port is None:
        raise OvsTextError(f"output to unknown truncate port: {text}")
    if port > OFPP_MAX and port not in (OFPP_LOCAL, OFPP_IN_PORT):
        raise OvsTextError(f"output to unsupported truncate port: {text}")
    return port


def _refuse_output_trunc(value: str, _reader: Reader) -> Ofpact:
    # Known by this name to messages only; it is written ``output(port=...,max_len=...)``.
    raise OvsTextError(f"unknown action {value}")


def _truncated_text(action: OutputTrunc, printer: Printer) -> str:
    return f"output(port={port_text(action.port, printer.names)},max_len={action.max_len_bytes})"


def _check_output_reg(action: OutputReg, checker: Checker) -> OutputReg:
    check_source(action.source, checker.flow, checker.mask)
    return action


# -- controller


_REASON_TEXTS = {
    PacketInReason.NO_MATCH: "no_match",
    PacketInReason.ACTION: "action",
    PacketInReason.INVALID_TTL: "invalid_ttl",
    PacketInReason.ACTION_SET: "action_set",
    PacketInReason.GROUP: "group",
    PacketInReason.PACKET_OUT: "packet_out",
    PacketInReason.EXPLICIT_MISS: "",
    PacketInReason.IMPLICIT_MISS: "",
}
_REASONS = {text: reason for reason, text in reversed(_REASON_TEXTS.items())}


def _parse_controller(value: str, _reader: Reader) -> Ofpact:
    if value.isdecimal() and value.isascii():
        return Output(OFPP_CONTROLLER, parse_u16(value, "max_len"))
    max_len_bytes, controller_id, meter_id = _WHOLE_PACKET, 0, None
    reason, pause = PacketInReason.ACTION, False
    userdata: str | None = None
    for key, text in key_values(value):
        match key:
            case "reason":
                if text.lower() not in _REASONS:
                    raise OvsTextError(f'unknown reason "{text}"')
                reason = _REASONS[text.lower()]
            case "max_len":
                max_len_bytes = parse_u16(text, "max_len")
            case "id":
                controller_id = parse_u16(text, "id")
            case "userdata":
                userdata = text
            case "pause":
                pause = True
            case "meter_id":
                meter_id = parse_u32(text)
            case _:
                raise OvsTextError(f'unknown key "{key}" parsing controller action')
    if meter_id == _NO_METER:
        meter_id = None
    if (reason, controller_id, userdata, pause, meter_id) == _PLAIN:
        return Output(OFPP_CONTROLLER, max_len_bytes)
    return Controller(
        max_len_bytes, controller_id, reason, _userdata(userdata or ""), pause, meter_id
    )


_NO_METER = 0
_PLAIN = (PacketInReason.ACTION, 0, None, False, None)
"""What a ``controller`` action is that ``output:controller`` could be as well."""


def _userdata(text: str) -> bytes:
    data, rest = hex_bytes(text)
    if rest:
        raise OvsTextError("bad hex digit in `controller' action `userdata'")
    return data


def _controller_text(action: Controller, _printer: Printer) -> str:
    arguments = []
    if action.reason is not PacketInReason.ACTION:
        arguments.append(f"reason={_REASON_TEXTS.get(action.reason, action.reason.name)}")
    if action.max_len_bytes != _WHOLE_PACKET:
        arguments.append(f"max_len={action.max_len_bytes}")
    if action.controller_id:
        arguments.append(f"id={action.controller_id}")
    if action.userdata:
        arguments.append(f"userdata={dotted_hex(action.userdata)}")
    if action.pause:
        arguments.append("pause")
    if action.meter_id is not None:
        arguments.append(f"meter_id={action.meter_id}")
    if not arguments or action == Controller(action.max_len_bytes):
        return f"CONTROLLER:{action.max_len_bytes}"
    return f"controller({','.join(arguments)})"


# -- enqueue


def _parse_enqueue(value: str, reader: Reader) -> Enqueue:
    port_word, queue_word = _split_enqueue(value)
    port = parse_port(port_word, reader.names)
    if port is None:
        raise OvsTextError(f"{port_word}: enqueue to unknown port")
    return Enqueue(port, parse_u32(queue_word))


def _split_enqueue(value: str) -> tuple[str, str]:
    """The two words around the first of ``:``, ``q`` and ``,``, as strtok(3) finds them."""
    value = value.lstrip(":q,")
    for at, character in enumerate(value):
        if character in ":q," and value[at + 1 :]:
            return value[:at], value[at + 1 :]
    raise OvsTextError('"enqueue" syntax is "enqueue:PORT:QUEUE" or "enqueue(PORT,QUEUE)"')


def _enqueue_text(action: Enqueue, printer: Printer) -> str:
    return f"enqueue:{port_text(action.port, printer.names)}:{action.queue_id}"


def _check_enqueue(action: Enqueue, checker: Checker) -> Enqueue:
    _check_enqueue_port(action.port, checker.max_ports)
    return action


def _check_enqueue_port(port: int, max_ports: int) -> None:
    if port >= max_ports and port not in (OFPP_IN_PORT, OFPP_LOCAL):
        raise OpenFlowError("OFPBAC_BAD_OUT_PORT")


KINDS: tuple[AnyKind, ...] = (
    ActionKind(Output, "output", {"output": _parse_output}, _output_text, _check_port),
    ActionKind(
        OutputReg,
        "output_reg",
        {"output_reg": _parse_output},
        lambda action, _printer: f"output:{action.source.format()}",
        _check_output_reg,
    ),
    ActionKind(
        OutputTrunc,
        "output_trunc",
        {"output_trunc": _refuse_output_trunc},
        _truncated_text,
        _check_port,
    ),
    ActionKind(Controller, "controller", {"controller": _parse_controller}, _controller_text),
    ActionKind(
        Enqueue,
        "enqueue",
        {"enqueue": _parse_enqueue},
        _enqueue_text,
        _check_enqueue,
    ),
    ActionKind(
        Group,
        "group",
        {"group": lambda value, _reader: Group(parse_u32(value))},
        lambda action, _printer: f"group:{action.group_id}",
    ),
)
