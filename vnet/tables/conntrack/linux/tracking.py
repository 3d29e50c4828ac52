"""What tracking says of a packet, and what it may be asked beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from vnet.tables.conntrack.linux.entry import Entry


class PacketState(IntEnum):
    """What a packet is to its connection (``--ctstate``)."""

    INVALID = 0
    ESTABLISHED = 1
    RELATED = 2
    NEW = 3
    UNTRACKED = 4


class Tracking(NamedTuple):
    """``conn`` is None of what is INVALID or UNTRACKED. An ICMP error is RELATED to the connection
    whose packet it quotes, or to a parent's; ``is_reply`` says which way it goes."""

    conn: Entry | None
    state: PacketState
    is_reply: bool


INVALID = Tracking(None, PacketState.INVALID, False)
UNTRACKED = Tracking(None, PacketState.UNTRACKED, False)


@dataclass(frozen=True, slots=True)
class Template:
    """What ``-j CT`` asks for: a zone for each direction, a helper by its name, the name of a
    timeout policy, events that are told (None: all)."""

    zone_original: int = 0
    zone_reply: int = 0
    helper: str = ""
    timeout: str = ""
    events: tuple[str, ...] | None = None

    @property
    def zone_bytes(self) -> bytes:
        """The zone of packets that begin something, as it stands in keys."""
        return self.zone_original.to_bytes(2, "big")

    @property
    def reply_zone_bytes(self) -> bytes:
        """The zone of answers."""
        return self.zone_reply.to_bytes(2, "big")


NO_TEMPLATE = Template()
