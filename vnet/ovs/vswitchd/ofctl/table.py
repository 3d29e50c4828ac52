"""Every command of ovs-ofctl(8) that there is here, and how one is given.

To add one: a function in a file of its subject, and a line below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vswitchd.ofctl import bundles, flows, groups, packets, ports, watching
from vnet.ovs.vswitchd.ofctl.command import Call, OfctlCommand, Options, take_options
from vnet.ovs.vswitchd.reconcile import Vswitchd


def ofctl(
    vswitchd: Vswitchd, name: str, words: Sequence[str], options: Options | None = None
) -> str:
    """What ovs-ofctl(8) prints that is given ``name`` and ``words``, but for the last newline.

    Options among the words are added to ``options``. Raises :class:`OvsTextError` for what the
    program refuses, and :class:`~vnet.ovs.openflow.errors.OpenFlowError` for what the switch does;
    nothing has changed then.
    """
    command = COMMANDS.get(name)
    if command is None:
        raise OvsTextError(f"unknown command '{name}'; use --help for help")
    rest, options = take_options(words, options or Options())
    command.check_count(len(rest))
    bridge = vswitchd.bridges.get(rest[0])
    if bridge is None:
        raise OvsTextError(f"{rest[0]} is not a bridge or a socket")
    return command.run(Call(vswitchd, bridge, rest[1:], options))


COMMANDS: Mapping[str, OfctlCommand] = {
    command.name: command
    for command in (
        OfctlCommand("show", "BR", "its features and ports", 1, 1, ports.show),
        OfctlCommand("add-flow", "BR FLOW", "add a flow", 2, 2, flows.add),
        OfctlCommand("add-flows", "BR FILE", "add the flows of a file", 2, 2, flows.add_file),
        OfctlCommand("mod-flows", "BR FLOW", "change what flows do", 2, 2, flows.modify),
        OfctlCommand("del-flows", "BR [FLOW]", "delete flows, or all", 1, 2, flows.delete),
        OfctlCommand("dump-flows", "BR [FLOW]", "flows and their counters", 1, 2, flows.dump),
        OfctlCommand(
            "dump-aggregate", "BR [FLOW]", "their counters together", 1, 2, flows.aggregate
        ),
        OfctlCommand("dump-tables", "BR", "tables and their counters", 1, 1, flows.tables),
        OfctlCommand("add-group", "BR GROUP", "add a group", 2, 2, groups.add),
        OfctlCommand("add-groups", "BR FILE", "add the groups of a file", 2, 2, groups.add_file),
        OfctlCommand("mod-group", "BR GROUP", "change a group", 2, 2, groups.modify),
        OfctlCommand("del-groups", "BR [GROUP]", "delete groups, or all", 1, 2, groups.delete),
        OfctlCommand(
            "insert-buckets", "BR GROUP", "add buckets to a group", 2, 2, groups.insert_buckets
        ),
        OfctlCommand(
            "remove-buckets", "BR GROUP", "take buckets from a group", 2, 2, groups.remove_buckets
        ),
        OfctlCommand("dump-groups", "BR [ID]", "groups, or one", 1, 2, groups.dump),
        OfctlCommand("dump-group-stats", "BR [GROUP]", "their counters", 1, 2, groups.stats),
        OfctlCommand("add-meter", "BR METER", "add a meter", 2, 2, groups.add_meter),
        OfctlCommand("mod-meter", "BR METER", "change a meter", 2, 2, groups.modify_meter),
        OfctlCommand(
            "del-meter", "BR [METER]", "delete meters, or all", 1, 2, groups.delete_meters
        ),
        OfctlCommand(
            "del-meters", "BR [METER]", "delete meters, or all", 1, 2, groups.delete_meters
        ),
        OfctlCommand("meter-features", "BR", "what meters may be", 1, 1, groups.meter_features),
        OfctlCommand("dump-meter", "BR [METER]", "meters, or one", 1, 2, groups.meters),
        OfctlCommand("dump-meters", "BR [METER]", "meters, or one", 1, 2, groups.meters),
        OfctlCommand("meter-stats", "BR [METER]", "their counters", 1, 2, groups.meter_stats),
        OfctlCommand("dump-ports", "BR [PORT]", "ports' counters", 1, 2, ports.dump),
        OfctlCommand("dump-ports-desc", "BR [PORT]", "ports' settings", 1, 2, ports.describe),
        OfctlCommand("mod-port", "BR PORT WORD", "set a port up, down, ...", 3, 3, ports.modify),
        OfctlCommand("packet-out", "BR PACKET", "have a packet sent", 2, 2, packets.out),
        OfctlCommand(
            "bundle", "BR FILE", "flows, groups and packets of a file", 2, 2, bundles.send_file
        ),
        OfctlCommand(
            "monitor", "BR [LEN] [watch:[SPEC]]", "what it tells", 1, 3, watching.needs_time
        ),
        OfctlCommand("snoop", "BR", "what it and its controller say", 1, 1, watching.needs_time),
        OfctlCommand("queue-stats", "BR [PORT]", "queues' counters", 1, 2, ports.queues),
    )
}
"""By name, subject by subject."""
