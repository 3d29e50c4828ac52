"""How many dummies a daemon has."""

from __future__ import annotations

from enum import Enum


class DummyLevel(Enum):
    """What ``--enable-dummy`` says: which types of devices are dummies."""

    NONE = None
    DUMMY = ""
    SYSTEM = "system"
    ALL = "override"

    @property
    def datapath_types(self) -> tuple[str, ...]:
        """The types of datapaths that are dummies."""
        match self:
            case DummyLevel.SYSTEM:
                return ("dummy", "system")
            case DummyLevel.ALL:
                return ("dummy", "netdev", "system")
        return ("dummy",)
