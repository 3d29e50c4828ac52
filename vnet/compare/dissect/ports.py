"""Port numbers of UDP and TCP, of which clients have theirs from the kernel."""

from __future__ import annotations

from vnet.compare.cursor import Cursor
from vnet.compare.field import Field, exact, labelled

FIRST_EPHEMERAL, LAST_EPHEMERAL = 32_768, 60_999
"""net.ipv4.ip_local_port_range as Linux sets it."""


def is_ephemeral(port: int) -> bool:
    return FIRST_EPHEMERAL <= port <= LAST_EPHEMERAL


def port_field(name: str, port: int) -> Field:
    """A port by its number, or as a label where the kernel chose it."""
    return labelled(name, port, "port") if is_ephemeral(port) else exact(name, port)


def take_port(cursor: Cursor, name: str) -> int:
    port = int.from_bytes(cursor.take(2), "big")
    cursor.add(port_field(name, port))
    return port
