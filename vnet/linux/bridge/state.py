"""The states of a bridge port."""

from __future__ import annotations

from enum import Enum


class PortState(Enum):
    """IEEE 802.1D clause 7.4; the numbers are those of BR_STATE_*."""

    DISABLED = 0
    LISTENING = 1
    LEARNING = 2
    FORWARDING = 3
    BLOCKING = 4
