"""How many dummies a daemon has."""

from __future__ import annotations

from enum import Enum


class DummyLevel(Enum):
    """What ``--enable-dummy`` says: which types of devices are dummies."""

    NONE = None
    DUMMY = ""
    SYSTEM = "system"
    ALL = "override"
