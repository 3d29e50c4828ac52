"""Changes of flows: ``OFPT_FLOW_MOD`` in each version, and Nicira's for OpenFlow 1.0.

Sources: OpenFlow 1.0, section 5.3.3; 1.1, A.3.4.1; 1.5.1, 7.3.4.3; ``nicira-ext.h`` of Open
vSwitch 3.1 for ``struct nx_flow_mod``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from vnet.ovs.flow.match import Match
from vnet.ovs.flow.ports import OFPP_MAX, OfpPort
from vnet.ovs.flow.protocols import P_OF10_ANY, P_OF10_NXM_ANY, P_OF10_STD_ANY, P_TID
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import GROUP_ANY, FlowMod, FlowModCommand
from vnet.ovs.openflow.ofpacts import TABLE_ALL
from vnet.ovs.openflow.text.actions import check_consistency
from vnet.ovs.openflow.version import OpenFlowVersion, version_of
from vnet.ovs.openflow.wire.actions import decode_instructions, encode_instructions
from vnet.ovs.openflow.wire.flow.flags import decode_flow_mod_flags, encode_flags
from vnet.ovs.openflow.wire.flow.parts import put_nxm, take_nxm
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.kinds import NXT_FLOW_MOD, OFPT_FLOW_MOD
from vnet.ovs.openflow.wire.match import check_ct_addresses, decode_match, encode_match
from vnet.ovs.openflow.wire.match.normalize import normalized
from vnet.ovs.openflow.wire.match.openflow10 import ALL_WILDCARDS
from vnet.ovs.openflow.wire.oxm import TunLengths
from vnet.ovs.openflow.wire.packing import pack
from vnet.ovs.openflow.wire.parts.port_numbers import port_from_of11, port_to_of11

_OF10 = struct.Struct("!QHHHHIHH")
_NX = struct.Struct("!QHHHHIHHH6x")
_OF11 = struct.Struct("!QQBBHHHIIIHH")
_WILDCARDS = struct.Struct("!I")

_COMMANDS = tuple(FlowModCommand)
"""By number (OFPFC_*)."""
_NUMBERS = {command: number for number, command in enumerate(_COMMANDS)}
_ADD = 0
_MODIFY = (1, 2)
_DELETE = (3, 4)
_KEPT = (1 << 64) - 1
"""The cookie of a change that lets cookies be."""
_EXACT_PRIORITY = 0xFFFF
"""Of a flow of OpenFlow 1.0 without wildcards, whatever is asked for."""


class _Read(NamedTuple):
    """What a message says, as far as the versions agree; numbers as they are written."""

    match: Match
    command: int
    table_id: int
    cookie: int
    cookie_mask: int
    new_cookie: int | None
    keeps_cookies: bool
    idle_timeout_s: int
    hard_timeout_s: int
    priority: int
    importance: int
    buffer_id: int
    out_port: OfpPort
    out_group: int
    flags: int
    end: int


# -- reading


def decode_flow_mod(
    body: bytes,
    kind: Kind,
    version: OpenFlowVersion,
    protocol: int,
    *,
    tun_lengths: TunLengths | None = None,
    allows_debug: bool = True,
    openflow_full: bool = False,
    max_ports: int = OFPP_MAX,
    n_tables: int = 255,
    warn: Callable[[str], None] = lambda _text: None,
    normalizes: Callable[[Match, Match], None] = lambda _said, _taken: None,
) -> FlowMod:
    """The change of flows that a message of ``kind`` is (ofputil_decode_flow_mod).

    ``protocol``, of ``vnet.ovs.flow.protocols``, is what the connection speaks: it decides
    whether OpenFlow 1.0 names tables. The switch has ``max_ports`` ports and ``n_tables`` tables.
    ``warn`` is told what a log should say of a message that is taken all the same;
    ``normalizes`` of a match of OpenFlow 1.0 with parts that have no sense, and what is left of
    it. Raises :class:`OpenFlowError`.
    """
    if kind is NXT_FLOW_MOD:
        read = _read_nx(body, protocol, tun_lengths, openflow_full, warn)
    elif version is OpenFlowVersion.OF10:
        read = _read_openflow10(body, protocol, warn, normalizes)
    else:
        read = _read_openflow11(body, version, tun_lengths, openflow_full)
    check_ct_addresses(read.match)
    if read.command >= len(_COMMANDS):
        raise OpenFlowError("OFPFMFC_BAD_COMMAND")
    actions = decode_instructions(
        body[read.end :],
        version,
        tun_lengths,
        allows_debug=allows_debug,
        openflow_full=openflow_full,
    )
    flags = decode_flow_mod_flags(
        read.flags,
        version,
        is_added=read.command == _ADD,
        has_timeout=bool(read.idle_timeout_s or read.hard_timeout_s),
    )
    actions = check_consistency(
        actions,
        read.match,
        protocol,
        table_id=read.table_id,
        max_ports=max_ports,
        n_tables=n_tables,
    )
    return FlowMod(
        _COMMANDS[read.command],
        read.match,
        read.priority,
        read.table_id,
        read.cookie,
        read.cookie_mask,
        read.new_cookie,
        read.idle_timeout_s,
        read.hard_timeout_s,
        read.importance,
        flags,
        read.out_port,
        read.out_group,
        actions,
        read.keeps_cookies,
        read.buffer_id,
    )


def _read_openflow10(
    body: bytes,
    protocol: int,
    warn: Callable[[str], None],
    normalizes: Callable[[Match, Match], None],
) -> _Read:
    said, end = decode_match(body, 0, OpenFlowVersion.OF10)
    match = normalized(said)
    if match.mask != said.mask:
        normalizes(said, match)
    cookie, command, idle, hard, priority, buffer_id, out_port, flags = _OF10.unpack_from(body, end)
    if not _WILDCARDS.unpack_from(body)[0] & ALL_WILDCARDS:
        priority = _EXACT_PRIORITY
    command, table_id = _command_and_table(command, protocol, warn)
    return _Read(
        match,
        command,
        table_id,
        0,
        0,
        _new_cookie(command, cookie),
        False,
        idle,
        hard,
        priority,
        0,
        buffer_id,
        OfpPort(out_port),
        GROUP_ANY,
        flags,
        end + _OF10.size,
    )


def _read_nx(
    body: bytes,
    protocol: int,
    tun_lengths: TunLengths | None,
    openflow_full: bool,
    warn: Callable[[str], None],
) -> _Read:
    new_cookie, command, idle, hard, priority, buffer_id, out_port, flags, match_bytes = (
        _NX.unpack_from(body)
    )
    match, cookie, cookie_mask, end = take_nxm(
        body,
        _NX.size,
        match_bytes,
        may_have_cookie=True,
        tun_lengths=tun_lengths,
        openflow_full=openflow_full,
    )
    if command & 0xFF == _ADD and cookie_mask:
        raise OpenFlowError("NXBRC_NXM_INVALID")
    command, table_id = _command_and_table(command, protocol, warn)
    return _Read(
        match,
        command,
        table_id,
        cookie,
        cookie_mask,
        _new_cookie(command, new_cookie),
        False,
        idle,
        hard,
        priority,
        0,
        buffer_id,
        OfpPort(out_port),
        GROUP_ANY,
        flags,
        end,
    )


def _command_and_table(command: int, protocol: int, warn: Callable[[str], None]) -> tuple[int, int]:
    """OpenFlow 1.0 has room for a table only in the command, and only where that is agreed on."""
    if protocol & P_TID:
        return command & 0xFF, command >> 8
    if command > 0xFF:
        warn("flow_mod has explicit table_id but flow_mod_table_id extension is not enabled")
    return command, TABLE_ALL


def _new_cookie(command: int, cookie: int) -> int | None:
    return None if cookie == _KEPT and command != _ADD else cookie


def _read_openflow11(
    body: bytes, version: OpenFlowVersion, tun_lengths: TunLengths | None, openflow_full: bool
) -> _Read:
    (
        cookie,
        cookie_mask,
        table_id,
        command,
        idle,
        hard,
        priority,
        buffer_id,
        out_port,
        out_group,
        flags,
        importance,
    ) = _OF11.unpack_from(body)
    match, end = decode_match(
        body, _OF11.size, version, tun_lengths=tun_lengths, openflow_full=openflow_full
    )
    is_openflow11 = version is OpenFlowVersion.OF11
    new_cookie: int | None = None
    # In OpenFlow 1.1 a modification that looks for no cookie adds a flow where there is none.
    gives_cookie = command == _ADD or (is_openflow11 and command in _MODIFY and not cookie_mask)
    if gives_cookie:
        cookie, cookie_mask, new_cookie = 0, 0, _new_cookie(command, cookie)
    if table_id == TABLE_ALL and (is_openflow11 or command not in _DELETE):
        raise OpenFlowError("OFPFMFC_BAD_TABLE_ID")
    return _Read(
        match,
        command,
        table_id,
        cookie,
        cookie_mask,
        new_cookie,
        command != _ADD and new_cookie is not None,
        idle,
        hard,
        priority,
        importance if version >= OpenFlowVersion.OF14 and command == _ADD else 0,
        buffer_id,
        port_from_of11(out_port),
        out_group if command in _DELETE else GROUP_ANY,
        flags,
        end,
    )


# -- writing


def encode_flow_mod(mod: FlowMod, protocol: int, xid: int) -> bytes:
    """The message that asks for a change by a protocol (ofputil_encode_flow_mod).

    What the protocol has no words for is left out.
    """
    body = flow_mod_body(mod, protocol)
    return pack(flow_mod_kind(protocol), version_of(protocol), xid, body)


def flow_mod_kind(protocol: int) -> Kind:
    """The message by which a protocol changes flows."""
    return NXT_FLOW_MOD if protocol & P_OF10_NXM_ANY else OFPT_FLOW_MOD


def flow_mod_body(mod: FlowMod, protocol: int) -> bytes:
    """What :func:`encode_flow_mod` writes behind the headers."""
    version = version_of(protocol)
    if protocol & P_OF10_ANY:
        head = _encode_openflow10(mod, protocol)
    else:
        head = _encode_openflow11(mod, version)
    return head + encode_instructions(mod.actions, version)


def _encode_openflow10(mod: FlowMod, protocol: int) -> bytes:
    command = _NUMBERS[mod.command]
    if protocol & P_TID:
        command |= mod.table_id << 8
    fields = (
        _KEPT if mod.new_cookie is None else mod.new_cookie,
        command,
        mod.idle_timeout_s,
        mod.hard_timeout_s,
        mod.priority,
        mod.buffer_id,
        mod.out_port,
        encode_flags(mod.flags, OpenFlowVersion.OF10),
    )
    if protocol & P_OF10_STD_ANY:
        return encode_match(mod.match, OpenFlowVersion.OF10) + _OF10.pack(*fields)
    n_bytes, match = put_nxm(mod.match, mod.cookie, mod.cookie_mask)
    return _NX.pack(*fields, n_bytes) + match


def _encode_openflow11(mod: FlowMod, version: OpenFlowVersion) -> bytes:
    command = _NUMBERS[mod.command]
    is_openflow11 = version is OpenFlowVersion.OF11
    gives_cookie = command == _ADD or (is_openflow11 and command in _MODIFY and not mod.cookie_mask)
    new_cookie = _KEPT if mod.new_cookie is None else mod.new_cookie
    may_be_all = not is_openflow11 and command in _DELETE
    return _OF11.pack(
        new_cookie if gives_cookie else mod.cookie & mod.cookie_mask,
        mod.cookie_mask,
        0 if mod.table_id == TABLE_ALL and not may_be_all else mod.table_id,
        command,
        mod.idle_timeout_s,
        mod.hard_timeout_s,
        mod.priority,
        mod.buffer_id,
        port_to_of11(mod.out_port),
        mod.out_group,
        encode_flags(mod.flags, version),
        mod.importance if version >= OpenFlowVersion.OF14 and command == _ADD else 0,
    ) + encode_match(mod.match, version)
