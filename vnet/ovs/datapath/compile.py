"""From datapath actions to a program: what each action does to a packet (lib/odp-execute.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from vnet.base.drops import DropReason
from vnet.ovs.datapath.packet import RECIRC_ID, Packet
from vnet.ovs.datapath.program import Operation, Program, run
from vnet.ovs.datapath.reasons import NO_ACTIONS, RECIRCULATION_TOO_DEEP
from vnet.ovs.datapath.vport import Vport
from vnet.ovs.dpif.actions import (
    CheckPktLen,
    Clone,
    Cookie,
    Drop,
    OdpAction,
    OdpActions,
    Output,
    Recirc,
    Trunc,
    Userspace,
)
from vnet.ovs.flow.ports import OdpPort

MAX_RECIRCULATIONS = 6
"""MAX_RECIRC_DEPTH of lib/dpif-netdev.c."""

_LEAST_TRUNCATED_BYTES = 14


class Engine(Protocol):
    """What actions need of the datapath around them."""

    def vport(self, number: OdpPort) -> Vport: ...
    def recirculate(self, packet: Packet) -> None: ...
    def upcall(self, packet: Packet, cookie: Cookie) -> None: ...
    def drop(self, packet: Packet, reason: DropReason) -> None: ...


def compile_actions(engine: Engine, actions: OdpActions) -> Program:
    """Compile a list. A packet that no action sends anywhere is dropped at its end, by name."""
    operations = [_COMPILERS[type(action)](engine, action) for action in actions]
    if not any(isinstance(action, _TAKERS) for action in actions):
        operations.append(_dropper(engine, NO_ACTIONS))
    return tuple(operations)


def _dropper(engine: Engine, reason: DropReason) -> Operation:
    def drop(packet: Packet) -> bool:
        engine.drop(packet, reason)
        return False

    return drop


def _output(engine: Engine, action: Output) -> Operation:
    send = engine.vport(action.port).send

    def output(packet: Packet) -> bool:
        send(packet.sent())
        return True

    return output


def _trunc(_engine: Engine, action: Trunc) -> Operation:
    longest = max(action.max_len_bytes, _LEAST_TRUNCATED_BYTES)

    def trunc(packet: Packet) -> bool:
        packet.cut_bytes = max(len(packet.data) - longest, 0)
        return True

    return trunc


def _recirc(engine: Engine, action: Recirc) -> Operation:
    recirc_id = action.recirc_id

    def recirc(packet: Packet) -> bool:
        if packet.depth >= MAX_RECIRCULATIONS:
            engine.drop(packet, RECIRCULATION_TOO_DEEP)
            return True
        twin = packet.copy()
        twin.depth += 1
        twin.metadata = RECIRC_ID.set(twin.metadata, recirc_id)
        engine.recirculate(twin)
        return True

    return recirc


def _userspace(engine: Engine, action: Userspace) -> Operation:
    cookie = action.cookie

    def userspace(packet: Packet) -> bool:
        engine.upcall(packet, cookie)
        return True

    return userspace


def _clone(engine: Engine, action: Clone) -> Operation:
    program = compile_actions(engine, action.actions)

    def clone(packet: Packet) -> bool:
        twin = packet.copy()
        twin.cut_bytes, packet.cut_bytes = packet.cut_bytes, 0
        run(program, twin)
        return True

    return clone


def _check_pkt_len(engine: Engine, action: CheckPktLen) -> Operation:
    limit = action.packet_bytes
    longer = compile_actions(engine, action.if_greater)
    others = compile_actions(engine, action.if_less_equal)

    def check_pkt_len(packet: Packet) -> bool:
        size = len(packet.data) - packet.cut_bytes
        run(longer if size > limit else others, packet.copy())
        return True

    return check_pkt_len


def _drop(engine: Engine, _action: Drop) -> Operation:
    return _dropper(engine, NO_ACTIONS)


_COMPILERS: dict[type[OdpAction], Callable[[Engine, Any], Operation]] = {
    Output: _output,
    Trunc: _trunc,
    Recirc: _recirc,
    Userspace: _userspace,
    Clone: _clone,
    CheckPktLen: _check_pkt_len,
    Drop: _drop,
}

_TAKERS = (Output, Recirc, Userspace, Clone, CheckPktLen, Drop)
"""Actions that see to it that a packet gets somewhere, or say that it does not."""
