"""Flows as text: reading what ``ovs-ofctl`` takes for FLOW (ovs-ofctl(8), "Flow Syntax").

A text narrows down the protocols that can say it, and the protocol decides what a switch
receives. :func:`read_flow` is the client's part, :mod:`vnet.ovs.openflow.text.sending` the
rest; :func:`parse_flow` does both.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.match import Match, MatchBuilder
from vnet.ovs.flow.match_parse import finish_match, parse_match_part
from vnet.ovs.flow.names import NO_NAMES, Names, parse_port, parse_table
from vnet.ovs.flow.ports import OFPP_NONE
from vnet.ovs.flow.protocols import P_ANY, P_NXM_OF11_UP, P_OF11_UP, P_OF12_UP, P_OF13_UP, P_TID
from vnet.ovs.flow.tokens import c_decimal, key_values, parse_u16, parse_u64
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    DEFAULT_PRIORITY,
    GROUP_ALL,
    GROUP_ANY,
    FlowFlags,
    FlowMod,
    FlowModCommand,
)
from vnet.ovs.openflow.ofpacts import TABLE_ALL, Ofpacts
from vnet.ovs.openflow.text.actions import ParsedActions, check_actions, parse_instructions
from vnet.ovs.openflow.text.command import take_command
from vnet.ovs.openflow.text.sending import flow_as_sent, protocol_for

_ADD, _MODIFY, _MODIFY_STRICT, _DELETE, _DELETE_STRICT = FlowModCommand
_WITH_ACTIONS = (_ADD, _MODIFY, _MODIFY_STRICT)
_WITH_PRIORITY = (*_WITH_ACTIONS, _DELETE_STRICT)
_MODIFICATIONS = (_MODIFY, _MODIFY_STRICT)
_DELETIONS = (_DELETE, _DELETE_STRICT)
_ANY = tuple(FlowModCommand)

_COOKIE_KEPT = (1 << 64) - 1
"""In OpenFlow, the cookie of a modification that lets cookies be."""


class ReadFlow(NamedTuple):
    """A flow that was read, and the protocols (``vnet.ovs.flow.protocols``) that can say it."""

    mod: FlowMod
    usable: int


def parse_flow(
    text: str, command: FlowModCommand | None, names: Names = NO_NAMES, allowed: int = P_ANY
) -> FlowMod:
    """What a switch receives when ``ovs-ofctl`` is given a flow.

    ``command`` None lets the text begin with one, as lines of files may; without one it is an
    addition. ``allowed`` are the protocols to send by, as ``-O`` says. Raises
    :class:`OvsTextError` for what the client refuses and :class:`OpenFlowError` for what the
    switch does.
    """
    mod, usable = read_flow(text, command, names)
    protocol = protocol_for(usable, allowed)
    return flow_as_sent(mod, protocol, openflow_full=names.openflow_full)


def read_flow(text: str, command: FlowModCommand | None, names: Names = NO_NAMES) -> ReadFlow:
    """What the client makes of a flow (parse_ofp_str); ``command`` as in :func:`parse_flow`."""
    if command is None:
        command, text = take_command(text, _COMMANDS)
    reader = _Reader(command, names)
    actions_text = ""
    if command in _WITH_ACTIONS:
        text, actions_text = _split_actions(text)
    for name, value in key_values(text):
        reader.read(name, value)
    return reader.finish(actions_text)


_COMMANDS = (_ADD, _DELETE, _DELETE_STRICT, _MODIFY, _MODIFY_STRICT)
"""In the order in which an abbreviation is tried."""


def _split_actions(text: str) -> tuple[str, str]:
    """What stands before ``action``, and what after the equals sign that follows."""
    head, word, rest = text.partition("action")
    _, equals, actions = rest.partition("=")
    if not word or not equals:
        raise OvsTextError("must specify an action")
    return head, actions


class _Reader:
    """One flow in the reading."""

    def __init__(self, command: FlowModCommand, names: Names) -> None:
        self.command = command
        self.names = names
        self.builder = MatchBuilder()
        self.table_id = TABLE_ALL
        self.flags = FlowFlags.NONE
        self.cookie = 0
        self.cookie_mask = 0
        self.new_cookie: int | None = 0 if command is _ADD else None
        self.out_port = OFPP_NONE
        self.out_group = GROUP_ANY
        self.numbers = {"priority": DEFAULT_PRIORITY}

    def read(self, name: str, value: str) -> None:
        """One ``name`` or ``name=value``."""
        keyword = _KEYWORDS.get(name)
        if keyword is None and parse_match_part(self.builder, name, value, self.names):
            return
        if name in _FLAGS and self.command in _WITH_ACTIONS:
            flag, usable = _FLAGS[name]
            self.flags |= flag
            self.builder.usable &= usable
            return
        if name in _IGNORED_FLAGS:
            return
        if not value:
            raise OvsTextError(f"field {name} missing value")
        if keyword is None or self.command not in keyword.commands:
            raise OvsTextError(f"unknown keyword {name}")
        keyword.read(self, name, value)

    def finish(self, actions_text: str) -> ReadFlow:
        """The whole, with the actions read and checked."""
        match = finish_match(self.builder)
        actions: Ofpacts = ()
        if self.command in _WITH_ACTIONS:
            actions = self._read_actions(actions_text, match)
        if self.new_cookie in (None, _COOKIE_KEPT) and self.command in _MODIFICATIONS:
            # One that looks for no cookie may come to add a flow, and what is added has one.
            self.new_cookie = None if self.cookie_mask else 0
        mod = FlowMod(
            self.command,
            match,
            self.numbers["priority"],
            self.table_id,
            self.cookie,
            self.cookie_mask,
            self.new_cookie,
            self.numbers.get("idle_timeout", 0),
            self.numbers.get("hard_timeout", 0),
            self.numbers.get("importance", 0),
            self.flags,
            self.out_port,
            self.out_group,
            actions,
        )
        return ReadFlow(mod, self.builder.usable)

    def _read_actions(self, text: str, match: Match) -> Ofpacts:
        if self.names is NO_NAMES:
            parsed = _parse_nameless(text)
        else:
            parsed = parse_instructions(text, self.names)
        error = "OFPBAC_MATCH_INCONSISTENT"
        try:
            checked = check_actions(parsed.actions, match, table_id=self.table_id)
        except OpenFlowError as refused:
            error = refused.name
        else:
            self.builder.usable &= parsed.usable & checked.usable
            if self.builder.usable:
                return checked.actions
        raise OvsTextError(f"actions are invalid with specified match ({error})")


@lru_cache(maxsize=4096)
def _parse_nameless(text: str) -> ParsedActions:
    """Thousands of flows share few lists of actions, which are then read and kept once."""
    return parse_instructions(text)


def _read_number(reader: _Reader, name: str, value: str) -> None:
    reader.numbers[name] = parse_u16(value, name)


def _read_table(reader: _Reader, name: str, value: str) -> None:
    table_id = parse_table(value, reader.names)
    if table_id is None:
        raise OvsTextError(f'unknown {name} "{value}"')
    reader.table_id = table_id
    if table_id != TABLE_ALL:
        reader.builder.usable &= P_TID


def _read_out_port(reader: _Reader, _: str, value: str) -> None:
    port = parse_port(value, reader.names)
    if port is None:
        raise OvsTextError(f"{value} is not a valid OpenFlow port")
    reader.out_port = port


_GROUPS = {"any": GROUP_ANY, "all": GROUP_ALL}


def _read_out_group(reader: _Reader, _: str, value: str) -> None:
    reader.builder.usable &= P_OF11_UP
    group = _GROUPS.get(value.lower(), c_decimal(value))
    if group is None or not 0 <= group <= 0xFFFFFFFF:
        raise OvsTextError(f"{value} is not a valid OpenFlow group")
    reader.out_group = group


def _read_cookie(reader: _Reader, _: str, value: str) -> None:
    """With a mask the cookie is one to look for, without it the one to give."""
    cookie, slash, mask = value.partition("/")
    if slash:
        if reader.command is _ADD:
            raise OvsTextError("flow additions cannot use a cookie mask")
        reader.cookie = parse_u64(cookie)
        reader.cookie_mask = parse_u64(mask)
        if reader.cookie_mask:
            reader.builder.usable &= P_NXM_OF11_UP
        return
    if reader.command in _DELETIONS:
        raise OvsTextError(
            f"cannot set cookie (to match on a cookie, specify a mask, e.g. cookie={value}/-1)"
        )
    reader.new_cookie = parse_u64(value)


def _skip(reader: _Reader, name: str, value: str) -> None:
    """What dumps show and no flow can be given."""


class _Keyword(NamedTuple):
    read: Callable[[_Reader, str, str], None]
    commands: tuple[FlowModCommand, ...] = _ANY


_KEYWORDS: dict[str, _Keyword] = {
    "table": _Keyword(_read_table),
    "out_port": _Keyword(_read_out_port, _DELETIONS),
    "out_group": _Keyword(_read_out_group, _DELETIONS),
    "priority": _Keyword(_read_number, _WITH_PRIORITY),
    "idle_timeout": _Keyword(_read_number, _WITH_ACTIONS),
    "hard_timeout": _Keyword(_read_number, _WITH_ACTIONS),
    "importance": _Keyword(_read_number, (_ADD,)),
    "cookie": _Keyword(_read_cookie),
    **dict.fromkeys(("duration", "n_packets", "n_bytes", "idle_age", "hard_age"), _Keyword(_skip)),
}
"""The keywords that take a value and are nothing to match, and the commands that know each."""

_FLAGS: dict[str, tuple[FlowFlags, int]] = {
    "send_flow_rem": (FlowFlags.SEND_FLOW_REM, P_ANY),
    "check_overlap": (FlowFlags.CHECK_OVERLAP, P_ANY),
    "reset_counts": (FlowFlags.RESET_COUNTS, P_OF12_UP),
    "no_packet_counts": (FlowFlags.NO_PKT_COUNTS, P_OF13_UP),
    "no_byte_counts": (FlowFlags.NO_BYT_COUNTS, P_OF13_UP),
}
_IGNORED_FLAGS = ("no_readonly_table", "allow_hidden_fields")
