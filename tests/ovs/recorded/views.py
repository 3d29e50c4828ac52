"""What is read of our switch with ``ovs-vsctl``: what the daemon writes into the database.

What ``ovs-ofctl`` and ``ovs-appctl`` print is printed by the code behind their commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from tests.ovs.command_switch import Switch
from vnet.ovs.ofproto.dump.mirrors import mirror_statistics

View = Callable[[Switch, str], Iterable[str]]
"""From the name of a row to the lines that ``get`` prints."""


def _mirror_statistics(switch: Switch, name: str) -> Iterable[str]:
    for config in switch.vswitchd.config.bridges:
        if any(mirror.name == name for mirror in config.mirrors):
            yield map_text(mirror_statistics(switch.bridge(config.name), name))


def map_text(items: Mapping[str, object]) -> str:
    """A map as a column shows it."""
    return f"{{{', '.join(f'{key}={item}' for key, item in items.items())}}}"


COLUMNS: Mapping[tuple[str, str], View] = {
    ("mirror", "statistics"): _mirror_statistics,
}
"""By table and column."""
