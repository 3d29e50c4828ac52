"""Reading the topology that a command is given, before all that the command needs besides.

A lab takes a second to import: who mistypes a name shall not wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vnet.topology.model import Topology


def topology_of(file: str) -> Topology:
    """The topology in a file, or a shipped one where it is ``@NAME``. Raises
    :class:`~vnet.base.errors.VnetError`."""
    from vnet.lab.shipped import resolve
    from vnet.topology.reading.topology_file import topology_text

    path = resolve(file)
    text = topology_text(path)
    from vnet.base.collector import collector_paused
    from vnet.topology.load import parse_topology

    with collector_paused():
        return parse_topology(text, str(path))
