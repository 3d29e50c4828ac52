"""What a program is told of its connection."""

from __future__ import annotations

from enum import Enum


class Signal(Enum):
    """What a program wants to hear of."""

    CONNECTED = "connected"
    READABLE = "data, or the end of it, can be read"
    WRITABLE = "there is room to write again"
    CLOSED = "the connection is no more"


class Failure(Enum):
    """Why a connection ended early; the value is what perror(3) prints."""

    REFUSED = "Connection refused"
    RESET = "Connection reset by peer"
    TIMED_OUT = "Connection timed out"
    NO_HOST = "No route to host"
    NO_NETWORK = "Network is unreachable"
    NO_PROTOCOL = "Protocol not available"
    PROTOCOL = "Protocol error"
    DENIED = "Permission denied"
