"""A switch of ours that is set up by the very command lines that set up the real one.

Command lines of ``ovs-vsctl``, ``ovs-ofctl`` and ``ovs-appctl`` go to the code that is behind them
and not to the programs. Virtual time stands still unless a test moves it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from benchmarks.dummy_switch import DummySwitch
from vnet.base.chance import Chance
from vnet.base.ids import prefix_from_text
from vnet.base.units import NS_PER_MS
from vnet.netdev.route_source import HostAddress
from vnet.ovs.dpif.text.flows import parse_key
from vnet.ovs.flow.compose import compose
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.ovs.vswitchd.appctl.table import appctl
from vnet.ovs.vswitchd.ofctl.command import Options
from vnet.ovs.vswitchd.ofctl.table import ofctl


def oracle_path(*parts: str) -> Path | None:
    """A file or folder of the oracle, or None where there is none."""
    root = os.environ.get("VNET_ORACLE")
    path = Path(root, *parts) if root else None
    return path if path and path.exists() else None


class Switch(DummySwitch):
    """A dummy switch that is set up by command lines."""

    def __init__(self, chance: Chance | None = None) -> None:
        super().__init__(chance)
        self.vswitchd.backer.underlay.set_host(self.dummies)

    def run(self, argv: Sequence[str], lines: Sequence[str] = ()) -> str:
        """Carry out one command; ``lines`` are those of the file it names. Returns its output."""
        program, *words = argv
        if program == "ovs-vsctl":
            self.vsctl(*words)
            return ""
        if program == "ovs-ofctl":
            return self.ofctl(words, lines)
        assert program == "ovs-appctl", argv
        return self.appctl(words)

    def ofctl(self, words: Sequence[str], lines: Sequence[str] = ()) -> str:
        """``ovs-ofctl`` with ``words``, where ``lines`` are in the file that they name last."""
        options: list[str] = []
        rest = list(words)
        while rest[0].startswith("-"):
            options.append(rest.pop(0))
            if options[-1] == "-O":
                options.append(rest.pop(0))
        command, *given = rest
        if lines:
            given[-1] = "-"
        return ofctl(self.vswitchd, command, [*options, *given], Options(stdin="\n".join(lines)))

    def appctl(self, words: Sequence[str]) -> str:
        name, *arguments = words[2:] if words[0] == "-t" else words
        backer = self.vswitchd.backer
        match name:
            case "netdev-dummy/receive":
                for packet in arguments[1:]:
                    self.inject(arguments[0], _frame(packet))
            case "netdev-dummy/set-admin-state":
                *named, state = arguments
                for device in named or self.devices:
                    self.devices[device].set_admin(state == "up")
            case "fdb/add":
                bridge_name, port_name, vlan, mac = arguments
                switching = self.bridge(bridge_name).switching
                switching.mac_table.add_static(
                    int(mac.replace(":", ""), 16),
                    int(vlan),
                    switching.bundles[port_name],
                    self.scheduler.now_ns,
                )
            case "revalidator/purge":
                backer.revalidator.purge()
            case "dpif-dummy/change-port-number":
                self.change_port_number(arguments[1], int(arguments[2]))
            case "netdev-dummy/ip4addr" | "netdev-dummy/ip6addr":
                address = HostAddress(*prefix_from_text(arguments[1]))
                self.dummies.set_address(self.devices[arguments[0]], address)
            case "dpif/set-dp-features":
                assert arguments[1:] == ["tnl_push_pop", "false"], arguments
                backer.underlay.is_native = False
            case "time/warp":
                self.scheduler.run(self.scheduler.now_ns + int(arguments[0]) * NS_PER_MS)
            case "time/stop" | "exit" | "revalidator/wait":
                pass
            case _:
                return appctl(self.vswitchd, name, arguments)
        return ""

    def change_port_number(self, port_name: str, number: int) -> None:
        """Give a datapath port another number, as if the datapath had done so by itself."""
        backer = self.vswitchd.backer
        for bridge in self.vswitchd.bridges.values():
            port = bridge.port_by_name(port_name)
            if port is not None and port.odp_port is not None and port.device is not None:
                backer.unmap_port(port.odp_port)
                self.datapath.port_del(port.odp_port)
                port.odp_port = self.datapath.port_add(port.device, "dummy", OdpPort(number))
                backer.map_port(bridge, port)


def _frame(packet: str) -> bytes:
    try:
        return bytes.fromhex(packet)
    except ValueError:
        return compose(Flow(parse_key(packet)))
