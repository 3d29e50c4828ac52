"""What tracking asks of a transport protocol."""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol

from vnet.tables.conntrack.linux.entry import Entry
from vnet.tables.conntrack.linux.segment import Segment
from vnet.tables.conntrack.linux.settings import Settings


class Outcome(Enum):
    """What a packet is to the connection whose key it has."""

    VALID = auto()
    PASSED = auto()  # valid, but neither renews the connection nor counts
    INVALID = auto()
    REOPENED = auto()  # the connection is over, and this is the first packet of another
    KILLED = auto()  # valid, and the last of its connection


class L4Tracker(Protocol):
    """A transport protocol's own view of connections."""

    def follow(
        self,
        entry: Entry,
        segment: Segment,
        is_reply: bool,
        checks: bool,
        settings: Settings,
        now_ns: int,
    ) -> Outcome:
        """A packet of ``entry``, which it may begin, came by.

        Sets the entry's state and time. With ``checks`` its checksum is looked at: those of our
        own packets are taken for right.
        """
