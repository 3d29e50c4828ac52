"""The words after ``ofproto/trace``, as ovs-appctl(8) takes them.

``{[DP_NAME] ODP_FLOW | BRIDGE BR_FLOW} [OPTIONS] [-generate|PACKET]``: a flow as the datapath
writes it, or as OpenFlow does with the bridge it comes in by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vnet.ovs.dpif.text.flows import parse_key
from vnet.ovs.dpif.text.parse_flow import FlowSyntaxError
from vnet.ovs.flow.compose import compose
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flag_text import CT_STATES, flags_text
from vnet.ovs.flow.flow import ALL_ONES, MEMBERS, Flow, Stage
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.match_parse import parse_exact_flow
from vnet.ovs.flow.names import Names
from vnet.ovs.flow.ports import OFPP_MAX, OFPP_UNSET, OdpPort
from vnet.ovs.flow.protocols import P_NONE
from vnet.ovs.flow.tokens import c_decimal
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.trace.tracer import TraceRequest
from vnet.ovs.ofproto.tunnel.ports import came_by_tunnel
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.text.actions import check_consistency, parse_actions

_L7_LIMIT_BYTES = 64_000
_DEFAULT_L7_BYTES = 64
_ETHERNET_BYTES = 14
_METADATA = sum(bits.mask for bits in MEMBERS if bits.stage is Stage.METADATA)
_HEX_BYTES = re.compile(r"(?:[ \t\r\n]*[0-9a-fA-F]{2})*")

CT_NEW, CT_EST, CT_RPL, CT_INV, CT_TRK = 0x01, 0x02, 0x08, 0x10, 0x20


@dataclass(slots=True)
class _Words:
    """The words, sorted into options and the rest."""

    rest: list[str] = field(default_factory=list)
    generate: bool = False
    consistent: bool = False
    l7: bytes | None = None
    l7_bytes: int = _DEFAULT_L7_BYTES
    ct_next: list[int] = field(default_factory=list)
    names: bool = False


def parse_request(backer: Backer, words: Sequence[str]) -> TraceRequest:
    """What ``ofproto/trace`` with these words asks for. Raises :class:`OvsTextError`."""
    return _request(backer, _sort(words, _FLAGS))


def parse_packet_out_request(backer: Backer, words: Sequence[str]) -> TraceRequest:
    """What ``ofproto/trace-packet-out`` asks for: the last word is actions to carry out.

    Raises :class:`OvsTextError`, also for actions that no packet-out may have.
    """
    if len(words) < 2:
        raise OvsTextError('"ofproto/trace-packet-out" command requires at least 2 arguments')
    *words, text = words
    actions, usable = parse_actions(text)
    sorted_words = _sort(words, {**_FLAGS, "consistent": "consistent"})
    request = _request(backer, sorted_words)
    port = request.flow.in_port
    if OFPP_MAX <= port < OFPP_UNSET:
        raise OvsTextError("invalid in_port")
    needed = usable if sorted_words.consistent else P_NONE
    try:
        checked = check_consistency(actions, Match(request.flow.key, ALL_ONES), needed, table_id=0)
        request.bridge.check_actions(checked)
    except OpenFlowError as error:
        raise OvsTextError(f"Bad actions: {error.name}") from error
    return replace(request, actions=checked)


def _request(backer: Backer, sorted_words: _Words) -> TraceRequest:
    rest = sorted_words.rest
    frame = None
    if not sorted_words.generate and len(rest) > 1:
        frame = _packet(rest)
    if not 1 <= len(rest) <= 2:
        raise OvsTextError("Syntax error")
    bridge, flow = _flow(backer, rest)
    if sorted_words.generate:
        l7 = sorted_words.l7
        if l7 is None:
            l7 = bytes(n & 0xFF for n in range(sorted_words.l7_bytes))
        frame = compose(flow, l7)
    elif frame is not None:
        seen = extract(frame, vlan_limit=backer.dpif.vlan_limit)
        flow = Flow(seen | flow.key & _METADATA)
    return TraceRequest(
        bridge, flow, frame, ct_next=tuple(sorted_words.ct_next), names=sorted_words.names
    )


def _sort(words: Sequence[str], flags: Mapping[str, str]) -> _Words:
    found = _Words()
    remaining = iter(words)
    for word in remaining:
        flag = word.removeprefix("-").removeprefix("-")
        match word:
            case _ if word.startswith("-") and flag in flags:
                setattr(found, flags[flag], True)
            case "--l7" | "--l7-len" | "--ct-next":
                value = next(remaining, None)
                if value is None:
                    raise OvsTextError(f"Missing argument for option {word}")
                _VALUE_OPTIONS[word](found, value)
            case _ if word.startswith("-"):
                raise OvsTextError(f"{word}: unknown option")
            case _ if len(found.rest) == 3:
                raise OvsTextError("too many arguments")
            case _:
                found.rest.append(word)
    return found


def _set_l7(found: _Words, text: str) -> None:
    found.l7 = _bytes_of(text)


def _set_l7_bytes(found: _Words, text: str) -> None:
    found.l7 = None
    found.l7_bytes = max(c_decimal(text) or 0, 0)
    if found.l7_bytes > _L7_LIMIT_BYTES:
        raise OvsTextError(f"{text}: too much L7 data")


def _add_ct_state(found: _Words, text: str) -> None:
    bits = {name: bit for bit, name in CT_STATES.items()}
    state = 0
    for flag in filter(None, re.split("[, ]", text)):
        if flag not in bits:
            raise OvsTextError(f"{flag}: unknown connection tracking state flag")
        state |= bits[flag]
    faults = [sentence for is_wrong, sentence in _ct_faults(state) if is_wrong]
    if faults:
        shown = flags_text(CT_STATES, state)
        raise OvsTextError("\n".join(f"{shown}: invalid connection state: {f}" for f in faults))
    found.ct_next.append(state)


def _ct_faults(state: int) -> list[tuple[bool, str]]:
    return [
        (bool(state) and not state & CT_TRK, 'If "trk" is unset, no other flags are set'),
        (
            bool(state & CT_INV and state & ~(CT_TRK | CT_INV)),
            'when "inv" is set, only "trk" may also be set',
        ),
        (bool(state & CT_NEW and state & CT_EST), '"new" and "est" are mutually exclusive'),
        (bool(state & CT_NEW and state & CT_RPL), '"new" and "rpy" are mutually exclusive'),
    ]


_FLAGS = {"generate": "generate", "names": "names"}
_VALUE_OPTIONS = {"--l7": _set_l7, "--l7-len": _set_l7_bytes, "--ct-next": _add_ct_state}


def _bytes_of(text: str) -> bytes:
    if not _HEX_BYTES.fullmatch(text.rstrip(" \t\r\n")):
        raise OvsTextError("Trailing garbage in packet data")
    return bytes.fromhex(text)


def _packet(rest: list[str]) -> bytes | None:
    """The packet, if the last word is one; it is taken off then."""
    try:
        frame = _bytes_of(rest[-1])
        if len(frame) < _ETHERNET_BYTES:
            raise OvsTextError("Packet data too short for Ethernet")
    except OvsTextError:
        if len(rest) > 2:
            raise
        return None
    rest.pop()
    return frame


_NO_DATAPATH = "Cannot find the datapath"


def _flow(backer: Backer, rest: Sequence[str]) -> tuple[Ofproto, Flow]:
    """The bridge, and the flow with an OpenFlow port, of what is left."""
    numbers: Mapping[str, int] = {port.name: port.number for port in backer.dpif.ports()}
    elsewhere = len(rest) == 2 and not _names_datapath(backer, rest[0])
    try:
        flow = Flow(parse_key(rest[-1], port_numbers=numbers, vlan_limit=backer.dpif.vlan_limit))
    except FlowSyntaxError as error:
        if len(rest) != 2:
            raise OvsTextError(f"{error.what} (or the bridge name was omitted)") from error
        return _bridge_flow(backer, rest[0], rest[1])
    except OvsTextError as error:
        raise OvsTextError(_NO_DATAPATH if elsewhere else error.what) from error
    if elsewhere:
        raise OvsTextError(_NO_DATAPATH)
    ingress = backer.ingress(flow.key)
    if ingress is None:
        if flow.recirc_id:
            raise OvsTextError(f"no recirculation data for recirc_id {flow.recirc_id:#x}")
        if came_by_tunnel(flow.key):
            raise OvsTextError("no OpenFlow tunnel port for this packet")
        port = OdpPort(flow.in_port)
        raise OvsTextError(f"no OpenFlow port for datapath port {port}")
    bridge, flow.in_port = ingress
    return bridge, flow


def _names_datapath(backer: Backer, word: str) -> bool:
    return word.removeprefix("ovs-") == backer.dpif.name.removeprefix("ovs-")


def _bridge_flow(backer: Backer, name: str, text: str) -> tuple[Ofproto, Flow]:
    bridge = backer.bridges.get(name)
    if bridge is None:
        raise OvsTextError(f"{name}: unknown bridge")
    names = Names({port.name: port.number for port in bridge.ports.values()})
    try:
        return bridge, parse_exact_flow(text, names)
    except OvsTextError as error:
        raise OvsTextError(f"Bad openflow flow syntax: {error.what}") from error
