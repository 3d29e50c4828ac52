"""Actions, compiled: one closure for each, made once per flow.

An operation works on a :class:`~vnet.ovs.datapath.packet.Packet` and says whether the packet
still lives; a program is a tuple of them.
"""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.datapath.packet import Packet

Operation = Callable[[Packet], bool]
Program = tuple[Operation, ...]


def run(program: Program, packet: Packet) -> None:
    """Carry a program out, until its end or the packet's."""
    for operation in program:
        if not operation(packet):
            return
