"""What ovs-ofctl goes on printing while time passes: ``monitor`` and ``snoop``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.names import Names
from vnet.ovs.flow.protocols import P_ANY, P_OF10_ANY, P_OF13_UP
from vnet.ovs.openflow.controller.monitor import InvalidTtl, PacketBytes, Wish
from vnet.ovs.openflow.text.actions.parts import leading_integer
from vnet.ovs.openflow.text.flow_monitor import read_flow_monitor
from vnet.ovs.openflow.text.sending import protocol_for
from vnet.ovs.openflow.version import OpenFlowVersion, protocol_of
from vnet.ovs.vswitchd.ofctl.command import Call

WATCHING = ("monitor", "snoop")
"""The commands of which only the words and their count are known here."""

_DIGIT = re.compile(r"[0-9]")
_WATCH = "watch:"
_INVALID_TTL = "invalid_ttl"


class Wanted(NamedTuple):
    """What ``monitor`` asks the switch for, and the versions of OpenFlow to do it by."""

    wishes: tuple[Wish, ...]
    versions: tuple[OpenFlowVersion, ...]


def needs_time(_call: Call) -> NoReturn:
    """What is printed comes while a lab runs."""
    raise OvsTextError(
        "what it prints comes while the lab runs",
        "at the prompt it goes on until `watch stop`; in Python lab.switch(...).monitor() has it",
    )


def read_monitor(words: Sequence[str], names: Names, allowed: int = P_ANY) -> Wanted:
    """``[MISS_LEN] [invalid_ttl] [watch:[SPEC...]]``. Raises :class:`OvsTextError`."""
    allowed = P_OF10_ANY if allowed == P_ANY else allowed
    if _INVALID_TTL in words:
        if not allowed & ~P_OF13_UP:
            raise OvsTextError(
                "invalid_ttl requires one of the OpenFlow versions OpenFlow10, OpenFlow11, "
                "OpenFlow12 but none is enabled (use -O)"
            )
        allowed &= ~P_OF13_UP
    wishes: list[Wish] = []
    n_monitors = 0
    for word in words:
        if _DIGIT.match(word):
            wishes.append(PacketBytes(leading_integer(word) & 0xFFFF))
        elif word == _INVALID_TTL:
            wishes.append(InvalidTtl())
        elif word.startswith(_WATCH):
            request, usable = read_flow_monitor(word.removeprefix(_WATCH), n_monitors, names)
            protocol_for(usable, allowed)
            wishes.append(request)
            n_monitors += 1
        else:
            raise OvsTextError(f'{word}: unsupported "monitor" argument')
    spoken = tuple(version for version in OpenFlowVersion if protocol_of(version) & allowed)
    return Wanted(tuple(wishes), spoken)
