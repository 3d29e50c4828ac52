"""How much a message matters, and where it may go."""

from __future__ import annotations

from enum import Enum, IntEnum


class Level(IntEnum):
    """The levels of ovs-appctl(8), gravest first. OFF is a setting, and no message has it."""

    OFF = 0
    EMER = 1
    ERR = 2
    WARN = 3
    INFO = 4
    DBG = 5


class Destination(Enum):
    """Where messages go. In the order in which ``vlog/list-pattern`` shows them."""

    SYSLOG = "syslog"
    CONSOLE = "console"
    FILE = "file"


LEVELS = {level.name.lower(): level for level in Level}
DESTINATIONS = {destination.value: destination for destination in Destination}
