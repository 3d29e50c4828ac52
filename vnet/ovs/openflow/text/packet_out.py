"""Packet-outs as text, read and printed (ovs-ofctl(8), "Packet-Out Syntax")."""

from __future__ import annotations

import re
from typing import NamedTuple

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import FIELDS, field_by_name
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import MatchBuilder
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.flow.names import NO_NAMES, Names, parse_port
from vnet.ovs.flow.ports import (
    OFPP_CONTROLLER,
    OFPP_LOCAL,
    OFPP_MAX,
    OFPP_NONE,
    OfpPort,
)
from vnet.ovs.flow.tokens import c_integer, key_values
from vnet.ovs.openflow.messages import NO_BUFFER, PacketOut
from vnet.ovs.openflow.text.actions import actions_text, parse_actions
from vnet.ovs.openflow.text.packet import packet_text

_HEX_BYTES = re.compile(r"(\s*[0-9A-Fa-f]{2})*\s*")
_ETHERNET_BYTES = 14
_NO_REAL_PORTS = (OFPP_LOCAL, OFPP_NONE, OFPP_CONTROLLER)


class ReadPacketOut(NamedTuple):
    """A packet-out that was read, and the protocols (``vnet.ovs.flow.protocols``) for it."""

    packet_out: PacketOut
    usable: int


def read_packet_out(text: str, names: Names = NO_NAMES) -> ReadPacketOut:
    """``in_port=PORT, packet=HEX, actions=ACTIONS`` and fields of the pipeline.

    Without ``in_port`` the packet comes from the controller; without ``actions`` nothing is done
    with it. Raises :class:`OvsTextError`.
    """
    reader = _Reader(names)
    head, word, actions = text.partition("action")
    for name, value in key_values(head):
        if not value:
            raise OvsTextError(f"field {name} missing value")
        reader.read(name, value)
    if not reader.frame:
        raise OvsTextError("must specify packet")
    parsed = parse_actions(actions.partition("=")[2] if word else "", names)
    packet_out = PacketOut(reader.frame, parsed.actions, reader.builder.build())
    return ReadPacketOut(packet_out, reader.builder.usable & parsed.usable)


class _Reader:
    """One packet-out in the reading."""

    def __init__(self, names: Names) -> None:
        self.frame = b""
        self.builder = MatchBuilder()
        self._names = names
        self._set_in_port(OFPP_CONTROLLER)

    def read(self, name: str, value: str) -> None:
        """One ``name=value``."""
        match name:
            case "in_port":
                self._set_in_port(_port(value, self._names))
            case "packet_type":
                self.builder.set(FIELDS["packet_type"], _packet_type(value))
            case "packet":
                self.frame = packet_from_hex(value)
            case _:
                self._read_field(name, value)

    def _set_in_port(self, port: OfpPort) -> None:
        self.builder.flow.in_port = port
        self.builder.mask.fill(Flow.in_port)

    def _read_field(self, name: str, value: str) -> None:
        field = field_by_name(name)
        if field is None:
            raise OvsTextError(f"unknown keyword {name}")
        self.builder.set(field, *field.parse_value(value, self._names))
        if not field.is_of_pipeline:
            raise OvsTextError(f"{name} is not a valid pipeline field for PACKET_OUT")


def packet_from_hex(text: str) -> bytes:
    """A frame in hexadecimal digits. Raises :class:`OvsTextError`."""
    if not _HEX_BYTES.fullmatch(text):
        raise OvsTextError("packet: Trailing garbage in packet data")
    frame = bytes.fromhex(text)
    if len(frame) < _ETHERNET_BYTES:
        raise OvsTextError("packet: Packet data too short for Ethernet")
    return frame


def _port(text: str, names: Names) -> OfpPort:
    port = parse_port(text, names)
    if port is None:
        raise OvsTextError(f"{text} is not a valid OpenFlow port")
    if port > OFPP_MAX and port not in _NO_REAL_PORTS:
        raise OvsTextError(f"{text} is not a valid OpenFlow port for PACKET_OUT")
    return port


def _packet_type(text: str) -> int:
    namespace, comma, ns_type = text.partition(",")
    if not comma:
        raise OvsTextError(f"packet_type({text}) can't be interpreted")
    return (_c_number(namespace) & 0xFFFF) << 16 | _c_number(ns_type) & 0xFFFF


def _c_number(text: str) -> int:
    """As strtoul() reads it: what follows a number, or is none, does not count."""
    found = re.match(r"\s*(0[xX][0-9a-fA-F]+|[0-9]+)", text)
    return (found and c_integer(found[1])) or 0


def packet_out_text(packet_out: PacketOut, names: Names = NO_NAMES) -> str:
    """A packet-out as OVS prints one after the message's type, with the packet in a second line."""
    shown = f"{match_text(packet_out.pipeline, names)} actions="
    shown += actions_text(packet_out.actions, names)
    if packet_out.buffer_id != NO_BUFFER:
        return f"{shown} buffer={packet_out.buffer_id:#010x}"
    shown += f" data_len={len(packet_out.frame)}"
    if not packet_out.frame:
        return shown
    packet_type = Flow.packet_type.of(packet_out.pipeline.value)
    return f"{shown}\n{packet_text(packet_out.frame, packet_type)}"
