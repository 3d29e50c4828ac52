"""Every command of ovs-appctl(8) that a daemon answers here, and how one is called.

To add one: a function in a file of its subject, and a line below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.unixctl.request import Request
from vnet.ovs.unixctl.table import Command, CommandError, CommandTable, Run, answering
from vnet.ovs.vswitchd.appctl import (
    bond,
    dpif,
    fdb,
    features,
    mdb,
    ofproto,
    qos,
    spanning_tree,
    threads,
    tunnels,
    unused,
    upcalls,
)
from vnet.ovs.vswitchd.appctl.command import AppctlCommand
from vnet.ovs.vswitchd.appctl.dpctl.table import DPCTL_COMMANDS
from vnet.ovs.vswitchd.reconcile import Vswitchd

VERSION = "ovs-vswitchd (Open vSwitch) 3.1.0"
"""Whose commands these are, and whose words the answers have."""


def appctl(vswitchd: Vswitchd, name: str, words: Sequence[str] = ()) -> str:
    """What the daemon answers to a command, as ovs-appctl(8) prints it but for the last newline.

    Raises :class:`OvsTextError` with the daemon's sentence.
    """
    table = CommandTable(VERSION)
    table.register(*switch_commands(vswitchd))
    return answer_of(table, name, words)


def answer_of(table: CommandTable, name: str, words: Sequence[str] = ()) -> str:
    """What a table answers at once to a command, without the last newline.

    Raises :class:`OvsTextError` with the daemon's sentence.
    """
    answers: list[tuple[bool, str]] = []
    table.dispatch(name, words, Request(lambda well, text: answers.append((well, text))))
    ((is_well, text),) = answers
    text = text.removesuffix("\n")
    if not is_well:
        raise OvsTextError(text)
    return text


def switch_commands(
    vswitchd: Vswitchd, commands: Iterable[AppctlCommand] | None = None
) -> tuple[Command, ...]:
    """Commands as those of one daemon: all that each has, unless others are given."""
    given = COMMANDS.values() if commands is None else commands
    return tuple(
        Command(
            *(each.name, each.usage, each.least, each.most, _run(each, vswitchd)),
            is_there=partial(each.is_known, vswitchd),
            takes_packets=each.takes_packets,
        )
        for each in given
    )


def _run(command: AppctlCommand, vswitchd: Vswitchd) -> Run:
    return answering(partial(_answer, command, vswitchd))


def _answer(command: AppctlCommand, vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """With the last newline, which the text of a command does without."""
    try:
        text = command.run(vswitchd, words)
    except OvsTextError as error:
        raise CommandError(f"{error.what}\n" if error.what else "") from error
    return f"{text}\n" if text else ""


_BRIDGE_FLOWS = "[-m] [--names | --no-names] bridge"
_TRACE = "{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet]"
_TRACE_OUT = f"[-consistent] {_TRACE} actions"
_MARK = "[pkt_mark=mark]"
_ROUTE_ADD = f"ip_addr/prefix_len out_br_name [gw] {_MARK}"

_OVERRIDE = "[interface] normal|false|true"
_NO_BFD, _NO_CFM = "no such BFD object", "no such CFM object"
_CORE = "[-pmd core] [dp]"
_PERF = "[-nh] [-it iter-history-len] [-ms ms-history-len] [-pmd core] [dp]"
_PERF_LOG = "on|off [-b before] [-a after] [-e|-ne] [-us usec] [-q qlen]"
_PARSER = "[-pmd core] miniflow_implementation_name [study_pkt_cnt]"

COMMANDS: Mapping[str, AppctlCommand] = {
    command.name: command
    for command in (
        AppctlCommand("autoattach/show-isid", "[bridge]", 0, 1, unused.nothing),
        AppctlCommand("autoattach/statistics", "[bridge]", 0, 1, unused.nothing),
        AppctlCommand("autoattach/status", "[bridge]", 0, 1, unused.nothing),
        AppctlCommand("bfd/set-forwarding", _OVERRIDE, 1, 2, unused.override_none(_NO_BFD)),
        AppctlCommand("bfd/show", "[interface]", 0, 1, unused.show_none("no such bfd object")),
        AppctlCommand("bond/disable-member", "port member", 2, 2, bond.disable_member),
        AppctlCommand("bond/disable-slave", None, 2, 2, bond.disable_member),
        AppctlCommand("bond/enable-member", "port member", 2, 2, bond.enable_member),
        AppctlCommand("bond/enable-slave", None, 2, 2, bond.enable_member),
        AppctlCommand("bond/hash", "mac [vlan] [basis]", 1, 3, bond.hash_of),
        AppctlCommand("bond/list", "", 0, 0, bond.list_bonds),
        AppctlCommand("bond/migrate", "port hash member", 3, 3, bond.migrate),
        AppctlCommand("bond/set-active-member", "port member", 2, 2, bond.set_active_member),
        AppctlCommand("bond/set-active-slave", None, 2, 2, bond.set_active_member),
        AppctlCommand("bond/show", "[port]", 0, 1, bond.show),
        AppctlCommand("bridge/dump-flows", "[--offload-stats] bridge", 1, 2, ofproto.dump_flows),
        AppctlCommand("bridge/reconnect", "[bridge]", 0, 1, ofproto.reconnect),
        AppctlCommand("cfm/set-fault", _OVERRIDE, 1, 2, unused.override_none(_NO_CFM)),
        AppctlCommand("cfm/show", "[interface]", 0, 1, unused.show_none(_NO_CFM)),
        *DPCTL_COMMANDS,
        AppctlCommand("dpif-netdev/bond-show", "[dp]", 0, 1, threads.show_bonds),
        AppctlCommand("dpif-netdev/dpif-impl-get", "", 0, 0, threads.show_input_code),
        AppctlCommand(
            "dpif-netdev/dpif-impl-set", "dpif_implementation_name", 1, 1, threads.set_input_code
        ),
        AppctlCommand("dpif-netdev/miniflow-parser-get", "", 0, 0, threads.show_parsers),
        AppctlCommand("dpif-netdev/miniflow-parser-set", _PARSER, 1, 5, threads.set_parser),
        AppctlCommand(
            "dpif-netdev/pmd-perf-log-set", _PERF_LOG, 0, 10, threads.set_performance_log
        ),
        AppctlCommand("dpif-netdev/pmd-perf-show", _PERF, 0, 8, threads.show_performance),
        AppctlCommand("dpif-netdev/pmd-rxq-rebalance", "[dp]", 0, 1, threads.rebalance_queues),
        AppctlCommand(
            "dpif-netdev/pmd-rxq-show", "[-pmd core] [-secs secs] [dp]", 0, 5, threads.show_queues
        ),
        AppctlCommand("dpif-netdev/pmd-stats-clear", _CORE, 0, 3, threads.clear_stats),
        AppctlCommand("dpif-netdev/pmd-stats-show", _CORE, 0, 3, threads.show_stats),
        AppctlCommand("dpif-netdev/subtable-lookup-info-get", "", 0, 0, threads.show_lookups),
        AppctlCommand("dpif-netdev/subtable-lookup-prio-get", None, 0, 0, threads.show_lookups),
        AppctlCommand(
            "dpif-netdev/subtable-lookup-prio-set", "[lookup_func] [prio]", 2, 2, threads.set_lookup
        ),
        AppctlCommand("dpif/dump-dps", "", 0, 0, dpif.dump_names),
        AppctlCommand("dpif/dump-flows", _BRIDGE_FLOWS, 1, None, dpif.dump_flows),
        AppctlCommand("dpif/set-dp-features", "bridge", 1, 3, features.change),
        AppctlCommand("dpif/show", "", 0, 0, dpif.show),
        AppctlCommand("dpif/show-dp-features", "bridge", 1, 1, features.show),
        AppctlCommand("fdb/add", "bridge port vlan mac", 4, 4, fdb.add),
        AppctlCommand("fdb/del", "bridge vlan mac", 3, 3, fdb.delete),
        AppctlCommand("fdb/flush", "[bridge]", 0, 1, fdb.flush),
        AppctlCommand("fdb/show", "bridge", 1, 1, fdb.show),
        AppctlCommand("fdb/stats-clear", "[bridge]", 0, 1, fdb.clear_stats),
        AppctlCommand("fdb/stats-show", "bridge", 1, 1, fdb.stats_show),
        AppctlCommand("lacp/show", "[port]", 0, 1, bond.lacp_show),
        AppctlCommand("lacp/show-stats", "[port]", 0, 1, bond.lacp_show_stats),
        AppctlCommand("mdb/flush", "[bridge]", 0, 1, mdb.flush),
        AppctlCommand("mdb/show", "bridge", 1, 1, mdb.show),
        AppctlCommand("odp-execute/action-impl-set", "name", 1, 1, threads.set_action_code),
        AppctlCommand("odp-execute/action-impl-show", "", 0, 0, threads.show_action_code),
        AppctlCommand("ofproto/list", "", 0, 0, ofproto.list_bridges),
        AppctlCommand("ofproto/list-tunnels", "", 0, 0, tunnels.list_tunnels, True),
        AppctlCommand("ofproto/trace", _TRACE, 1, None, ofproto.trace, takes_packets=True),
        AppctlCommand(
            *("ofproto/trace-packet-out", _TRACE_OUT, 2, None, ofproto.trace_packet_out),
            takes_packets=True,
        ),
        AppctlCommand("ovs/route/add", _ROUTE_ADD, 2, 4, tunnels.add_route),
        AppctlCommand("ovs/route/del", f"ip_addr/prefix_len {_MARK}", 1, 2, tunnels.delete_route),
        AppctlCommand("ovs/route/lookup", f"ip_addr {_MARK}", 1, 2, tunnels.look_up_route),
        AppctlCommand("ovs/route/show", "", 0, 0, tunnels.show_routes),
        AppctlCommand("qos/show", "interface", 1, 1, qos.show),
        AppctlCommand("qos/show-types", "interface", 1, 1, qos.show_types),
        AppctlCommand("revalidator/pause", None, 0, 0, upcalls.pause),
        AppctlCommand("revalidator/purge", "", 0, 0, upcalls.purge),
        AppctlCommand("revalidator/resume", None, 0, 0, upcalls.resume),
        AppctlCommand("revalidator/wait", "", 0, 0, upcalls.wait),
        AppctlCommand("rstp/show", "[bridge]", 0, 1, spanning_tree.rapid_show),
        AppctlCommand("rstp/tcn", "[bridge]", 0, 1, spanning_tree.rapid_tcn),
        AppctlCommand("stp/show", "[bridge]", 0, 1, spanning_tree.show),
        AppctlCommand("stp/tcn", "[bridge]", 0, 1, spanning_tree.tcn),
        *(
            command
            for old_and_new in ("tnl/arp", "tnl/neigh")
            for command in (
                AppctlCommand(f"{old_and_new}/aging", "[SECS]", 0, 1, tunnels.age_neighbors),
                AppctlCommand(f"{old_and_new}/flush", "", 0, 0, tunnels.flush_neighbors),
                AppctlCommand(f"{old_and_new}/set", "BRIDGE IP MAC", 3, 3, tunnels.set_neighbor),
                AppctlCommand(f"{old_and_new}/show", "", 0, 0, tunnels.show_neighbors),
            )
        ),
        AppctlCommand("tnl/egress_port_range", "min max", 0, 2, tunnels.port_range),
        AppctlCommand("tnl/ports/show", "-v", 0, 1, tunnels.show_ports),
        AppctlCommand("upcall/disable-megaflows", "", 0, 0, upcalls.disable_megaflows),
        AppctlCommand("upcall/disable-ufid", "", 0, 0, upcalls.disable_ufids),
        AppctlCommand("upcall/enable-megaflows", "", 0, 0, upcalls.enable_megaflows),
        AppctlCommand("upcall/enable-ufid", "", 0, 0, upcalls.enable_ufids),
        AppctlCommand("upcall/set-flow-limit", "flow-limit-number", 1, 1, upcalls.set_flow_limit),
        AppctlCommand("upcall/show", "", 0, 0, upcalls.show),
    )
}
"""By name."""
