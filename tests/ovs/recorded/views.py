"""What ``ovs-ofctl dump-flows`` and its like show of our switch: by program and command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tests.oracle.ovs_kit import Switch
from vnet.ovs.flow.protocols import P_OF15_OXM
from vnet.ovs.ofproto.dump.fdb import dump_fdb, dump_fdb_stats
from vnet.ovs.ofproto.dump.flows import dump_flows
from vnet.ovs.ofproto.dump.groups import dump_group_stats
from vnet.ovs.ofproto.dump.meters import dump_meter_stats, dump_meters
from vnet.ovs.ofproto.dump.mirrors import mirror_statistics
from vnet.ovs.ofproto.dump.ports import dump_ports

View = Callable[[Switch, Sequence[str]], Iterable[str]]
"""From the words behind the command's name to lines."""


def shown(switch: Switch, words: Sequence[str]) -> list[str]:
    """The lines that a command line prints."""
    program, *rest = (word for word in words if not word.startswith("-"))
    text = "\n".join(VIEWS[program, rest[0]](switch, rest[1:]))
    return text.splitlines()


def _mirror_statistics(switch: Switch, words: Sequence[str]) -> Iterable[str]:
    """``ovs-vsctl get mirror NAME statistics``."""
    table, name, column = words
    assert (table, column) == ("mirror", "statistics"), words
    for config in switch.vswitchd.config.bridges:
        if any(mirror.name == name for mirror in config.mirrors):
            statistics = mirror_statistics(switch.bridge(config.name), name)
            yield f"{{{', '.join(f'{key}={count}' for key, count in statistics.items())}}}"


def _flows(switch: Switch, words: Sequence[str]) -> Iterable[str]:
    return (f" {line}" for line in dump_flows(switch.bridge(words[0]), P_OF15_OXM))


VIEWS: dict[tuple[str, str], View] = {
    ("ovs-appctl", "fdb/show"): lambda switch, words: dump_fdb(switch.bridge(words[0])),
    ("ovs-appctl", "fdb/stats-show"): lambda switch, words: dump_fdb_stats(switch.bridge(words[0])),
    ("ovs-ofctl", "dump-flows"): _flows,
    ("ovs-ofctl", "dump-group-stats"): lambda switch, words: dump_group_stats(
        switch.bridge(words[0])
    ),
    ("ovs-ofctl", "dump-meters"): lambda switch, words: dump_meters(switch.bridge(words[0])),
    ("ovs-ofctl", "meter-stats"): lambda switch, words: dump_meter_stats(switch.bridge(words[0])),
    ("ovs-ofctl", "dump-ports"): lambda switch, words: dump_ports(switch.bridge(words[0])),
    ("ovs-vsctl", "get"): _mirror_statistics,
}
