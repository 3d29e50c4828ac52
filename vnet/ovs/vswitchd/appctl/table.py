"""Every command of ovs-appctl(8) that a daemon answers here, and how one is called.

To add one: a function in a file of its subject, and a line below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vswitchd.appctl import bond, dpctl, fdb, mdb, ofproto, qos, spanning_tree, tunnels
from vnet.ovs.vswitchd.appctl.command import AppctlCommand
from vnet.ovs.vswitchd.reconcile import Vswitchd


def appctl(vswitchd: Vswitchd, name: str, words: Sequence[str] = ()) -> str:
    """What the daemon answers to a command, as ovs-appctl(8) prints it but for the last newline.

    Raises :class:`OvsTextError` with the daemon's sentence.
    """
    command = COMMANDS.get(name)
    if command is None:
        raise OvsTextError(
            f'"{name}" is not a valid command (use "list-commands" to see a list of valid commands)'
        )
    command.check_count(len(words))
    return command.run(vswitchd, words)


def _list_commands(_vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    shown = [command for _, command in sorted(COMMANDS.items()) if command.usage is not None]
    lines = [f"  {command.name:<23} {command.usage}" for command in shown]
    return "\n".join(["The available commands are:", *lines])


_BRIDGE_FLOWS = "[-m] [--names | --no-names] bridge"
_TRACE = "{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet]"
_TRACE_OUT = f"[-consistent] {_TRACE} actions"
_MARK = "[pkt_mark=mark]"
_ROUTE_ADD = f"ip_addr/prefix_len out_br_name [gw] {_MARK}"

COMMANDS: Mapping[str, AppctlCommand] = {
    command.name: command
    for command in (
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
        AppctlCommand(
            "dpctl/dump-conntrack", "[-m] [-s] [dp] [zone=N]", 0, 4, dpctl.dump_conntrack
        ),
        AppctlCommand("dpctl/dump-flows", "[-m] [--names] [dp]", 0, 6, dpctl.dump_flows),
        AppctlCommand("dpctl/flush-conntrack", "[dp] [zone=N]", 0, 4, dpctl.flush_conntrack),
        AppctlCommand("dpctl/show", "[dp...]", 0, None, dpctl.show),
        AppctlCommand("dpif/dump-flows", _BRIDGE_FLOWS, 1, None, dpctl.dump_bridge_flows),
        AppctlCommand("dpif/show", "", 0, 0, dpctl.show_bridges),
        AppctlCommand("fdb/flush", "[bridge]", 0, 1, fdb.flush),
        AppctlCommand("fdb/show", "bridge", 1, 1, fdb.show),
        AppctlCommand("fdb/stats-show", "bridge", 1, 1, fdb.stats_show),
        AppctlCommand("lacp/show", "[port]", 0, 1, bond.lacp_show),
        AppctlCommand("lacp/show-stats", "[port]", 0, 1, bond.lacp_show_stats),
        AppctlCommand("list-commands", "", 0, 0, _list_commands),
        AppctlCommand("mdb/flush", "[bridge]", 0, 1, mdb.flush),
        AppctlCommand("mdb/show", "bridge", 1, 1, mdb.show),
        AppctlCommand("ofproto/list", "", 0, 0, ofproto.list_bridges),
        AppctlCommand("ofproto/list-tunnels", "", 0, 0, tunnels.list_tunnels),
        AppctlCommand("ofproto/trace", _TRACE, 1, None, ofproto.trace),
        AppctlCommand("ofproto/trace-packet-out", _TRACE_OUT, 2, None, ofproto.trace_packet_out),
        AppctlCommand("ovs/route/add", _ROUTE_ADD, 2, 4, tunnels.add_route),
        AppctlCommand("ovs/route/del", f"ip_addr/prefix_len {_MARK}", 1, 2, tunnels.delete_route),
        AppctlCommand("ovs/route/lookup", f"ip_addr {_MARK}", 1, 2, tunnels.look_up_route),
        AppctlCommand("ovs/route/show", "", 0, 0, tunnels.show_routes),
        AppctlCommand("qos/show", "interface", 1, 1, qos.show),
        AppctlCommand("qos/show-types", "interface", 1, 1, qos.show_types),
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
    )
}
"""By name."""
