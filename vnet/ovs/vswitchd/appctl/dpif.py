"""``dpif/...``: the datapath, and what of it belongs to which bridge."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.ovs.dpif.text.flows import bridge_dump_line
from vnet.ovs.dpif.text.show import datapath_text, port_text
from vnet.ovs.ofproto.dump.tunnels import tunnel_settings_text
from vnet.ovs.ofproto.names import datapath_names
from vnet.ovs.vswitchd.appctl.command import bridge_named
from vnet.ovs.vswitchd.reconcile import Vswitchd

_KERNELS = "system"
"""The type of bridges that ask for none; they have what there is here."""


def dump_names(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``dpif/dump-dps``: each bridge behind the type of its datapath."""
    own = vswitchd.backer.dpif.kind
    kinds = {name: bridge.datapath_type for name, bridge in vswitchd.bridges.items()}
    return "\n".join(
        sorted(f"{own if kind == _KERNELS else kind}@{name}" for name, kind in kinds.items())
    )


def dump_flows(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpif/dump-flows [-m] [--names | --no-names] bridge``: what came in by that bridge."""
    *options, name = words
    bridge = bridge_named(vswitchd, name)
    verbose = "-m" in options
    shows_names = verbose
    for option in options:
        if option in ("--names", "--no-names"):
            shows_names = option == "--names"
    backer = vswitchd.backer
    dpif = backer.dpif
    port_names = datapath_names(dpif) if shows_names else None
    shown = (flow for flow in dpif.flows() if (backer.ingress(flow.key) or [None])[0] is bridge)
    return "\n".join(
        bridge_dump_line(
            flow,
            backer.scheduler.now_ns,
            port_names=port_names,
            verbose=verbose,
            vlan_limit=dpif.vlan_limit,
        )
        for flow in shown
    )


def show(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``dpif/show``: bridges and ports by name, with both numbers of each port."""
    if not vswitchd.bridges:
        return ""
    dpif = vswitchd.backer.dpif
    stats = dpif.stats()
    kinds = {port.number: port_text(dpif, port) for port in dpif.ports()}
    lines = [f"{datapath_text(dpif)}: hit:{stats.n_hit} missed:{stats.n_missed}"]
    for name, bridge in sorted(vswitchd.bridges.items()):
        lines.append(f"  {name}:")
        for port in sorted(bridge.ports.values(), key=lambda port: port.name):
            number = "none" if port.odp_port is None else port.odp_port
            if port.tunnel is not None:
                settings = tunnel_settings_text(port.tunnel)
                kind = f"{port.tunnel.kind}: {settings}"
            elif port.odp_port is not None:
                kind = kinds[port.odp_port]
            else:
                kind = f"patch: peer={port.peer}"
            lines.append(f"    {port.name} {port.number}/{number}: ({kind})")
    return "\n".join(lines)
