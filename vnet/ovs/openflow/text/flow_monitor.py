"""Watched flows as text: what is asked for, and what is told of them (ovs-ofctl(8), "monitor")."""

from __future__ import annotations

from typing import NamedTuple

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import field_by_name
from vnet.ovs.flow.match import MatchBuilder
from vnet.ovs.flow.match_parse import PROTOCOLS, parse_match_part
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.flow.names import NO_NAMES, Names, parse_table, port_text, table_text
from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.flow.protocols import P_ANY, P_OF10_ANY
from vnet.ovs.flow.tokens import key_values
from vnet.ovs.flow.value_text import hex_text
from vnet.ovs.openflow.messages import (
    GROUP_ANY,
    FlowMonitorCommand,
    FlowMonitorFlags,
    FlowMonitorRequest,
    FlowUpdate,
    FlowUpdateEvent,
    removed_reason_text,
)
from vnet.ovs.openflow.ofpacts import TABLE_ALL
from vnet.ovs.openflow.text.actions import actions_text
from vnet.ovs.openflow.text.actions.parts import leading_integer

_USUAL = (
    FlowMonitorFlags.INITIAL
    | FlowMonitorFlags.ADD
    | FlowMonitorFlags.REMOVED
    | FlowMonitorFlags.MODIFY
    | FlowMonitorFlags.INSTRUCTIONS
    | FlowMonitorFlags.ONLY_OWN
)
_WITHOUT = {
    "!initial": FlowMonitorFlags.INITIAL,
    "!add": FlowMonitorFlags.ADD,
    "!delete": FlowMonitorFlags.REMOVED,
    "!modify": FlowMonitorFlags.MODIFY,
    "!actions": FlowMonitorFlags.INSTRUCTIONS,
    "!abbrev": FlowMonitorFlags.NO_ABBREV,
    "!own": FlowMonitorFlags.ONLY_OWN,
}
_FLAG_WORDS = (
    (FlowMonitorFlags.INITIAL, "initial"),
    (FlowMonitorFlags.ADD, "add"),
    (FlowMonitorFlags.REMOVED, "delete"),
    (FlowMonitorFlags.MODIFY, "modify"),
    (FlowMonitorFlags.INSTRUCTIONS, "actions"),
    (FlowMonitorFlags.NO_ABBREV, "no-abbrev"),
    (FlowMonitorFlags.ONLY_OWN, "own"),
)
_EVENT_WORDS = {FlowUpdateEvent.REMOVED: "DELETED"}
_WITHOUT_FLOW = (FlowUpdateEvent.PAUSED, FlowUpdateEvent.RESUMED)


class ReadFlowMonitor(NamedTuple):
    """A request that was read, and the protocols (``vnet.ovs.flow.protocols``) for it."""

    request: FlowMonitorRequest
    usable: int


def read_flow_monitor(text: str, monitor_id: int = 0, names: Names = NO_NAMES) -> ReadFlowMonitor:
    """``!initial,table=3,ip,out_port=2``: what is behind ``watch:``; nothing stands for all flows.

    Raises :class:`OvsTextError`.
    """
    reader = _Reader(text, names)
    for name, value in key_values(text):
        reader.read(name, value)
    request = FlowMonitorRequest(
        *(monitor_id, FlowMonitorCommand.ADD, reader.flags, reader.builder.build()),
        *(reader.table_id, reader.out_port, reader.out_group),
    )
    return ReadFlowMonitor(request, P_ANY & reader.builder.usable)


class _Reader:
    """One request in the reading."""

    def __init__(self, text: str, names: Names) -> None:
        self.flags = _USUAL
        self.table_id = TABLE_ALL
        self.out_port, self.out_group = OFPP_NONE, GROUP_ANY
        self.builder = MatchBuilder()
        self._text = text
        self._names = names

    def read(self, name: str, value: str) -> None:
        """One word, or ``name=value``."""
        if name in _WITHOUT:
            self.flags &= ~_WITHOUT[name]
        elif name in PROTOCOLS or field_by_name(name, self._names.openflow_full):
            parse_match_part(self.builder, name, value, self._names)
            if not self.builder.usable & P_OF10_ANY:
                raise OvsTextError(f"{name}: match field is not supported for flow monitor")
        elif not value:
            raise OvsTextError(f"{self._text}: field {name} missing value")
        else:
            self._read_place(name, value)

    def _read_place(self, name: str, value: str) -> None:
        match name:
            case "table":
                table_id = parse_table(value, self._names)
                if table_id is None:
                    raise OvsTextError(f'unknown table "{value}"')
                self.table_id = table_id
            case "out_port":
                self.out_port = OfpPort(leading_integer(value) & 0xFFFF)
            case "out_group":
                self.out_group = leading_integer(value) & 0xFFFFFFFF
            case _:
                raise OvsTextError(f"{self._text}: unknown keyword {name}")


def flow_monitor_text(request: FlowMonitorRequest, names: Names = NO_NAMES) -> str:
    """A request, as Open vSwitch prints it below its message's kind."""
    if request.command == FlowMonitorCommand.DELETE:
        return f"id={request.monitor_id} command=delete"
    flags = ",".join(word for flag, word in _FLAG_WORDS if flag in request.flags)
    words = [f"id={request.monitor_id} flags={flags or '0'}"]
    if request.out_port != OFPP_NONE:
        words.append(f"out_port={port_text(request.out_port, names)}")
    if request.out_group not in (0, GROUP_ANY):
        words.append(f"out_group={request.out_group}")
    if request.table_id != TABLE_ALL:
        words.append(f"table={table_text(request.table_id, names)}")
    shown = match_text(request.match, names)
    return " ".join([*words, *([shown] if shown else [])])


def flow_update_text(update: FlowUpdate, names: Names = NO_NAMES) -> str:
    """What is told of a flow: ``event=ADDED table=0 cookie=0 in_port=1 actions=output:2``."""
    event = update.event
    head = f"event={_EVENT_WORDS.get(event, event.name)}"
    if event is FlowUpdateEvent.ABBREV:
        return f"{head} xid={update.xid:#x}"
    if event in _WITHOUT_FLOW:
        return head
    words = [head]
    if event is FlowUpdateEvent.REMOVED:
        words.append(f"reason={removed_reason_text(update.reason)}")
    words.append(f"table={table_text(update.table_id, names)}")
    if update.idle_timeout_s:
        words.append(f"idle_timeout={update.idle_timeout_s}")
    if update.hard_timeout_s:
        words.append(f"hard_timeout={update.hard_timeout_s}")
    words += [f"cookie={hex_text(update.cookie)}", match_text(update.match, names)]
    shown = " ".join(words)
    if not update.actions:
        return shown
    between = "" if shown.endswith(" ") else " "
    return f"{shown}{between}actions={actions_text(update.actions, names)}"
