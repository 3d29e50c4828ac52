"""Programs: actions compiled to closures, once per flow.

An operation works on a :class:`~vnet.ovs.datapath.packet.Packet` and says whether the packet
still lives; a program is a tuple of them. :class:`Engine` is what they need of the datapath.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from vnet.base.chance import Stream
from vnet.base.drops import DropReason
from vnet.ovs.datapath.packet import Packet
from vnet.ovs.datapath.vport import Mourner, Vport, Vports
from vnet.ovs.dpif.cookies import Cookie
from vnet.ovs.dpif.meters import MeterBandConfig
from vnet.sim.frame import Frame, Meta
from vnet.tables.conntrack.action import CtAction

Operation = Callable[[Packet], bool]
Program = tuple[Operation, ...]


def run(program: Program, packet: Packet) -> None:
    """Carry a program out, until its end or the packet's."""
    for operation in program:
        if not operation(packet):
            return


class Engine(Vports, Mourner, Protocol):
    """What actions need of the datapath around them. ``chance`` decides about samples."""

    chance: Stream

    def udp_source_port(self, original: bytes) -> int:
        """The outer source port of a packet that goes through a tunnel, by what came in."""

    def decapsulate(self, frame: Frame, tunnel: Vport, depth: int = 0) -> None:
        """Take a tunnel's headers off, and look up what is inside."""

    def note(self, meta: Meta | None, event: str, data: bytes) -> Meta | None:
        """Add to the trace of a packet, if it has one."""

    def recirculate(self, packet: Packet) -> None:
        """Look a packet up again."""

    def upcall(self, packet: Packet, cookie: Cookie, *, ends_here: bool) -> None:
        """Hand a packet to userspace. ``ends_here``: nothing else is done with it."""

    def track(self, packet: Packet, action: CtAction, key: int) -> list[Packet]:
        """Send a packet through the connection tracker; what comes out."""

    def exceeded_band(self, meter_id: int, n_bytes: int) -> MeterBandConfig | None:
        """Which band of a meter a packet is too much for. One that does not exist has none."""

    def lose(self, packet: Packet, reason: DropReason) -> None:
        """Count and name the loss of a packet."""
