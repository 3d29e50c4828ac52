"""The versions of OpenFlow, by their numbers on the wire."""

from __future__ import annotations

from enum import IntEnum


class OpenFlowVersion(IntEnum):
    """The first byte of every message."""

    OF10 = 1
    OF11 = 2
    OF12 = 3
    OF13 = 4
    OF14 = 5
    OF15 = 6
